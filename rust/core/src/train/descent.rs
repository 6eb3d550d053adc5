//! One step along a gradient, refused if it leaves the finite numbers.

use crate::arch::Layout;
use crate::error::{Error, Result};
use crate::kernels::Element;
use crate::optim::{Controls, Options, Rule, State, clip_factor, norm};
use crate::run::Team;

/// A gradient, and what a step along it depends on.
pub(crate) struct Descent<'a, T> {
    pub(crate) loss: f64,
    pub(crate) gradient: &'a [T],
    /// The largest magnitude in the gradient, NaN if a number is not finite.
    pub(crate) largest: f64,
    /// The factor that the schedule gives to the learning rate.
    pub(crate) rate: f64,
}

/// Takes a step, or refuses it with [`Error::Diverged`]: loss, gradient and the result of the step must be
/// finite.
pub(crate) fn take_step<T: Element>(
    (rule, options, state): (&Rule, &Options, &mut State<T>),
    (layout, parameters): (&Layout, &mut [T]),
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
    let controls = Controls { rate, gradient: clip, groups: options.groups().of(layout.blocks()) };
    let n_slabs = team.n_slabs(parameters.len());
    let mut step = state.begin((rule, controls), parameters, gradient, largest)?;
    team.share(step.slabs(n_slabs), |_, slab| {
        slab.apply();
        Ok(())
    })?;
    if step.finish() { Ok(()) } else { diverged("the step") }
}
