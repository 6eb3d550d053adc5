//! Products of sparse rows with weights: a dense layer, forward and backward.
//!
//! Every sum has the order of the product of dense rows in [`gemm`](super::gemm), rising over the numbers of a row or
//! over the rows, and leaves out products with 0, which change no sum.

use std::ops::Range;

use crate::kernels::sparse_rows::{Entry, SparseRows};
use crate::numbers::Scalar;
use crate::numbers::simd::Simd;
use crate::numbers::simd_fn;

/// Vectors of outputs that are computed together, for each vector of the widest tile of a product: as many as stay in
/// registers.
const ABREAST: usize = 4;

/// Calls a function for so many vectors, at most 8.
macro_rules! for_vectors {
    ($n:expr, $f:ident::<$t:ident, $v:ident>($($argument:expr),*)) => {
        match $n {
            1 => $f::<$t, $v, 1>($($argument),*),
            2 => $f::<$t, $v, 2>($($argument),*),
            3 => $f::<$t, $v, 3>($($argument),*),
            4 => $f::<$t, $v, 4>($($argument),*),
            5 => $f::<$t, $v, 5>($($argument),*),
            6 => $f::<$t, $v, 6>($($argument),*),
            7 => $f::<$t, $v, 7>($($argument),*),
            _ => $f::<$t, $v, 8>($($argument),*),
        }
    };
}

simd_fn! {
    /// `z = b + x W`
    ///
    /// x: (n, `d_in`), w: (`d_in`, `d_out`), b: (`d_out`,), z: (n, `d_out`)
    pub(crate) fn sparse_product<T as V>(z: &mut [T], x: &SparseRows<T>, w: &[T], b: &[T]) {
        for block in blocks::<T, V>(b.len()) {
            for_vectors!(block.len().div_ceil(T::LANES), product::<T, V>(z, x, w, b, &block));
        }

        /// The columns of a block, `N` vectors of which the last may be cut.
        #[inline(always)]
        fn product<T: Scalar, V: Simd<T>, const N: usize>(
            z: &mut [T],
            x: &SparseRows<T>,
            w: &[T],
            b: &[T],
            block: &Range<usize>,
        ) {
            let start = load::<T, V, N>(&b[block.clone()]);
            for (i, z) in z.chunks_exact_mut(b.len()).enumerate() {
                let mut sums = start;
                for (j, x) in x.entries(x.row(i)) {
                    let w = load::<T, V, N>(&w[j * b.len() + block.start..][..block.len()]);
                    add_product(&mut sums, x, &w);
                }
                store(&sums, &mut z[block.clone()]);
            }
        }
    }
}

simd_fn! {
    /// `d_w += x^T d_z` for some rows of `d_w`, which are columns of x.
    ///
    /// x: (n, `d_in`), `d_z`: (n, `d_out`), `d_w`: (rows, `d_out`)
    pub(crate) fn add_sparse_gradient<T as V>(
        d_w: &mut [T],
        rows: &Range<usize>,
        x: &SparseRows<T>,
        d_z: &[T],
    ) {
        let (d_out, entries) = (d_w.len() / rows.len().max(1), x.of_columns(rows));
        for block in blocks::<T, V>(d_out) {
            let n = block.len().div_ceil(T::LANES);
            for_vectors!(n, outer::<T, V>(d_w, rows.start, entries, d_z, (&block, d_out)));
        }

        /// The columns of a block, `N` vectors of which the last may be cut. The sums of a row of `d_w` stay in
        /// registers.
        #[inline(always)]
        fn outer<T: Scalar, V: Simd<T>, const N: usize>(
            d_w: &mut [T],
            first: usize,
            mut entries: &[Entry<T>],
            d_z: &[T],
            (block, d_out): (&Range<usize>, usize),
        ) {
            while let [entry, ..] = entries {
                let column = entry.column;
                let d_w = &mut d_w[(column as usize - first) * d_out + block.start..][..block.len()];
                let mut sums = load::<T, V, N>(d_w);
                while let [entry, rest @ ..] = entries
                    && entry.column == column
                {
                    let d_z = load::<T, V, N>(&d_z[entry.row as usize * d_out + block.start..][..block.len()]);
                    add_product(&mut sums, entry.value, &d_z);
                    entries = rest;
                }
                store(&sums, d_w);
            }
        }
    }
}

/// So many columns, in blocks that are computed together.
#[inline(always)]
fn blocks<T: Scalar, V: Simd<T>>(columns: usize) -> impl Iterator<Item = Range<usize>> {
    let width = ABREAST * V::TILE_VECTORS * T::LANES;
    (0..columns).step_by(width).map(move |start| start..columns.min(start + width))
}

#[inline(always)]
fn load<T: Scalar, V: Simd<T>, const N: usize>(from: &[T]) -> [V; N] {
    let (whole, last) = from.split_at((N - 1) * T::LANES);
    let mut vectors = [V::zero(); N];
    for (i, vector) in vectors[..N - 1].iter_mut().enumerate() {
        *vector = V::load(&whole[i * T::LANES..]);
    }
    vectors[N - 1] = V::load_front(last);
    vectors
}

#[inline(always)]
fn store<T: Scalar, V: Simd<T>, const N: usize>(vectors: &[V; N], to: &mut [T]) {
    let (whole, last) = to.split_at_mut((N - 1) * T::LANES);
    for (i, vector) in vectors[..N - 1].iter().enumerate() {
        vector.store(&mut whole[i * T::LANES..]);
    }
    vectors[N - 1].store_front(last);
}

#[inline(always)]
fn add_product<T: Scalar, V: Simd<T>, const N: usize>(sums: &mut [V; N], x: T, by: &[V; N]) {
    let x = V::splat(x);
    for (sum, by) in sums.iter_mut().zip(by) {
        *sum = x.mul_add(*by, *sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::gemm::{Epilogue, Matrix, Start, gemm, scratch_len};
    use crate::kernels::sparse_rows::compress_rows;
    use crate::numbers::simd::{Isa, with_isa};
    use ndarray::Array2;

    /// Compares with the product of dense rows, bit by bit.
    fn check<T: Scalar>() {
        let (n, d_in) = (150, 90);
        let number = |i: usize| T::from_f64((i as f64 * 0.7).sin());
        let x = Array2::from_shape_fn((n, d_in), |(i, j)| {
            if (7 * i + j * j) % 5 == 0 { number(i * d_in + j) } else { T::ZERO }
        });
        let rows: Vec<u32> = (0..150).collect();
        let mut sparse = SparseRows::default();
        sparse.reserve(n, 0, Some(d_in)).unwrap();
        compress_rows(&x.view(), &rows, &mut sparse).unwrap();
        sparse.transpose(d_in).unwrap();
        let dense = x.as_slice().unwrap();
        let a = Matrix::new(dense, n, d_in);
        for d_out in [5_usize, 7, 8, 9, 16, 31, 32, 33, 63, 64, 65, 100, 130] {
            let w: Vec<T> = (0..d_in * d_out).map(number).collect();
            let (b, d_z): (Vec<T>, Vec<T>) =
                ((0..d_out).map(number).collect(), (0..n * d_out).map(|i| number(i + 5)).collect());
            let mut scratch = vec![T::ZERO; scratch_len::<T>(n.max(d_in), d_out, n.max(d_in))];
            for isa in Isa::available() {
                let mut z = [vec![T::ONE; n * d_out], vec![T::ONE; n * d_out]];
                let start = Start::Rows(&b);
                let matrix = Matrix::new(&w, d_in, d_out);
                with_isa(isa, || {
                    gemm(&a, &matrix, &mut z[0], start, Epilogue::Nothing, &mut scratch);
                    sparse_product(&mut z[1], &sparse, &w, &b);
                });
                assert!(z[0] == z[1], "{isa:?} {} {d_out}", T::DTYPE);
                for part in [0..d_in, 0..1, 30..61] {
                    let len = part.len() * d_out;
                    let mut d_w = [vec![T::ONE; len], vec![T::ONE; len]];
                    let (columns, d_z_matrix) = (a.t().slice_rows(part.clone()), Matrix::new(&d_z, n, d_out));
                    with_isa(isa, || {
                        gemm(
                            &columns,
                            &d_z_matrix,
                            &mut d_w[0],
                            Start::Given,
                            Epilogue::Nothing,
                            &mut scratch,
                        );
                        add_sparse_gradient(&mut d_w[1], &part, &sparse, &d_z);
                    });
                    assert!(d_w[0] == d_w[1], "{isa:?} {} {d_out} {part:?}", T::DTYPE);
                }
            }
        }
    }

    #[test]
    fn has_the_bits_of_the_product_of_dense_rows() {
        check::<f32>();
        check::<f64>();
    }
}
