//! The targets of the rows of a tile, and their losses.

use crate::arch::Network;
use crate::data::{Dataset, Rows};
use crate::error::Result;
use crate::kernels::{Bounds, ClassLoss, Element, Output, Tally};
use crate::loss::Loss;
use crate::memory::Buffer;

/// Targets and weights of the rows of a tile: buffers allocated once and used for every tile.
#[derive(Debug)]
pub(crate) struct TileTargets<T: Element> {
    output: Output,
    loss: Loss,
    d_out: usize,
    /// A class per row, or a value per output: one of them is empty.
    labels: Vec<u32>,
    values: Buffer<T>,
    weights: Buffer<T>,
    /// A weight per class, of a loss that spreads labels over the classes.
    class_weights: Buffer<T>,
    n: usize,
}

impl<T: Element> TileTargets<T> {
    /// Buffers for so many rows.
    pub(crate) fn new(network: &Network, rows: usize) -> Result<Self> {
        let (loss, d_out) = (network.loss().clone(), network.layout().d_out());
        let (n_labels, n_values) = match loss {
            // Its targets are read for whole batches.
            Loss::Function => (0, 0),
            _ if network.has_classes() => (rows, 0),
            _ => (0, rows.saturating_mul(d_out)),
        };
        let n_classes = if network.has_classes() && loss.spreads_labels() { d_out } else { 0 };
        Ok(Self {
            output: network.output(),
            loss,
            d_out,
            labels: vec![0; n_labels],
            values: Buffer::zeros("the targets of a tile", n_values)?,
            weights: Buffer::zeros("the weights of a tile", rows)?,
            class_weights: Buffer::zeros("the weights of the classes", n_classes)?,
            n: 0,
        })
    }

    /// Reads targets and weights of `rows`; `scale` multiplies every weight.
    pub(crate) fn read(&mut self, data: &Dataset<'_, T>, rows: Rows<'_>, scale: f64) {
        self.n = rows.len();
        if !self.labels.is_empty() {
            data.read_labels(rows, &mut self.labels[..self.n]);
        }
        if !self.values.is_empty() {
            data.read_values(rows, self.d_out, &mut self.values[..self.n * self.d_out]);
        }
        let weights = &mut self.weights[..self.n];
        if self.class_weights.is_empty() {
            return data.read_weights(rows, scale, weights);
        }
        data.read_sample_weights(rows, scale, weights);
        match data.class_weight() {
            Some(of_classes) => {
                let each = self.class_weights.iter_mut().zip(of_classes);
                each.for_each(|(to, &from)| *to = T::from_f64(from));
            }
            None => self.class_weights.fill(T::ONE),
        }
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
        let (d_out, labels, weights) = (self.d_out, self.labels(), self.weights());
        match (self.output, &self.loss) {
            (Output::Softmax, &Loss::Focal { gamma }) => {
                T::class_losses(ClassLoss::Focal(gamma), z, d_out, labels, weights)
            }
            (Output::Softmax, &Loss::CrossEntropy { label_smoothing }) if !self.class_weights.is_empty() => {
                let loss = ClassLoss::Smoothed(label_smoothing, &self.class_weights);
                T::class_losses(loss, z, d_out, labels, weights)
            }
            (Output::Softmax, _) => T::softmax_cross_entropy(z, d_out, labels, weights, bounds),
            (output, loss) => T::value_losses(loss.of_values(output), z, self.values(), weights, bounds),
        }
    }
}
