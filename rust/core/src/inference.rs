//! The pass without a gradient: sums, predictions, classes and losses of rows.
//!
//! Rows are cut into tiles, which go through all layers while they are in cache. Threads take tiles as they come; a row
//! has the same bits in any tile, and sums over rows are cut by shapes alone, so that results do not depend on the
//! number of threads. A thread has the buffers of one tile, whatever the number of rows.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ndarray::{ArrayView2, ArrayViewMut2, Axis};

use crate::answers::Answers;
use crate::buffer::Buffer;
use crate::dataset::Dataset;
use crate::dense::{dense_forward, sparse_forward};
use crate::error::{Error, Result};
use crate::inputs::Inputs;
use crate::kernels::{Finish, TinyNet};
use crate::layout::Layer;
use crate::loss::Tally;
use crate::network::{MAX_TILE_ROWS, Network, TILE_ROW_GROUP, rows_in_cache};
use crate::output::Output;
use crate::rows::Rows;
use crate::scalar::Scalar;
use crate::team::Team;
use crate::tile::{Pass, Task};

/// Most parts whose losses are added up apart.
const MAX_PARTS: usize = 64;
/// Work for which starting a thread pays, in floating-point operations.
const FLOPS_PER_THREAD: usize = 10_000_000;

/// How far rows go.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Stage {
    /// To the last layer's sums.
    Sums,
    /// To what the network's output makes of them.
    Predictions,
}

/// Buffers for passes without a gradient.
#[derive(Debug, Default)]
pub(crate) struct Inference<T: Scalar> {
    /// One a thread.
    threads: Vec<Mutex<Buffers<T>>>,
}

impl<T: Scalar> Inference<T> {
    /// Makes room for passes over rows of such inputs on `n_threads`.
    pub(crate) fn reserve(&mut self, network: &Network, x: &Inputs<'_, T>, n_threads: usize) -> Result<()> {
        let rows = tile_rows::<T>(network, x.nrows()).min(x.nrows());
        let gathers = x.sparse().is_none() || TinyNet::without_gradient(network).is_some();
        let suits = |buffers: &Buffers<T>| {
            buffers.rows >= rows && (!gathers || rows == 0 || !buffers.layers.input.is_empty())
        };
        if self.threads.iter_mut().any(|buffers| !suits(get_mut(buffers))) {
            self.threads.clear();
        }
        while self.threads.len() < n_threads {
            self.threads.push(Mutex::new(Buffers::new(network, rows, gathers)?));
        }
        Ok(())
    }

    /// Writes what `stage` says of all rows of `x` to `out`.
    ///
    /// x: (n, `d_in`), out: (n, `d_out`)
    pub(crate) fn write(
        &self,
        pass: Pass<'_, T>,
        x: Inputs<'_, T>,
        mut out: ArrayViewMut2<'_, T>,
        stage: Stage,
        team: &mut Team,
    ) -> Result<()> {
        let tile_rows = tile_rows::<T>(pass.network, x.nrows());
        team.share(out.axis_chunks_iter_mut(Axis(0), tile_rows).enumerate(), |thread, (i, mut out)| {
            let Buffers { layers, logits, .. } = &mut *lock(&self.threads[thread]);
            let rows = Rows::Range(i * tile_rows, i * tile_rows + out.nrows());
            if let Some(out) = out.as_slice_mut() {
                return layers.forward(pass.on(thread), &x, rows, stage, out);
            }
            let logits = &mut logits[..out.len()];
            layers.forward(pass.on(thread), &x, rows, stage, logits)?;
            let logits = ArrayView2::from_shape(out.raw_dim(), logits).expect("as many numbers");
            out.assign(&logits);
            Ok(())
        })
    }

    /// Writes the class of each row of `x` to `out`, or for each output of a network that ends in
    /// [`Output::Sigmoid`] whether it is likely: 1 or 0. An error if a row is not finite, or a sum is NaN.
    ///
    /// x: (n, `d_in`), out: (n,) or (n, `d_out`)
    pub(crate) fn classify(
        &self,
        pass: Pass<'_, T>,
        x: Inputs<'_, T>,
        out: &mut [i64],
        team: &mut Team,
    ) -> Result<()> {
        let tile_rows = tile_rows::<T>(pass.network, x.nrows());
        let d_out = pass.network.layout().d_out();
        let has_classes = pass.network.output() == Output::Softmax;
        let width = if has_classes { 1 } else { d_out };
        team.share(out.chunks_mut(tile_rows * width).enumerate(), |thread, (i, out)| {
            let Buffers { layers, logits, .. } = &mut *lock(&self.threads[thread]);
            let n = out.len() / width;
            let rows = Rows::Range(i * tile_rows, i * tile_rows + n);
            let logits = &mut logits[..n * d_out];
            // Not left to the sums: an activation makes finite numbers of infinite ones.
            if !x.are_finite(rows) {
                x.check_finite("X")?;
            }
            layers.forward(pass.on(thread), &x, rows, Stage::Sums, logits)?;
            check_decidable(logits)?;
            if has_classes {
                T::argmax(logits, d_out, out);
            } else {
                out.iter_mut().zip(&*logits).for_each(|(is_likely, &z)| *is_likely = (z > T::ZERO).into());
            }
            Ok(())
        })
    }

    /// Weighted losses of all rows, each weight multiplied by `scale`.
    pub(crate) fn tally(
        &self,
        pass: Pass<'_, T>,
        data: &Dataset<'_, T>,
        scale: f64,
        team: &mut Team,
    ) -> Result<Tally> {
        let n = data.n_rows();
        let tile_rows = tile_rows::<T>(pass.network, n);
        let n_tiles = n.div_ceil(tile_rows);
        let n_parts = n_tiles.min(MAX_PARTS);
        let mut tallies = [Tally::default(); MAX_PARTS];
        team.share(tallies[..n_parts].iter_mut().enumerate(), |thread, (part, tally)| {
            let buffers = &mut *lock(&self.threads[thread]);
            for tile in n_tiles * part / n_parts..n_tiles * (part + 1) / n_parts {
                let rows = Rows::Range(tile * tile_rows, n.min((tile + 1) * tile_rows));
                tally.add(buffers.tally(pass.on(thread), data, rows, scale)?);
            }
            Ok(())
        })?;
        let mut total = Tally::default();
        tallies[..n_parts].iter().for_each(|&tally| total.add(tally));
        Ok(total)
    }
}

/// Threads that share a pass over `n` rows: at most `n_threads`, and no more than pay for being started.
pub(crate) fn useful_threads<T>(network: &Network, n: usize, n_threads: usize) -> usize {
    if n_threads == 1 {
        return 1;
    }
    let n_tiles = n.div_ceil(tile_rows::<T>(network, n));
    n_threads.min(n_tiles).min(network.layout().flops(n) / FLOPS_PER_THREAD).max(1)
}

/// Rows of each tile of `n` but the last, which has what is left: about as many.
fn tile_rows<T>(network: &Network, n: usize) -> usize {
    let most = most_tile_rows::<T>(network);
    let n_tiles = n.div_ceil(most).max(1);
    n.div_ceil(n_tiles).max(1).next_multiple_of(TILE_ROW_GROUP)
}

fn most_tile_rows<T>(network: &Network) -> usize {
    if TinyNet::without_gradient(network).is_some() {
        // Its activations stay in registers.
        return MAX_TILE_ROWS;
    }
    let widest = network.layout().layer_sizes().skip(1).max().unwrap_or(0);
    rows_in_cache::<T>(2 * widest)
}

/// The buffers of one thread.
#[derive(Debug)]
struct Buffers<T: Scalar> {
    /// Rows they have room for.
    rows: usize,
    layers: Layers<T>,
    logits: Buffer<T>,
    answers: Answers<T>,
}

impl<T: Scalar> Buffers<T> {
    fn new(network: &Network, rows: usize, gathers: bool) -> Result<Self> {
        Ok(Self {
            rows,
            layers: Layers::new(network, rows, gathers)?,
            logits: matrix(rows, network.layout().d_out())?,
            answers: Answers::new(network, rows)?,
        })
    }

    /// Weighted losses of `rows`, a tile of them at most; `scale` multiplies every weight.
    fn tally(
        &mut self,
        task: Task<'_, T>,
        data: &Dataset<'_, T>,
        rows: Rows<'_>,
        scale: f64,
    ) -> Result<Tally> {
        let (n, d_out) = (rows.len(), task.network.layout().d_out());
        let logits = &mut self.logits[..n * d_out];
        self.answers.read(data, rows, scale);
        self.layers.forward(task, &data.x(), rows, Stage::Sums, logits)?;
        Ok(self.answers.losses(logits, task.objective.bounds::<T>(task.network.output())))
    }
}

/// What the layers make of a tile.
#[derive(Debug)]
struct Layers<T: Scalar> {
    /// Set if the network is one of those that are a kernel of their own.
    tiny: Option<TinyNet>,
    /// Rows that are not read where they lie; empty if none are gathered.
    input: Buffer<T>,
    /// Activations of the first, third, ... and of the second, fourth, ... hidden layer.
    hidden: [Buffer<T>; 2],
    scratch: Buffer<T>,
}

impl<T: Scalar> Layers<T> {
    fn new(network: &Network, rows: usize, gathers: bool) -> Result<Self> {
        let layers = network.layout().layers();
        let hidden = &layers[..layers.len() - 1];
        let widest = |first| hidden.iter().skip(first).step_by(2).map(|layer| layer.d_out).max().unwrap_or(0);
        let tiny = TinyNet::without_gradient(network);
        let of_layer = |layer: &Layer| T::product_scratch_len(rows, layer.d_out, layer.d_in);
        let of_layers = || layers.iter().map(of_layer).max().unwrap_or(0);
        let scratch = tiny.as_ref().map_or_else(of_layers, |tiny| T::tiny_forward_scratch_len(tiny, rows));
        Ok(Self {
            tiny,
            input: matrix(if gathers { rows } else { 0 }, network.layout().d_in())?,
            hidden: [matrix(rows, widest(0))?, matrix(rows, widest(1))?],
            scratch: Buffer::zeros("the products of a tile", scratch)?,
        })
    }

    /// Writes what `stage` says of `rows` of `x`, a tile of them at most, to `out`.
    ///
    /// out: (n, `d_out`)
    fn forward(
        &mut self,
        task: Task<'_, T>,
        x: &Inputs<'_, T>,
        rows: Rows<'_>,
        stage: Stage,
        out: &mut [T],
    ) -> Result<()> {
        let Self { tiny, input, hidden: [even, odd], scratch } = self;
        let n = rows.len();
        let (layers, d_in) = (task.network.layout().layers(), task.network.layout().d_in());
        let wide = if tiny.is_some() { None } else { x.sparse() };
        let input = match x.in_place(rows) {
            Some(input) => input,
            None if wide.is_some() => &[],
            None => {
                x.gather(rows, input);
                &input[..n * d_in]
            }
        };
        if let Some(tiny) = tiny {
            let wants_softmax = stage == Stage::Predictions && task.network.output() == Output::Softmax;
            T::tiny_forward(tiny, input, task.parameters, out, wants_softmax, scratch);
            if !wants_softmax {
                finish(task.network, stage, out);
            }
            return layers.iter().try_for_each(|layer| task.spend(layer, n));
        }
        for (l, layer) in layers.iter().enumerate() {
            let (before, behind) = if l % 2 == 0 { (&**odd, &mut **even) } else { (&**even, &mut **odd) };
            let a = if l == 0 { input } else { &before[..n * layer.d_in] };
            let activation = task.network.activations().get(l);
            let z = if activation.is_some() { &mut behind[..n * layer.d_out] } else { &mut *out };
            if let Some(x) = wide.filter(|_| l == 0) {
                sparse_forward(layer, task.parameters, (x, rows), z, activation.copied());
            } else {
                let finish = activation.map_or(Finish::Nothing, |&f| Finish::Activate(f));
                dense_forward(layer, task.parameters, a, z, finish, scratch);
            }
            task.spend(layer, n)?;
        }
        finish(task.network, stage, out);
        Ok(())
    }
}

/// Makes of the last layer's sums what `stage` says.
fn finish<T: Scalar>(network: &Network, stage: Stage, out: &mut [T]) {
    match (stage, network.output()) {
        (Stage::Sums, _) => {}
        (Stage::Predictions, Output::Softmax) => T::softmax(out, network.layout().d_out()),
        (Stage::Predictions, output) => T::predict_by_output(output, out),
    }
}

/// An error if a sum is NaN, which is no larger and no smaller than any other.
fn check_decidable<T: Scalar>(sums: &[T]) -> Result<()> {
    let is_nan = |z: &T| Into::<f64>::into(*z).is_nan();
    if T::largest_magnitude(sums).is_finite() || !sums.iter().any(is_nan) {
        return Ok(());
    }
    let expected = "finite parameters, and inputs for which no sum overflows";
    Err(Error::value("X", "a matrix for which the network's sums are NaN", expected))
}

fn matrix<T: Scalar>(rows: usize, columns: usize) -> Result<Buffer<T>> {
    Buffer::zeros("a tile of rows", rows.saturating_mul(columns))
}

/// A buffer whose last user panicked holds numbers that the next use overwrites.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn get_mut<T>(mutex: &mut Mutex<T>) -> &mut T {
    mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
}
