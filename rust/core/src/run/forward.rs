//! The forward pass: one loop over the steps, with and without a backward pass.

use crate::error::Result;
use crate::kernels::{Element, Epilogue};
use crate::ops::{Forward, Operation, Source};
use crate::run::pass::{RowMasks, Task};

/// Where a step reads its input and writes its output.
pub(super) struct Place<'a, T> {
    /// The output of the step before; none for the first step, which reads the rows themselves.
    pub(super) x: Option<&'a [T]>,
    /// (n, width)
    pub(super) out: &'a mut [T],
    /// (n, kept); empty without a backward pass.
    pub(super) kept: &'a mut [T],
    /// (n, width) if the activation keeps its slopes; otherwise, and without a backward pass, empty.
    pub(super) slopes: &'a mut [T],
}

/// Buffers for the steps of a tile.
pub(super) trait Places<T> {
    /// The buffers of step number `step` for `n` rows. The output of the step before it is still valid.
    fn at(&mut self, step: usize, n: usize) -> Place<'_, T>;
}

/// Takes `n` rows through all steps, applying the masks of dropout.
pub(super) fn forward<T: Element>(
    task: Task<'_, T>,
    rows: Source<'_, T>,
    n: usize,
    masks: RowMasks<'_>,
    places: &mut impl Places<T>,
    scratch: &mut [T],
) -> Result<()> {
    for (i, step) in task.pass.plan.steps().iter().enumerate() {
        let Place { x, out, kept, slopes } = places.at(i, n);
        let parameters = &task.pass.parameters[step.parameters.clone()];
        let x = x.map_or(rows, Source::Dense);
        // Slopes are computed in a separate pass over cached rows: no product is compiled for them.
        let (keeping, then) = if slopes.is_empty() { (None, step.then) } else { (step.then, None) };
        let epilogue = then.map_or(Epilogue::Nothing, Epilogue::Activate);
        step.stage.forward(parameters, Forward { x, out, kept, epilogue, scratch });
        if let Some(activation) = keeping {
            T::activate_keeping(activation, out, slopes);
        }
        if let Some(mask) = masks.behind(step.dropout) {
            T::dropout(out, step.width, &mask, masks.first);
        }
        task.spend(n * step.stage.flops())?;
    }
    Ok(())
}
