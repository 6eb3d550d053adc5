//! A dense layer, for dense and for sparse inputs.
//!
//! Shapes: x `(n, d_in)`, W `(d_in, d_out)`, b `(d_out,)`, z `(n, d_out)`; b follows W in the parameters.

use crate::arch::Dense;
use crate::kernels::{Element, Epilogue, Matrix, Start};
use crate::ops::operation::{Backward, Forward, Gradient, Operation, Part, Source};

/// Numbers of a gradient that one thread works on at a time, and most parts that a layer is cut into.
const PART_NUMBERS: usize = 1 << 15;
const MAX_PARTS: usize = 16;
/// The same where a layer has few: the layers of a small network differ in size, and two threads finish together if none
/// of its parts takes long.
const FEW_PART_NUMBERS: usize = 1 << 13;
const FEW_PARTS: usize = 4;

impl Operation for Dense {
    fn width(&self) -> usize {
        self.d_out
    }

    fn flops(&self) -> usize {
        2 * (self.d_in + 1) * self.d_out
    }

    fn parts(&self) -> Vec<Part> {
        let of = |numbers: usize, most: usize| (self.d_in * self.d_out).div_ceil(numbers).min(most);
        let count = of(PART_NUMBERS, MAX_PARTS).max(of(FEW_PART_NUMBERS, FEW_PARTS)).min(self.d_in);
        let part = |i: usize| {
            let rows = self.d_in * i / count..self.d_in * (i + 1) / count;
            let weights = rows.len() * self.d_out;
            let biases = if i + 1 == count { self.d_out } else { 0 };
            Part { rows, len: weights + biases, penalized: weights }
        };
        (0..count).map(part).collect()
    }

    fn scratch_len<T: Element>(&self, n: usize, forward_only: bool) -> usize {
        let Self { d_in, d_out } = *self;
        let forward = T::product_scratch_len(n, d_out, d_in);
        if forward_only {
            return forward;
        }
        let backward = T::product_scratch_len(d_in, d_out, n).max(T::product_scratch_len(n, d_in, d_out));
        forward.max(backward)
    }

    /// `z = x W + b`
    fn forward<T: Element>(&self, parameters: &[T], io: Forward<'_, T>) {
        let (weights, biases) = self.split(parameters);
        match io.x {
            Source::Dense(x) => {
                let x = Matrix::new(x, io.out.len() / self.d_out, self.d_in);
                let bias = Start::Rows(biases);
                T::product(&x, &self.matrix(weights), io.out, bias, io.epilogue, io.scratch);
            }
            Source::Sparse(x) => {
                T::sparse_product(io.out, x, weights, biases);
                io.epilogue.apply_to_rows(io.out);
            }
        }
    }

    /// `d_x = d_z W^T`
    fn backward<T: Element>(&self, parameters: &[T], io: Backward<'_, T>) {
        let d_z = Matrix::new(io.d_out, io.d_out.len() / self.d_out, self.d_out);
        let (weights, _) = self.split(parameters);
        T::product(&d_z, &self.matrix(weights).t(), io.d_x, Start::Zero, io.epilogue, io.scratch);
    }

    /// Rows of `d_W = [d_W +] x^T d_z`, and after the last of them `d_b = [d_b +] sum of the rows of d_z`.
    fn gradient<T: Element>(&self, io: Gradient<'_, T>) {
        let rows = &io.part.rows;
        let (d_w, d_b) = io.sum.split_at_mut(io.part.penalized);
        if matches!(io.start, Start::Zero) {
            d_b.fill(T::ZERO);
        }
        match io.x {
            Source::Dense(x) => {
                let n = io.d_out.len() / self.d_out;
                let (x, d_z) = (Matrix::new(x, n, self.d_in), Matrix::new(io.d_out, n, self.d_out));
                T::product(
                    &x.t().slice_rows(rows.clone()),
                    &d_z,
                    d_w,
                    io.start,
                    Epilogue::Nothing,
                    io.scratch,
                );
            }
            Source::Sparse(x) => {
                if matches!(io.start, Start::Zero) {
                    d_w.fill(T::ZERO);
                }
                T::add_sparse_gradient(d_w, rows, x, io.d_out);
            }
        }
        if rows.end == self.d_in {
            T::add_rows(d_b, io.d_out);
        }
    }
}

impl Dense {
    fn split<'a, T>(&self, parameters: &'a [T]) -> (&'a [T], &'a [T]) {
        parameters.split_at(self.d_in * self.d_out)
    }

    fn matrix<'a, T: Element>(&self, weights: &'a [T]) -> Matrix<'a, T> {
        Matrix::new(weights, self.d_in, self.d_out)
    }
}
