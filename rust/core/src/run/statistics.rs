//! The statistics of a batch: what the batch normalisations of a network are given in training.

use crate::arch::Stage;
use crate::error::Result;
use crate::kernels::Element;
use crate::memory::Buffer;
use crate::plan::Plan;

/// The share of a batch in the running statistics after it, as in torch.
const MOMENTUM: f64 = 0.1;

/// The parameters of every batch normalisation for a batch: those of the network, except for the means and variances,
/// which are those of the batch. Frozen ones keep to the parameters of the network.
#[derive(Debug, Default)]
pub(crate) struct Statistics<T: Element>(Vec<OfNorm<T>>);

/// The parameters of one normalisation.
#[derive(Debug)]
pub(super) struct OfNorm<T: Element> {
    step: usize,
    width: usize,
    is_frozen: bool,
    /// Gains, shifts, means and variances; then the gradients of gains and shifts, as means over the batch.
    numbers: Buffer<T>,
}

impl<T: Element> Statistics<T> {
    /// Buffers for the statistics of a network.
    pub(super) fn new(plan: &Plan) -> Result<Self> {
        let of_norm = |(step, width)| {
            let numbers = Buffer::zeros("the statistics of a batch", 6 * width)?;
            Ok(OfNorm { step, width, is_frozen: false, numbers })
        };
        let steps = plan.steps().iter().enumerate();
        let norms = steps.filter(|(_, step)| matches!(step.stage, Stage::BatchNorm(_)));
        norms.map(|(i, step)| of_norm((i, step.width))).collect::<Result<_>>().map(Self)
    }

    /// Whether there are none: the network has no batch normalisation, or the buffers are not allocated yet.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Begins a batch: only normalisations that are not frozen now are given its statistics.
    pub(super) fn begin(&mut self, plan: &Plan) {
        self.0.iter_mut().for_each(|norm| norm.is_frozen = plan.frozen().has(norm.step));
    }

    /// The normalisations that use the statistics of the batch.
    fn trained(&self) -> impl Iterator<Item = &OfNorm<T>> {
        self.0.iter().filter(|norm| !norm.is_frozen)
    }

    /// The parameters of a step for the batch, if it is a batch normalisation that is not frozen.
    pub(super) fn parameters_of(&self, step: usize) -> Option<&[T]> {
        self.trained().find(|norm| norm.step == step).map(|norm| &norm.numbers[..])
    }

    /// The same, to be written.
    pub(super) fn of_step_mut(&mut self, step: usize) -> Option<&mut OfNorm<T>> {
        self.0.iter_mut().find(|norm| norm.step == step && !norm.is_frozen)
    }

    /// Whether all means and variances of the batch are finite.
    pub(super) fn are_finite(&self) -> bool {
        self.trained()
            .all(|norm| T::largest_magnitude(&norm.numbers[2 * norm.width..4 * norm.width]).is_finite())
    }

    /// Moves the running statistics among the parameters of a network towards those of the batch of `n` rows; the running
    /// variance is the unbiased one.
    pub(crate) fn move_running(&self, plan: &Plan, parameters: &mut [T], n: usize) {
        let unbiased = n as f64 / (n as f64 - 1.0);
        for &OfNorm { step, width, ref numbers, .. } in self.trained() {
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
    /// Copies the gains and shifts, and returns the buffers for means and variances.
    pub(super) fn begin(&mut self, parameters: &[T]) -> (&mut [T], &mut [T]) {
        let width = self.width;
        self.numbers[..2 * width].copy_from_slice(&parameters[..2 * width]);
        self.numbers[2 * width..4 * width].split_at_mut(width)
    }

    /// Sets what the backward pass needs, from the gradient of the normalisation, a sum over `n` rows.
    pub(super) fn set_gradient(&mut self, gradient: &[T], n: usize) {
        let sums = &gradient[..2 * self.width];
        T::scale(&mut self.numbers[4 * self.width..], sums, 1.0 / n as f64);
    }
}
