//! Products against the plain triple loop, bit by bit where the order is the same.

use super::matrix::Pieces;
use super::{Epilogue, Matrix, Start, add_rows, gemm, scratch_len, thin};
use crate::kernels::activation::{self, Activation};
use crate::numbers::Scalar;
use crate::numbers::simd::{Isa, with_isa};

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

fn row(m: Matrix<'_, f64>, i: usize) -> Vec<f64> {
    let mut out = vec![0.0; m.cols()];
    m.copy_row(i, &mut out);
    out
}

/// The plain triple loop: for each element the chain over k that the kernels promise.
fn reference(a: &Matrix<'_, f64>, b: &Matrix<'_, f64>, start: &[f64], fma: bool) -> Vec<f64> {
    let columns: Vec<_> = (0..b.cols()).map(|j| row(b.t(), j)).collect();
    let rows: Vec<_> = (0..a.rows()).map(|i| row(*a, i)).collect();
    let pairs = rows.iter().flat_map(|row| columns.iter().map(move |column| row.iter().zip(column)));
    let fold = |start, (&x, &y): (&f64, &f64)| if fma { x.mul_add(y, start) } else { x * y + start };
    pairs.zip(start).map(|(pairs, &start)| pairs.fold(start, fold)).collect()
}

/// What the sums of a product start from, and the epilogue.
#[derive(Clone, Copy, Debug)]
struct Ends {
    start: fn(&[f64]) -> Start<'_, f64>,
    activation: Option<Activation>,
    is_backward: bool,
}

const PLAIN: Ends = Ends { start: |_| Start::Zero, activation: None, is_backward: false };
const BIAS: Ends = Ends { start: |row| Start::Rows(row), activation: Some(Activation::LeakyRelu), ..PLAIN };
const CHAIN: Ends = Ends { activation: Some(Activation::Relu), is_backward: true, ..PLAIN };
const BACK: Ends = Ends { start: |_| Start::Given, activation: Some(Activation::Relu), is_backward: true };

/// Checks one product, bit by bit unless the sums run over the lanes.
fn check(m: usize, n: usize, k: usize, of_a: Layout, of_b: Layout, ends: Ends) {
    let (a, b) = (numbers::<f64>(1, m * k), numbers::<f64>(2, k * n));
    let (a, b) = (of_a.view(&a, m, k), of_b.view(&b, k, n));
    let (before, outputs, bias) = (numbers::<f64>(3, m * n), numbers::<f64>(4, m * n), numbers::<f64>(5, n));
    let start = (ends.start)(&bias);
    let started = match start {
        Start::Zero => vec![0.0; m * n],
        Start::Given => before.clone(),
        Start::Rows(row) => row.repeat(m),
    };
    let epilogue = match ends.activation {
        None => Epilogue::Nothing,
        Some(f) if ends.is_backward => Epilogue::Chain(f, &outputs, 1.25),
        Some(f) => Epilogue::Activate(f),
    };
    for isa in Isa::available() {
        let mut want = reference(&a, &b, &started, isa.has_fma());
        with_isa(isa, || match epilogue {
            Epilogue::Nothing => {}
            Epilogue::Activate(f) => activation::forward(f, &mut want),
            Epilogue::Chain(f, outputs, keep) => {
                let outputs: Vec<_> = outputs.iter().map(|y| keep * y).collect();
                activation::backward_rows(f, &mut want, &outputs, 1.0, n, n);
            }
        });
        let mut c = before.clone();
        let mut scratch = vec![f64::NAN; with_isa(isa, || scratch_len::<f64>(m, n, k))];
        with_isa(isa, || gemm(&a, &b, &mut c, start, epilogue, &mut scratch));
        for (at, (x, want)) in c.iter().zip(want).enumerate() {
            let context = format!("C[{at}] of {m} x {n} x {k}, {of_a:?} {of_b:?} {ends:?} {isa:?}");
            if thin::sums_over_lanes(&a, n) {
                assert!((x - want).abs() <= 2e-15 * (k as f64 + 4.0), "{context}: {x} {want}");
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
                    for ends in [PLAIN, BIAS, CHAIN, BACK] {
                        check(m, n, k, of_a, of_b, ends);
                    }
                }
            }
        }
    }
}

#[test]
fn across_blocks() {
    // A in several blocks, B in several, k in several, a row of each; then lines that are a page apart.
    for (m, n, k) in [(1100, 5, 20), (30, 530, 10), (20, 40, 600), (1, 300, 520), (20, 20, 512)] {
        for (of_a, of_b) in LAYOUTS {
            for ends in [PLAIN, BIAS, BACK] {
                check(m, n, k, of_a, of_b, ends);
            }
        }
    }
    // Operands that do not fit into the caches.
    for (of_a, of_b) in LAYOUTS {
        check(90, 515, 515, of_a, of_b, BACK);
        check(515, 515, 90, of_a, of_b, BACK);
    }
}

#[test]
fn every_activation() {
    for (m, n, k) in [(3, 2, 30), (40, 3, 9), (2, 300, 7), (20, 40, 600)] {
        for (of_a, of_b) in LAYOUTS {
            for activation in Activation::ALL {
                // Products do not apply slopes that are kept.
                let ends = if activation.keeps_slope() { &[BIAS][..] } else { &[BIAS, BACK] };
                for &ends in ends {
                    check(m, n, k, of_a, of_b, Ends { activation: Some(activation), ..ends });
                }
            }
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
            gemm(&a, &b, &mut c, Start::Zero, Epilogue::Nothing, &mut scratch);
            c
        };
        let whole = product(0, m);
        for (first, rows) in [(0, 1), (7, 1), (3, 2), (50, 13), (1, 99)] {
            assert_eq!(product(first, rows), whole[first * n..(first + rows) * n]);
        }
    }
}

#[test]
fn slices_of_rows_are_those_of_the_whole() {
    for (m, n, k) in [(1, 3, 20), (40, 1, 33), (40, 3, 1), (100, 4, 64), (100, 10, 64), (784, 256, 128)] {
        let (a, b) = (numbers::<f32>(1, m * k), numbers::<f32>(2, k * n));
        let b = Matrix::new(&b, k, n);
        let mut scratch = vec![0.0; scratch_len::<f32>(m, n, k)];
        for of_a in [Layout::Rows, Layout::Columns] {
            let a = of_a.view(&a, m, k);
            let mut whole = vec![0.0; m * n];
            gemm(&a, &b, &mut whole, Start::Zero, Epilogue::Nothing, &mut scratch);
            for rows in Pieces::new(0..m, m.div_ceil(3), 1) {
                let mut c = vec![0.0; rows.len() * n];
                let part = a.slice_rows(rows.clone());
                gemm(&part, &b, &mut c, Start::Zero, Epilogue::Nothing, &mut scratch);
                assert_eq!(c, whole[rows.start * n..rows.end * n], "{m} x {n} x {k}, {of_a:?}, {rows:?}");
            }
        }
    }
}

#[test]
fn rows_are_added_in_their_order() {
    for columns in [1, 3, 8, 15, 16, 17, 63, 64, 65, 130] {
        let rows: Vec<f32> = (0..7 * columns).map(|i| 1.1 * i as f32).collect();
        for isa in Isa::available() {
            let mut sums = vec![0.5_f32; columns];
            with_isa(isa, || add_rows(&mut sums, &rows));
            for (j, sum) in sums.iter().enumerate() {
                let expected = rows.iter().skip(j).step_by(columns).fold(0.5, |sum, x| sum + x);
                assert_eq!(*sum, expected, "{isa:?} {columns} {j}");
            }
        }
    }
}

/// The product of 2 x 2 and 2 x 20 numbers.
fn two_by_twenty(start: Start<'_, f32>, epilogue: Epilogue<'_, f32>, scratch: usize) {
    let (a, b) = ([0.0_f32; 4], [0.0; 40]);
    let (a, b) = (Matrix::new(&a, 2, 2), Matrix::new(&b, 2, 20));
    gemm(&a, &b, &mut [0.0; 40], start, epilogue, &mut vec![0.0; scratch]);
}

#[test]
#[should_panic(expected = "scratch is too short for 2 x 20 x 2")]
fn short_scratch() {
    two_by_twenty(Start::Zero, Epilogue::Nothing, 0);
}

#[test]
#[should_panic(expected = "the row that sums start from, and columns of C")]
fn short_start() {
    two_by_twenty(Start::Rows(&[0.0; 19]), Epilogue::Nothing, 10_000);
}

#[test]
#[should_panic(expected = "outputs of the activation, and elements of C")]
fn short_outputs() {
    two_by_twenty(Start::Zero, Epilogue::Chain(Activation::Tanh, &[0.0; 39], 1.0), 10_000);
}

#[test]
#[should_panic(expected = "columns of A and rows of B")]
fn shapes_that_do_not_fit() {
    let a = [0.0_f32; 4];
    let (a, b) = (Matrix::new(&a, 2, 2), Matrix::new(&a, 1, 4));
    gemm(&a, &b, &mut [0.0; 8], Start::Zero, Epilogue::Nothing, &mut []);
}
