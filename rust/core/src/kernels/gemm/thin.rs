//! Products with few columns, for which a tile would be wasteful.
//!
//! With at most four columns, and rows of A contiguous and more than four times as long as those of B, k runs over the
//! lanes: lane `l` sums the products of `k = l`, `l + LANES`, … in rising order, and the lanes are added in the order of
//! [`Simd::sum`]. That order depends on k alone, so a row of C has the same bits whatever the other rows are.
//! With columns of A contiguous, `Cᵀ = Bᵀ Aᵀ` is a product with few rows, of which more lanes are used, and the order stays
//! that of the tiles.

use super::{Epilogue, Matrix, Start, blocked};
use crate::numbers::Scalar;
use crate::numbers::simd_fn;

/// Most columns of a product with k over the lanes.
const COLS: usize = 4;
/// Most columns of a product that is computed as its transpose.
const MOST_COLS: usize = 16;

/// Elements of scratch that the products here need.
pub(super) fn scratch_len<T: Scalar>(m: usize, n: usize, k: usize) -> usize {
    let over_lanes = if n <= COLS { n * k.next_multiple_of(T::LANES) } else { 0 };
    let transposed = if n <= MOST_COLS { n * m + blocked::scratch_len::<T>(n, m, k) } else { 0 };
    over_lanes.max(transposed)
}

/// Whether the sum over k runs over the lanes. For a short sum a tile of few columns is as fast; and if A is
/// transposed, k counts the rows of a batch, whose sums continue from one part of the batch to the next.
pub(super) fn sums_over_lanes<T: Scalar>(a: &Matrix<'_, T>, n: usize) -> bool {
    n <= COLS && a.cols() > 4 * n && !a.is_transposed()
}

/// Whether the product is faster as `Cᵀ = Bᵀ Aᵀ`, which has few rows, each of whole vectors: if that leaves fewer lanes
/// without use, by a quarter.
fn pays_transposed<T: Scalar>(a: &Matrix<'_, T>, n: usize) -> bool {
    let padded = |rows: usize, cols: usize| rows * cols.next_multiple_of(T::LANES);
    let m = a.rows();
    n <= MOST_COLS && a.is_col_contiguous() && 4 * padded(n, m) <= 3 * padded(m, n)
}

/// Whether [`multiply`] is for this product.
pub(super) fn is_thin<T: Scalar>(a: &Matrix<'_, T>, n: usize) -> bool {
    sums_over_lanes(a, n) || pays_transposed(a, n)
}

/// `C = start + A B` for a product that [`is_thin`]. `scratch` holds [`scratch_len`] elements.
pub(super) fn multiply<T: Scalar>(
    a: &Matrix<'_, T>,
    b: &Matrix<'_, T>,
    c: &mut [T],
    start: Start<'_, T>,
    scratch: &mut [T],
) {
    if !sums_over_lanes(a, b.cols()) {
        return multiply_transposed(a, b, c, start, scratch);
    }
    match b.cols() {
        1 => multiply_over_lanes::<T, 1>(a, b, c, start, scratch),
        2 => multiply_over_lanes::<T, 2>(a, b, c, start, scratch),
        3 => multiply_over_lanes::<T, 3>(a, b, c, start, scratch),
        _ => multiply_over_lanes::<T, 4>(a, b, c, start, scratch),
    }
}

/// `Cᵀ = startᵀ + Bᵀ Aᵀ`, with the chains over k that `C = start + A B` has.
fn multiply_transposed<T: Scalar>(
    a: &Matrix<'_, T>,
    b: &Matrix<'_, T>,
    c: &mut [T],
    start: Start<'_, T>,
    scratch: &mut [T],
) {
    let (m, n) = (a.rows(), b.cols());
    let (transposed, scratch) = scratch.split_at_mut(n * m);
    let start = if let Start::Zero = start {
        Start::Zero
    } else {
        start.write(c, n);
        for (j, column) in transposed.chunks_exact_mut(m).enumerate() {
            column.iter_mut().zip(c[j..].iter().step_by(n)).for_each(|(to, &from)| *to = from);
        }
        Start::Given
    };
    blocked::multiply(&b.t(), &a.t(), transposed, start, Epilogue::Nothing, scratch);
    for (j, column) in transposed.chunks_exact(m).enumerate() {
        c[j..].iter_mut().step_by(n).zip(column).for_each(|(to, &from)| *to = from);
    }
}

fn multiply_over_lanes<T: Scalar, const N: usize>(
    a: &Matrix<'_, T>,
    b: &Matrix<'_, T>,
    c: &mut [T],
    start: Start<'_, T>,
    scratch: &mut [T],
) {
    let k = b.rows();
    let depth = k.next_multiple_of(T::LANES);
    let columns = &mut scratch[..N * depth];
    for (j, column) in columns.chunks_exact_mut(depth).enumerate() {
        b.t().copy_row(j, &mut column[..k]);
        column[k..].fill(T::ZERO);
    }
    let rows_start = match start {
        Start::Zero => Some([T::ZERO; N]),
        Start::Given => None,
        Start::Rows(row) => Some(std::array::from_fn(|j| row[j])),
    };
    dots(a, columns, depth, c.as_chunks_mut().0, rows_start);
}

simd_fn! {
    /// The `N` dot products with every row of A, added to C or to what all its rows start from. `columns`
    /// holds the columns of B, each padded with zeros to `depth`.
    fn dots<T as V, const N: usize>(
        a: &Matrix<'_, T>,
        columns: &[T],
        depth: usize,
        c: &mut [[T; N]],
        start: Option<[T; N]>,
    ) {
        let m = a.rows();
        let mut i = 0;
        while i + 4 <= m {
            let sums = dot::<T, V, 4, N>(a, i, columns, depth);
            add(&mut c[i..], &sums, start.as_ref());
            i += 4;
        }
        while i < m {
            let sums = dot::<T, V, 1, N>(a, i, columns, depth);
            add(&mut c[i..], &sums, start.as_ref());
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
        fn add<T: Scalar, const N: usize>(c: &mut [[T; N]], sums: &[[T; N]], start: Option<&[T; N]>) {
            for (row, sums) in c.iter_mut().zip(sums) {
                let start = *start.unwrap_or(row);
                for ((x, start), &sum) in row.iter_mut().zip(start).zip(sums) {
                    *x = start + sum;
                }
            }
        }
    }
}
