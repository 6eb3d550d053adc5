//! The gradient of a batch, shared by several threads.
//! There are two schedules; the choice depends on the network and the shapes alone:
//!
//! ```text
//! few parameters: chunks                      many: blocks
//!
//! rows   | chunk 0 | chunk 1 | chunk 2 |      rows   | tile | tile | tile | tile |   next block ...
//!             |         |         |                      \      \     /      /
//!        gradient 0 + gradient 1 + gradient 2    gradient  | piece | piece | piece |
//! ```
//!
//! - The batch is cut into chunks. Each chunk adds up its own gradient, on one thread, and the chunks' gradients are
//!   added in their order.
//! - The batch is processed block by block. First the threads share the tiles of a block, each of which goes forward
//!   and backward; then they share the gradient, cut into pieces, each of which is a sum over the rows of the block;
//!   a thread takes neighbouring pieces together.
//!
//! With a batch normalisation the whole batch is one block, which goes from one normalisation to the next
//! ([`segments`](super::segments)).
//!
//! Either way a number of the gradient is a sum in one order, so it has the same bits for any number of threads.

use std::sync::{Mutex, RwLock};

use ndarray::ArrayView2;

use crate::data::{Examples, Inputs, Rows};
use crate::error::Result;
use crate::kernels::{Element, Start, Tally};
use crate::loss::Loss;
use crate::memory::Buffer;
use crate::plan::{Cut, Plan, Shares};
use crate::run::barrier::{Barrier, Room};
use crate::run::blocks::BlockedBatch;
use crate::run::chunks::{Chunk, ChunkedBatch};
use crate::run::pass::{Pass, RowMasks, TileRows};
use crate::run::segments::SegmentedBatch;
use crate::run::statistics::Statistics;
use crate::run::sync::{get_mut, lock_mut};
use crate::run::team::Team;
use crate::run::tile::{Tile, for_each_tile};

/// Buffers for the gradients of batches up to a size.
#[derive(Debug, Default)]
pub(crate) struct BatchWorkspace<T: Element> {
    /// One per thread for chunks; one per tile of a block.
    tiles: Vec<RwLock<Tile<T>>>,
    /// One per thread.
    scratch: Vec<Mutex<Buffer<T>>>,
    chunks: Vec<RwLock<Chunk<T>>>,
    shares: Shares,
    /// One per piece: the sum of the squares of its weights.
    squares: Vec<Mutex<f64>>,
    /// Of a loss that is a function, made when it is first called.
    barrier: Option<Barrier<T>>,
    statistics: Statistics<T>,
}

impl<T: Element> BatchWorkspace<T> {
    /// Allocates what is missing for `n_threads` to share a batch of `n` rows of such inputs.
    pub(crate) fn reserve(
        &mut self,
        plan: &Plan,
        x: &Inputs<'_, T>,
        n: usize,
        n_threads: usize,
    ) -> Result<()> {
        let cut = plan.workload().cut::<T>(n.max(1), n_threads);
        let (mut n_tiles, n_chunks) = match cut {
            Cut::Chunks { count, .. } => (n_threads, count),
            Cut::Blocks { tiles, .. } => (tiles, 0),
        };
        let mut rows = cut.tile_rows();
        if let Some(tile) = self.tiles.first_mut() {
            let room = get_mut(tile).rows();
            if room < rows {
                n_tiles = n_tiles.max(self.tiles.len());
                self.tiles.clear();
                self.scratch.clear();
            } else {
                rows = room;
            }
        }
        while self.tiles.len() < n_tiles {
            self.tiles.push(RwLock::new(Tile::new(plan, rows)?));
        }
        let is_sparse = plan.tiny_with_gradient().is_none() && plan.reads_sparse(x);
        for tile in &mut self.tiles {
            get_mut(tile).reserve(x, is_sparse)?;
        }
        while self.scratch.len() < n_threads {
            let numbers = Tile::<T>::scratch_len(plan, rows);
            self.scratch.push(Mutex::new(Buffer::zeros("the products of a tile", numbers)?));
        }
        while self.chunks.len() < n_chunks {
            let numbers = if self.chunks.is_empty() { 0 } else { plan.layout().n_parameters() };
            let gradient = Buffer::zeros("the gradient of a chunk", numbers)?;
            self.chunks.push(RwLock::new(Chunk::new(gradient)));
        }
        self.shares.join(plan.pieces(), n_threads);
        self.squares.resize_with(plan.pieces().len(), Mutex::default);
        if plan.network().needs_batches() && self.statistics.is_empty() {
            self.statistics = Statistics::new(plan)?;
        }
        Ok(())
    }

    /// Weighted losses, the penalty of the objective, and the largest magnitude of the gradient of their sum, which
    /// is NaN if a number is not finite; the gradient is written to `gradient`.
    pub(crate) fn gradient(
        &mut self,
        pass: Pass<'_, T>,
        examples: Examples<'_, '_, T>,
        gradient: &mut [T],
        team: &mut Team,
    ) -> Result<(Tally, f64)> {
        let (scratch, shares, squares) = (&self.scratch[..], &self.shares, &self.squares[..]);
        let cut = pass.plan.workload().cut::<T>(examples.len(), team.len());
        let mut pass = pass;
        let barrier = if *pass.plan.network().loss() == Loss::Function {
            let (n, d_out) = (examples.len(), pass.plan.layout().d_out());
            Some(Barrier::reserved(&mut self.barrier, examples.data, n, d_out)?)
        } else {
            None
        };
        if let (Cut::Blocks { tiles, tile_rows, tally_rows }, false) = (cut, self.statistics.is_empty()) {
            let (tiles, statistics) = (&self.tiles[..tiles], &mut self.statistics);
            return SegmentedBatch {
                tiles,
                scratch,
                shares,
                squares,
                statistics,
                barrier,
                tile_rows,
                tally_rows,
            }
            .gradient(pass, examples, gradient, team);
        }
        if let Some(barrier) = barrier {
            let room = Room { tiles: &self.tiles, scratch, cut };
            pass.given = Some(barrier.forward(pass, examples, room, team)?);
        }
        match cut {
            Cut::Chunks { count, tile_rows } => {
                let (tiles, chunks) = (&self.tiles[..], &mut self.chunks[..count]);
                ChunkedBatch { tiles, scratch, chunks, tile_rows }.gradient(pass, examples, gradient, team)
            }
            Cut::Blocks { tiles, tile_rows, tally_rows } => {
                debug_assert!(tiles <= self.tiles.len(), "tiles were reserved for as many threads");
                let tiles = &self.tiles[..tiles];
                let blocks = BlockedBatch { tiles, scratch, shares, squares, tile_rows, tally_rows };
                blocks.gradient(pass, examples, gradient, team)
            }
        }
    }

    /// The statistics of the last batch, which batch normalisations used.
    pub(crate) fn statistics(&self) -> &Statistics<T> {
        &self.statistics
    }

    /// Takes `d_sums` back through all rows of `x`: writes the gradient to `gradient`, and the derivative with
    /// respect to the rows to `d_x`.
    pub(crate) fn pull_back(
        &mut self,
        pass: Pass<'_, T>,
        x: ArrayView2<'_, T>,
        d_sums: ArrayView2<'_, T>,
        gradient: &mut [T],
        d_x: &mut [T],
    ) -> Result<()> {
        gradient.fill(T::ZERO);
        let (d_in, steps, task) = (x.ncols(), pass.plan.all_steps(), pass.on(0));
        let (Some(tile), Some(scratch)) = (self.tiles.first_mut(), self.scratch.first_mut()) else {
            return Ok(());
        };
        let scratch = lock_mut(scratch);
        let tile = get_mut(tile);
        let inputs = Inputs::Dense(x);
        for_each_tile(tile.rows(), x.nrows(), |start, end| {
            let rows = TileRows { x: &inputs, rows: Rows::Range(start, end), masks: RowMasks::NONE };
            tile.forward(task, steps.clone(), rows, scratch)?;
            tile.set_d_sums(d_sums.slice(ndarray::s![start..end, ..]));
            let to_rows = Some((rows, &mut d_x[start * d_in..end * d_in]));
            tile.pull_back(task, steps.clone(), rows.len(), RowMasks::NONE, to_rows, scratch)?;
            tile.gradient(task, rows, (gradient, Start::Given), scratch)
        })
    }
}
