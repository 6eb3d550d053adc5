//! A normalisation of each row.
//!
//! Shapes: x and z `(n, width)`, g and s `(width,)`; s follows g in the parameters.

use crate::arch::LayerNorm;
use crate::kernels::{Element, LAYER_NORM_KEPT};
use crate::ops::operation::{Backward, Forward, Gradient, Operation, Part, whole};

impl Operation for LayerNorm {
    fn width(&self) -> usize {
        self.width
    }

    fn kept(&self) -> usize {
        LAYER_NORM_KEPT
    }

    fn flops(&self) -> usize {
        7 * self.width
    }

    fn parts(&self) -> Vec<Part> {
        whole(2 * self.width)
    }

    fn scratch_len<T: Element>(&self, n: usize, forward_only: bool) -> usize {
        // Without a backward pass, the values that would be kept for it go into the scratch.
        if forward_only { n * LAYER_NORM_KEPT } else { 0 }
    }

    /// `z = g (x - mean) / deviation + s`
    fn forward<T: Element>(&self, parameters: &[T], io: Forward<'_, T>) {
        let (gains, shifts) = parameters.split_at(self.width);
        let kept = if io.kept.is_empty() { io.scratch } else { io.kept };
        T::layer_norm(io.x.dense(), gains, shifts, io.out, kept);
        io.epilogue.apply_to_rows(io.out);
    }

    fn backward<T: Element>(&self, parameters: &[T], io: Backward<'_, T>) {
        let (gains, _) = parameters.split_at(self.width);
        T::layer_norm_backward(io.d_out, io.x, io.kept, gains, io.d_x);
        io.epilogue.apply_to_rows(io.d_x);
    }

    fn gradient<T: Element>(&self, mut io: Gradient<'_, T>) {
        io.begin();
        let (d_gains, d_shifts) = io.sum.split_at_mut(self.width);
        T::add_layer_norm_gradient(io.d_out, io.x.dense(), io.kept, d_gains, d_shifts);
    }
}
