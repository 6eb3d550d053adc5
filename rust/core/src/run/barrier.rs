//! A loss that is a function of a whole batch: all rows go forward, the function is called once, and all rows go back.
//!
//! Tiles that still hold their rows when the function was called go back from there. Those of a batch that has more of
//! them than are kept go forward a second time: that costs a third of a step, where to keep all would cost memory that
//! grows with the batch.

use std::sync::{Mutex, RwLock};

use crate::data::{Dataset, Examples, Rows};
use crate::error::{Error, Result};
use crate::kernels::{Element, Tally};
use crate::loss::{BatchLoss, LossBatch};
use crate::memory::Buffer;
use crate::plan::Cut;
use crate::run::pass::{GivenLosses, Pass, TileRows};
use crate::run::sync::{lock, write};
use crate::run::team::Team;
use crate::run::tile::Tile;

/// What a function is called with for a batch, and what it returns.
#[derive(Debug)]
pub(super) struct Barrier<T: Element> {
    y: Buffer<T>,
    raw: Buffer<T>,
    losses: Buffer<T>,
    d_raw: Buffer<T>,
}

/// Where the rows of a batch that is cut like this go forward.
#[derive(Clone, Copy)]
pub(super) struct Room<'a, T: Element> {
    pub(super) tiles: &'a [RwLock<Tile<T>>],
    /// One per thread.
    pub(super) scratch: &'a [Mutex<Buffer<T>>],
    pub(super) cut: Cut,
}

impl<T: Element> Barrier<T> {
    /// Room for `n` rows of such targets.
    pub(super) fn new(data: &Dataset<'_, T>, n: usize, d_out: usize) -> Result<Self> {
        let room = |width: usize| Buffer::zeros("what a loss is called with", n.saturating_mul(width));
        Ok(Self { y: room(data.n_targets())?, raw: room(d_out)?, losses: room(1)?, d_raw: room(d_out)? })
    }

    /// The one that is there, or a new one if that has not the room.
    pub(super) fn reserved<'b>(
        barrier: &'b mut Option<Self>,
        data: &Dataset<'_, T>,
        n: usize,
        d_out: usize,
    ) -> Result<&'b mut Self> {
        let suits = |old: &Self| old.losses.len() >= n && old.y.len() >= n * data.n_targets();
        if !barrier.as_ref().is_some_and(suits) {
            *barrier = Some(Self::new(data, n, d_out)?);
        }
        Ok(barrier.as_mut().expect("made if it was not there"))
    }

    /// The sums of `n` rows, to be filled before the [call](Self::call).
    pub(super) fn raw_mut(&mut self, n: usize, d_out: usize) -> &mut [T] {
        &mut self.raw[..n * d_out]
    }

    /// Calls the function for these rows.
    pub(super) fn call(
        &mut self,
        function: Option<&dyn BatchLoss<T>>,
        data: &Dataset<'_, T>,
        rows: Rows<'_>,
        d_out: usize,
    ) -> Result<()> {
        let missing = || Error::value("loss", "a function that the network was not given", "one");
        let (n, width) = (rows.len(), data.n_targets());
        let y = &mut self.y[..n * width];
        data.read_values(rows, width, y);
        let shape = if data.targets_are_vector() { None } else { Some(width) };
        let batch = LossBatch { n, n_targets: shape, y, raw: &self.raw[..n * d_out] };
        let (losses, d_raw) = (&mut self.losses[..n], &mut self.d_raw[..n * d_out]);
        function.ok_or_else(missing)?.eval(batch, losses, d_raw)
    }

    /// What the function returned, for tiles to go back with.
    pub(super) fn given(&self, is_kept: bool) -> GivenLosses<'_, T> {
        GivenLosses { losses: &self.losses, d_raw: &self.d_raw, is_kept }
    }

    /// Takes a batch forward, and calls the function.
    pub(super) fn forward(
        &mut self,
        pass: Pass<'_, T>,
        examples: Examples<'_, '_, T>,
        room: Room<'_, T>,
        team: &mut Team,
    ) -> Result<GivenLosses<'_, T>> {
        let Room { tiles, scratch, cut } = room;
        let (n, d_out, tile_rows) = (examples.len(), pass.plan.layout().d_out(), cut.tile_rows());
        let is_kept = cut.has_a_tile_for_all(n);
        let parts = self.raw_mut(n, d_out).chunks_mut(tile_rows * d_out).enumerate();
        team.share(parts, |thread, (i, raw)| {
            let tile = &mut *write(&tiles[if is_kept { i } else { thread % tiles.len() }]);
            let of_tile = examples.slice(i * tile_rows, n.min((i + 1) * tile_rows));
            let x = of_tile.data.x();
            tile.forward(pass.on(thread), TileRows::of(&x, &of_tile), &mut lock(&scratch[thread]))?;
            raw.copy_from_slice(tile.sums(raw.len()));
            Ok(())
        })?;
        self.call(pass.loss_function, examples.data, examples.rows, d_out)?;
        Ok(self.given(is_kept))
    }

    /// Weighted losses of all rows that the function was called for, each weight multiplied by `scale`.
    pub(super) fn tally(&self, data: &Dataset<'_, T>, scale: f64) -> Result<Tally> {
        let n = data.n_rows();
        let mut weights = Buffer::zeros("the weights of all rows", n)?;
        data.read_weights(Rows::Range(0, n), scale, &mut weights);
        let weighted = weights.iter().zip(&self.losses[..n]).map(|(&weight, &loss)| (loss * weight).into());
        Ok(Tally { loss: weighted.sum(), ..Tally::default() })
    }
}
