//! What the batch normalisations of a network take a batch by.

use crate::arch::Stage;
use crate::error::Result;
use crate::kernels::Element;
use crate::memory::Buffer;
use crate::plan::Plan;

/// The share of a batch in the running statistics after it, as in torch.
const MOMENTUM: f64 = 0.1;

/// The batch's parameters of every batch normalisation: those of the network, but for the means and variances, which are
/// those of the batch.
#[derive(Debug, Default)]
pub(crate) struct Statistics<T: Element>(Vec<OfNorm<T>>);

/// Those of one normalisation.
#[derive(Debug)]
pub(super) struct OfNorm<T: Element> {
    step: usize,
    width: usize,
    /// Gains, shifts, means, variances; then the means over the batch of what the gradients of gains and shifts add up.
    numbers: Buffer<T>,
}

impl<T: Element> Statistics<T> {
    /// Room for the statistics of a network.
    pub(super) fn new(plan: &Plan) -> Result<Self> {
        let of_norm = |(step, width)| {
            let numbers = Buffer::zeros("the statistics of a batch", 6 * width)?;
            Ok(OfNorm { step, width, numbers })
        };
        let steps = plan.steps().iter().enumerate();
        let norms = steps.filter(|(_, step)| matches!(step.stage, Stage::BatchNorm(_)));
        norms.map(|(i, step)| of_norm((i, step.width))).collect::<Result<_>>().map(Self)
    }

    /// Whether the network has no batch normalisation, or there is no room for it yet.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The batch's parameters of a step, if that is a batch normalisation.
    pub(super) fn parameters_of(&self, step: usize) -> Option<&[T]> {
        self.0.iter().find(|norm| norm.step == step).map(|norm| &norm.numbers[..])
    }

    /// Those of a batch normalisation, to be taken.
    pub(super) fn of_step_mut(&mut self, step: usize) -> Option<&mut OfNorm<T>> {
        self.0.iter_mut().find(|norm| norm.step == step)
    }

    /// Whether every mean and variance of the batch is a number.
    pub(super) fn are_finite(&self) -> bool {
        self.0
            .iter()
            .all(|norm| T::largest_magnitude(&norm.numbers[2 * norm.width..4 * norm.width]).is_finite())
    }

    /// Moves the running statistics among the parameters of a network towards those of the batch of `n` rows. What runs is
    /// the unbiased variance.
    pub(crate) fn move_running(&self, plan: &Plan, parameters: &mut [T], n: usize) {
        let unbiased = n as f64 / (n as f64 - 1.0);
        for &OfNorm { step, width, ref numbers } in &self.0 {
            let of_batch = &numbers[2 * width..4 * width];
            let running = &mut parameters[plan.steps()[step].parameters.clone()][2 * width..];
            for (i, (running, &of_batch)) in running.iter_mut().zip(of_batch).enumerate() {
                let share = if i < width { MOMENTUM } else { MOMENTUM * unbiased };
                *running = T::from_f64((1.0 - MOMENTUM) * (*running).into() + share * of_batch.into());
            }
        }
    }
}

impl<T: Element> OfNorm<T> {
    /// Takes what does not depend on the batch, and gives the room for means and variances.
    pub(super) fn begin(&mut self, parameters: &[T]) -> (&mut [T], &mut [T]) {
        let width = self.width;
        self.numbers[..2 * width].copy_from_slice(&parameters[..2 * width]);
        self.numbers[2 * width..4 * width].split_at_mut(width)
    }

    /// Takes what the way back needs from the gradient of the normalisation, a sum over `n` rows.
    pub(super) fn set_gradient(&mut self, gradient: &[T], n: usize) {
        let sums = &gradient[..2 * self.width];
        T::scale(&mut self.numbers[4 * self.width..], sums, 1.0 / n as f64);
    }
}
