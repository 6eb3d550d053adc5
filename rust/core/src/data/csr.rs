//! A sparse matrix in compressed rows, checked once.

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
        Ok(Self { shape, data, indices, indptr })
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
