//! The backward pass: one loop over the steps, and the gradient piece by piece.

use crate::error::Result;
use crate::kernels::{Element, Epilogue, Start};
use crate::ops::{Backward, Gradient, Operation, Source};
use crate::plan::Piece;
use crate::run::pass::{RowMasks, Task};
use crate::run::slots::{BackPlace, Slots};

/// Takes the derivative with respect to the last step's output back to the outputs of all steps before it, and to
/// the rows themselves if that is wanted.
pub(super) fn backward<T: Element>(
    task: Task<'_, T>,
    n: usize,
    masks: RowMasks<'_>,
    slots: &mut Slots<T>,
    d_rows: Option<&mut [T]>,
    scratch: &mut [T],
) -> Result<()> {
    let steps = task.pass.plan.steps();
    let parameters_of = |i: usize| &task.pass.parameters[steps[i].parameters.clone()];
    for (i, step) in steps.iter().enumerate().skip(1).rev() {
        let before = &steps[i - 1];
        let mask = masks.behind(before.dropout);
        let BackPlace { x, kept, d_out, slopes, d_x } = slots.back(i, n);
        let keep = T::from_f64(mask.map_or(1.0, |mask| mask.keep()));
        let epilogue = match before.then {
            Some(activation) if slopes.is_empty() => Epilogue::Chain(activation, x, keep),
            _ => Epilogue::Nothing,
        };
        let io = Backward { x, kept, d_out, d_x: &mut *d_x, epilogue, scratch };
        step.stage.backward(parameters_of(i), io);
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
        // The first stage is linear: its backward pass does not need its input.
        let io = Backward { x: &[], kept: &[], d_out, d_x, epilogue: Epilogue::Nothing, scratch };
        first.stage.backward(parameters_of(0), io);
        task.spend(n * first.stage.flops())?;
    }
    Ok(())
}

/// A piece of the gradient of `n` rows, started or continued, after [`backward`].
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
    let io = Gradient { part: &piece.part, x, kept, d_out, sum: gradient, start, scratch };
    task.pass.plan.steps()[i].stage.gradient(io);
    task.spend(2 * n * piece.part.len)
}
