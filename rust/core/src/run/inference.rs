//! The pass without a gradient: sums, predictions, classes and losses of rows.
//!
//! Rows are cut into tiles, which go through all steps while they are in cache. Threads take tiles as they become
//! free; a row has the same bits in any tile, and sums over rows are cut by shapes alone, so results do not depend on
//! the number of threads. A thread has the buffers of one tile, whatever the number of rows.

use std::sync::Mutex;

use ndarray::{ArrayView2, ArrayViewMut2, Axis};

use crate::arch::Network;
use crate::data::{Dataset, Inputs, Rows};
use crate::error::{Error, Result};
use crate::kernels::{Element, Output, Tally, TinyNet};
use crate::loss::Loss;
use crate::memory::Buffer;
use crate::ops::Operation;
use crate::plan::Plan;
use crate::run::barrier::Barrier;
use crate::run::folded::Folded;
use crate::run::forward::{Place, Places, forward};
use crate::run::pass::{Pass, RowMasks, Task, TileRows};
use crate::run::score::Score;
use crate::run::sync::{lock, lock_mut};
use crate::run::targets::TileTargets;
use crate::run::team::Team;
use crate::run::tile_input::TileInput;

/// Most parts whose losses are added up separately.
const MAX_PARTS: usize = 64;

/// How far rows go.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Wanted {
    /// To the activations of a hidden layer.
    Hidden(usize),
    /// To the last layer's sums.
    Sums,
    /// To the predictions that the network's output makes from the sums.
    Predictions,
}

/// Buffers for passes without a gradient.
#[derive(Debug, Default)]
pub(crate) struct Inference<T: Element> {
    /// One per thread.
    threads: Vec<Mutex<Buffers<T>>>,
    pub(super) folded: Mutex<Folded<T>>,
}

impl<T: Element> Inference<T> {
    /// Allocates buffers for passes over rows of such inputs on `n_threads`.
    pub(crate) fn reserve(&mut self, plan: &Plan, x: &Inputs<'_, T>, n_threads: usize) -> Result<()> {
        lock_mut(&mut self.folded).reserve(plan)?;
        let plan = plan.inference();
        let rows = plan.workload().inference_tile_rows::<T>(x.nrows()).min(x.nrows());
        if self.threads.iter_mut().any(|buffers| lock_mut(buffers).rows < rows) {
            self.threads.clear();
        }
        while self.threads.len() < n_threads {
            self.threads.push(Mutex::new(Buffers::new(plan, rows)?));
        }
        let is_sparse = plan.tiny().is_none() && plan.reads_sparse(x);
        self.threads.iter_mut().try_for_each(|buffers| {
            let Buffers { rows, steps, .. } = lock_mut(buffers);
            steps.input.reserve(x, *rows, is_sparse)
        })
    }

    /// Writes what is wanted of all rows of `x` to `out`.
    ///
    /// x: (n, `d_in`), out: (n, `d_out`), or contiguous (n, width) of a step
    pub(crate) fn write(
        &self,
        pass: Pass<'_, T>,
        x: Inputs<'_, T>,
        mut out: ArrayViewMut2<'_, T>,
        wanted: Wanted,
        team: &mut Team,
    ) -> Result<()> {
        let mut folded = lock(&self.folded);
        let pass = folded.pass(pass);
        let tile_rows = pass.plan.workload().inference_tile_rows::<T>(x.nrows());
        team.share(out.axis_chunks_iter_mut(Axis(0), tile_rows).enumerate(), |thread, (i, mut out)| {
            let Buffers { steps, logits, .. } = &mut *lock(&self.threads[thread]);
            let rows = Rows::Range(i * tile_rows, i * tile_rows + out.nrows());
            if let Some(out) = out.as_slice_mut() {
                return steps.forward(pass.on(thread), &x, rows, wanted, out);
            }
            let logits = &mut logits[..out.len()];
            steps.forward(pass.on(thread), &x, rows, wanted, logits)?;
            let logits = ArrayView2::from_shape(out.raw_dim(), logits).expect("as many numbers");
            out.assign(&logits);
            Ok(())
        })
    }

    /// Writes the class of each row of `x` to `out` or, for a network that ends in [`Output::Sigmoid`], 1 or
    /// 0 for each output. Fails if a row is not finite, or a sum is NaN.
    ///
    /// x: (n, `d_in`), out: (n,) or (n, `d_out`)
    pub(crate) fn classify(
        &self,
        pass: Pass<'_, T>,
        x: Inputs<'_, T>,
        out: &mut [i64],
        team: &mut Team,
    ) -> Result<()> {
        let mut folded = lock(&self.folded);
        let pass = folded.pass(pass);
        let tile_rows = pass.plan.workload().inference_tile_rows::<T>(x.nrows());
        let d_out = pass.plan.layout().d_out();
        let has_classes = pass.plan.network().output() == Output::Softmax;
        let width = if has_classes { 1 } else { d_out };
        team.share(out.chunks_mut(tile_rows * width).enumerate(), |thread, (i, out)| {
            let Buffers { steps, logits, .. } = &mut *lock(&self.threads[thread]);
            let n = out.len() / width;
            let rows = Rows::Range(i * tile_rows, i * tile_rows + n);
            let logits = &mut logits[..n * d_out];
            // Checking the sums would not suffice: an activation may turn infinite numbers into finite ones.
            if !x.are_finite(rows) {
                x.check_finite("X")?;
            }
            steps.forward(pass.on(thread), &x, rows, Wanted::Sums, logits)?;
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
        if *pass.plan.network().loss() == Loss::Function {
            return self.tally_of_function(pass, data, scale, team);
        }
        let mut folded = lock(&self.folded);
        let pass = folded.pass(pass);
        let parts = Parts::new::<T>(pass.plan, data.n_rows());
        let mut tallies = [Tally::default(); MAX_PARTS];
        team.share(tallies[..parts.len()].iter_mut().enumerate(), |thread, (part, tally)| {
            parts.tiles(part).try_for_each(|rows| {
                tally.add(self.tally_tile(pass, thread, data, (rows, scale), None)?);
                Ok(())
            })
        })?;
        let mut total = Tally::default();
        tallies[..parts.len()].iter().for_each(|&tally| total.add(tally));
        Ok(total)
    }

    /// The same for a loss that is a function, called once for all rows.
    fn tally_of_function(
        &self,
        pass: Pass<'_, T>,
        data: &Dataset<'_, T>,
        scale: f64,
        team: &mut Team,
    ) -> Result<Tally> {
        let (n, d_out) = (data.n_rows(), pass.plan.layout().d_out());
        let mut barrier = Barrier::new(data, n, d_out)?;
        let raw = ArrayViewMut2::from_shape((n, d_out), barrier.raw_mut(n, d_out)).expect("as many numbers");
        self.write(pass, data.x(), raw, Wanted::Sums, team)?;
        barrier.call(pass.loss_function, data, Rows::Range(0, n), d_out)?;
        barrier.tally(data, scale)
    }

    /// Weighted losses of `rows`, a tile of them at most, and what they add to the score if that is asked for.
    pub(super) fn tally_tile(
        &self,
        pass: Pass<'_, T>,
        thread: usize,
        data: &Dataset<'_, T>,
        (rows, scale): (Rows<'_>, f64),
        score: Option<&mut Score>,
    ) -> Result<Tally> {
        lock(&self.threads[thread]).tally(pass.on(thread), data, (rows, scale), score)
    }
}

/// How rows are cut into parts whose losses are added up apart, each of some tiles: by shapes alone.
pub(super) struct Parts {
    n: usize,
    tile_rows: usize,
}

impl Parts {
    pub(super) fn new<T: Element>(plan: &Plan, n: usize) -> Self {
        Self { n, tile_rows: plan.workload().inference_tile_rows::<T>(n) }
    }

    pub(super) fn len(&self) -> usize {
        self.n_tiles().min(MAX_PARTS)
    }

    /// The rows of each tile of a part.
    pub(super) fn tiles(&self, part: usize) -> impl Iterator<Item = Rows<'static>> {
        let (n, tile_rows, n_tiles, n_parts) = (self.n, self.tile_rows, self.n_tiles(), self.len());
        let tiles = n_tiles * part / n_parts..n_tiles * (part + 1) / n_parts;
        tiles.map(move |tile| Rows::Range(tile * tile_rows, n.min((tile + 1) * tile_rows)))
    }

    fn n_tiles(&self) -> usize {
        self.n.div_ceil(self.tile_rows)
    }
}

/// The buffers of one thread.
#[derive(Debug)]
struct Buffers<T: Element> {
    /// Rows they have room for.
    rows: usize,
    steps: Steps<T>,
    logits: Buffer<T>,
    targets: TileTargets<T>,
}

impl<T: Element> Buffers<T> {
    fn new(plan: &Plan, rows: usize) -> Result<Self> {
        Ok(Self {
            rows,
            steps: Steps::new(plan, rows)?,
            logits: matrix(rows, plan.layout().d_out())?,
            targets: TileTargets::new(plan.network(), rows)?,
        })
    }

    /// Weighted losses of `rows`, a tile of them at most; `scale` multiplies every weight.
    fn tally(
        &mut self,
        task: Task<'_, T>,
        data: &Dataset<'_, T>,
        (rows, scale): (Rows<'_>, f64),
        score: Option<&mut Score>,
    ) -> Result<Tally> {
        let plan = task.pass.plan;
        let logits = &mut self.logits[..rows.len() * plan.layout().d_out()];
        self.targets.read(data, rows, scale);
        self.steps.forward(task, &data.x(), rows, Wanted::Sums, logits)?;
        if let Some(score) = score {
            score.add_rows(plan.network().output(), logits, &self.targets);
        }
        Ok(self.targets.losses(logits, task.pass.objective.bounds::<T>(plan.network().loss())))
    }
}

/// The outputs of a tile without a backward pass: only those of the last two steps are kept.
#[derive(Debug)]
struct Steps<T: Element> {
    input: TileInput<T>,
    /// Outputs of the steps with even numbers, and of those with odd numbers, except that of the last step.
    outs: [Buffer<T>; 2],
    scratch: Buffer<T>,
}

impl<T: Element> Steps<T> {
    fn new(plan: &Plan, rows: usize) -> Result<Self> {
        let steps = plan.steps();
        let inner = &steps[..steps.len() - 1];
        let widest = |first| inner.iter().skip(first).step_by(2).map(|step| step.width).max().unwrap_or(0);
        let of_steps = steps.iter().map(|step| step.stage.scratch_len::<T>(rows, true)).max().unwrap_or(0);
        let of_tiny = plan.tiny().map_or(0, |tiny| T::tiny_forward_scratch_len(tiny, rows));
        Ok(Self {
            input: TileInput::new(false),
            outs: [matrix(rows, widest(0))?, matrix(rows, widest(1))?],
            scratch: Buffer::zeros("the products of a tile", of_steps.max(of_tiny))?,
        })
    }

    /// Writes what is wanted of `rows` of `x`, a tile of them at most, to `out`.
    ///
    /// out: (n, `d_out`), or (n, width) of a step
    fn forward(
        &mut self,
        task: Task<'_, T>,
        x: &Inputs<'_, T>,
        rows: Rows<'_>,
        wanted: Wanted,
        out: &mut [T],
    ) -> Result<()> {
        let plan = task.pass.plan;
        let steps = match (wanted, plan.tiny()) {
            (Wanted::Hidden(layer), _) => 0..plan.end_of_hidden(layer).expect("a hidden layer") + 1,
            (_, Some(tiny)) => return self.forward_by_kernel(tiny, task, x, rows, wanted, out),
            (_, None) => plan.all_steps(),
        };
        let source = self.input.gather(TileRows { x, rows, masks: RowMasks::NONE })?;
        let mut places = Alternating { plan, end: steps.end, outs: &mut self.outs, last: out };
        forward(task, steps, source, rows.len(), RowMasks::NONE, &mut places, &mut self.scratch)?;
        finish(plan.network(), wanted, out);
        Ok(())
    }

    /// The same for a network that one kernel computes.
    fn forward_by_kernel(
        &mut self,
        tiny: &TinyNet,
        task: Task<'_, T>,
        x: &Inputs<'_, T>,
        rows: Rows<'_>,
        wanted: Wanted,
        out: &mut [T],
    ) -> Result<()> {
        let (plan, n) = (task.pass.plan, rows.len());
        let input = self.input.gather(TileRows { x, rows, masks: RowMasks::NONE })?.dense();
        let wants_softmax = wanted == Wanted::Predictions && plan.network().output() == Output::Softmax;
        T::tiny_forward(tiny, input, task.pass.parameters, out, wants_softmax, &mut self.scratch);
        if !wants_softmax {
            finish(plan.network(), wanted, out);
        }
        plan.steps().iter().try_for_each(|step| task.spend(n * step.stage.flops()))
    }
}

/// Two alternating buffers, and the caller's buffer for the last step.
struct Alternating<'a, T: Element> {
    plan: &'a Plan,
    /// Number of the step behind the last.
    end: usize,
    outs: &'a mut [Buffer<T>; 2],
    last: &'a mut [T],
}

impl<T: Element> Places<T> for Alternating<'_, T> {
    fn at(&mut self, step: usize, n: usize) -> Place<'_, T> {
        let steps = self.plan.steps();
        let [even, odd] = &mut *self.outs;
        let (before, out) = if step.is_multiple_of(2) { (odd, even) } else { (even, odd) };
        let x = step.checked_sub(1).map(|before_it| &before[..n * steps[before_it].width]);
        let out = if step + 1 == self.end { &mut *self.last } else { &mut out[..n * steps[step].width] };
        Place { x, out, kept: &mut [], slopes: &mut [] }
    }
}

/// Turns the last layer's sums into what is wanted.
pub(super) fn finish<T: Element>(network: &Network, wanted: Wanted, out: &mut [T]) {
    match (wanted, network.output()) {
        (Wanted::Hidden(_) | Wanted::Sums, _) => {}
        (Wanted::Predictions, Output::Softmax) => T::softmax(out, network.layout().d_out()),
        (Wanted::Predictions, output) => T::predict_by_output(output, out),
    }
}

/// Fails if a sum is NaN, which is neither larger nor smaller than any other.
fn check_decidable<T: Element>(sums: &[T]) -> Result<()> {
    let is_nan = |z: &T| Into::<f64>::into(*z).is_nan();
    if T::largest_magnitude(sums).is_finite() || !sums.iter().any(is_nan) {
        return Ok(());
    }
    let expected = "finite parameters, and inputs for which no sum overflows";
    Err(Error::value("X", "a matrix for which the network's sums are NaN", expected))
}

fn matrix<T: Element>(rows: usize, columns: usize) -> Result<Buffer<T>> {
    Buffer::zeros("a tile of rows", rows.saturating_mul(columns))
}
