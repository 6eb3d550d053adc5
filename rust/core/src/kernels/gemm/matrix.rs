//! Read-only views of matrices in a slice, row-major or transposed.
//!
//! Invariant: every element of a view is inside its slice; the constructor checks this, so kernels may read
//! through pointers.

use std::ops::Range;

/// A read-only matrix `(rows, cols)` in a slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix<'a, T> {
    data: &'a [T],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
    /// Whether it is the transpose of a row-major one; with a single row or column, strides would not show
    /// it.
    is_transposed: bool,
}

impl<'a, T> Matrix<'a, T> {
    /// The row-major matrix that fills the front of `data`.
    ///
    /// # Panics
    /// If `data` has fewer than `rows * cols` elements.
    pub(crate) fn new(data: &'a [T], rows: usize, cols: usize) -> Self {
        assert!(rows * cols <= data.len(), "a matrix of {rows} x {cols} does not fit into {}", data.len());
        Self { data, rows, cols, row_stride: cols, col_stride: 1, is_transposed: false }
    }

    /// The transpose, without moving anything.
    #[must_use]
    pub(crate) fn t(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            is_transposed: !self.is_transposed,
            ..self
        }
    }

    /// Some of the rows.
    ///
    /// # Panics
    /// If there are no such rows.
    #[must_use]
    pub(crate) fn slice_rows(self, rows: Range<usize>) -> Self {
        assert!(rows.start <= rows.end && rows.end <= self.rows, "rows {rows:?} of {}", self.rows);
        // If there are no rows, the first one may be beyond the end of the data.
        let first = (rows.start * self.row_stride).min(self.data.len());
        Self { data: &self.data[first..], rows: rows.len(), ..self }
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub(crate) fn cols(&self) -> usize {
        self.cols
    }

    /// The address of element `(i, j)`, valid for reading if the element exists.
    #[inline(always)]
    pub(super) fn at(&self, i: usize, j: usize) -> *const T {
        self.data.as_ptr().wrapping_add(i * self.row_stride + j * self.col_stride)
    }

    /// Distance in memory between neighbours in a column, and between neighbours in a row.
    pub(super) fn strides(&self) -> (usize, usize) {
        (self.row_stride, self.col_stride)
    }

    /// Copies row `i`.
    pub(super) fn copy_row(&self, i: usize, out: &mut [T])
    where
        T: Copy,
    {
        assert!(i < self.rows && out.len() == self.cols);
        let row = self.data.iter().skip(i * self.row_stride).step_by(self.col_stride.max(1));
        for (x, &from) in out.iter_mut().zip(row) {
            *x = from;
        }
    }

    /// Whether it is the transpose of a row-major matrix.
    pub(super) fn is_transposed(&self) -> bool {
        self.is_transposed
    }

    /// Whether neighbours in a row are neighbours in memory.
    pub(super) fn is_row_contiguous(&self) -> bool {
        self.col_stride == 1 || self.cols == 1
    }

    /// Whether neighbours in a column are neighbours in memory.
    pub(super) fn is_col_contiguous(&self) -> bool {
        self.row_stride == 1 || self.rows == 1
    }
}

/// Pieces of a range, as equal as whole units allow.
#[derive(Clone, Debug)]
pub(super) struct Pieces {
    rest: Range<usize>,
    unit: usize,
    left: usize,
    /// Units of a short piece; some pieces have one more.
    short: usize,
    /// Of `count` pieces in sequence, `longer` have one more; `error` spreads these evenly.
    count: usize,
    longer: usize,
    error: usize,
}

impl Pieces {
    /// Pieces of at most `greatest`, a multiple of `unit`. Only the last one may end with a part of a unit.
    pub(super) fn new(range: Range<usize>, greatest: usize, unit: usize) -> Self {
        let units = range.len().div_ceil(unit);
        let count = units.div_ceil(greatest / unit);
        let short = units.checked_div(count).unwrap_or(0);
        Self { rest: range, unit, left: count, short, count, longer: units - short * count, error: 0 }
    }

    /// The end of the last piece.
    pub(super) fn end(&self) -> usize {
        self.rest.end
    }

    /// The length of the longest piece, or somewhat more.
    pub(super) fn longest(&self) -> usize {
        (self.short + usize::from(self.longer > 0)) * self.unit
    }
}

impl Iterator for Pieces {
    type Item = Range<usize>;

    #[inline]
    fn next(&mut self) -> Option<Range<usize>> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        self.error += self.longer;
        let is_longer = self.error >= self.count;
        if is_longer {
            self.error -= self.count;
        }
        let start = self.rest.start;
        self.rest.start = self.rest.end.min(start + (self.short + usize::from(is_longer)) * self.unit);
        Some(start..self.rest.start)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Pieces {}

#[cfg(test)]
mod tests {
    use super::{Matrix, Pieces};

    #[test]
    fn views_read_the_right_elements() {
        let data: Vec<f32> = (0..12_u8).map(f32::from).collect();
        let row = |m: Matrix<'_, f32>, i| {
            let mut out = vec![0.0; m.cols()];
            m.copy_row(i, &mut out);
            out
        };
        assert_eq!(row(Matrix::new(&data, 3, 4), 2), [8.0, 9.0, 10.0, 11.0]);
        assert_eq!(row(Matrix::new(&data, 3, 4).t(), 1), [1.0, 5.0, 9.0]);
        assert_eq!(row(Matrix::new(&data, 3, 4).slice_rows(1..3), 1), [8.0, 9.0, 10.0, 11.0]);
        assert_eq!(row(Matrix::new(&data, 3, 4).t().slice_rows(2..4), 1), [3.0, 7.0, 11.0]);
        assert_eq!(Matrix::new(&data, 3, 4).slice_rows(3..3).rows(), 0);
    }

    #[test]
    #[should_panic(expected = "rows 1..4 of 3")]
    fn rows_beyond_the_end() {
        let _ = Matrix::new(&[0.0; 12], 3, 4).slice_rows(1..4);
    }

    #[test]
    #[should_panic(expected = "a matrix of 3 x 4 does not fit into 11")]
    fn short_slice() {
        Matrix::new(&[0.0; 11], 3, 4);
    }

    #[test]
    fn pieces_cover_and_balance() {
        for len in 0..60 {
            for unit in [1, 7] {
                let pieces = Pieces::new(5..5 + len, 14, unit);
                let parts: Vec<_> = pieces.clone().collect();
                assert_eq!(parts.len(), pieces.len());
                assert_eq!(parts.iter().map(ExactSizeIterator::len).sum::<usize>(), len);
                assert!(parts.windows(2).all(|w| w[0].end == w[1].start));
                assert!(parts.iter().rev().skip(1).all(|part| part.len() % unit == 0));
                let units = || parts.iter().map(|part| part.len().div_ceil(unit));
                assert!(parts.iter().all(|part| part.len() <= pieces.longest() && part.len() <= 14));
                assert!(units().max().unwrap_or(0) - units().min().unwrap_or(0) <= 1);
            }
        }
    }
}
