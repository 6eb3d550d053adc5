//! One tile: rows that go through all steps, forward and backward, while they are in cache.

use std::ops::Range;

use ndarray::ArrayView2;

use crate::data::{Examples, Inputs};
use crate::error::Result;
use crate::kernels::{Batch, Element, Start, Tally, TinyNet};
use crate::ops::{Operation, Source};
use crate::plan::{Piece, Pieces, Plan, ROW_GROUP};
use crate::run::backward::{ToRows, backward, gradient_of_piece};
use crate::run::forward::forward;
use crate::run::pass::{RowMasks, Task, TileRows};
use crate::run::slots::Slots;
use crate::run::targets::TileTargets;
use crate::run::tile_input::TileInput;

/// The buffers of a tile, allocated once and used for every tile.
#[derive(Debug)]
pub(super) struct Tile<T: Element> {
    /// Rows it has room for.
    rows: usize,
    input: TileInput<T>,
    targets: TileTargets<T>,
    slots: Slots<T>,
    /// Losses of groups of rows.
    tallies: Vec<Tally>,
}

impl<T: Element> Tile<T> {
    /// Buffers for `rows`, without their inputs.
    pub(super) fn new(plan: &Plan, rows: usize) -> Result<Self> {
        Ok(Self {
            rows,
            input: TileInput::new(true),
            targets: TileTargets::new(plan.network(), rows)?,
            slots: Slots::new(plan, rows)?,
            tallies: Vec::with_capacity(rows.div_ceil(ROW_GROUP)),
        })
    }

    /// Rows it has room for.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Makes room for their inputs, rows of `x`.
    pub(super) fn reserve(&mut self, x: &Inputs<'_, T>, is_sparse: bool) -> Result<()> {
        self.input.reserve(x, self.rows, is_sparse)
    }

    /// Numbers of scratch that any of its passes needs.
    pub(super) fn scratch_len(plan: &Plan, rows: usize) -> usize {
        let of_steps = plan.steps().iter().map(|step| step.stage.scratch_len::<T>(rows, false)).max();
        let of_tiny = plan.tiny_with_gradient().map_or(0, |tiny| T::tiny_scratch_len(tiny, rows));
        of_steps.unwrap_or(0).max(of_tiny)
    }

    /// Takes `rows` through some steps, the last of which gives the last layer's sums.
    pub(super) fn forward(
        &mut self,
        task: Task<'_, T>,
        steps: Range<usize>,
        rows: TileRows<'_, '_, T>,
        scratch: &mut [T],
    ) -> Result<()> {
        let source = match steps.start {
            0 => self.input.gather(rows)?,
            _ => self.input.source(rows),
        };
        forward(task, steps, source, rows.len(), rows.masks, &mut self.slots, scratch)
    }

    /// The output of a step for `n` rows that went [`forward`](Self::forward) through it, (n, width).
    pub(super) fn out(&self, step: usize, n: usize) -> &[T] {
        self.slots.out(step, n)
    }

    /// The last layer's sums of the rows that went [`forward`](Self::forward), so many numbers.
    pub(super) fn sums(&mut self, len: usize) -> &[T] {
        &self.slots.last_mut()[..len]
    }

    /// Weighted losses, in sums over `tally_rows` rows each. The derivative with respect to the last layer's sums
    /// overwrites them.
    pub(super) fn tally(
        &mut self,
        task: Task<'_, T>,
        examples: Examples<'_, '_, T>,
        tally_rows: usize,
        scratch: &mut [T],
    ) -> Result<()> {
        if !task.pass.given.is_some_and(|given| given.is_kept) {
            let (x, steps) = (examples.data.x(), task.pass.plan.all_steps());
            self.forward(task, steps, TileRows::of(&x, &examples), scratch)?;
        }
        self.losses(task, examples, tally_rows)
    }

    /// The same for rows that went [`forward`](Self::forward).
    pub(super) fn losses(
        &mut self,
        task: Task<'_, T>,
        examples: Examples<'_, '_, T>,
        tally_rows: usize,
    ) -> Result<()> {
        let given = task.pass.given;
        let d_out = task.pass.plan.layout().d_out();
        let bounds = task.pass.objective.bounds::<T>(task.pass.plan.network().loss());
        let sums = self.slots.last_mut();
        self.tallies.clear();
        for_each_tile(tally_rows, examples.len(), |start, end| {
            let group = examples.slice(start, end);
            self.targets.read(group.data, group.rows, group.scale);
            let sums = &mut sums[start * d_out..end * d_out];
            self.tallies.push(match given {
                Some(given) => given.tally(group.first, self.targets.weights(), sums),
                None => self.targets.losses(sums, bounds),
            });
            Ok(())
        })
    }

    /// The sums of the last [`tally`](Self::tally).
    pub(super) fn tallies(&self) -> &[Tally] {
        &self.tallies
    }

    /// The backward pass of `n` rows through some steps, from the derivative with respect to the output of the last of
    /// them to those with respect to the outputs of the steps before, and to the rows if they are given, with
    /// (n, `d_in`) for the derivative. For the last step of all, the derivative has overwritten the sums. The masks and rows
    /// are those of the forward pass.
    pub(super) fn pull_back(
        &mut self,
        task: Task<'_, T>,
        steps: Range<usize>,
        n: usize,
        masks: RowMasks<'_>,
        to_rows: Option<(TileRows<'_, '_, T>, &mut [T])>,
        scratch: &mut [T],
    ) -> Result<()> {
        let to_rows = to_rows.map(|(rows, d_x)| match self.input.source(rows) {
            Source::Dense(x) => ToRows { x, d_x },
            Source::Sparse(_) => ToRows { x: &[], d_x },
        });
        backward(task, steps, n, masks, &mut self.slots, to_rows, scratch)
    }

    /// A piece of the gradient, after [`pull_back`](Self::pull_back): the sum over `rows`, begun or carried on.
    pub(super) fn gradient_of_piece(
        &self,
        task: Task<'_, T>,
        rows: TileRows<'_, '_, T>,
        piece: &Piece,
        (gradient, start): (&mut [T], Start<'_, T>),
        scratch: &mut [T],
    ) -> Result<()> {
        let source = self.input.source(rows);
        gradient_of_piece(task, (source, rows.len()), &self.slots, piece, (gradient, start), scratch)
    }

    /// All pieces of the gradient.
    pub(super) fn gradient(
        &self,
        task: Task<'_, T>,
        rows: TileRows<'_, '_, T>,
        (gradient, start): (&mut [T], Start<'_, T>),
        scratch: &mut [T],
    ) -> Result<()> {
        Pieces::of(task.pass.plan.pieces(), gradient).try_for_each(|(piece, numbers)| {
            self.gradient_of_piece(task, rows, piece, (numbers, start), scratch)
        })
    }

    /// [`tally`](Self::tally), [`pull_back`](Self::pull_back) and [`gradient`](Self::gradient) in one kernel.
    pub(super) fn tiny_gradient(
        &mut self,
        tiny: &TinyNet,
        task: Task<'_, T>,
        examples: Examples<'_, '_, T>,
        gradient: &mut [T],
        scratch: &mut [T],
    ) -> Result<Tally> {
        let n = examples.len();
        self.targets.read(examples.data, examples.rows, examples.scale);
        let x = self.input.dense_mut();
        examples.data.x().gather_columns(examples.rows, x);
        let batch = Batch {
            x,
            x_stride: n,
            labels: self.targets.labels(),
            values: self.targets.values(),
            weights: self.targets.weights(),
        };
        let bounds = task.pass.objective.bounds::<T>(task.pass.plan.network().loss());
        let tally = T::tiny_gradient(tiny, &batch, task.pass.parameters, gradient, bounds, scratch);
        task.spend(n * task.pass.plan.workload().flops_per_row())?;
        Ok(tally)
    }

    /// As [`sums`](Self::sums), to be overwritten with the derivative with respect to them.
    pub(super) fn sums_mut(&mut self, len: usize) -> &mut [T] {
        &mut self.slots.last_mut()[..len]
    }

    /// Overwrites the last layer's sums with the derivative with respect to them.
    pub(super) fn set_d_sums(&mut self, d_sums: ArrayView2<'_, T>) {
        for (to, &from) in self.slots.last_mut().iter_mut().zip(d_sums) {
            *to = from;
        }
    }
}

/// Calls `f` with the first row of each tile and the one after its last.
pub(super) fn for_each_tile(
    tile_rows: usize,
    n: usize,
    mut f: impl FnMut(usize, usize) -> Result<()>,
) -> Result<()> {
    (0..n).step_by(tile_rows.max(1)).try_for_each(|start| f(start, n.min(start + tile_rows)))
}
