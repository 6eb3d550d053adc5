//! The targets of the rows of a tile, and their losses.

use crate::arch::Network;
use crate::data::Dataset;
use crate::data::Rows;
use crate::error::Result;
use crate::kernels::Element;
use crate::kernels::Output;
use crate::kernels::{Bounds, Tally};
use crate::memory::Buffer;

/// Targets and weights of the rows of a tile: buffers allocated once and used for every tile.
#[derive(Debug)]
pub(crate) struct TileTargets<T: Element> {
    output: Output,
    d_out: usize,
    /// One class per row, or one value per output: one of the two is empty.
    labels: Vec<u32>,
    values: Buffer<T>,
    weights: Buffer<T>,
    n: usize,
}

impl<T: Element> TileTargets<T> {
    /// Buffers for so many rows.
    pub(crate) fn new(network: &Network, rows: usize) -> Result<Self> {
        let (output, d_out) = (network.output(), network.layout().d_out());
        let has_classes = output == Output::Softmax;
        let (n_labels, n_values) = if has_classes { (rows, 0) } else { (0, rows.saturating_mul(d_out)) };
        Ok(Self {
            output,
            d_out,
            labels: vec![0; n_labels],
            values: Buffer::zeros("the targets of a tile", n_values)?,
            weights: Buffer::zeros("the weights of a tile", rows)?,
            n: 0,
        })
    }

    /// Reads targets and weights of `rows`; `scale` multiplies every weight.
    pub(crate) fn read(&mut self, data: &Dataset<'_, T>, rows: Rows<'_>, scale: f64) {
        self.n = rows.len();
        let n_labels = if self.labels.is_empty() { 0 } else { self.n };
        let n_values = if self.values.is_empty() { 0 } else { self.n * self.d_out };
        let targets = (&mut self.labels[..n_labels], &mut self.values[..n_values]);
        data.read(rows, scale, targets, &mut self.weights[..self.n]);
    }

    /// The class of each row.
    pub(crate) fn labels(&self) -> &[u32] {
        if self.labels.is_empty() { &[] } else { &self.labels[..self.n] }
    }

    /// The value of each output, row after row.
    pub(crate) fn values(&self) -> &[T] {
        if self.values.is_empty() { &[] } else { &self.values[..self.n * self.d_out] }
    }

    /// The weight of each row.
    pub(crate) fn weights(&self) -> &[T] {
        &self.weights[..self.n]
    }

    /// Weighted losses of the rows. The derivative with respect to the sums overwrites them.
    ///
    /// z: (n, `d_out`)
    pub(crate) fn losses(&self, z: &mut [T], bounds: Bounds) -> Tally {
        match self.output {
            Output::Softmax => T::softmax_cross_entropy(z, self.d_out, self.labels(), self.weights(), bounds),
            output => T::losses_by_output(output, z, self.values(), self.weights(), bounds),
        }
    }
}
