//! The gradient of a batch with many parameters: block by block, first by tiles and then by pieces of the gradient.

use std::sync::{Mutex, RwLock};

use crate::data::Examples;
use crate::error::Result;
use crate::kernels::{Element, Start, Tally};
use crate::memory::Buffer;
use crate::plan::Shares;
use crate::run::block::BatchBlock;
use crate::run::pass::{Pass, RowMasks};
use crate::run::sync::lock;
use crate::run::team::Team;
use crate::run::tile::{Tile, for_each_tile};

/// A batch cut into blocks.
pub(super) struct BlockedBatch<'a, T: Element> {
    /// One per tile of a block.
    pub(super) tiles: &'a [RwLock<Tile<T>>],
    /// One per thread.
    pub(super) scratch: &'a [Mutex<Buffer<T>>],
    pub(super) shares: &'a Shares,
    /// One per piece: the sum of the squares of its weights.
    pub(super) squares: &'a [Mutex<f64>],
    pub(super) tile_rows: usize,
    /// Rows whose losses are added up together.
    pub(super) tally_rows: usize,
}

/// The sums over the blocks of a batch.
struct Sums<'a, T> {
    gradient: &'a mut [T],
    total: Tally,
    /// The largest magnitude in the gradient.
    largest: f64,
}

impl<T: Element> BlockedBatch<'_, T> {
    /// Weighted losses and the penalty, the gradient of their sum, and its largest magnitude.
    pub(super) fn gradient(
        self,
        pass: Pass<'_, T>,
        examples: Examples<'_, '_, T>,
        gradient: &mut [T],
        team: &mut Team,
    ) -> Result<(Tally, f64)> {
        let n = examples.len();
        let mut sums = Sums { gradient, total: Tally::default(), largest: 0.0 };
        for_each_tile(self.tiles.len() * self.tile_rows, n, |start, end| {
            let begin = if start == 0 { Start::Zero } else { Start::Given };
            // The penalty is added once, with the last rows.
            let decay = if end == n { pass.objective.alpha * examples.scale } else { 0.0 };
            self.add_block(pass, examples.slice(start, end), &mut sums, (begin, decay), team)
        })?;
        Ok((sums.total, sums.largest))
    }

    /// Starts or continues the sums with the rows of a block.
    fn add_block(
        &self,
        pass: Pass<'_, T>,
        examples: Examples<'_, '_, T>,
        sums: &mut Sums<'_, T>,
        (begin, decay): (Start<'_, T>, f64),
        team: &mut Team,
    ) -> Result<()> {
        let Self { scratch, shares, squares, tile_rows, tally_rows, .. } = *self;
        let tiles = &self.tiles[..examples.len().div_ceil(tile_rows)];
        let block = BatchBlock { examples, tiles, scratch, shares, tile_rows };
        let steps = pass.plan.all_steps();
        block.share(pass, team, |tile, task, examples, scratch| {
            tile.tally(task, examples, tally_rows, scratch)?;
            tile.pull_back(task, steps.clone(), examples.len(), RowMasks::of(&examples), None, scratch)
        })?;
        sums.largest = block.add_gradient(pass, (steps, sums.gradient), (begin, decay), squares, team)?;
        block.add_tallies(&mut sums.total);
        if decay > 0.0 {
            sums.total.penalty = decay / 2.0 * squares.iter().map(|squares| *lock(squares)).sum::<f64>();
        }
        Ok(())
    }
}
