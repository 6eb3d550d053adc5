//! Rows of a matrix in any order, copied one after another.

use ndarray::ArrayView2;

use crate::kernels::vector::all_below;
use crate::numbers::simd_fn;

/// Bytes that are prefetched, in whole rows: somewhat more than a core fetches at once.
const AHEAD: usize = 4096;
/// Most rows that are prefetched.
const MOST_ROWS_AHEAD: usize = 16;

/// Rows of so many columns that are prefetched.
pub(super) fn rows_ahead<T>(columns: usize) -> usize {
    (AHEAD / (columns * size_of::<T>()).max(1)).clamp(1, MOST_ROWS_AHEAD)
}

simd_fn! {
    /// Copies `rows` of a matrix.
    ///
    /// from: (any, columns), to: (len(rows), columns)
    ///
    /// # Panics
    /// If a row lies outside of the matrix or the lengths do not fit.
    pub(crate) fn gather_rows<T as V>(from: &ArrayView2<'_, T>, rows: &[u32], to: &mut [T]) {
        let columns = from.ncols();
        assert_eq!(to.len(), rows.len() * columns, "room for the rows");
        assert!(all_below(rows, from.nrows()), "rows are below {}", from.nrows());
        let ahead = rows_ahead::<T>(columns);
        for (i, (&row, to)) in rows.iter().zip(to.chunks_exact_mut(columns)).enumerate() {
            let row = from.row(row as usize);
            let Some(row) = row.as_slice() else {
                for (to, x) in to.iter_mut().zip(row) {
                    *to = *x;
                }
                continue;
            };
            if let Some(&next) = rows.get(i + ahead) {
                let next = from.row(next as usize);
                for line in (0..columns).step_by(T::LANES) {
                    V::prefetch(next.as_ptr().wrapping_add(line));
                }
            }
            for (to, x) in to.chunks_mut(T::LANES).zip(row.chunks(T::LANES)) {
                V::load_front(x).store_front(to);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, ArrayView2, s};

    use super::gather_rows;
    use crate::numbers::simd::{Isa, with_isa};

    fn check(from: &ArrayView2<'_, f32>) {
        let backwards: Vec<u32> = (0..33).rev().collect();
        for rows in [&[][..], &[39], &[5, 0, 5, 39, 7], &backwards] {
            let expected: Vec<f32> = rows.iter().flat_map(|&row| from.row(row as usize).to_vec()).collect();
            for isa in Isa::available() {
                let mut to = vec![-1.0; expected.len()];
                with_isa(isa, || gather_rows(from, rows, &mut to));
                assert_eq!(to, expected, "{isa:?} {:?}", from.strides());
            }
        }
    }

    #[test]
    fn rows_are_copied_in_their_order() {
        for columns in [1, 3, 15, 16, 17, 64, 700] {
            let all = Array2::from_shape_fn((80, 2 * columns), |(i, j)| (2000 * i + j) as f32);
            check(&all.slice(s![..40, ..columns]).to_owned().view());
            check(&all.slice(s![..;2, ..columns]));
            check(&all.slice(s![..40, ..;-2]));
        }
    }

    #[test]
    #[should_panic(expected = "rows are below 2")]
    fn a_row_outside_of_the_matrix() {
        gather_rows(&ArrayView2::from(&[[0.0_f32; 2]; 2]), &[2], &mut [0.0; 2]);
    }
}
