//! The gradient of a batch, shared by several threads.
//!
//! Which of two ways it takes depends on the shapes alone:
//!
//! - Few parameters: the batch is cut into chunks. Each chunk adds up a gradient of its own, on one thread, and the
//!   chunks' gradients are added in their order.
//! - Many: the batch goes block after block. First the threads share the tiles of a block, each of which goes forward
//!   and back; then they share the gradient, cut into slabs, each of them a sum over the rows of the block.
//!
//! Either way a number of the gradient is a sum in one order, so that it has the same bits however many threads there
//! are.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use ndarray::ArrayView2;

use crate::arch::Masks;
use crate::data::Examples;
use crate::data::Inputs;
use crate::data::Rows;
use crate::error::Result;
use crate::kernels::Element;
use crate::kernels::Start;
use crate::kernels::Tally;
use crate::memory::Buffer;
use crate::plan::{Cut, MAX_CHUNKS, Piece, Plan, chunk};
use crate::run::team::{Team, slab_len};
use crate::run::tile::{Pass, Task, Tile, for_each_tile};

/// Buffers for the gradients of batches up to a size.
#[derive(Debug, Default)]
pub(crate) struct Gradients<T: Element> {
    /// One a thread for chunks; one a tile of a block.
    tiles: Vec<RwLock<Tile<T>>>,
    /// One a thread.
    scratch: Vec<Mutex<Buffer<T>>>,
    chunks: Vec<RwLock<Chunk<T>>>,
    /// One a slab: the sum of the squares of its weights.
    squares: Vec<Mutex<f64>>,
}

/// What a chunk of a batch adds up.
#[derive(Debug)]
struct Chunk<T: Element> {
    /// Empty for the first chunk, whose gradient is added up where the sum goes.
    gradient: Buffer<T>,
    tally: Tally,
}

impl<T: Element> Gradients<T> {
    /// Makes room for `n_threads` to share a batch of `n` rows of such inputs, besides the room there is.
    pub(crate) fn reserve(
        &mut self,
        plan: &Plan,
        x: &Inputs<'_, T>,
        n: usize,
        n_threads: usize,
    ) -> Result<()> {
        let mut gathers = x.sparse().is_none() || plan.tiny_with_gradient().is_some();
        let cut = plan.workload().cut::<T>(n.max(1), n_threads);
        let (mut n_tiles, n_chunks) = match cut {
            Cut::Chunks { count, .. } => (n_threads, count),
            Cut::Blocks { tiles, .. } => (tiles, 0),
        };
        let mut rows = cut.tile_rows();
        if let Some(tile) = self.tiles.first_mut() {
            let tile = get_mut(tile);
            let room = tile.rows();
            let lacks_input = gathers && !tile.gathers();
            gathers |= tile.gathers();
            if room < rows || lacks_input {
                rows = rows.max(room);
                n_tiles = n_tiles.max(self.tiles.len());
                self.tiles.clear();
                self.scratch.clear();
            } else {
                rows = room;
            }
        }
        while self.tiles.len() < n_tiles {
            self.tiles.push(RwLock::new(Tile::new(plan, rows, gathers)?));
        }
        while self.scratch.len() < n_threads {
            let numbers = Tile::<T>::scratch_len(plan, rows);
            self.scratch.push(Mutex::new(Buffer::zeros("the products of a tile", numbers)?));
        }
        while self.chunks.len() < n_chunks {
            let numbers = if self.chunks.is_empty() { 0 } else { plan.layout().n_parameters() };
            let gradient = Buffer::zeros("the gradient of a chunk", numbers)?;
            self.chunks.push(RwLock::new(Chunk { gradient, tally: Tally::default() }));
        }
        self.squares.resize_with(plan.pieces().len(), Mutex::default);
        Ok(())
    }

    /// Weighted losses, and the penalty of the objective; `gradient` becomes the gradient of their sum, whose largest
    /// magnitude comes too: NaN if a number is not finite.
    pub(crate) fn gradient(
        &mut self,
        pass: Pass<'_, T>,
        examples: Examples<'_, '_, T>,
        gradient: &mut [T],
        team: &mut Team,
    ) -> Result<(Tally, f64)> {
        match pass.plan.workload().cut::<T>(examples.len(), team.len()) {
            Cut::Chunks { count, tile_rows } => {
                self.by_chunks((count, tile_rows), pass, examples, gradient, team)
            }
            Cut::Blocks { tiles, tile_rows, tally_rows } => {
                let (mut total, mut largest) = (Tally::default(), 0.0);
                let mut begin = Start::Zero;
                let n = examples.len();
                debug_assert!(tiles <= self.tiles.len(), "tiles were reserved for as many threads");
                for_each_tile(tiles * tile_rows, n, |start, end| {
                    let block = examples.slice(start, end);
                    let to = (&mut *gradient, &mut total, begin, end == n);
                    largest = self.by_slabs((tile_rows, tally_rows), pass, block, to, team)?;
                    begin = Start::Given;
                    Ok(())
                })?;
                Ok((total, largest))
            }
        }
    }

    fn by_chunks(
        &mut self,
        (n_chunks, tile_rows): (usize, usize),
        pass: Pass<'_, T>,
        examples: Examples<'_, '_, T>,
        gradient: &mut [T],
        team: &mut Team,
    ) -> Result<(Tally, f64)> {
        let sum = Mutex::new(gradient);
        let tiny = pass.plan.tiny_with_gradient().filter(|_| examples.masks.is_none());
        let (tiles, scratch, chunks) = (&self.tiles, &self.scratch, &self.chunks);
        team.share(0..n_chunks, |thread, i| {
            let task = pass.on(thread);
            let (tile, scratch) = (&mut *write(&tiles[thread]), &mut lock(&scratch[thread]));
            let Chunk { gradient, tally } = &mut *write(&chunks[i]);
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
                tile.pull_back(task, examples.len(), (examples.masks, examples.first), None, scratch)?;
                let begin = if start == 0 { Start::Zero } else { Start::Given };
                let rows = (&examples.data.x(), examples.rows);
                all_slabs(tile, task, rows, (gradient, begin), scratch)
            })
        })?;
        let gradient = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
        let chunks = &mut self.chunks[..n_chunks];
        let mut total = Tally::default();
        for chunk in &mut *chunks {
            total.add(get_mut(chunk).tally);
        }
        let mut largest = add_up(gradient, &mut chunks[1..], team)?;
        let decay = pass.objective.alpha * examples.scale;
        if decay > 0.0 {
            let squares: f64 = Slabs::of(pass.plan, gradient)
                .map(|(slab, gradient)| penalize(pass, slab, gradient, decay))
                .sum();
            total.penalty = decay / 2.0 * squares;
            largest = T::largest_magnitude(gradient).into();
        }
        Ok((total, largest))
    }

    /// Begins or carries on the gradient and the total of losses with the rows of a block, and ends them with the penalty
    /// after the last one. Returns the largest magnitude in the gradient.
    fn by_slabs(
        &mut self,
        (tile_rows, tally_rows): (usize, usize),
        pass: Pass<'_, T>,
        examples: Examples<'_, '_, T>,
        (gradient, total, begin, is_last): (&mut [T], &mut Tally, Start<'_, T>, bool),
        team: &mut Team,
    ) -> Result<f64> {
        let n = examples.len();
        let n_tiles = n.div_ceil(tile_rows);
        let of_tile = |i: usize| examples.slice(i * tile_rows, n.min((i + 1) * tile_rows));
        let (tiles, scratch) = (&self.tiles[..n_tiles], &self.scratch);
        team.share(0..n_tiles, |thread, i| {
            let (tile, scratch) = (&mut *write(&tiles[i]), &mut lock(&scratch[thread]));
            let examples = of_tile(i);
            tile.tally(pass.on(thread), examples, tally_rows, scratch)?;
            let masks = (examples.masks, examples.first);
            tile.pull_back(pass.on(thread), examples.len(), masks, None, scratch)
        })?;
        let largest = Largest::default();
        let (tiles, x, squares) = (&self.tiles[..n_tiles], examples.data.x(), &self.squares);
        let decay = if is_last { pass.objective.alpha * examples.scale } else { 0.0 };
        team.share(Slabs::of(pass.plan, gradient).enumerate(), |thread, (i, (slab, gradient))| {
            let scratch = &mut lock(&scratch[thread]);
            let mut begin = begin;
            for (i, tile) in tiles.iter().enumerate() {
                let of = (&x, of_tile(i).rows);
                read(tile).gradient_of_piece(pass.on(thread), of, slab, (gradient, begin), scratch)?;
                begin = Start::Given;
            }
            if decay > 0.0 {
                *lock(&squares[i]) = penalize(pass, slab, gradient, decay);
            }
            largest.see(T::largest_magnitude(gradient));
            Ok(())
        })?;
        // Group after group, so that it does not matter which of them make a tile or a block.
        self.tiles[..n_tiles].iter_mut().for_each(|tile| total.add_all(get_mut(tile).tallies()));
        if decay > 0.0 {
            total.penalty = decay / 2.0 * self.squares.iter().map(|squares| *lock(squares)).sum::<f64>();
        }
        Ok(largest.magnitude())
    }

    /// `gradient` becomes what `d_logits` makes of all rows of `x`; `d_x` is the derivative with respect to them.
    pub(crate) fn pull_back(
        &mut self,
        pass: Pass<'_, T>,
        x: ArrayView2<'_, T>,
        d_logits: ArrayView2<'_, T>,
        gradient: &mut [T],
        d_x: &mut [T],
    ) -> Result<()> {
        gradient.fill(T::ZERO);
        let (d_in, task) = (x.ncols(), pass.on(0));
        let (Some(tile), Some(scratch)) = (self.tiles.first_mut(), self.scratch.first_mut()) else {
            return Ok(());
        };
        let scratch = scratch.get_mut().unwrap_or_else(PoisonError::into_inner);
        let tile = get_mut(tile);
        let inputs = Inputs::Dense(x);
        for_each_tile(tile.rows(), x.nrows(), |start, end| {
            let rows = Rows::Range(start, end);
            tile.forward(task, &inputs, rows, (Masks::NONE, 0), scratch)?;
            tile.set_d_logits(d_logits.slice(ndarray::s![start..end, ..]));
            tile.pull_back(
                task,
                rows.len(),
                (Masks::NONE, 0),
                Some(&mut d_x[start * d_in..end * d_in]),
                scratch,
            )?;
            all_slabs(tile, task, (&inputs, rows), (gradient, Start::Given), scratch)
        })
    }
}

/// The largest magnitude that any thread has seen.
#[derive(Default)]
struct Largest(Mutex<f64>);

impl Largest {
    fn see<T: Element>(&self, seen: T) {
        let seen: f64 = seen.into();
        let mut largest = lock(&self.0);
        // Once NaN it stays NaN.
        if seen.is_nan() || seen > *largest {
            *largest = seen;
        }
    }

    fn magnitude(self) -> f64 {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
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

/// Adds the penalty's share to a slab of the gradient; the sum of the squares of the slab's weights.
fn penalize<T: Element>(pass: Pass<'_, T>, piece: &Piece, gradient: &mut [T], decay: f64) -> f64 {
    let layer = &pass.plan.layout().layers()[piece.layer];
    let (start, len) =
        (layer.weights().start + piece.rows.start * layer.d_out, piece.rows.len() * layer.d_out);
    T::penalize(&mut gradient[..len], &pass.parameters[start..start + len], decay)
}

/// The slabs of a flat vector.
struct Slabs<'a, T> {
    slabs: std::slice::Iter<'a, Piece>,
    rest: &'a mut [T],
}

impl<'a, T> Slabs<'a, T> {
    fn of(plan: &'a Plan, vector: &'a mut [T]) -> Self {
        Self { slabs: plan.pieces().iter(), rest: vector }
    }
}

impl<'a, T> Iterator for Slabs<'a, T> {
    type Item = (&'a Piece, &'a mut [T]);

    fn next(&mut self) -> Option<Self::Item> {
        let slab = self.slabs.next()?;
        let (numbers, rest) = std::mem::take(&mut self.rest).split_at_mut(slab.len);
        self.rest = rest;
        Some((slab, numbers))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.slabs.size_hint()
    }
}

impl<T> DoubleEndedIterator for Slabs<'_, T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let slab = self.slabs.next_back()?;
        let rest = std::mem::take(&mut self.rest);
        let (rest, numbers) = rest.split_at_mut(rest.len() - slab.len);
        self.rest = rest;
        Some((slab, numbers))
    }
}

impl<T> ExactSizeIterator for Slabs<'_, T> {}

/// The whole gradient of a tile that went back.
fn all_slabs<T: Element>(
    tile: &Tile<T>,
    task: Task<'_, T>,
    rows: (&Inputs<'_, T>, Rows<'_>),
    (gradient, begin): (&mut [T], Start<'_, T>),
    scratch: &mut [T],
) -> Result<()> {
    Slabs::of(task.plan, gradient)
        .try_for_each(|(slab, numbers)| tile.gradient_of_piece(task, rows, slab, (numbers, begin), scratch))
}

/// A buffer whose last user panicked holds numbers that the next use overwrites.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn get_mut<T>(lock: &mut RwLock<T>) -> &mut T {
    lock.get_mut().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::Network;
    use crate::kernels::Activation;

    #[test]
    fn slabs_are_the_same_from_either_end() {
        let plan = Plan::new(Network::new(&[300, 200, 4], &[Activation::Relu]).unwrap());
        let len = plan.layout().n_parameters();
        let slabs = |from_the_back: bool| {
            let mut numbers: Vec<usize> = (0..len).collect();
            let slabs = Slabs::of(&plan, &mut numbers);
            let owned = |(slab, of): (&Piece, &mut [usize])| (slab.clone(), of.to_vec());
            assert_eq!(slabs.len(), plan.pieces().len());
            let mut all: Vec<_> =
                if from_the_back { slabs.rev().map(owned).collect() } else { slabs.map(owned).collect() };
            if from_the_back {
                all.reverse();
            }
            all
        };
        let (forward, backward) = (slabs(false), slabs(true));
        assert_eq!(forward, backward);
        assert_eq!(forward.iter().map(|(_, of)| of.len()).sum::<usize>(), len);
    }
}
