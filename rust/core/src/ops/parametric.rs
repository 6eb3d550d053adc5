//! An activation with a learnable nonlinearity per unit.
//!
//! Shapes: x and z `(n, width)`, a `(width,)`. What is kept of n rows is `f(x) - x` of all of them, and behind it `f'(x)` of all
//! of them: neither follows from z where a is 0.

use crate::arch::Parametric;
use crate::kernels::{Element, Epilogue};
use crate::ops::operation::{Backward, Forward, Gradient, Operation, Part, whole};

impl Operation for Parametric {
    fn width(&self) -> usize {
        self.width
    }

    fn kept(&self) -> usize {
        2 * self.width
    }

    fn flops(&self) -> usize {
        3 * self.width
    }

    fn parts(&self) -> Vec<Part> {
        whole(self.width)
    }

    fn scratch_len<T: Element>(&self, n: usize, _: bool) -> usize {
        n * self.width
    }

    /// `z = x + a (f(x) - x)`
    fn forward<T: Element>(&self, alphas: &[T], io: Forward<'_, T>) {
        let (x, f) = (io.x.dense(), self.activation);
        let values = if io.kept.is_empty() {
            let values = &mut io.scratch[..x.len()];
            values.copy_from_slice(x);
            T::activate(f, values);
            values
        } else {
            let (values, slopes) = io.kept.split_at_mut(x.len());
            values.copy_from_slice(x);
            if f.keeps_slope() {
                T::activate_keeping(f, values, slopes);
            } else {
                T::activate(f, values);
                slopes.fill(T::ONE);
                Epilogue::Chain(f, values, T::ONE).apply_to_rows(slopes);
            }
            values
        };
        T::parametric(x, alphas, values, io.out);
        io.epilogue.apply_to_rows(io.out);
    }

    /// `d_x = d_z (1 + a (f'(x) - 1))`
    fn backward<T: Element>(&self, alphas: &[T], io: Backward<'_, T>) {
        let slopes = &io.kept[io.d_out.len()..];
        T::parametric_backward(io.d_out, slopes, alphas, io.d_x);
        io.epilogue.apply_to_rows(io.d_x);
    }

    /// `d_a = [d_a +] sum of the rows of d_z (f(x) - x)`
    fn gradient<T: Element>(&self, mut io: Gradient<'_, T>) {
        io.begin();
        let nonlinearities = &io.kept[..io.d_out.len()];
        T::add_scale_gradient(io.d_out, nonlinearities, io.sum);
    }
}
