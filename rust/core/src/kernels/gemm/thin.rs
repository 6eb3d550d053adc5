//! Products with at most four columns, for which a tile would be wasteful.
//!
//! With rows of A contiguous, and more than four times as long as those of B, k runs over the lanes: lane
//! `l` sums the products of `k = l`, `l + LANES`, … in rising order, and the lanes are added in the order of
//! [`Simd::sum`]. That order depends on k alone, so a row of C has the same bits whatever the other rows are.
//! With columns of A contiguous, `Cᵀ = Bᵀ Aᵀ` is a product with few rows, and the order stays that of
//! the tiles.

use super::{Epilogue, Matrix, Start, blocked};
use crate::numbers::Scalar;
use crate::numbers::simd_fn;

/// Most columns of a thin product.
const COLS: usize = 4;

/// Elements of scratch that the products here need.
pub(super) fn scratch_len<T: Scalar>(m: usize, n: usize, k: usize) -> usize {
    if n > COLS {
        return 0;
    }
    (n * k.next_multiple_of(T::LANES)).max(n * m + blocked::scratch_len::<T>(n, m, k))
}

/// Whether the sum over k runs over the lanes. For a short sum a tile of few columns is as fast; and if A is
/// transposed, k counts the rows of a batch, whose sums continue from one part of the batch to the next.
pub(super) fn sums_over_lanes<T: Scalar>(a: &Matrix<'_, T>, n: usize) -> bool {
    n <= COLS && a.cols() > 4 * n && !a.is_transposed()
}

/// Whether the product is faster as `Cᵀ = Bᵀ Aᵀ`, which has few rows, each of whole vectors.
fn pays_transposed<T: Scalar>(a: &Matrix<'_, T>, n: usize) -> bool {
    n <= COLS && a.is_col_contiguous() && a.rows() >= T::LANES
}

/// Whether [`multiply_add`] is for this product.
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
    let over_lanes = sums_over_lanes(a, b.cols());
    match (b.cols(), over_lanes) {
        (1, true) => multiply_over_lanes::<T, 1>(a, b, c, start, scratch),
        (2, true) => multiply_over_lanes::<T, 2>(a, b, c, start, scratch),
        (3, true) => multiply_over_lanes::<T, 3>(a, b, c, start, scratch),
        (_, true) => multiply_over_lanes::<T, 4>(a, b, c, start, scratch),
        (1, false) => multiply_transposed::<T, 1>(a, b, c, start, scratch),
        (2, false) => multiply_transposed::<T, 2>(a, b, c, start, scratch),
        (3, false) => multiply_transposed::<T, 3>(a, b, c, start, scratch),
        (_, false) => multiply_transposed::<T, 4>(a, b, c, start, scratch),
    }
}

/// `Cᵀ = startᵀ + Bᵀ Aᵀ`, with the chains over k that `C = start + A B` has.
fn multiply_transposed<T: Scalar, const N: usize>(
    a: &Matrix<'_, T>,
    b: &Matrix<'_, T>,
    c: &mut [T],
    start: Start<'_, T>,
    scratch: &mut [T],
) {
    let m = a.rows();
    let (transposed, scratch) = scratch.split_at_mut(N * m);
    let start = if let Start::Zero = start {
        Start::Zero
    } else {
        start.write(c, N);
        for (i, row) in c.as_chunks::<N>().0.iter().enumerate() {
            for (j, &x) in row.iter().enumerate() {
                transposed[j * m + i] = x;
            }
        }
        Start::Given
    };
    blocked::multiply(&b.t(), &a.t(), transposed, start, Epilogue::Nothing, scratch);
    for (i, row) in c.as_chunks_mut::<N>().0.iter_mut().enumerate() {
        for (j, x) in row.iter_mut().enumerate() {
            *x = transposed[j * m + i];
        }
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
