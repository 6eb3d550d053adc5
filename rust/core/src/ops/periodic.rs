//! Periodic features of inputs.
//!
//! Shapes: x `(n, d_in)`, z `(n, d_in + 3 inputs)`.

use crate::arch::Periodic;
use crate::kernels::Element;
use crate::ops::operation::{Backward, Forward, Gradient, Operation, Part, whole};

impl Operation for Periodic {
    fn width(&self) -> usize {
        self.d_in + Self::FEATURES * self.inputs
    }

    /// A cosine takes about ten of them.
    fn flops(&self) -> usize {
        self.inputs * Self::COSINES * (10 + Self::FEATURES)
    }

    fn parts(&self) -> Vec<Part> {
        whole(self.inputs * (Self::COSINES * (2 + Self::FEATURES) + Self::FEATURES))
    }

    /// `z = (x, V cos(2 pi (f x + p)) + o)`
    fn forward<T: Element>(&self, parameters: &[T], io: Forward<'_, T>) {
        T::periodic(io.x.dense(), self.shape(), parameters, io.out);
        io.epilogue.apply_to_rows(io.out);
    }

    /// `d_x = d_z (1, -2 pi f V sin(2 pi (f x + p)))`
    fn backward<T: Element>(&self, parameters: &[T], io: Backward<'_, T>) {
        T::periodic_backward(io.d_out, io.x, self.shape(), parameters, io.d_x);
        io.epilogue.apply_to_rows(io.d_x);
    }

    /// `d = [d +] sum over the rows`, of frequencies, phases, projections and offsets
    fn gradient<T: Element>(&self, mut io: Gradient<'_, T>) {
        io.begin();
        T::add_periodic_gradient(io.d_out, io.x.dense(), self.shape(), io.parameters, io.sum);
    }
}

impl Periodic {
    /// Width of the input, and how many of them have features.
    fn shape(&self) -> (usize, usize) {
        (self.d_in, self.inputs)
    }
}
