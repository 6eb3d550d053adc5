//! A row of a sparse matrix, as it is in memory.

use crate::kernels::mask::{Mask, RowMask};
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

    /// How many of them from `start` on, up to the first that is not less than `bound`.
    pub(crate) fn run_below(&self, start: usize, bound: i64) -> usize {
        match self {
            Self::I32(indices) => {
                indices[start..].iter().take_while(|&&index| i64::from(index) < bound).count()
            }
            Self::I64(indices) => indices[start..].iter().take_while(|&&index| index < bound).count(),
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
    /// What dropout leaves out of it, and what it multiplies the rest by.
    pub(crate) dropout: Option<(RowMask, T)>,
}

impl<'a, T: Scalar> SparseRow<'a, T> {
    /// The same with dropout, as row number `row` of a batch.
    pub(crate) fn with_dropout(self, mask: Option<&Mask>, row: usize) -> Self {
        Self { dropout: mask.map(|mask| (mask.row(row), T::from_f64(mask.scale()))), ..self }
    }

    /// Number of entries.
    pub(crate) fn len(&self) -> usize {
        self.data.len()
    }

    /// Column and number of entry `k`, if it stays.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "no row has 2^32 columns")]
    pub(crate) fn entry(&self, k: usize) -> Option<(usize, T)> {
        let j = usize::try_from(self.indices.get(k)).ok().filter(|&j| j < self.columns)?;
        match self.dropout {
            None => Some((j, self.data[k])),
            Some((mask, scale)) => mask.keeps(j as u32).then(|| (j, self.data[k] * scale)),
        }
    }

    /// Column and number of each that stays.
    pub(crate) fn iter(self) -> impl Iterator<Item = (usize, T)> + 'a {
        (0..self.len()).filter_map(move |k| self.entry(k))
    }
}
