//! The arguments of a pass.

use crate::arch::Masks;
use crate::data::Examples;
use crate::error::Result;
use crate::kernels::{Element, Mask};
use crate::loss::Objective;
use crate::plan::Plan;
use crate::run::interrupt::Interrupt;

/// The arguments that all threads of a pass share.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a, T: Element> {
    pub(crate) plan: &'a Plan,
    pub(crate) parameters: &'a [T],
    pub(crate) objective: Objective,
    pub(crate) interrupt: &'a dyn Interrupt,
}

impl<'a, T: Element> Pass<'a, T> {
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

/// The dropout masks of consecutive rows of a batch.
#[derive(Clone, Copy)]
pub(crate) struct RowMasks<'a> {
    masks: Masks<'a>,
    /// Position of the first row in the batch.
    pub(crate) first: usize,
}

impl<'a> RowMasks<'a> {
    /// The masks of no dropout.
    pub(crate) const NONE: Self = Self { masks: Masks::NONE, first: 0 };

    /// The masks of some rows of a batch.
    pub(crate) fn of<T: Element>(examples: &Examples<'a, '_, T>) -> Self {
        Self { masks: examples.masks, first: examples.first }
    }

    /// The mask after a step that ends this hidden layer; none if nothing is dropped there.
    pub(crate) fn behind(&self, hidden: Option<usize>) -> Option<Mask> {
        self.masks.of_layer(hidden?)
    }
}
