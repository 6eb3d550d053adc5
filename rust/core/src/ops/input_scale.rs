//! A scale for each input.
//!
//! Shapes: x and z `(n, width)`, s `(width,)`.

use crate::arch::InputScale;
use crate::kernels::Element;
use crate::ops::operation::{Backward, Forward, Gradient, Operation, Part, whole};

impl Operation for InputScale {
    fn width(&self) -> usize {
        self.width
    }

    fn flops(&self) -> usize {
        self.width
    }

    fn parts(&self) -> Vec<Part> {
        whole(self.width)
    }

    /// `z = x s`
    fn forward<T: Element>(&self, scales: &[T], io: Forward<'_, T>) {
        T::scale_columns(io.x.dense(), scales, io.out);
        io.epilogue.apply_to_rows(io.out);
    }

    /// `d_x = d_z s`
    fn backward<T: Element>(&self, scales: &[T], io: Backward<'_, T>) {
        T::scale_columns(io.d_out, scales, io.d_x);
        io.epilogue.apply_to_rows(io.d_x);
    }

    /// `d_s = [d_s +] sum of the rows of d_z x`
    fn gradient<T: Element>(&self, mut io: Gradient<'_, T>) {
        io.begin();
        T::add_scale_gradient(io.d_out, io.x.dense(), io.sum);
    }
}
