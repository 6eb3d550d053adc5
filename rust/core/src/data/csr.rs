//! A sparse matrix in compressed rows, checked once.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::kernels::{Element, Indices, SparseRow};

/// A sparse matrix in compressed rows: row `i` has the numbers `data[indptr[i]..indptr[i + 1]]` in the columns
/// given by the same range of `indices`, in any order; duplicates are added.
#[derive(Clone, Copy, Debug)]
pub struct Csr<'a, T> {
    pub(super) shape: [usize; 2],
    data: &'a [T],
    indices: Indices<'a>,
    indptr: Indices<'a>,
    /// Whether the columns of each row rise, so that some of them are found without looking at all.
    is_sorted: bool,
}

impl<'a, T: Element> Csr<'a, T> {
    /// Checks that every row is within the numbers, and every column within the matrix.
    pub fn new(
        name: &'static str,
        shape: [usize; 2],
        data: &'a [T],
        indices: Indices<'a>,
        indptr: Indices<'a>,
    ) -> Result<Self> {
        let wrong = |found: String, expected: String| Err(Error::value(name, found, expected));
        if indptr.len() != shape[0] + 1 {
            return wrong(
                format!("a sparse matrix with indptr of length {}", indptr.len()),
                format!("{}, one more than its rows", shape[0] + 1),
            );
        }
        let stored = data.len().min(indices.len());
        let mut start = 0;
        for i in 0..indptr.len() {
            let end = usize::try_from(indptr.get(i)).ok().filter(|&end| (start..=stored).contains(&end));
            match end {
                Some(end) if i > 0 || end == 0 => start = end,
                _ => {
                    return wrong(
                        format!("a sparse matrix with indptr[{i}] = {}", indptr.get(i)),
                        format!("numbers that rise from 0 to at most {stored}"),
                    );
                }
            }
        }
        let is_column = |j: i64| usize::try_from(j).is_ok_and(|j| j < shape[1]);
        if let Some(i) = (0..start).find(|&i| !is_column(indices.get(i))) {
            return wrong(
                format!("a sparse matrix with indices[{i}] = {}", indices.get(i)),
                format!("columns from 0 to below {}", shape[1]),
            );
        }
        let is_sorted = (1..indptr.len()).all(|i| {
            let bound = |i| usize::try_from(indptr.get(i)).unwrap_or(0);
            (bound(i - 1) + 1..bound(i)).all(|k| indices.get(k - 1) <= indices.get(k))
        });
        Ok(Self { shape, data, indices, indptr, is_sorted })
    }

    /// What row `i` stores, at least that in these columns.
    pub(crate) fn row_around(&self, i: usize, columns: &Range<usize>) -> SparseRow<'a, T> {
        let row = self.row(i);
        if !self.is_sorted {
            return row;
        }
        let bound = |column: usize| i64::try_from(column).unwrap_or(i64::MAX);
        let start = row.indices.count_below(bound(columns.start));
        // There are few, and each of them is read anyway.
        let end = start + row.indices.run_below(start, bound(columns.end));
        SparseRow { data: &row.data[start..end], indices: row.indices.slice(start, end), ..row }
    }

    /// What row `i` stores. The matrix was checked once, and its owner may overwrite it afterwards: entries that
    /// are then out of bounds are left out.
    pub(crate) fn row(&self, i: usize) -> SparseRow<'a, T> {
        let stored = self.data.len().min(self.indices.len());
        let bound = |i| usize::try_from(self.indptr.get(i)).unwrap_or(0).min(stored);
        let (start, end) = (bound(i), bound(i + 1));
        let end = end.max(start);
        SparseRow {
            data: &self.data[start..end],
            indices: self.indices.slice(start, end),
            columns: self.shape[1],
            dropout: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_around_some_columns_has_all_that_it_stores_there() {
        let data = [1.0, 2.0, 3.0, 4.0, 5.0];
        for (indices, is_sorted) in [([0, 3, 3, 6, 1], true), ([3, 0, 6, 3, 1], false)] {
            let indptr = [0, 4, 5];
            let x = Csr::new("X", [2, 7], &data, Indices::I32(&indices), Indices::I32(&indptr)).unwrap();
            for start in 0..=7 {
                for end in start..=7 {
                    let columns = start..end;
                    for i in 0..2 {
                        let among = |row: SparseRow<'_, f64>| {
                            row.iter().filter(|(j, _)| columns.contains(j)).collect::<Vec<_>>()
                        };
                        let around = x.row_around(i, &columns);
                        assert_eq!(among(around), among(x.row(i)));
                        assert!(!is_sorted || around.iter().all(|(j, _)| columns.contains(&j)));
                    }
                }
            }
        }
    }
}
