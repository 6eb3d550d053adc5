//! What every stage can do: forward, and beside it the two halves of backward.

use std::ops::Range;

use crate::data::{Csr, Rows};
use crate::kernels::{Element, Finish, Start};

/// The input of a stage for the rows of a tile.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'a, T> {
    /// Numbers, (n, `d_in`), row after row.
    Dense(&'a [T]),
    /// Rows of a sparse matrix, which a first stage alone is given.
    Sparse(&'a Csr<'a, T>, Rows<'a>),
}

impl<'a, T> Source<'a, T> {
    /// The numbers of a stage that is given no others.
    pub(crate) fn dense(self) -> &'a [T] {
        match self {
            Self::Dense(x) => x,
            Self::Sparse(..) => unreachable!("sparse rows go to a dense layer"),
        }
    }
}

/// A stage's way forward for a tile.
pub(crate) struct Forward<'a, T> {
    /// (n, `d_in`)
    pub(crate) x: Source<'a, T>,
    /// (n, width)
    pub(crate) out: &'a mut [T],
    /// What the way back needs besides x, (n, [`Operation::kept`]); empty if there is no way back.
    pub(crate) kept: &'a mut [T],
    /// What becomes of `out` in the end.
    pub(crate) finish: Finish<'a, T>,
    pub(crate) scratch: &'a mut [T],
}

/// A stage's way back for a tile, to its input.
pub(crate) struct Backward<'a, T> {
    /// The input, as it was on the way forward.
    pub(crate) x: &'a [T],
    pub(crate) kept: &'a [T],
    /// (n, width)
    pub(crate) d_out: &'a [T],
    /// (n, `d_in`)
    pub(crate) d_x: &'a mut [T],
    /// What becomes of `d_x` in the end.
    pub(crate) finish: Finish<'a, T>,
    pub(crate) scratch: &'a mut [T],
}

/// A part of a stage's gradient, one behind the other in the flat vector: each a sum over rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Rows of the first block of the stage; the last part has all further blocks too.
    pub(crate) rows: Range<usize>,
    /// Numbers in it.
    pub(crate) len: usize,
    /// How many of them, at its front, are penalised.
    pub(crate) penalized: usize,
}

/// A part of the gradient of a stage's parameters, begun or carried on with the rows of a tile.
pub(crate) struct Gradient<'a, T> {
    pub(crate) part: &'a Part,
    /// All parameters of the stage.
    pub(crate) parameters: &'a [T],
    pub(crate) x: Source<'a, T>,
    pub(crate) kept: &'a [T],
    /// (n, width)
    pub(crate) d_out: &'a [T],
    /// The part, as long as it says.
    pub(crate) sum: &'a mut [T],
    /// What the sum starts from: nothing, or what it holds.
    pub(crate) start: Start<'a, T>,
    pub(crate) scratch: &'a mut [T],
}

impl<T: Element> Gradient<'_, T> {
    /// Clears a sum that is not carried on.
    pub(super) fn begin(&mut self) {
        if matches!(self.start, Start::Zero) {
            self.sum.fill(T::ZERO);
        }
    }
}

/// A stage at work.
pub(crate) trait Operation {
    /// Width of the output.
    fn width(&self) -> usize;

    /// Numbers that are kept per row for the way back.
    fn kept(&self) -> usize {
        0
    }

    /// Whether sparse rows can be its input.
    fn takes_sparse(&self) -> bool {
        false
    }

    /// Multiplications and additions per row, forward.
    fn flops(&self) -> usize;

    /// The parts that its gradient is cut into, by its shape alone.
    fn parts(&self) -> Vec<Part>;

    /// Numbers of scratch that it needs for up to `n` rows, on the way forward alone or on all ways.
    fn scratch_len<T: Element>(&self, _n: usize, _forward_only: bool) -> usize {
        0
    }

    /// `out = f(stage(x))`
    fn forward<T: Element>(&self, parameters: &[T], io: Forward<'_, T>);

    /// `d_x = d_out stage'(x)`, finished.
    fn backward<T: Element>(&self, parameters: &[T], io: Backward<'_, T>);

    /// `sum = [sum +] gradient`, over the rows.
    fn gradient<T: Element>(&self, io: Gradient<'_, T>);
}

/// The one part of a stage with few parameters, none of them penalised.
pub(super) fn whole(len: usize) -> Vec<Part> {
    vec![Part { rows: 0..1, len, penalized: 0 }]
}
