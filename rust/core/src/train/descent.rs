//! One step down a gradient, refused where it leads out of the finite numbers.

use crate::error::{Error, Result};
use crate::kernels::Element;
use crate::optim::{Controls, Options, Rule, State, clip_factor, norm};
use crate::plan::Plan;
use crate::run::Team;

/// Where a step goes.
pub(crate) struct Descent<'a, T> {
    pub(crate) loss: f64,
    pub(crate) gradient: &'a [T],
    /// The largest magnitude in the gradient, NaN if a number is not finite.
    pub(crate) largest: f64,
    /// What the schedule multiplies the learning rate by.
    pub(crate) rate: f64,
}

/// Takes a step, or refuses it with [`Error::Diverged`]: loss, gradient and what the step makes must be finite.
pub(crate) fn take_step<T: Element>(
    (rule, options, state): (&Rule, &Options, &mut State<T>),
    (plan, parameters): (&Plan, &mut [T]),
    descent: Descent<'_, T>,
    team: &mut Team,
    (epoch, batch): (usize, usize),
) -> Result<()> {
    let Descent { loss, gradient, largest, rate } = descent;
    let diverged = |what| Err(Error::Diverged { what, epoch, batch });
    if !loss.is_finite() {
        return diverged("the loss");
    }
    if !largest.is_finite() {
        return diverged("the gradient");
    }
    let clip = match options.clip_norm() {
        Some(most) => {
            let norm = norm(gradient, largest, team)?;
            if !norm.is_finite() {
                return diverged("the norm of the gradient");
            }
            clip_factor(norm, most)
        }
        None => 1.0,
    };
    let groups = options.groups().of(plan.layout().blocks(), plan.frozen());
    let controls = Controls { rate, gradient: clip, groups };
    let n_slabs = team.n_slabs(parameters.len());
    let mut step = state.begin((rule, controls), parameters, gradient, largest)?;
    team.share(step.slabs(n_slabs), |_, slab| {
        slab.apply();
        Ok(())
    })?;
    if step.finish() { Ok(()) } else { diverged("the step") }
}
