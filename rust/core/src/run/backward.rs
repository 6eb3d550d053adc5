//! The backward pass: one loop over the steps, and the gradient piece by piece.

use std::ops::Range;

use crate::error::Result;
use crate::kernels::{Element, Epilogue, Start};
use crate::ops::{Backward, Gradient, Operation, Source};
use crate::plan::Piece;
use crate::run::pass::{RowMasks, Task};
use crate::run::slots::{BackPlace, Slots};

/// The rows themselves, and the derivative with respect to them.
pub(super) struct ToRows<'a, T> {
    /// (n, `d_in`); may be empty for sparse rows, which only a dense layer takes.
    pub(super) x: &'a [T],
    /// (n, `d_in`)
    pub(super) d_x: &'a mut [T],
}

/// Takes the derivative with respect to the output of the last of some steps back to the outputs of all of them and of
/// the step before the first, as far as a trained step is at or before them; or of all, and to the rows themselves, if
/// that is wanted.
pub(super) fn backward<T: Element>(
    task: Task<'_, T>,
    of: Range<usize>,
    n: usize,
    masks: RowMasks<'_>,
    slots: &mut Slots<T>,
    rows: Option<ToRows<'_, T>>,
    scratch: &mut [T],
) -> Result<()> {
    let steps = task.pass.plan.steps();
    let first = if rows.is_some() { 0 } else { task.pass.plan.frozen().first_trained() };
    for i in of.rev().take_while(|&i| i > first) {
        let (before, step) = (&steps[i - 1], &steps[i]);
        let mask = masks.behind(before.dropout);
        let BackPlace { x, kept, d_out, slopes, d_x } = slots.back(i, n);
        let keep = T::from_f64(mask.map_or(1.0, |mask| mask.keep()));
        let epilogue = match before.then {
            Some(activation) if slopes.is_empty() => Epilogue::Chain(activation, x, keep),
            _ => Epilogue::Nothing,
        };
        let io = Backward { x, kept, d_out, d_x: &mut *d_x, epilogue, scratch };
        step.stage.backward(task.pass.parameters_of(i), io);
        if !slopes.is_empty() {
            T::times(d_x, slopes);
        }
        if let Some(mask) = mask {
            T::dropout(d_x, before.width, &mask, masks.first);
        }
        task.spend(n * step.stage.flops())?;
    }
    if let Some(ToRows { x, d_x }) = rows {
        let (first, d_out) = (&steps[0], slots.d_out(0, n));
        let io = Backward { x, kept: &[], d_out, d_x, epilogue: Epilogue::Nothing, scratch };
        first.stage.backward(task.pass.parameters_of(0), io);
        task.spend(n * first.stage.flops())?;
    }
    Ok(())
}

/// A piece of the gradient of `n` rows, started or continued, after [`backward`]; 0 for frozen parameters.
pub(super) fn gradient_of_piece<T: Element>(
    task: Task<'_, T>,
    (rows, n): (Source<'_, T>, usize),
    slots: &Slots<T>,
    piece: &Piece,
    (gradient, start): (&mut [T], Start<'_, T>),
    scratch: &mut [T],
) -> Result<()> {
    let i = piece.step;
    if task.pass.plan.frozen().has(i) {
        gradient.fill(T::ZERO);
        return Ok(());
    }
    let x = i.checked_sub(1).map_or(rows, |before| Source::Dense(slots.out(before, n)));
    let (kept, d_out) = (slots.kept(i, n), slots.d_out(i, n));
    let parameters = task.pass.parameters_of(i);
    let io = Gradient { part: &piece.part, parameters, x, kept, d_out, sum: gradient, start, scratch };
    task.pass.plan.steps()[i].stage.gradient(io);
    task.spend(2 * n * piece.part.len)
}
