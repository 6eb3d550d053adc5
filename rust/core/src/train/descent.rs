//! One step down a gradient, refused where it leads out of the finite numbers.

use crate::error::{Error, Result};
use crate::kernels::Element;
use crate::optim::{Rule, State};
use crate::run::Team;

/// Where a step goes.
pub(crate) struct Descent<'a, T> {
    pub(crate) loss: f64,
    pub(crate) gradient: &'a [T],
    /// The largest magnitude in the gradient, NaN if a number is not finite.
    pub(crate) largest: f64,
}

/// Takes a step, or refuses it with [`Error::Diverged`]: loss, gradient and what the step makes must be finite.
pub(crate) fn take_step<T: Element>(
    (rule, state): (&Rule, &mut State<T>),
    parameters: &mut [T],
    descent: Descent<'_, T>,
    team: &mut Team,
    (epoch, batch): (usize, usize),
) -> Result<()> {
    let Descent { loss, gradient, largest } = descent;
    let diverged = |what| Err(Error::Diverged { what, epoch, batch });
    if !loss.is_finite() {
        return diverged("the loss");
    }
    if !largest.is_finite() {
        return diverged("the gradient");
    }
    let n_slabs = team.n_slabs(parameters.len());
    let mut step = state.begin(rule, parameters, gradient, largest)?;
    team.share(step.slabs(n_slabs), |_, slab| {
        slab.apply();
        Ok(())
    })?;
    if step.finish() { Ok(()) } else { diverged("the step") }
}
