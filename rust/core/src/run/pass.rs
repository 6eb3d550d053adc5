//! The arguments of a pass.

use crate::arch::Masks;
use crate::data::{Examples, Inputs, Rows};
use crate::error::Result;
use crate::kernels::{Element, Mask, Tally};
use crate::loss::{BatchLoss, Objective};
use crate::plan::Plan;
use crate::run::interrupt::Interrupt;

/// The arguments that all threads of a pass share.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a, T: Element> {
    pub(crate) plan: &'a Plan,
    pub(crate) parameters: &'a [T],
    pub(crate) objective: Objective,
    pub(crate) interrupt: &'a dyn Interrupt,
    /// The loss of a network whose loss is a function.
    pub(crate) loss_function: Option<&'a dyn BatchLoss<T>>,
    /// What it returned, once it was called for the batch.
    pub(crate) given: Option<GivenLosses<'a, T>>,
}

/// Losses of the rows of a batch, and their derivatives, that were computed before the way back.
#[derive(Clone, Copy)]
pub(crate) struct GivenLosses<'a, T> {
    /// (n,)
    pub(super) losses: &'a [T],
    /// (n, `d_out`)
    pub(super) d_raw: &'a [T],
    /// Whether all tiles still hold what they kept of their rows on the way forward.
    pub(super) is_kept: bool,
}

impl<T: Element> GivenLosses<'_, T> {
    /// The weighted losses of rows from `first` on; d takes their weighted derivatives.
    pub(super) fn tally(&self, first: usize, weights: &[T], d: &mut [T]) -> Tally {
        let (n, d_out) = (weights.len(), d.len().checked_div(weights.len()).unwrap_or(0));
        let d_raw = &self.d_raw[first * d_out..(first + n) * d_out];
        T::given_losses(&self.losses[first..first + n], d_raw, weights, d)
    }
}

impl<'a, T: Element> Pass<'a, T> {
    /// A pass for the default objective.
    pub(crate) fn new(
        plan: &'a Plan,
        parameters: &'a [T],
        loss_function: Option<&'a dyn BatchLoss<T>>,
        interrupt: &'a dyn Interrupt,
    ) -> Self {
        Self { plan, parameters, objective: Objective::default(), interrupt, loss_function, given: None }
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

/// What dropout leaves out of rows that follow one another in a batch, in their inputs and behind hidden layers.
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

    /// The mask of the inputs; none if none is left out.
    pub(crate) fn of_input(&self) -> Option<Mask> {
        self.masks.of_input()
    }

    /// The mask behind a step that ends this hidden layer; none if nothing is left out there.
    pub(crate) fn behind(&self, hidden: Option<usize>) -> Option<Mask> {
        self.masks.of_layer(hidden?)
    }
}

/// The rows of a tile: where they lie, and what dropout leaves out of them.
#[derive(Clone, Copy)]
pub(crate) struct TileRows<'a, 'd, T> {
    pub(crate) x: &'a Inputs<'d, T>,
    pub(crate) rows: Rows<'a>,
    pub(crate) masks: RowMasks<'a>,
}

impl<'a, 'd, T: Element> TileRows<'a, 'd, T> {
    /// Those of examples, whose inputs are `x`.
    pub(crate) fn of(x: &'a Inputs<'d, T>, examples: &Examples<'a, '_, T>) -> Self {
        Self { x, rows: examples.rows, masks: RowMasks::of(examples) }
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The numbers where they lie, if they lie there row after row without gaps, and none is left out.
    pub(crate) fn in_place(&self) -> Option<&'a [T]> {
        if self.masks.of_input().is_some() { None } else { self.x.in_place(self.rows) }
    }
}
