//! What a tile keeps of each step for the backward pass.

use crate::error::Result;
use crate::kernels::Element;
use crate::memory::Buffer;
use crate::plan::{Plan, Step};
use crate::run::forward::{Place, Places};

/// Buffers of every step.
#[derive(Debug)]
pub(super) struct Slots<T: Element> {
    steps: Vec<Widths>,
    /// Outputs; the derivative overwrites the last one.
    outs: Vec<Buffer<T>>,
    /// The numbers that stages keep.
    kept: Vec<Buffer<T>>,
    /// Slopes of the activations that keep them.
    slopes: Vec<Buffer<T>>,
    /// Derivatives with respect to the outputs, before the activation, of all steps but the last.
    deltas: Vec<Buffer<T>>,
}

/// Numbers per row of a step.
#[derive(Clone, Copy, Debug)]
struct Widths {
    out: usize,
    kept: usize,
    slopes: usize,
}

/// The buffers of the backward pass of a step.
pub(super) struct BackPlace<'a, T> {
    /// Its input: the output of the step before.
    pub(super) x: &'a [T],
    pub(super) kept: &'a [T],
    pub(super) d_out: &'a [T],
    /// Slopes of the activation of the step before; empty if it keeps none.
    pub(super) slopes: &'a [T],
    /// The derivative with respect to the output of the step before.
    pub(super) d_x: &'a mut [T],
}

impl<T: Element> Slots<T> {
    /// Buffers for so many rows.
    pub(super) fn new(plan: &Plan, rows: usize) -> Result<Self> {
        let widths = |step: &Step| Widths {
            out: step.width,
            kept: step.kept,
            slopes: if step.keeps_slopes() { step.width } else { 0 },
        };
        let steps: Vec<_> = plan.steps().iter().map(widths).collect();
        let room = |width: usize| Buffer::zeros("a tile of rows", rows.saturating_mul(width));
        let outs = steps.iter().map(|step| room(step.out)).collect::<Result<_>>()?;
        let deltas = steps[..steps.len() - 1].iter().map(|step| room(step.out)).collect::<Result<_>>()?;
        let kept = steps.iter().map(|step| room(step.kept)).collect::<Result<_>>()?;
        let slopes = steps.iter().map(|step| room(step.slopes)).collect::<Result<_>>()?;
        Ok(Self { steps, outs, kept, slopes, deltas })
    }

    /// The output of the last step, or its derivative.
    pub(super) fn last_mut(&mut self) -> &mut [T] {
        self.outs.last_mut().expect("a network has at least one step")
    }

    /// The output of a step for `n` rows.
    pub(super) fn out(&self, step: usize, n: usize) -> &[T] {
        &self.outs[step][..n * self.steps[step].out]
    }

    /// What a step kept of `n` rows.
    pub(super) fn kept(&self, step: usize, n: usize) -> &[T] {
        &self.kept[step][..n * self.steps[step].kept]
    }

    /// The derivative with respect to the output of a step's stage for `n` rows.
    pub(super) fn d_out(&self, step: usize, n: usize) -> &[T] {
        &self.deltas.get(step).unwrap_or_else(|| &self.outs[step])[..n * self.steps[step].out]
    }

    /// The buffers of the backward pass of a step other than the first, for `n` rows.
    pub(super) fn back(&mut self, step: usize, n: usize) -> BackPlace<'_, T> {
        let (before, behind) = self.deltas.split_at_mut(step);
        let d_out = behind.first().unwrap_or(&self.outs[step]);
        BackPlace {
            x: &self.outs[step - 1][..n * self.steps[step - 1].out],
            kept: &self.kept[step][..n * self.steps[step].kept],
            d_out: &d_out[..n * self.steps[step].out],
            slopes: &self.slopes[step - 1][..n * self.steps[step - 1].slopes],
            d_x: &mut before[step - 1][..n * self.steps[step - 1].out],
        }
    }
}

impl<T: Element> Places<T> for Slots<T> {
    fn at(&mut self, step: usize, n: usize) -> Place<'_, T> {
        let widths = &self.steps[..=step];
        let (before, from_here) = self.outs.split_at_mut(step);
        Place {
            x: before.last().map(|x| &x[..n * widths[step - 1].out]),
            out: &mut from_here[0][..n * widths[step].out],
            kept: &mut self.kept[step][..n * widths[step].kept],
            slopes: &mut self.slopes[step][..n * widths[step].slopes],
        }
    }
}
