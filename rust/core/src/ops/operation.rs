//! The interface of every stage: forward, and beside it the two halves of backward.

use std::ops::Range;

use crate::kernels::{Element, Epilogue, SparseRows, Start};

/// The input of a stage for the rows of a tile.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'a, T> {
    /// Numbers, (n, `d_in`), row after row.
    Dense(&'a [T]),
    /// Rows without their zeros, which only a first stage is given.
    Sparse(&'a SparseRows<T>),
}

impl<'a, T> Source<'a, T> {
    /// The numbers, for a stage that does not take sparse rows.
    pub(crate) fn dense(self) -> &'a [T] {
        match self {
            Self::Dense(x) => x,
            Self::Sparse(_) => unreachable!("only a dense layer takes sparse rows"),
        }
    }
}

/// A stage's forward pass for a tile.
pub(crate) struct Forward<'a, T> {
    /// (n, `d_in`)
    pub(crate) x: Source<'a, T>,
    /// (n, width)
    pub(crate) out: &'a mut [T],
    /// What the backward pass needs besides x, (n, [`Operation::kept`]); empty if there is no backward pass.
    pub(crate) kept: &'a mut [T],
    /// Applied to `out` at the end.
    pub(crate) epilogue: Epilogue<'a, T>,
    pub(crate) scratch: &'a mut [T],
}

/// A stage's backward pass for a tile, to its input.
pub(crate) struct Backward<'a, T> {
    /// The input, as in the forward pass.
    pub(crate) x: &'a [T],
    pub(crate) kept: &'a [T],
    /// (n, width)
    pub(crate) d_out: &'a [T],
    /// (n, `d_in`)
    pub(crate) d_x: &'a mut [T],
    /// Applied to `d_x` at the end.
    pub(crate) epilogue: Epilogue<'a, T>,
    pub(crate) scratch: &'a mut [T],
}

/// A part of a stage's gradient: contiguous in the flat vector, and a sum over rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Rows of the first block of the stage; the last part has all further blocks too.
    pub(crate) rows: Range<usize>,
    /// Length of the part.
    pub(crate) len: usize,
    /// How many of its numbers, at the front, are penalised.
    pub(crate) penalized: usize,
}

/// A part of the gradient of a stage's parameters, started or continued with the rows of a tile.
pub(crate) struct Gradient<'a, T> {
    pub(crate) part: &'a Part,
    /// All parameters of the stage.
    pub(crate) parameters: &'a [T],
    pub(crate) x: Source<'a, T>,
    pub(crate) kept: &'a [T],
    /// (n, width)
    pub(crate) d_out: &'a [T],
    /// The part of the gradient, of the part's length.
    pub(crate) sum: &'a mut [T],
    /// What the sum starts from: 0, or its current value.
    pub(crate) start: Start<'a, T>,
    pub(crate) scratch: &'a mut [T],
}

impl<T: Element> Gradient<'_, T> {
    /// Clears the sum unless it is continued.
    pub(super) fn begin(&mut self) {
        if matches!(self.start, Start::Zero) {
            self.sum.fill(T::ZERO);
        }
    }
}

/// The operation of a stage.
pub(crate) trait Operation {
    /// Width of the output.
    fn width(&self) -> usize;

    /// Numbers that are kept per row for the backward pass.
    fn kept(&self) -> usize {
        0
    }

    /// Multiplications and additions per row, forward.
    fn flops(&self) -> usize;

    /// The parts that its gradient is cut into, which depend on its shape alone.
    fn parts(&self) -> Vec<Part>;

    /// Numbers of scratch that it needs for up to `n` rows, for the forward pass alone or for all passes.
    fn scratch_len<T: Element>(&self, _n: usize, _forward_only: bool) -> usize {
        0
    }

    /// `out = f(stage(x))`
    fn forward<T: Element>(&self, parameters: &[T], io: Forward<'_, T>);

    /// `d_x = d_out stage'(x)`, with the epilogue.
    fn backward<T: Element>(&self, parameters: &[T], io: Backward<'_, T>);

    /// `sum = [sum +] gradient`, over the rows.
    fn gradient<T: Element>(&self, io: Gradient<'_, T>);
}

/// The one part of a stage with few parameters, none of them penalised.
pub(super) fn whole(len: usize) -> Vec<Part> {
    vec![Part { rows: 0..1, len, penalized: 0 }]
}
