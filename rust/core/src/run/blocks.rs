//! The gradient of a batch with many parameters: block by block, first by tiles and then by pieces of the gradient.

use std::sync::{Mutex, RwLock};

use crate::data::Examples;
use crate::error::Result;
use crate::kernels::{Element, Start, Tally};
use crate::memory::Buffer;
use crate::plan::Pieces;
use crate::run::pass::{Pass, RowMasks, TileRows};
use crate::run::sync::{get_mut, lock, read, write};
use crate::run::team::Team;
use crate::run::tile::{Tile, for_each_tile};
use crate::run::totals::{Largest, penalize};

/// A batch cut into blocks.
pub(super) struct BlockedBatch<'a, T: Element> {
    /// One per tile of a block.
    pub(super) tiles: &'a mut [RwLock<Tile<T>>],
    /// One per thread.
    pub(super) scratch: &'a [Mutex<Buffer<T>>],
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
        mut self,
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
        &mut self,
        pass: Pass<'_, T>,
        examples: Examples<'_, '_, T>,
        sums: &mut Sums<'_, T>,
        (begin, decay): (Start<'_, T>, f64),
        team: &mut Team,
    ) -> Result<()> {
        let n = examples.len();
        let n_tiles = n.div_ceil(self.tile_rows);
        let (tile_rows, tally_rows) = (self.tile_rows, self.tally_rows);
        let of_tile = |i: usize| examples.slice(i * tile_rows, n.min((i + 1) * tile_rows));
        let (tiles, scratch) = (&self.tiles[..n_tiles], self.scratch);
        team.share(0..n_tiles, |thread, i| {
            let (tile, scratch) = (&mut *write(&tiles[i]), &mut lock(&scratch[thread]));
            let examples = of_tile(i);
            tile.tally(pass.on(thread), examples, tally_rows, scratch)?;
            tile.pull_back(pass.on(thread), examples.len(), RowMasks::of(&examples), None, scratch)
        })?;
        let largest = Largest::default();
        let (x, squares) = (examples.data.x(), self.squares);
        let pieces = Pieces::of(pass.plan.pieces(), sums.gradient);
        team.share(pieces.enumerate(), |thread, (i, (piece, gradient))| {
            let scratch = &mut lock(&scratch[thread]);
            let mut begin = begin;
            for (i, tile) in tiles.iter().enumerate() {
                let rows = TileRows::of(&x, &of_tile(i));
                read(tile).gradient_of_piece(pass.on(thread), rows, piece, (gradient, begin), scratch)?;
                begin = Start::Given;
            }
            if decay > 0.0 {
                *lock(&squares[i]) = penalize(pass, piece, gradient, decay);
            }
            largest.see(T::largest_magnitude(gradient));
            Ok(())
        })?;
        sums.largest = largest.magnitude();
        // Added group by group, so that it does not matter which groups form a tile or a block.
        self.tiles[..n_tiles].iter_mut().for_each(|tile| sums.total.add_all(get_mut(tile).tallies()));
        if decay > 0.0 {
            sums.total.penalty = decay / 2.0 * squares.iter().map(|squares| *lock(squares)).sum::<f64>();
        }
        Ok(())
    }
}
