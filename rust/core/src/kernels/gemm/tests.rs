//! Products against the plain triple loop, bit by bit where the order is the same.

use super::{Matrix, Update, gemm, scratch_len, thin};
use crate::kernels::simd::{Isa, with_isa};
use crate::scalar::Scalar;

/// Numbers in [-1, 1) from a linear congruential generator (Knuth's MMIX constants).
fn numbers<T: Scalar>(seed: u64, count: usize) -> Vec<T> {
    let mut state = seed.wrapping_mul(2) + 1;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            T::from_f64((state >> 40) as f64 / 8_388_608.0 - 1.0)
        })
        .collect()
}

/// How a matrix lies in memory.
#[derive(Clone, Copy, Debug)]
enum Layout {
    Rows,
    Columns,
}

impl Layout {
    fn view<T>(self, data: &[T], rows: usize, cols: usize) -> Matrix<'_, T> {
        match self {
            Self::Rows => Matrix::new(data, rows, cols),
            Self::Columns => Matrix::new(data, cols, rows).t(),
        }
    }
}

/// The plain triple loop: for each element the chain over k that the kernels promise.
fn reference(a: &Matrix<'_, f64>, b: &Matrix<'_, f64>, c: &[f64], update: Update, fma: bool) -> Vec<f64> {
    let row = |m: Matrix<'_, f64>, i| {
        let mut out = vec![0.0; m.cols()];
        m.copy_row(i, &mut out);
        out
    };
    let columns: Vec<_> = (0..b.cols()).map(|j| row(b.t(), j)).collect();
    let mut product = vec![];
    for i in 0..a.rows() {
        let left = row(*a, i);
        for (j, column) in columns.iter().enumerate() {
            let start = if update == Update::Add { c[i * b.cols() + j] } else { 0.0 };
            product.push(
                left.iter().zip(column).fold(
                    start,
                    |sum, (&x, &y)| {
                        if fma { x.mul_add(y, sum) } else { x * y + sum }
                    },
                ),
            );
        }
    }
    product
}

/// Checks one product; bit by bit unless the order over k is the lanes'.
fn check(m: usize, n: usize, k: usize, of_a: Layout, of_b: Layout, update: Update) {
    let (a, b) = (numbers::<f64>(1, m * k), numbers::<f64>(2, k * n));
    let (a, b) = (of_a.view(&a, m, k), of_b.view(&b, k, n));
    let before = numbers::<f64>(3, m * n);
    for isa in Isa::available() {
        let want = reference(&a, &b, &before, update, isa.has_fma());
        let mut c = before.clone();
        let mut scratch = vec![f64::NAN; with_isa(isa, || scratch_len::<f64>(m, n, k))];
        with_isa(isa, || gemm(&a, &b, &mut c, update, &mut scratch));
        for (at, (x, want)) in c.iter().zip(want).enumerate() {
            let context = format!("C[{at}] of {m} x {n} x {k}, {of_a:?} {of_b:?} {update:?} {isa:?}");
            if thin::sums_over_lanes(&a, n) {
                assert!((x - want).abs() <= 1e-15 * (k as f64 + 4.0), "{context}: {x} {want}");
            } else {
                assert_eq!(*x, want, "{context}");
            }
        }
    }
}

const LAYOUTS: [(Layout, Layout); 4] = [
    (Layout::Rows, Layout::Rows),
    (Layout::Rows, Layout::Columns),
    (Layout::Columns, Layout::Rows),
    (Layout::Columns, Layout::Columns),
];

#[test]
fn every_small_shape() {
    for m in [1, 2, 6, 7, 13, 14, 15, 29] {
        for n in [1, 2, 3, 4, 5, 8, 9, 15, 16, 17, 24, 31, 32, 33, 65, 129] {
            for k in [0, 1, 2, 7, 8, 9, 16, 17, 31] {
                for (of_a, of_b) in LAYOUTS {
                    check(m, n, k, of_a, of_b, Update::Add);
                    check(m, n, k, of_a, of_b, Update::Set);
                }
            }
        }
    }
}

#[test]
fn across_blocks() {
    for (m, n, k) in [(190, 5, 20), (30, 530, 10), (20, 40, 600), (170, 515, 257), (1, 300, 520)] {
        for (of_a, of_b) in LAYOUTS {
            check(m, n, k, of_a, of_b, Update::Set);
            check(m, n, k, of_a, of_b, Update::Add);
        }
    }
}

#[test]
fn scratch_for_some_rows_is_enough_for_fewer() {
    for (n, k) in [(3, 100), (100, 2), (256, 784), (600, 500)] {
        let lens: Vec<_> = (0..400).map(|m| scratch_len::<f32>(m, n, k)).collect();
        assert!(lens.is_sorted(), "{n} x {k}");
    }
}

#[test]
fn rows_do_not_depend_on_their_neighbours() {
    for (n, k) in [(1, 40), (3, 100), (4, 17), (10, 64), (40, 5), (100, 300), (256, 784)] {
        let m = 100;
        let (a, b) = (numbers::<f32>(1, m * k), numbers::<f32>(2, k * n));
        let b = Matrix::new(&b, k, n);
        let mut scratch = vec![0.0; scratch_len::<f32>(m, n, k)];
        let mut product = |first: usize, rows: usize| {
            let mut c = vec![0.0; rows * n];
            let a = Matrix::new(&a[first * k..], rows, k);
            gemm(&a, &b, &mut c, Update::Set, &mut scratch);
            c
        };
        let whole = product(0, m);
        for (first, rows) in [(0, 1), (7, 1), (3, 2), (50, 13), (1, 99)] {
            assert_eq!(product(first, rows), whole[first * n..(first + rows) * n]);
        }
    }
}

#[test]
#[should_panic(expected = "scratch is too short for 2 x 20 x 2")]
fn short_scratch() {
    let (a, b) = ([0.0_f32; 4], [0.0; 40]);
    let b = Matrix::new(&b, 2, 20);
    gemm(&Matrix::new(&a, 2, 2), &b, &mut [0.0; 40], Update::Set, &mut []);
}

#[test]
#[should_panic(expected = "columns of A and rows of B")]
fn shapes_that_do_not_fit() {
    let a = [0.0_f32; 4];
    gemm(&Matrix::new(&a, 2, 2), &Matrix::new(&a, 1, 4), &mut [0.0; 8], Update::Set, &mut []);
}
