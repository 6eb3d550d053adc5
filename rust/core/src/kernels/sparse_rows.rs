//! Rows of which only the numbers other than 0 are stored, copied for a tile.

use std::ops::Range;

use ndarray::ArrayView2;

use crate::error::{Error, Result};
use crate::kernels::gather::rows_ahead;
use crate::kernels::mask::Mask;
use crate::numbers::Scalar;
use crate::numbers::simd::Simd;
use crate::numbers::simd_fn;

/// Columns whose numbers are compared with 0 before any of them is stored: one bit of a word each.
const WORD: usize = 64;

/// Some rows of a matrix with the numbers that they store, row after row. The buffers grow as needed and stay; what is
/// behind the end of the last row has no meaning.
#[derive(Debug, Default)]
#[allow(unreachable_pub, reason = "named by the public trait Kernels, hidden there")]
pub struct SparseRows<T> {
    values: Vec<T>,
    /// The column of each value.
    columns: Vec<u32>,
    /// Where the values of each row end.
    ends: Vec<usize>,
    /// The same numbers column after column, once [`transpose`](Self::transpose) was called.
    by_column: Vec<Entry<T>>,
    /// Where the next number of each column belongs, while they are put in order.
    places: Vec<u32>,
}

/// A number of some rows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Entry<T> {
    pub(crate) column: u32,
    pub(crate) row: u32,
    pub(crate) value: T,
}

impl<T: Scalar> SparseRows<T> {
    /// Forgets all rows.
    pub(crate) fn clear(&mut self) {
        self.ends.clear();
    }

    /// Makes room for so many rows with so many numbers in all, which may be transposed if a number of columns is given.
    pub(crate) fn reserve(
        &mut self,
        n_rows: usize,
        n_numbers: usize,
        n_columns: Option<usize>,
    ) -> Result<()> {
        self.clear();
        self.reserve_numbers(n_numbers)?;
        if let Some(n_columns) = n_columns {
            self.by_column.clear();
            self.by_column.try_reserve(n_numbers).map_err(|_| refused(n_numbers))?;
            self.places.clear();
            self.places.try_reserve(n_columns).map_err(|_| refused(n_columns))?;
        }
        self.ends.try_reserve(n_rows).map_err(|_| refused(n_rows))
    }

    fn reserve_numbers(&mut self, n_numbers: usize) -> Result<()> {
        let columns = self.columns.try_reserve(n_numbers.saturating_sub(self.columns.len()));
        let values = self.values.try_reserve(n_numbers.saturating_sub(self.values.len()));
        values.and(columns).map_err(|_| refused(n_numbers))
    }

    /// How many numbers there are.
    fn n_numbers(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Room for the columns and values of another row, so many at most.
    pub(crate) fn room(&mut self, most: usize) -> Result<(&mut [u32], &mut [T])> {
        let start = self.n_numbers();
        let end = start + most;
        if self.columns.len() < end {
            self.reserve_numbers(end)?;
            self.columns.resize(end, 0);
            self.values.resize(end, T::ZERO);
        }
        Ok((&mut self.columns[start..end], &mut self.values[start..end]))
    }

    /// Ends a row, of whose room so many numbers were written.
    pub(crate) fn end_row(&mut self, n_numbers: usize) {
        self.ends.push(self.n_numbers() + n_numbers);
    }

    /// Leaves out what a mask drops, and scales the rest. The first row is row `first` of a batch.
    pub(crate) fn drop_out(&mut self, mask: &Mask, first: usize) {
        let scale = T::from_f64(mask.scale());
        let (mut from, mut to) = (0, 0);
        for (i, end) in self.ends.iter_mut().enumerate() {
            let of_row = mask.row(first + i);
            for k in from..*end {
                let (column, value) = (self.columns[k], self.values[k]);
                if of_row.keeps(column) {
                    (self.columns[to], self.values[to]) = (column, value * scale);
                    to += 1;
                }
            }
            (from, *end) = (*end, to);
        }
    }

    /// The positions of row `i` among all numbers.
    #[inline(always)]
    pub(crate) fn row(&self, i: usize) -> Range<usize> {
        i.checked_sub(1).map_or(0, |before| self.ends[before])..self.ends[i]
    }

    /// Column and value at some positions.
    #[inline(always)]
    pub(crate) fn entries(&self, at: Range<usize>) -> impl Iterator<Item = (usize, T)> {
        let columns = self.columns[at.clone()].iter().map(|&j| j as usize);
        columns.zip(self.values[at].iter().copied())
    }

    /// Puts the numbers of all rows, with so many columns, in the order of columns too, and within a column in that of
    /// rows.
    #[allow(clippy::cast_possible_truncation, reason = "no tile has 2^32 numbers")]
    pub(crate) fn transpose(&mut self, n_columns: usize) -> Result<()> {
        let len = self.n_numbers();
        self.by_column.clear();
        self.by_column.try_reserve(len).map_err(|_| refused(len))?;
        self.by_column.resize(len, Entry::default());
        let is_wide = n_columns / 4 > len;
        if is_wide {
            // By its place in place of its row, since a row may store a column twice.
            for (at, entry) in self.by_column.iter_mut().enumerate() {
                *entry = Entry { column: self.columns[at], row: at as u32, value: self.values[at] };
            }
            self.by_column.sort_unstable_by_key(|entry| (entry.column, entry.row));
            for entry in &mut self.by_column {
                entry.row = self.ends.partition_point(|&end| end <= entry.row as usize) as u32;
            }
            return Ok(());
        }
        self.places.clear();
        self.places.try_reserve(n_columns).map_err(|_| refused(n_columns))?;
        self.places.resize(n_columns, 0);
        self.columns[..len].iter().for_each(|&column| self.places[column as usize] += 1);
        self.places.iter_mut().fold(0, |start, place| start + std::mem::replace(place, start));
        let mut start = 0;
        for (row, &end) in self.ends.iter().enumerate() {
            for at in start..end {
                let place = &mut self.places[self.columns[at] as usize];
                self.by_column[*place as usize] =
                    Entry { column: self.columns[at], row: row as u32, value: self.values[at] };
                *place += 1;
            }
            start = end;
        }
        Ok(())
    }

    /// The numbers in some columns, column after column.
    pub(crate) fn of_columns(&self, columns: &Range<usize>) -> &[Entry<T>] {
        let before = |column: usize| self.by_column.partition_point(|entry| (entry.column as usize) < column);
        &self.by_column[before(columns.start)..before(columns.end)]
    }
}

fn refused(elements: usize) -> Error {
    Error::OutOfMemory { what: "the sparse rows of a tile", elements }
}

simd_fn! {
    /// Stores rows of a matrix without their zeros.
    pub(crate) fn compress_rows<T as V>(from: &ArrayView2<'_, T>, rows: &[u32], to: &mut SparseRows<T>) -> Result<()> {
        let ahead = rows_ahead::<T>(from.ncols());
        for (i, &row) in rows.iter().enumerate() {
            let row = from.row(row as usize);
            let (columns, values) = to.room(row.len())?;
            let mut n_numbers = 0;
            if let Some(row) = row.as_slice() {
                if let Some(&next) = rows.get(i + ahead) {
                    let next = from.row(next as usize);
                    for line in (0..row.len()).step_by(T::LANES) {
                        V::prefetch(next.as_ptr().wrapping_add(line));
                    }
                }
                for (word, numbers) in row.chunks(WORD).enumerate() {
                    let mut left = nonzeros::<T, V>(numbers);
                    while left != 0 {
                        let j = left.trailing_zeros();
                        #[allow(clippy::cast_possible_truncation, reason = "no row has 2^32 columns")]
                        let column = (word * WORD) as u32 + j;
                        (columns[n_numbers], values[n_numbers]) = (column, numbers[j as usize]);
                        n_numbers += 1;
                        left &= left - 1;
                    }
                }
            } else {
                for (j, &x) in (0..).zip(row).filter(|(_, x)| **x != T::ZERO) {
                    (columns[n_numbers], values[n_numbers]) = (j, x);
                    n_numbers += 1;
                }
            }
            to.end_row(n_numbers);
        }
        Ok(())
    }
}

simd_fn! {
    /// How many of these numbers are not 0.
    pub(crate) fn count_nonzeros<T as V>(numbers: &[T]) -> usize {
        numbers.chunks(WORD).map(|numbers| nonzeros::<T, V>(numbers).count_ones() as usize).sum()
    }
}

/// A bit for each of at most [`WORD`] numbers: whether it is not 0.
#[inline(always)]
fn nonzeros<T: Scalar, V: Simd<T>>(numbers: &[T]) -> u64 {
    let mut zeros = 0;
    for (i, numbers) in numbers.chunks(T::LANES).enumerate() {
        zeros |= V::bits(V::load_front(numbers).eq(V::zero())) << (i * T::LANES);
    }
    !zeros & (u64::MAX >> (WORD - numbers.len()))
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, s};

    use super::*;
    use crate::numbers::simd::{Isa, with_isa};

    fn all<T: Scalar>(rows: &SparseRows<T>) -> Vec<Vec<(usize, T)>> {
        (0..rows.ends.len()).map(|i| rows.entries(rows.row(i)).collect()).collect()
    }

    #[test]
    fn every_number_but_0_is_stored_in_its_place() {
        for columns in [1, 7, 8, 9, 63, 64, 65, 200] {
            let number = |(i, j): (usize, usize)| match (3 * i + j * j) % 7 {
                0 => f64::NAN,
                1 => (i * columns + j) as f64 + 1.0,
                2 => -0.0,
                _ => 0.0,
            };
            let x = Array2::from_shape_fn((20, 2 * columns), number);
            for view in [x.slice(s![.., ..columns]), x.slice(s![..;-1, ..;2])] {
                let rows = [3, 0, 19, 3];
                let expected: Vec<Vec<_>> = rows
                    .iter()
                    .map(|&i| {
                        view.row(i as usize)
                            .into_iter()
                            .copied()
                            .enumerate()
                            .filter(|(_, x)| *x != 0.0)
                            .collect()
                    })
                    .collect();
                for isa in Isa::available() {
                    let mut found = SparseRows::default();
                    found.reserve(4, 0, None).unwrap();
                    with_isa(isa, || compress_rows(&view, &rows, &mut found)).unwrap();
                    assert_eq!(format!("{:?}", all(&found)), format!("{expected:?}"), "{isa:?} {columns}");
                    let counted = with_isa(isa, || count_nonzeros(&x.row(0).to_vec()));
                    assert_eq!(counted, x.row(0).iter().filter(|x| **x != 0.0).count());
                }
            }
        }
    }

    #[test]
    fn columns_have_their_numbers_in_the_order_of_rows() {
        // Few columns, and so many that most have no number.
        for n_columns in [7, 1000] {
            let mut x = SparseRows::default();
            for row in 0..3 {
                let (columns, values) = x.room(5).unwrap();
                columns[..4].copy_from_slice(&[3, 0, 6, 3]);
                values.fill(f64::from(row));
                x.end_row(4);
            }
            x.transpose(n_columns).unwrap();
            for columns in [0..7, 1..6, 3..4, 4..6] {
                let found: Vec<_> = x
                    .of_columns(&columns)
                    .iter()
                    .map(|entry| (entry.column, entry.row, entry.value))
                    .collect();
                let expected: Vec<_> = [(0, 1), (3, 2), (6, 1)]
                    .into_iter()
                    .filter(|(column, _)| columns.contains(&(*column as usize)))
                    .flat_map(|(column, times)| {
                        (0..3).flat_map(move |row| vec![(column, row, f64::from(row)); times])
                    })
                    .collect();
                assert_eq!(found, expected);
            }
        }
    }
}
