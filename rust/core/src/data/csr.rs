//! A sparse matrix in compressed rows, checked once.

use std::ops::Range;

use crate::data::rows::Rows;
use crate::error::{Error, Result};
use crate::kernels::{Element, SparseRows};
use crate::numbers::prefetch;

/// Rows that are asked for before they are copied.
const ROWS_AHEAD: usize = 8;

/// Indices of either type that SciPy uses.
#[derive(Clone, Copy, Debug)]
pub enum Indices<'a> {
    /// Of 32 bits.
    I32(&'a [i32]),
    /// Of 64 bits.
    I64(&'a [i64]),
}

impl Indices<'_> {
    fn len(&self) -> usize {
        match self {
            Self::I32(indices) => indices.len(),
            Self::I64(indices) => indices.len(),
        }
    }

    #[inline(always)]
    fn get(&self, i: usize) -> i64 {
        match self {
            Self::I32(indices) => indices[i].into(),
            Self::I64(indices) => indices[i],
        }
    }
}

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

    /// The most numbers that `n` of its rows store.
    pub(crate) fn most_numbers(&self, n: usize) -> usize {
        let longest = (0..self.shape[0]).map(|i| self.span(i).len()).max().unwrap_or(0);
        n.saturating_mul(longest).min(self.data.len())
    }

    /// Copies `rows`.
    pub(crate) fn copy_rows(&self, rows: Rows<'_>, to: &mut SparseRows<T>) -> Result<()> {
        (0..rows.len()).try_for_each(|i| {
            if i + ROWS_AHEAD < rows.len() {
                self.prefetch(self.span(rows.at(i + ROWS_AHEAD)));
            }
            let span = self.span(rows.at(i));
            let (columns, values) = to.room(span.len())?;
            let mut n_numbers = 0;
            #[allow(clippy::cast_possible_truncation, reason = "no row has 2^32 columns")]
            for (j, x) in self.entries(span) {
                (columns[n_numbers], values[n_numbers]) = (j as u32, x);
                n_numbers += 1;
            }
            to.end_row(n_numbers);
            Ok(())
        })
    }

    /// Column and number of each that row `i` stores.
    pub(crate) fn row(&self, i: usize) -> impl Iterator<Item = (usize, T)> + '_ {
        self.entries(self.span(i))
    }

    /// The numbers that row `i` stores.
    pub(crate) fn numbers(&self, i: usize) -> &'a [T] {
        &self.data[self.span(i)]
    }

    /// Where row `i` lies. The matrix was checked once, and its owner may overwrite it afterwards: entries that are
    /// then out of bounds are left out.
    fn span(&self, i: usize) -> Range<usize> {
        let stored = self.data.len().min(self.indices.len());
        let bound = |i| usize::try_from(self.indptr.get(i)).unwrap_or(0).min(stored);
        let (start, end) = (bound(i), bound(i + 1));
        start..end.max(start)
    }

    /// Asks for what lies there.
    fn prefetch(&self, at: Range<usize>) {
        for k in at.step_by(64 / size_of::<T>()) {
            prefetch(&raw const self.data[k]);
            match self.indices {
                Indices::I32(indices) => prefetch(&raw const indices[k]),
                Indices::I64(indices) => prefetch(&raw const indices[k]),
            }
        }
    }

    #[inline(always)]
    fn entries(&self, at: Range<usize>) -> impl Iterator<Item = (usize, T)> + '_ {
        let is_column = |j: &usize| *j < self.shape[1];
        at.filter_map(move |k| {
            Some((usize::try_from(self.indices.get(k)).ok().filter(is_column)?, self.data[k]))
        })
    }
}
