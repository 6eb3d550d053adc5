//! The two ends of an element's chain of sums: what it starts from, and what becomes of its result.

use std::ops::Range;

use crate::kernels::activation::Activation;
use crate::kernels::activation::{backward_rows, forward_rows};
use crate::numbers::Scalar;

/// What the sums of C start from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start<'a, T> {
    /// 0: `C = A B`.
    Zero,
    /// What C holds: `C = C + A B`.
    Given,
    /// The same row for all rows of C: `C = row + A B`.
    Rows(&'a [T]),
}

impl<T: Scalar> Start<'_, T> {
    /// Writes the start of every sum of C, `(m, n)`.
    pub(super) fn write(&self, c: &mut [T], n: usize) {
        match self {
            Self::Zero => c.fill(T::ZERO),
            Self::Given => {}
            Self::Rows(start) => c.chunks_exact_mut(n).for_each(|row| row.copy_from_slice(start)),
        }
    }
}

/// What becomes of the sums of C.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Finish<'a, T> {
    /// They stay as they are.
    Nothing,
    /// `C = f(C)`.
    Activate(Activation),
    /// `C = C f'`, with the derivative taken from the function's outputs, which lie as C does; they are those outputs
    /// times the last number.
    Chain(Activation, &'a [T], T),
}

/// What becomes of the sums of a tile of C before they leave the registers.
#[derive(Clone, Copy, Debug)]
pub(super) enum InRegisters<T> {
    /// They stay as they are.
    Nothing,
    /// What is below 0 becomes 0.
    Relu,
    /// What belongs to an output of 0 becomes 0; the outputs lie as C does.
    ReluChain(*const T),
}

impl<T: Scalar> Finish<'_, T> {
    /// The part of the finish of a tile, which begins at element `at` of C, that takes no more than a glance at each
    /// sum; none where [`apply`](Self::apply) is to follow.
    pub(super) fn in_registers(&self, at: usize) -> Option<InRegisters<T>> {
        match *self {
            Self::Nothing => Some(InRegisters::Nothing),
            Self::Activate(Activation::Relu) => Some(InRegisters::Relu),
            // Its sign says all of an output, whatever it was multiplied by.
            Self::Chain(Activation::Relu, outputs, _) => Some(InRegisters::ReluChain(outputs[at..].as_ptr())),
            Self::Activate(_) | Self::Chain(..) => None,
        }
    }

    /// Finishes rows that no product made.
    pub(crate) fn apply_to_rows(&self, rows: &mut [T]) {
        if !rows.is_empty() {
            self.apply(rows, rows.len(), 0..1, 0..rows.len());
        }
    }

    /// Finishes the elements of C, `(m, n)`, in these rows and columns.
    pub(super) fn apply(&self, c: &mut [T], n: usize, rows: Range<usize>, cols: Range<usize>) {
        let part = rows.start * n + cols.start..(rows.end - 1) * n + cols.end;
        // Whole rows lie one behind the other: they are as good as one.
        let (stride, width) = if cols.len() == n { (part.len(), part.len()) } else { (n, cols.len()) };
        match *self {
            Self::Nothing => {}
            Self::Activate(f) => forward_rows(f, &mut c[part], stride, width),
            Self::Chain(f, outputs, keep) => {
                backward_rows(f, &mut c[part.clone()], &outputs[part], keep, stride, width);
            }
        }
    }
}
