//! The gradient of a batch with few parameters: chunks with a gradient each, added in their order.

use std::sync::{Mutex, RwLock};

use crate::data::Examples;
use crate::error::Result;
use crate::kernels::{Element, Start, Tally};
use crate::memory::Buffer;
use crate::plan::{MAX_CHUNKS, Pieces, chunk};
use crate::run::pass::{Pass, RowMasks, TileRows};
use crate::run::sync::{get_mut, lock, unlocked, write};
use crate::run::team::{Team, slab_len};
use crate::run::tile::{Tile, for_each_tile};
use crate::run::totals::{Largest, penalize};

/// The sums over a chunk of a batch.
#[derive(Debug)]
pub(super) struct Chunk<T: Element> {
    /// Empty for the first chunk, whose gradient is added up in the result.
    gradient: Buffer<T>,
    tally: Tally,
}

impl<T: Element> Chunk<T> {
    pub(super) fn new(gradient: Buffer<T>) -> Self {
        Self { gradient, tally: Tally::default() }
    }
}

/// A batch cut into chunks.
pub(super) struct ChunkedBatch<'a, T: Element> {
    /// One per thread.
    pub(super) tiles: &'a [RwLock<Tile<T>>],
    /// One per thread.
    pub(super) scratch: &'a [Mutex<Buffer<T>>],
    /// One per chunk.
    pub(super) chunks: &'a mut [RwLock<Chunk<T>>],
    pub(super) tile_rows: usize,
}

impl<T: Element> ChunkedBatch<'_, T> {
    /// Weighted losses and the penalty, the gradient of their sum, and its largest magnitude.
    pub(super) fn gradient(
        self,
        pass: Pass<'_, T>,
        examples: Examples<'_, '_, T>,
        gradient: &mut [T],
        team: &mut Team,
    ) -> Result<(Tally, f64)> {
        let Self { tiles, scratch, chunks, tile_rows } = self;
        let n_chunks = chunks.len();
        let sum = Mutex::new(gradient);
        let tiny = pass.plan.tiny_with_gradient().filter(|_| examples.masks.is_none());
        let of_chunks = &*chunks;
        team.share(0..n_chunks, |thread, i| {
            let task = pass.on(thread);
            let (tile, scratch) = (&mut *write(&tiles[thread]), &mut lock(&scratch[thread]));
            let Chunk { gradient, tally } = &mut *write(&of_chunks[i]);
            let mut first = (i == 0).then(|| lock(&sum));
            let gradient: &mut [T] = first.as_deref_mut().map_or(gradient, |gradient| gradient);
            let (start, end) = chunk(examples.len(), n_chunks, i);
            let of_chunk = examples.slice(start, end);
            *tally = Tally::default();
            if tiny.is_some() {
                gradient.fill(T::ZERO);
            }
            for_each_tile(tile_rows, of_chunk.len(), |start, end| {
                let examples = of_chunk.slice(start, end);
                if let Some(tiny) = tiny {
                    tally.add(tile.tiny_gradient(tiny, task, examples, gradient, scratch)?);
                    return Ok(());
                }
                tile.tally(task, examples, tile_rows, scratch)?;
                tally.add_all(tile.tallies());
                let (steps, masks) = (pass.plan.all_steps(), RowMasks::of(&examples));
                tile.pull_back(task, steps, examples.len(), masks, None, scratch)?;
                let begin = if start == 0 { Start::Zero } else { Start::Given };
                let x = examples.data.x();
                tile.gradient(task, TileRows::of(&x, &examples), (gradient, begin), scratch)
            })?;
            if tiny.is_some() {
                pass.plan.frozen().clear(pass.plan.pieces(), gradient);
            }
            Ok(())
        })?;
        let gradient = unlocked(sum);
        let mut total = Tally::default();
        for chunk in &mut *chunks {
            total.add(get_mut(chunk).tally);
        }
        let mut largest = add_up(gradient, &mut chunks[1..], team)?;
        let decay = pass.objective.alpha * examples.scale;
        if decay > 0.0 {
            let penalized = Largest::default();
            let squares: f64 = Pieces::of(pass.plan.pieces(), gradient)
                .map(|(piece, gradient)| penalize(pass, piece, gradient, decay, &penalized))
                .sum();
            total.penalty = decay / 2.0 * squares;
            largest = penalized.magnitude();
        }
        Ok((total, largest))
    }
}

/// Adds the gradients of more chunks to that of the first, in their order, and returns the largest magnitude.
fn add_up<T: Element>(gradient: &mut [T], chunks: &mut [RwLock<Chunk<T>>], team: &mut Team) -> Result<f64> {
    if chunks.is_empty() {
        return Ok(T::largest_magnitude(gradient).into());
    }
    let n_parts = chunks.len();
    let mut parts: [&[T]; MAX_CHUNKS] = [&[]; MAX_CHUNKS];
    for (part, chunk) in parts.iter_mut().zip(chunks) {
        *part = &get_mut(chunk).gradient;
    }
    let n = team.n_slabs(gradient.len());
    let len = slab_len::<T>(gradient.len(), n);
    let largest = Largest::default();
    team.share(gradient.chunks_mut(len).enumerate(), |_, (i, slab)| {
        let mut of_slab: [&[T]; MAX_CHUNKS] = [&[]; MAX_CHUNKS];
        for (of_slab, part) in of_slab.iter_mut().zip(&parts[..n_parts]) {
            *of_slab = &part[i * len..][..slab.len()];
        }
        largest.see(T::sum_into(slab, &of_slab[..n_parts]));
        Ok(())
    })?;
    Ok(largest.magnitude())
}
