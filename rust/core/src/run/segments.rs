//! The gradient of a batch whose rows depend on each other: all its tiles go forward and backward together, segment by
//! segment.
//!
//! ```text
//! forward    | dense |  mean,   | norm, tanh, dense |  mean,   | norm, tanh, dense, losses |
//!            |       | variance |                   | variance |                           |
//! backward   | dense |  pieces  | norm, tanh, dense |  pieces  | norm, tanh, dense         |
//! ```
//!
//! A segment ends where a batch normalisation needs the mean and the variance over all rows. Threads share their columns,
//! each of which is a sum over the rows in their order. In the backward pass they share the pieces of the gradient at the
//! same place: the sums over rows that the derivative through mean and variance needs are among them.

use std::sync::{Mutex, RwLock};

use crate::data::Examples;
use crate::error::Result;
use crate::kernels::{Element, Start, Tally};
use crate::memory::Buffer;
use crate::plan::Shares;
use crate::run::barrier::Barrier;
use crate::run::block::BatchBlock;
use crate::run::pass::{Pass, RowMasks, TileRows};
use crate::run::statistics::Statistics;
use crate::run::sync::{lock, read};
use crate::run::team::Team;
use crate::run::tile::Tile;

/// Columns whose mean and variance a thread takes at a time.
const COLUMNS: usize = 64;

/// A batch that is in memory as a whole.
pub(super) struct SegmentedBatch<'a, T: Element> {
    /// One per tile of the batch.
    pub(super) tiles: &'a [RwLock<Tile<T>>],
    /// One per thread.
    pub(super) scratch: &'a [Mutex<Buffer<T>>],
    pub(super) shares: &'a Shares,
    /// One per piece: the sum of the squares of its weights.
    pub(super) squares: &'a [Mutex<f64>],
    pub(super) statistics: &'a mut Statistics<T>,
    /// Of a loss that is a function.
    pub(super) barrier: Option<&'a mut Barrier<T>>,
    pub(super) tile_rows: usize,
    /// Rows whose losses are added up together.
    pub(super) tally_rows: usize,
}

impl<T: Element> SegmentedBatch<'_, T> {
    /// Weighted losses and the penalty, the gradient of their sum, and its largest magnitude; NaN if mean or variance of
    /// a column are not finite.
    pub(super) fn gradient(
        self,
        pass: Pass<'_, T>,
        examples: Examples<'_, '_, T>,
        gradient: &mut [T],
        team: &mut Team,
    ) -> Result<(Tally, f64)> {
        let Self { tiles, scratch, shares, squares, statistics, barrier, tile_rows, tally_rows } = self;
        let batch = BatchBlock { examples, tiles, scratch, shares, tile_rows };
        statistics.begin(pass.plan);
        forward(pass, &batch, statistics, team)?;
        let given = barrier.map(|barrier| barrier.call_for(pass, &batch)).transpose()?;
        let pass = Pass { given, ..pass };
        batch.share(pass, team, |tile, task, examples, _| tile.losses(task, examples, tally_rows))?;
        let mut total = Tally::default();
        batch.add_tallies(&mut total);
        let decay = pass.objective.alpha * examples.scale;
        let mut largest = 0.0;
        let mut behind = pass.plan.steps().len();
        for segment in pass.plan.segments().iter().rev() {
            let of_batch = Pass { statistics: Some(&*statistics), ..pass };
            // The first step of a segment goes backward with the segment before: it needs its own gradient.
            let steps = segment.start + 1..behind;
            behind = segment.start + 1;
            batch.share(of_batch, team, |tile, task, examples, scratch| {
                tile.pull_back(task, steps.clone(), examples.len(), RowMasks::of(&examples), None, scratch)
            })?;
            let (steps, begin) = (segment.clone(), (Start::Zero, decay));
            let of_segment = batch.add_gradient(of_batch, (steps, &mut *gradient), begin, squares, team)?;
            largest = greater(largest, of_segment);
            if let Some(norm) = statistics.of_step_mut(segment.start) {
                norm.set_gradient(&gradient[pass.plan.parameters_of(segment)], examples.len());
            }
        }
        if decay > 0.0 {
            total.penalty = decay / 2.0 * squares.iter().map(|squares| *lock(squares)).sum::<f64>();
        }
        Ok((total, if statistics.are_finite() { largest } else { f64::NAN }))
    }
}

/// Takes all tiles to the last layer's sums.
fn forward<T: Element>(
    pass: Pass<'_, T>,
    batch: &BatchBlock<'_, '_, T>,
    statistics: &mut Statistics<T>,
    team: &mut Team,
) -> Result<()> {
    for segment in pass.plan.segments() {
        take_statistics(pass, batch, segment.start, statistics, team)?;
        let of_batch = Pass { statistics: Some(&*statistics), ..pass };
        batch.share(of_batch, team, |tile, task, examples, scratch| {
            let x = examples.data.x();
            tile.forward(task, segment.clone(), TileRows::of(&x, &examples), scratch)
        })?;
    }
    Ok(())
}

/// Computes mean and variance, over all rows, of the output of the step before a batch normalisation; does nothing for
/// another step.
fn take_statistics<T: Element>(
    pass: Pass<'_, T>,
    batch: &BatchBlock<'_, '_, T>,
    step: usize,
    statistics: &mut Statistics<T>,
    team: &mut Team,
) -> Result<()> {
    let Some(norm) = statistics.of_step_mut(step) else { return Ok(()) };
    let (width, n) = (pass.plan.steps()[step].width, batch.examples.len());
    let (means, variances) = norm.begin(pass.parameters_of(step));
    let columns = means.chunks_mut(COLUMNS).zip(variances.chunks_mut(COLUMNS));
    team.share(columns.enumerate(), |thread, (i, (means, variances))| {
        let columns = (width, i * COLUMNS);
        let mut sums = [0.0; COLUMNS];
        let sums = &mut sums[..means.len()];
        // Deviations from the first row are small where means are large beside deviations.
        means.copy_from_slice(&read(&batch.tiles[0]).out(step - 1, 1)[columns.1..][..means.len()]);
        batch.each_out(step - 1, |x| T::add_deviations(x, columns, means, sums));
        for (mean, sum) in means.iter_mut().zip(&mut *sums) {
            *mean = T::from_f64((*mean).into() + std::mem::take(sum) / n as f64);
        }
        batch.each_out(step - 1, |x| T::add_squares(x, columns, means, sums));
        for (variance, sum) in variances.iter_mut().zip(&*sums) {
            *variance = T::from_f64(sum / n as f64);
        }
        pass.on(thread).spend(5 * n * means.len())
    })
}

/// The greater of two magnitudes; NaN if either is.
fn greater(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}
