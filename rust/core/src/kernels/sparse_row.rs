//! A row of a sparse matrix, as its numbers lie in memory.

use crate::numbers::Scalar;

/// Indices of either type that SciPy uses.
#[derive(Clone, Copy, Debug)]
pub enum Indices<'a> {
    /// Of 32 bits.
    I32(&'a [i32]),
    /// Of 64 bits.
    I64(&'a [i64]),
}

impl<'a> Indices<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::I32(indices) => indices.len(),
            Self::I64(indices) => indices.len(),
        }
    }

    pub(crate) fn get(&self, i: usize) -> i64 {
        match self {
            Self::I32(indices) => indices[i].into(),
            Self::I64(indices) => indices[i],
        }
    }

    /// How many of them, which rise, are less than `bound`.
    pub(crate) fn count_below(&self, bound: i64) -> usize {
        match self {
            Self::I32(indices) => indices.partition_point(|&index| i64::from(index) < bound),
            Self::I64(indices) => indices.partition_point(|&index| index < bound),
        }
    }

    pub(crate) fn slice(&self, start: usize, end: usize) -> Indices<'a> {
        match self {
            Self::I32(indices) => Indices::I32(&indices[start..end]),
            Self::I64(indices) => Indices::I64(&indices[start..end]),
        }
    }
}

/// What a row of a sparse matrix stores.
#[derive(Clone, Copy, Debug)]
#[allow(unreachable_pub, reason = "named by the public trait Kernels, hidden there")]
pub struct SparseRow<'a, T> {
    pub(crate) data: &'a [T],
    pub(crate) indices: Indices<'a>,
    pub(crate) columns: usize,
}

impl<'a, T: Scalar> SparseRow<'a, T> {
    /// Column and number of each.
    #[inline(always)]
    pub(crate) fn iter(self) -> impl Iterator<Item = (usize, T)> + 'a {
        let columns = self.columns;
        (0..self.data.len()).filter_map(move |k| {
            let j = usize::try_from(self.indices.get(k)).ok().filter(|&j| j < columns)?;
            Some((j, self.data[k]))
        })
    }
}
