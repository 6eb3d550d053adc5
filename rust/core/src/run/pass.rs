//! What a pass works with.

use crate::arch::Masks;
use crate::data::Examples;
use crate::error::Result;
use crate::kernels::{Element, Mask};
use crate::loss::Objective;
use crate::plan::Plan;
use crate::run::interrupt::Interrupt;
use crate::run::statistics::Statistics;

/// What all threads of a pass share.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a, T: Element> {
    pub(crate) plan: &'a Plan,
    pub(crate) parameters: &'a [T],
    pub(crate) objective: Objective,
    pub(crate) interrupt: &'a dyn Interrupt,
    /// What batch normalisations take in place of running statistics, in training.
    pub(crate) statistics: Option<&'a Statistics<T>>,
}

impl<'a, T: Element> Pass<'a, T> {
    /// The parameters of a step.
    pub(super) fn parameters_of(&self, step: usize) -> &'a [T] {
        let of_batch = self.statistics.and_then(|statistics| statistics.parameters_of(step));
        of_batch.unwrap_or_else(|| &self.parameters[self.plan.steps()[step].parameters.clone()])
    }

    /// The pass on one of its threads.
    pub(crate) fn on(self, thread: usize) -> Task<'a, T> {
        Task { pass: self, thread }
    }
}

/// What a thread needs to know to work on a tile.
#[derive(Clone, Copy)]
pub(crate) struct Task<'a, T: Element> {
    pub(crate) pass: Pass<'a, T>,
    thread: usize,
}

impl<T: Element> Task<'_, T> {
    /// Accounts for multiplications and additions.
    pub(crate) fn spend(&self, flops: usize) -> Result<()> {
        self.pass.interrupt.spend(self.thread, flops)
    }
}

/// What dropout leaves out of rows that follow one another in a batch.
#[derive(Clone, Copy)]
pub(crate) struct RowMasks<'a> {
    masks: Masks<'a>,
    /// Position of the first row in the batch.
    pub(crate) first: usize,
}

impl<'a> RowMasks<'a> {
    /// Of no dropout.
    pub(crate) const NONE: Self = Self { masks: Masks::NONE, first: 0 };

    /// Those of some rows of a batch.
    pub(crate) fn of<T: Element>(examples: &Examples<'a, '_, T>) -> Self {
        Self { masks: examples.masks, first: examples.first }
    }

    /// The mask behind a step that ends this hidden layer; none if nothing is left out there.
    pub(crate) fn behind(&self, hidden: Option<usize>) -> Option<Mask> {
        self.masks.of_layer(hidden?)
    }
}
