//! A normalisation of each column.
//!
//! Shapes: x and z `(n, width)`; gains, shifts, means and variances `(width,)`, one after the other in the parameters.
//!
//! Columns are normalised with the means and variances among the parameters. In training the stage is given those of the
//! batch instead of the running ones ([`crate::run`] computes them), and for the backward pass two more blocks after them:
//! the gradients of gains and shifts, as means over the batch. Without these two, means and variances are constants.

use crate::arch::BatchNorm;
use crate::kernels::{Element, Epilogue, NormColumns};
use crate::ops::operation::{Backward, Forward, Gradient, Operation, Part, whole};

/// Blocks among the parameters of a network.
const BLOCKS: usize = 4;

impl Operation for BatchNorm {
    fn width(&self) -> usize {
        self.width
    }

    fn flops(&self) -> usize {
        4 * self.width
    }

    fn parts(&self) -> Vec<Part> {
        whole(BLOCKS * self.width)
    }

    fn scratch_len<T: Element>(&self, _: usize, _: bool) -> usize {
        2 * self.width
    }

    /// `z = g (x - mean) / deviation + s`
    fn forward<T: Element>(&self, parameters: &[T], io: Forward<'_, T>) {
        let factors = &mut io.scratch[..self.width];
        T::batch_norm(io.x.dense(), &self.columns(parameters), io.out, factors, io.epilogue);
    }

    fn backward<T: Element>(&self, parameters: &[T], io: Backward<'_, T>) {
        let norm = self.columns(parameters);
        match &parameters[BLOCKS * self.width..] {
            [] => {
                let factors = &mut io.scratch[..self.width];
                T::batch_norm_factors(&norm, factors);
                T::scale_columns(io.d_out, factors, io.d_x);
            }
            d_means => {
                let scratch = &mut io.scratch[..2 * self.width];
                T::batch_norm_backward(io.d_out, io.x, &norm, d_means, io.d_x, scratch);
            }
        }
        io.epilogue.apply_to_rows(io.d_x);
    }

    /// The sums over rows for gains and shifts; 0 for means and variances, which are not learned.
    fn gradient<T: Element>(&self, mut io: Gradient<'_, T>) {
        io.begin();
        let (d_gains, others) = io.sum.split_at_mut(self.width);
        let (d_shifts, scratch) = (&mut others[..self.width], &mut io.scratch[..self.width]);
        let norm = self.columns(io.parameters);
        T::add_batch_norm_gradient(io.d_out, io.x.dense(), &norm, d_gains, d_shifts, scratch);
    }
}

impl BatchNorm {
    fn columns<'a, T>(self, parameters: &'a [T]) -> NormColumns<'a, T> {
        let block = |i: usize| &parameters[i * self.width..(i + 1) * self.width];
        NormColumns { gains: block(0), shifts: block(1), means: block(2), variances: block(3) }
    }

    /// Makes weights and biases of a dense layer, and parameters of the normalisation of its sums, weights and biases of
    /// one layer that does both. `scratch` has a number per column.
    pub(crate) fn fold<T: Element>(
        self,
        parameters: &[T],
        (weights, biases): (&[T], &[T]),
        (folded_weights, folded_biases): (&mut [T], &mut [T]),
        scratch: &mut [T],
    ) {
        // The biases are what the layer makes of a row of zeros.
        T::batch_norm(biases, &self.columns(parameters), folded_biases, scratch, Epilogue::Nothing);
        T::scale_columns(weights, scratch, folded_weights);
    }
}
