//! Passes over rows, tile by tile and chunk by chunk, with buffers that are made once.
//!
//! A batch is cut into chunks, and a chunk into tiles. Each chunk adds up a gradient of its own, and the chunks'
//! gradients are added in their order: the sum has the same bits however many threads share the chunks.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ndarray::ArrayView2;

use crate::buffer::Buffer;
use crate::dataset::{Dataset, Rows};
use crate::error::Result;
use crate::interrupt::Interrupt;
use crate::loss::Tally;
use crate::network::Network;
use crate::scalar::Scalar;
use crate::team::Team;
use crate::tile::{Task, Tile};

/// What a pass works with.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a, T: Scalar> {
    pub(crate) network: &'a Network,
    pub(crate) parameters: &'a [T],
    pub(crate) interrupt: &'a dyn Interrupt,
}

impl<'a, T: Scalar> Pass<'a, T> {
    pub(crate) fn on(self, thread: usize) -> Task<'a, T> {
        Task { network: self.network, parameters: self.parameters, interrupt: self.interrupt, thread }
    }
}

/// Buffers for passes over batches up to a size.
#[derive(Debug)]
pub(crate) struct Workspace<T: Scalar> {
    /// One a thread.
    tiles: Vec<Mutex<Tile<T>>>,
    /// One a chunk.
    chunks: Vec<Mutex<Chunk<T>>>,
}

/// What a chunk of a batch adds up.
#[derive(Debug)]
struct Chunk<T: Scalar> {
    /// Empty for the first chunk, whose gradient is added up where the sum goes.
    gradient: Buffer<T>,
    tally: Result<Tally>,
}

impl<T: Scalar> Default for Workspace<T> {
    /// Without buffers.
    fn default() -> Self {
        Self { tiles: Vec::new(), chunks: Vec::new() }
    }
}

impl<T: Scalar> Workspace<T> {
    /// Buffers for `n_threads` to share a batch of `n` rows.
    pub(crate) fn new(network: &Network, n: usize, n_threads: usize) -> Result<Self> {
        let mut workspace = Self::default();
        workspace.reserve_tiles(network, n, n_threads)?;
        workspace.reserve_chunks(network, n)?;
        Ok(workspace)
    }

    /// Makes room for tiles of batches of `n` rows, on `n_threads`.
    pub(crate) fn reserve_tiles(&mut self, network: &Network, n: usize, n_threads: usize) -> Result<()> {
        let rows = network.tile_rows().min(n);
        if self.tiles.first_mut().is_some_and(|tile| get_mut(tile).rows() < rows) {
            self.tiles.clear();
        }
        while self.tiles.len() < n_threads {
            self.tiles.push(Mutex::new(Tile::new(network, rows)?));
        }
        Ok(())
    }

    /// Makes room for the gradients of the chunks of a batch of `n` rows.
    pub(crate) fn reserve_chunks(&mut self, network: &Network, n: usize) -> Result<()> {
        while self.chunks.len() < network.n_chunks(n) {
            let len = if self.chunks.is_empty() { 0 } else { network.layout().n_parameters() };
            let gradient = Buffer::zeros("the gradient of a chunk", len)?;
            self.chunks.push(Mutex::new(Chunk { gradient, tally: Ok(Tally::default()) }));
        }
        Ok(())
    }

    /// Weighted losses of `rows`, each weight multiplied by `scale`; `gradient` becomes the gradient of their sum.
    pub(crate) fn gradient(
        &mut self,
        pass: Pass<'_, T>,
        data: &Dataset<'_, T>,
        rows: Rows<'_>,
        scale: f64,
        gradient: &mut [T],
        team: &mut Team,
    ) -> Result<Tally> {
        let n_chunks = pass.network.n_chunks(rows.len());
        let n_threads = team.len();
        let sum = Mutex::new(gradient);
        let (tiles, chunks) = (&self.tiles, &self.chunks[..n_chunks]);
        team.run(&|thread| {
            let mut tile = lock(&tiles[thread]);
            for i in (thread..n_chunks).step_by(n_threads) {
                let (start, end) = Network::chunk(rows.len(), n_chunks, i);
                let rows = rows.slice(start, end);
                let Chunk { gradient, tally } = &mut *lock(&chunks[i]);
                *tally = if i == 0 {
                    chunk_gradient(pass.on(thread), &mut tile, data, rows, scale, &mut lock(&sum))
                } else {
                    chunk_gradient(pass.on(thread), &mut tile, data, rows, scale, gradient)
                };
            }
        });
        let gradient = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut total = Tally::default();
        for chunk in &mut self.chunks[..n_chunks] {
            let Chunk { gradient: part, tally } = get_mut(chunk);
            total.add(std::mem::replace(tally, Ok(Tally::default()))?);
            if !part.is_empty() {
                T::add_slice(gradient, part);
            }
        }
        Ok(total)
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
        let d_in = x.ncols();
        let tile = get_mut(&mut self.tiles[0]);
        for_each_tile(tile.rows(), Rows::Range(0, x.nrows()), |first, rows| {
            let end = first + rows.len();
            let d_logits = d_logits.slice(ndarray::s![first..end, ..]);
            let d_x = &mut d_x[first * d_in..end * d_in];
            tile.pull_back(pass.on(0), &x, rows, d_logits, gradient, d_x)
        })
    }
}

fn chunk_gradient<T: Scalar>(
    task: Task<'_, T>,
    tile: &mut Tile<T>,
    data: &Dataset<'_, T>,
    rows: Rows<'_>,
    scale: f64,
    gradient: &mut [T],
) -> Result<Tally> {
    let mut tally = Tally::default();
    gradient.fill(T::ZERO);
    for_each_tile(tile.rows(), rows, |_, rows| {
        tally.add(tile.gradient(task, data, rows, scale, gradient)?);
        Ok(())
    })?;
    Ok(tally)
}

/// Calls `f` with the position of the first row and the rows of each tile.
fn for_each_tile(
    tile_rows: usize,
    rows: Rows<'_>,
    mut f: impl FnMut(usize, Rows<'_>) -> Result<()>,
) -> Result<()> {
    for start in (0..rows.len()).step_by(tile_rows.max(1)) {
        let end = (start + tile_rows).min(rows.len());
        f(start, rows.slice(start, end))?;
    }
    Ok(())
}

/// A buffer whose last user panicked holds numbers that the next use overwrites.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn get_mut<T>(mutex: &mut Mutex<T>) -> &mut T {
    mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
}
