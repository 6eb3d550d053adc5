//! What the sums of a product start from, and the epilogue that is applied to them.

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

/// What is done with the sums of C.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Epilogue<'a, T> {
    /// The sums stay as they are.
    Nothing,
    /// `C = f(C)`.
    Activate(Activation),
    /// `C = C f'`: the derivative is computed from the stored outputs, which have C's layout and were multiplied by
    /// the last number.
    Chain(Activation, &'a [T], T),
}

/// What is done with the sums of a tile of C before they leave the registers.
#[derive(Clone, Copy, Debug)]
pub(super) enum InRegisters<T> {
    /// The sums stay as they are.
    Nothing,
    /// Negative sums become 0.
    Relu,
    /// Sums whose output is 0 become 0; the outputs have C's layout.
    ReluChain(*const T),
}

impl<T: Scalar> Epilogue<'_, T> {
    /// The epilogue of a tile, which begins at element `at` of C, if it is simple enough to be applied in registers;
    /// otherwise none, and [`apply`](Self::apply) must follow.
    pub(super) fn in_registers(&self, at: usize) -> Option<InRegisters<T>> {
        match *self {
            Self::Nothing => Some(InRegisters::Nothing),
            Self::Activate(Activation::Relu) => Some(InRegisters::Relu),
            // The sign of an output suffices, whatever it was multiplied by.
            Self::Chain(Activation::Relu, outputs, _) => Some(InRegisters::ReluChain(outputs[at..].as_ptr())),
            Self::Activate(_) | Self::Chain(..) => None,
        }
    }

    /// Applies the epilogue to rows that are not the result of a product.
    pub(crate) fn apply_to_rows(&self, rows: &mut [T]) {
        if !rows.is_empty() {
            self.apply(rows, rows.len(), 0..1, 0..rows.len());
        }
    }

    /// Applies the epilogue to the elements of C, `(m, n)`, in these rows and columns.
    pub(super) fn apply(&self, c: &mut [T], n: usize, rows: Range<usize>, cols: Range<usize>) {
        let part = rows.start * n + cols.start..(rows.end - 1) * n + cols.end;
        // Whole rows are contiguous and can be treated as one.
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
