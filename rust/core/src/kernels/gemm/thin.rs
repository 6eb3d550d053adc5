//! Products with at most four columns, for which a tile is waste.
//!
//! With rows of A contiguous, k runs over the lanes: lane `l` sums the products of `k = l`,
//! `l + LANES`, … in rising order, and the lanes are added in the order of [`Simd::sum`]. That order
//! depends on k alone, so a row of C has the same bits whatever the other rows are.
//! With columns of A contiguous, `Cᵀ = Bᵀ Aᵀ` is a product with few rows, and the order stays that of
//! the tiles.

use super::{Matrix, Update, blocked, blocks_len};
use crate::kernels::simd::simd_fn;
use crate::scalar::Scalar;

/// Most columns of a thin product.
const COLS: usize = 4;

/// Elements of scratch that the products here need.
pub(super) fn scratch_len<T: Scalar>(m: usize, n: usize, k: usize) -> usize {
    if n > COLS {
        return 0;
    }
    (n * k.next_multiple_of(T::LANES)).max(n * m + blocks_len::<T>(n, m, k))
}

/// Whether the sum over k runs over the lanes.
pub(super) fn sums_over_lanes<T: Scalar>(a: &Matrix<'_, T>, n: usize) -> bool {
    n <= COLS && a.is_row_contiguous()
}

/// Whether the product is faster as `Cᵀ = Bᵀ Aᵀ`: that has few rows, each of whole vectors.
pub(super) fn pays_transposed<T: Scalar>(a: &Matrix<'_, T>, n: usize) -> bool {
    n <= COLS && a.is_col_contiguous() && a.rows() >= T::LANES
}

/// `C = [C +] A B` as `Cᵀ = [Cᵀ +] Bᵀ Aᵀ`, with the same chains over k.
pub(super) fn multiply_transposed<T: Scalar>(
    a: &Matrix<'_, T>,
    b: &Matrix<'_, T>,
    c: &mut [T],
    update: Update,
    scratch: &mut [T],
) {
    let (m, n) = (a.rows(), b.cols());
    let (turned, scratch) = scratch.split_at_mut(n * m);
    if update == Update::Add {
        for (i, row) in c.chunks_exact(n).take(m).enumerate() {
            for (j, &x) in row[..n].iter().enumerate() {
                turned[j * m + i] = x;
            }
        }
    }
    blocked(&b.t(), &a.t(), turned, update, scratch);
    for (i, row) in c.chunks_exact_mut(n).take(m).enumerate() {
        for (j, x) in row[..n].iter_mut().enumerate() {
            *x = turned[j * m + i];
        }
    }
}

/// The product with k over the lanes. `scratch` holds [`scratch_len`] elements.
pub(super) fn multiply_over_lanes<T: Scalar>(
    a: &Matrix<'_, T>,
    b: &Matrix<'_, T>,
    c: &mut [T],
    update: Update,
    scratch: &mut [T],
) {
    let (k, n) = (b.rows(), b.cols());
    let depth = k.next_multiple_of(T::LANES);
    let columns = &mut scratch[..n * depth];
    for (j, column) in columns.chunks_exact_mut(depth).enumerate() {
        b.t().copy_row(j, &mut column[..k]);
        column[k..].fill(T::ZERO);
    }
    let add = update == Update::Add;
    match n {
        1 => dot_rows::<T, 1>(a, columns, depth, c, add),
        2 => dot_rows::<T, 2>(a, columns, depth, c, add),
        3 => dot_rows::<T, 3>(a, columns, depth, c, add),
        _ => dot_rows::<T, 4>(a, columns, depth, c, add),
    }
}

simd_fn! {
    /// `N` dot products with every row of A. `columns` holds the columns of B, each padded with zeros
    /// to `depth`.
    fn dot_rows<T as V, const N: usize>(
        a: &Matrix<'_, T>,
        columns: &[T],
        depth: usize,
        c: &mut [T],
        add: bool,
    ) {
        let m = a.rows();
        let mut i = 0;
        while i + 4 <= m {
            let sums = dot::<T, V, 4, N>(a, i, columns, depth);
            write(&sums, &mut c[i * N..], add);
            i += 4;
        }
        while i < m {
            let sums = dot::<T, V, 1, N>(a, i, columns, depth);
            write(&sums, &mut c[i * N..], add);
            i += 1;
        }

        #[inline(always)]
        fn dot<T: Scalar, V: Simd<T>, const M: usize, const N: usize>(
            a: &Matrix<'_, T>,
            row: usize,
            columns: &[T],
            depth: usize,
        ) -> [[T; N]; M] {
            let k = a.cols();
            assert!(row + M <= a.rows() && k <= depth && columns.len() == N * depth);
            let rows: [*const T; M] = std::array::from_fn(|i| a.at(row + i, 0));
            let mut sums = [[V::zero(); N]; M];
            let whole = k - k % T::LANES;
            // SAFETY: rows of A are contiguous and have k elements, each column `depth >= k` rounded
            // up to whole vectors.
            unsafe {
                for p in (0..whole).step_by(T::LANES) {
                    let mut x = [V::zero(); M];
                    for (x, row) in x.iter_mut().zip(rows) {
                        *x = V::load_ptr(row.add(p));
                    }
                    accumulate(&mut sums, &x, columns.as_ptr().add(p), depth);
                }
                if whole < k {
                    let mut x = [V::zero(); M];
                    for (x, row) in x.iter_mut().zip(rows) {
                        *x = V::load_part_ptr(row.add(whole), k - whole);
                    }
                    accumulate(&mut sums, &x, columns.as_ptr().add(whole), depth);
                }
            }
            let mut totals = [[T::ZERO; N]; M];
            for (totals, sums) in totals.iter_mut().zip(&sums) {
                for (total, sum) in totals.iter_mut().zip(sums) {
                    *total = sum.sum();
                }
            }
            totals
        }

        /// One vector of each row times one of each column.
        ///
        /// # Safety
        /// A vector can be read at `columns` and at each `depth` from there, `N` times.
        #[inline(always)]
        unsafe fn accumulate<T: Scalar, V: Simd<T>, const M: usize, const N: usize>(
            sums: &mut [[V; N]; M],
            x: &[V; M],
            columns: *const T,
            depth: usize,
        ) {
            for j in 0..N {
                // SAFETY: the caller's promise.
                let y = unsafe { V::load_ptr(columns.add(j * depth)) };
                for (sums, x) in sums.iter_mut().zip(x) {
                    sums[j] = x.mul_add(y, sums[j]);
                }
            }
        }

        #[inline(always)]
        fn write<T: Scalar, const M: usize, const N: usize>(
            sums: &[[T; N]; M],
            c: &mut [T],
            add: bool,
        ) {
            for (row, sums) in c.chunks_exact_mut(N).zip(sums) {
                for (x, &sum) in row.iter_mut().zip(sums) {
                    *x = if add { *x + sum } else { sum };
                }
            }
        }
    }
}
