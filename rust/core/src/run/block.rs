//! A block of a batch: tiles that are in memory together, and the pieces of the gradient that threads add up over them.

use std::ops::Range;
use std::sync::{Mutex, RwLock};

use crate::data::Examples;
use crate::error::Result;
use crate::kernels::{Element, Start, Tally};
use crate::memory::Buffer;
use crate::plan::{Pieces, Shares};
use crate::run::pass::{Pass, Task, TileRows};
use crate::run::sync::{lock, read, write};
use crate::run::team::Team;
use crate::run::tile::Tile;
use crate::run::totals::{Largest, penalize};

/// The rows of a block, tile by tile.
pub(super) struct BatchBlock<'a, 'd, T: Element> {
    pub(super) examples: Examples<'a, 'd, T>,
    /// One per tile.
    pub(super) tiles: &'a [RwLock<Tile<T>>],
    /// One per thread.
    pub(super) scratch: &'a [Mutex<Buffer<T>>],
    /// What the threads take of the gradient.
    pub(super) shares: &'a Shares,
    pub(super) tile_rows: usize,
}

impl<'a, 'd, T: Element> BatchBlock<'a, 'd, T> {
    /// The rows of tile `i`.
    fn of_tile(&self, i: usize) -> Examples<'a, 'd, T> {
        let start = i * self.tile_rows;
        self.examples.slice(start, self.examples.len().min(start + self.tile_rows))
    }

    /// Hands the tiles to the threads, each with its rows and the scratch of the thread.
    pub(super) fn share(
        &self,
        pass: Pass<'_, T>,
        team: &mut Team,
        work: impl Fn(&mut Tile<T>, Task<'_, T>, Examples<'a, 'd, T>, &mut [T]) -> Result<()> + Sync,
    ) -> Result<()> {
        team.share(0..self.tiles.len(), |thread, i| {
            let (tile, scratch) = (&mut *write(&self.tiles[i]), &mut lock(&self.scratch[thread]));
            work(tile, pass.on(thread), self.of_tile(i), scratch)
        })
    }

    /// Calls `f` with the output of a step, tile by tile.
    pub(super) fn each_out(&self, step: usize, mut f: impl FnMut(&[T])) {
        for (i, tile) in self.tiles.iter().enumerate() {
            f(read(tile).out(step, self.of_tile(i).len()));
        }
    }

    /// Starts or continues the gradient of some steps, after their backward pass, and returns its largest magnitude.
    /// With a `decay` the gradient of the penalty is added, and the squares of the weights are written to `squares`, which
    /// has one number per piece of the whole gradient.
    pub(super) fn add_gradient(
        &self,
        pass: Pass<'_, T>,
        (steps, gradient): (Range<usize>, &mut [T]),
        (begin, decay): (Start<'_, T>, f64),
        squares: &[Mutex<f64>],
        team: &mut Team,
    ) -> Result<f64> {
        let (largest, x) = (Largest::default(), self.examples.data.x());
        let gradient = &mut gradient[pass.plan.parameters_of(&steps)];
        team.share(self.shares.of(&steps, gradient), |thread, (share, gradient, pieces)| {
            let scratch = &mut lock(&self.scratch[thread]);
            let mut begin = begin;
            for (i, tile) in self.tiles.iter().enumerate() {
                let rows = TileRows::of(&x, &self.of_tile(i));
                read(tile).gradient_of_piece(
                    pass.on(thread),
                    rows,
                    share,
                    (&mut *gradient, begin),
                    scratch,
                )?;
                begin = Start::Given;
            }
            if decay > 0.0 {
                let squares = &squares[pieces.clone()];
                for ((piece, gradient), squares) in
                    Pieces::of(&pass.plan.pieces()[pieces], gradient).zip(squares)
                {
                    *lock(squares) = penalize(pass, piece, gradient, decay, &largest);
                }
            } else {
                largest.see(T::largest_magnitude(gradient));
            }
            Ok(())
        })?;
        Ok(largest.magnitude())
    }

    /// Adds the losses of the tiles group by group, so that it does not matter which groups form a tile or a block.
    pub(super) fn add_tallies(&self, total: &mut Tally) {
        self.tiles.iter().for_each(|tile| total.add_all(read(tile).tallies()));
    }
}
