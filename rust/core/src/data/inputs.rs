//! The inputs of rows: a matrix read in place, dense or sparse.

use ndarray::{ArrayView1, ArrayView2, s};

use crate::arch::Layout;
use crate::data::csr::Csr;
use crate::data::rows::Rows;
use crate::error::{Error, Result};
use crate::kernels::{Element, SparseRows};
use crate::numbers::prefetch;

/// Rows that are looked at to find out whether a matrix is mostly zeros.
const SAMPLE_ROWS: usize = 16;
/// Rows between prefetching one and copying it to columns: each is about a cache line.
const ROWS_AHEAD: usize = 16;
/// Rows in order that are compressed at once.
const BLOCK_ROWS: usize = 64;

/// A matrix with a row for each example and a column for each input.
#[derive(Clone, Copy, Debug)]
pub enum Inputs<'a, T> {
    /// Every number is stored, with any strides.
    Dense(ArrayView2<'a, T>),
    /// Numbers that are not stored are 0.
    Sparse(Csr<'a, T>),
}

impl<'a, T> From<ArrayView2<'a, T>> for Inputs<'a, T> {
    fn from(dense: ArrayView2<'a, T>) -> Self {
        Self::Dense(dense)
    }
}

impl<'a, T> From<Csr<'a, T>> for Inputs<'a, T> {
    fn from(sparse: Csr<'a, T>) -> Self {
        Self::Sparse(sparse)
    }
}

impl<'a, T: Element> Inputs<'a, T> {
    /// The same with a shorter lifetime.
    pub fn view(&self) -> Inputs<'_, T> {
        match self {
            Self::Dense(x) => Inputs::Dense(x.view()),
            Self::Sparse(x) => Inputs::Sparse(*x),
        }
    }

    /// Rows and columns.
    pub fn shape(&self) -> [usize; 2] {
        match self {
            Self::Dense(x) => [x.nrows(), x.ncols()],
            Self::Sparse(x) => x.shape,
        }
    }

    /// Number of rows.
    pub fn nrows(&self) -> usize {
        self.shape()[0]
    }

    /// Number of columns.
    pub fn ncols(&self) -> usize {
        self.shape()[1]
    }

    /// Whether it is a sparse matrix, or by some of its rows a dense one of which at most this share is not 0.
    pub(crate) fn is_sparse(&self, most: f64) -> bool {
        let Self::Dense(x) = self else { return true };
        let step = x.nrows().div_ceil(SAMPLE_ROWS).max(1);
        let numbers = |row: ArrayView1<'_, T>| match row.as_slice() {
            Some(row) => T::count_nonzeros(row),
            None => row.iter().filter(|x| **x != T::ZERO).count(),
        };
        let rows = (0..x.nrows()).step_by(step);
        let (n, found) = rows.fold((0, 0), |(n, found), row| (n + x.ncols(), found + numbers(x.row(row))));
        found as f64 <= most * n as f64
    }

    /// The most numbers other than 0 that `n` of its rows may well have.
    pub(crate) fn most_numbers(&self, n: usize) -> usize {
        match self {
            Self::Dense(x) => n.saturating_mul(x.ncols()) / 4,
            Self::Sparse(x) => x.most_numbers(n),
        }
    }

    /// Copies `rows` without their zeros.
    pub(crate) fn compress(&self, rows: Rows<'_>, to: &mut SparseRows<T>) -> Result<()> {
        to.clear();
        match (self, rows) {
            (Self::Sparse(x), rows) => x.copy_rows(rows, to),
            (Self::Dense(x), Rows::Index(rows)) => T::compress_rows(x, rows, to),
            (Self::Dense(x), Rows::Range(start, end)) => {
                #[allow(clippy::cast_possible_truncation, reason = "there are few")]
                let order: [u32; BLOCK_ROWS] = std::array::from_fn(|i| i as u32);
                (start..end).step_by(BLOCK_ROWS).try_for_each(|start| {
                    let of_block = x.slice(s![start..end.min(start + BLOCK_ROWS), ..]);
                    T::compress_rows(&of_block, &order[..of_block.nrows()], to)
                })
            }
        }
    }

    /// [`Error::Shape`] unless there is a column for each input of a network.
    pub fn check_columns(&self, name: &'static str, layout: &Layout) -> Result<()> {
        if self.ncols() == layout.d_in() {
            return Ok(());
        }
        Err(Error::shape(name, &self.shape(), format!("(n, {})", layout.d_in())))
    }

    /// [`Error::NotFinite`] with the first number that is NaN or infinite, if there is one.
    pub(crate) fn check_finite(&self, name: &'static str) -> Result<()> {
        let found = match self {
            Self::Dense(x) => x.indexed_iter().find(|(_, x)| !x.is_finite()).map(|(at, &x)| (at, x)),
            Self::Sparse(x) => (0..x.shape[0]).find_map(|row| {
                let bad = x.row(row).find(|(_, x)| !x.is_finite());
                bad.map(|(column, found)| ((row, column), found))
            }),
        };
        match found {
            Some(((row, column), found)) => Err(Error::NotFinite { name, row, column, found: found.into() }),
            None => Ok(()),
        }
    }

    /// Whether all numbers of `rows` are finite.
    pub(crate) fn are_finite(&self, rows: Rows<'_>) -> bool {
        let finite = |values: &[T]| T::largest_magnitude(values).is_finite();
        if let Some(all) = self.in_place(rows) {
            return finite(all);
        }
        let mut all = true;
        rows.for_each(|_, row| {
            all &= match self {
                Self::Dense(x) => x.row(row).iter().all(|x| x.is_finite()),
                Self::Sparse(x) => finite(x.numbers(row)),
            };
        });
        all
    }

    /// The numbers of `rows` in place, if they are contiguous, row after row.
    pub(crate) fn in_place(&self, rows: Rows<'_>) -> Option<&[T]> {
        match (self, rows) {
            (Self::Dense(x), Rows::Range(start, end)) => {
                x.as_slice().map(|all| &all[start * x.ncols()..end * x.ncols()])
            }
            _ => None,
        }
    }

    /// Copies `rows` to `buffer`, row after row.
    pub(crate) fn gather(&self, rows: Rows<'_>, buffer: &mut [T]) {
        let d = self.ncols();
        match self {
            Self::Dense(x) => {
                if let Rows::Index(rows) = rows {
                    T::gather_rows(x, rows, &mut buffer[..rows.len() * d]);
                } else {
                    rows.for_each(|i, row| {
                        for (to, from) in buffer[i * d..(i + 1) * d].iter_mut().zip(x.row(row)) {
                            *to = *from;
                        }
                    });
                }
            }
            Self::Sparse(x) => {
                buffer[..rows.len() * d].fill(T::ZERO);
                rows.for_each(|i, row| x.row(row).for_each(|(j, x)| buffer[i * d + j] += x));
            }
        }
    }

    /// Copies `rows` to `buffer`, column after column.
    pub(crate) fn gather_columns(&self, rows: Rows<'_>, buffer: &mut [T]) {
        let (d, n) = (self.ncols(), rows.len());
        match self {
            Self::Dense(x) => match (d, x.as_slice()) {
                (1, Some(all)) => transpose_rows::<T, 1>(all, rows, buffer),
                (2, Some(all)) => transpose_rows::<T, 2>(all, rows, buffer),
                (3, Some(all)) => transpose_rows::<T, 3>(all, rows, buffer),
                (4, Some(all)) => transpose_rows::<T, 4>(all, rows, buffer),
                (5, Some(all)) => transpose_rows::<T, 5>(all, rows, buffer),
                (6, Some(all)) => transpose_rows::<T, 6>(all, rows, buffer),
                (7, Some(all)) => transpose_rows::<T, 7>(all, rows, buffer),
                (8, Some(all)) => transpose_rows::<T, 8>(all, rows, buffer),
                _ => {
                    for (j, to) in buffer.chunks_exact_mut(n).take(d).enumerate() {
                        rows.for_each(|i, row| to[i] = x[[row, j]]);
                    }
                }
            },
            Self::Sparse(x) => {
                buffer[..n * d].fill(T::ZERO);
                rows.for_each(|i, row| x.row(row).for_each(|(j, x)| buffer[j * n + i] += x));
            }
        }
    }
}

/// Copies `rows` of `D` columns, which follow one another in `from`, to columns that follow one another.
fn transpose_rows<T: Element, const D: usize>(from: &[T], rows: Rows<'_>, to: &mut [T]) {
    let n = rows.len();
    let (from, _) = from.as_chunks::<D>();
    let mut columns = to.chunks_exact_mut(n);
    let mut columns: [&mut [T]; D] = std::array::from_fn(|_| columns.next().unwrap_or_default());
    let mut transpose = |i: usize, row: &[T; D]| {
        for (column, &x) in columns.iter_mut().zip(row) {
            column[i] = x;
        }
    };
    match rows {
        Rows::Range(start, end) => from[start..end].iter().enumerate().for_each(|(i, row)| transpose(i, row)),
        Rows::Index(rows) => rows.iter().enumerate().for_each(|(i, &row)| {
            if let Some(&next) = rows.get(i + ROWS_AHEAD) {
                prefetch(&raw const from[next as usize]);
            }
            transpose(i, &from[row as usize]);
        }),
    }
}
