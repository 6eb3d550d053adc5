//! Some rows of a data set, as a batch has them.

use crate::arch::Masks;
use crate::data::dataset::Dataset;
use crate::data::rows::Rows;
use crate::kernels::Element;

/// Some rows of a batch to learn from.
#[derive(Clone, Copy)]
pub(crate) struct Examples<'a, 'd, T: Element> {
    pub(crate) data: &'a Dataset<'d, T>,
    pub(crate) rows: Rows<'a>,
    /// A factor of their weights.
    pub(crate) scale: f64,
    /// Position of the first of them in the batch, on which the masks depend.
    pub(crate) first: usize,
    pub(crate) masks: Masks<'a>,
}

impl<'a, 'd, T: Element> Examples<'a, 'd, T> {
    /// All rows of a batch.
    pub(crate) fn batch(data: &'a Dataset<'d, T>, rows: Rows<'a>, scale: f64, masks: Masks<'a>) -> Self {
        Self { data, rows, scale, first: 0, masks }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The rows at positions `start..end` of these.
    pub(crate) fn slice(&self, start: usize, end: usize) -> Self {
        Self { rows: self.rows.slice(start, end), first: self.first + start, ..*self }
    }
}
