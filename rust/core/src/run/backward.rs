//! The way back: one loop over the steps, and the gradient piece by piece.

use std::ops::Range;

use crate::error::Result;
use crate::kernels::{Element, Finish, Start};
use crate::ops::{Backward, Gradient, Operation, Source};
use crate::plan::Piece;
use crate::run::pass::{RowMasks, Task};
use crate::run::slots::{BackPlace, Slots};

/// Takes the derivative with respect to the last of some steps' output back to those of all of them and of the step
/// before the first, and to the rows themselves where that is wanted.
pub(super) fn backward<T: Element>(
    task: Task<'_, T>,
    of: Range<usize>,
    n: usize,
    masks: RowMasks<'_>,
    slots: &mut Slots<T>,
    d_rows: Option<&mut [T]>,
    scratch: &mut [T],
) -> Result<()> {
    let steps = task.pass.plan.steps();
    for i in of.rev().take_while(|&i| i > 0) {
        let (before, step) = (&steps[i - 1], &steps[i]);
        let mask = masks.behind(before.dropout);
        let BackPlace { x, kept, d_out, slopes, d_x } = slots.back(i, n);
        let keep = T::from_f64(mask.map_or(1.0, |mask| mask.keep()));
        let finish = match before.then {
            Some(activation) if slopes.is_empty() => Finish::Chain(activation, x, keep),
            _ => Finish::Nothing,
        };
        let io = Backward { x, kept, d_out, d_x: &mut *d_x, finish, scratch };
        step.stage.backward(task.pass.parameters_of(i), io);
        if !slopes.is_empty() {
            T::times(d_x, slopes);
        }
        if let Some(mask) = mask {
            T::dropout(d_x, before.width, &mask, masks.first);
        }
        task.spend(n * step.stage.flops())?;
    }
    if let Some(d_x) = d_rows {
        let (first, d_out) = (&steps[0], slots.d_out(0, n));
        // The first stage is linear: its way back does not ask for its input.
        let io = Backward { x: &[], kept: &[], d_out, d_x, finish: Finish::Nothing, scratch };
        first.stage.backward(task.pass.parameters_of(0), io);
        task.spend(n * first.stage.flops())?;
    }
    Ok(())
}

/// A piece of the gradient of `n` rows, begun or carried on, after [`backward`].
pub(super) fn gradient_of_piece<T: Element>(
    task: Task<'_, T>,
    (rows, n): (Source<'_, T>, usize),
    slots: &Slots<T>,
    piece: &Piece,
    (gradient, start): (&mut [T], Start<'_, T>),
    scratch: &mut [T],
) -> Result<()> {
    let i = piece.step;
    let x = i.checked_sub(1).map_or(rows, |before| Source::Dense(slots.out(before, n)));
    let (kept, d_out) = (slots.kept(i, n), slots.d_out(i, n));
    let parameters = task.pass.parameters_of(i);
    let io = Gradient { part: &piece.part, parameters, x, kept, d_out, sum: gradient, start, scratch };
    task.pass.plan.steps()[i].stage.gradient(io);
    task.spend(2 * n * piece.part.len)
}
