//! The backward pass to the inputs alone: derivatives of sums or predictions, without a gradient of the parameters.
//!
//! Threads take tiles of rows in any order, and a row has the same bits in any tile.

use std::sync::Mutex;

use ndarray::{ArrayView2, s};

use crate::data::{Inputs, Rows};
use crate::error::Result;
use crate::kernels::{Element, Output};
use crate::memory::Buffer;
use crate::plan::Plan;
use crate::run::inference::{Wanted, finish};
use crate::run::pass::{Pass, RowMasks, Task, TileRows};
use crate::run::sync::{lock, lock_mut};
use crate::run::team::Team;
use crate::run::tile::Tile;

/// Buffers for passes back to the inputs.
#[derive(Debug, Default)]
pub(crate) struct InputGradients<T: Element> {
    /// One per thread.
    threads: Vec<Mutex<Buffers<T>>>,
}

/// The buffers of one thread.
#[derive(Debug)]
struct Buffers<T: Element> {
    tile: Tile<T>,
    /// What the network predicts for the rows.
    predictions: Buffer<T>,
    /// The derivative of one output with respect to the rows.
    d_x: Buffer<T>,
    scratch: Buffer<T>,
}

impl<T: Element> InputGradients<T> {
    /// Makes room for tiles of so many rows of such inputs on `n_threads`.
    pub(crate) fn reserve(
        &mut self,
        plan: &Plan,
        x: &Inputs<'_, T>,
        rows: usize,
        n_threads: usize,
    ) -> Result<()> {
        if self.threads.iter_mut().any(|buffers| lock_mut(buffers).tile.rows() < rows) {
            self.threads.clear();
        }
        while self.threads.len() < n_threads {
            self.threads.push(Mutex::new(Buffers::new(plan, rows)?));
        }
        let is_sparse = plan.reads_sparse(x);
        self.threads.iter_mut().try_for_each(|buffers| lock_mut(buffers).tile.reserve(x, is_sparse))
    }

    /// Writes the derivative of every sum or prediction of each row of `x` with respect to that row to `out`.
    ///
    /// x: (n, `d_in`), out: (n, `d_out`, `d_in`)
    pub(crate) fn jacobian(
        &self,
        pass: Pass<'_, T>,
        x: &Inputs<'_, T>,
        out: &mut [T],
        (wanted, tile_rows): (Wanted, usize),
        team: &mut Team,
    ) -> Result<()> {
        let numbers = pass.plan.layout().d_out() * x.ncols();
        team.share(out.chunks_mut(tile_rows * numbers).enumerate(), |thread, (i, out)| {
            let rows = Rows::Range(i * tile_rows, i * tile_rows + out.len() / numbers);
            lock(&self.threads[thread]).jacobian(pass.on(thread), x, rows, wanted, out)
        })
    }

    /// Takes the derivative with respect to the last layer's sums back to the rows of `x`, and writes it to `d_x`.
    ///
    /// x: (n, `d_in`), `d_sums`: (n, `d_out`), `d_x`: (n, `d_in`)
    pub(crate) fn pull_back(
        &self,
        pass: Pass<'_, T>,
        x: &Inputs<'_, T>,
        d_sums: ArrayView2<'_, T>,
        (d_x, tile_rows): (&mut [T], usize),
        team: &mut Team,
    ) -> Result<()> {
        let d_in = x.ncols();
        team.share(d_x.chunks_mut(tile_rows * d_in).enumerate(), |thread, (i, d_x)| {
            let Buffers { tile, scratch, .. } = &mut *lock(&self.threads[thread]);
            let (task, n) = (pass.on(thread), d_x.len() / d_in);
            let (start, end) = (i * tile_rows, i * tile_rows + n);
            let (steps, rows) = (task.pass.plan.all_steps(), Rows::Range(start, end));
            let rows = TileRows { x, rows, masks: RowMasks::NONE };
            tile.forward(task, steps.clone(), rows, scratch)?;
            tile.set_d_sums(d_sums.slice(s![start..end, ..]));
            tile.pull_back(task, steps, n, RowMasks::NONE, Some((rows, d_x)), scratch)
        })
    }
}

impl<T: Element> Buffers<T> {
    fn new(plan: &Plan, rows: usize) -> Result<Self> {
        let room = |width: usize| Buffer::zeros("a tile of rows", rows.saturating_mul(width));
        let scratch = Buffer::zeros("the products of a tile", Tile::<T>::scratch_len(plan, rows))?;
        Ok(Self {
            tile: Tile::new(plan, rows)?,
            predictions: room(plan.layout().d_out())?,
            d_x: room(plan.layout().d_in())?,
            scratch,
        })
    }

    /// One forward pass, and one backward pass per output.
    fn jacobian(
        &mut self,
        task: Task<'_, T>,
        x: &Inputs<'_, T>,
        rows: Rows<'_>,
        wanted: Wanted,
        out: &mut [T],
    ) -> Result<()> {
        let Self { tile, predictions, d_x, scratch } = self;
        let network = task.pass.plan.network();
        let (n, d_in, d_out) = (rows.len(), network.layout().d_in(), network.layout().d_out());
        let (steps, rows) = (task.pass.plan.all_steps(), TileRows { x, rows, masks: RowMasks::NONE });
        tile.forward(task, steps.clone(), rows, scratch)?;
        let (predictions, d_x) = (&mut predictions[..n * d_out], &mut d_x[..n * d_in]);
        let output = if wanted == Wanted::Predictions { network.output() } else { Output::Identity };
        predictions.copy_from_slice(tile.sums(n * d_out));
        finish(network, wanted, predictions);
        for k in 0..d_out {
            tile.sums_mut(n * d_out).copy_from_slice(predictions);
            for row in tile.sums_mut(n * d_out).chunks_exact_mut(d_out) {
                differentiate(output, row, k);
            }
            let to_rows = Some((rows, &mut *d_x));
            tile.pull_back(task, steps.clone(), n, RowMasks::NONE, to_rows, scratch)?;
            for (of_row, d_x) in out.chunks_exact_mut(d_out * d_in).zip(d_x.chunks_exact(d_in)) {
                of_row[k * d_in..(k + 1) * d_in].copy_from_slice(d_x);
            }
        }
        Ok(())
    }
}

/// The predictions of a row become the derivative of number `k` of them with respect to the last layer's sums.
fn differentiate<T: Element>(output: Output, p: &mut [T], k: usize) {
    let of_k = p[k];
    let slope = match output {
        Output::Softmax => {
            for p in &mut *p {
                *p = -of_k * *p;
            }
            of_k * (T::ONE - of_k)
        }
        Output::Sigmoid => of_k * (T::ONE - of_k),
        Output::Identity => T::ONE,
        Output::Exp => of_k,
    };
    if output != Output::Softmax {
        p.fill(T::ZERO);
    }
    p[k] = slope;
}
