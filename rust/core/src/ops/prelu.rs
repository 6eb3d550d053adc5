//! A rectifier with a learnable slope per unit.
//!
//! Shapes: x and z `(n, width)`, a `(width,)`. The gradient of a needs the derivative with respect to z before it is
//! multiplied by the slope, so this is a stage and not an epilogue of the stage before.

use crate::arch::Prelu;
use crate::kernels::Element;
use crate::ops::operation::{Backward, Forward, Gradient, Operation, Part, whole};

impl Operation for Prelu {
    fn width(&self) -> usize {
        self.width
    }

    fn flops(&self) -> usize {
        2 * self.width
    }

    fn parts(&self) -> Vec<Part> {
        whole(self.width)
    }

    /// `z = max(x, 0) + a min(x, 0)`
    fn forward<T: Element>(&self, slopes: &[T], io: Forward<'_, T>) {
        T::prelu(io.x.dense(), slopes, io.out);
        io.epilogue.apply_to_rows(io.out);
    }

    /// `d_x = d_z` where x is above 0, `a d_z` elsewhere
    fn backward<T: Element>(&self, slopes: &[T], io: Backward<'_, T>) {
        T::prelu_backward(io.d_out, io.x, slopes, io.d_x);
        io.epilogue.apply_to_rows(io.d_x);
    }

    /// `d_a = [d_a +] sum of the rows of d_z min(x, 0)`
    fn gradient<T: Element>(&self, mut io: Gradient<'_, T>) {
        io.begin();
        T::add_slope_gradient(io.d_out, io.x.dense(), io.sum);
    }
}
