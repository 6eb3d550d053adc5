//! Training: epochs of shuffled batches, each a gradient and a step.

use std::time::Instant;

use crate::arch::Dropout;
use crate::data::LegacyRandom;
use crate::data::Rows;
use crate::data::shuffle;
use crate::data::{Dataset, Examples};
use crate::error::{Error, Result};
use crate::kernels::Element;
use crate::kernels::Key;
use crate::kernels::Tally;
use crate::loss::Objective;
use crate::memory::Buffer;
use crate::mlp::{Mlp, check_threads};
use crate::optim::{Options, Rule, State};
use crate::run::BatchWorkspace;
use crate::run::Inference;
use crate::run::Interrupt;
use crate::run::Pass;
use crate::run::Team;
use crate::train::descent::{Descent, take_step};

/// How to go through the rows.
///
/// | name | purpose | range |
/// | --- | --- | --- |
/// | `batch_size` | rows per step; `None` means all of them | >= 1 |
/// | `shuffle` | a new order of rows in every epoch | |
/// | `seed` | the orders are a pure function of (seed, epoch) | |
/// | `n_threads` | threads that share a batch | >= 1 |
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// Rows per step.
    pub batch_size: Option<usize>,
    /// A new order in every epoch.
    pub shuffle: bool,
    /// Where the orders come from.
    pub seed: u64,
    /// Threads that share a batch.
    pub n_threads: usize,
}

/// The record of an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpochRecord {
    /// Mean of the rows' losses, each taken before the step of its batch, as the objective reports it.
    pub loss: f64,
    /// Share of rows predicted correctly, each before the step of its batch: of rows whose class is the most probable
    /// one, or whose outputs are all on the right side of 1/2; 0 for other outputs.
    pub accuracy: f64,
    /// Weighted mean of the losses and accuracy on the validation set after the epoch.
    pub validation: Option<(f64, f64)>,
    /// Duration, validation included.
    pub seconds: f64,
}

/// A training in progress: the data, the schedule, and every buffer that a step needs.
pub struct Trainer<'a, T: Element> {
    train: Dataset<'a, T>,
    validation: Option<Dataset<'a, T>>,
    schedule: Schedule,
    batch_size: usize,
    objective: Objective,
    dropout: Dropout,
    options: Options,
    /// Epochs of the whole training, the length of a schedule of the learning rate.
    epochs: usize,
    epoch: usize,
    order: Vec<u32>,
    /// Where the orders come from, if not from the schedule's seed.
    random: Option<LegacyRandom>,
    gradient: Buffer<T>,
    workspace: BatchWorkspace<T>,
    inference: Inference<T>,
    team: Team,
}

impl<'a, T: Element> Trainer<'a, T> {
    /// Allocates the buffers and starts the threads.
    pub fn new(
        mlp: &Mlp<T>,
        train: Dataset<'a, T>,
        validation: Option<Dataset<'a, T>>,
        schedule: Schedule,
    ) -> Result<Self> {
        let n = train.n_rows();
        let network = mlp.network();
        train.check(network)?;
        if let Some(validation) = &validation {
            validation.check(network)?;
            // No step depends on it, so nothing else would ever detect the error.
            validation.check_finite()?;
        }
        check_threads(schedule.n_threads)?;
        if schedule.batch_size == Some(0) {
            return Err(Error::value("batch_size", 0, "None or a number >= 1"));
        }
        let batch_size = schedule.batch_size.map_or(n, |size| size.min(n));
        // Buffers are reserved for the threads that exist: the system may have refused some.
        let team = Team::new(schedule.n_threads.min(mlp.plan().workload().most_threads(batch_size)));
        let order = if schedule.shuffle && batch_size < n { new_order(n)? } else { Vec::new() };
        let mut workspace = BatchWorkspace::default();
        for rows in [batch_size, n % batch_size] {
            workspace.reserve(mlp.plan(), &train.x(), rows, team.len())?;
        }
        let mut inference = Inference::default();
        if let Some(validation) = &validation {
            inference.reserve(mlp.plan(), &validation.x(), team.len())?;
        }
        Ok(Self {
            train,
            validation,
            schedule,
            batch_size,
            objective: Objective::default(),
            dropout: Dropout::default(),
            options: Options::default(),
            epochs: 0,
            epoch: 0,
            order,
            random: None,
            gradient: Buffer::zeros("the gradient", network.layout().n_parameters())?,
            workspace,
            inference,
            team,
        })
    }

    /// Trains for an objective of its own.
    pub fn with_objective(self, objective: Objective) -> Result<Self> {
        objective.check()?;
        Ok(Self { objective, ..self })
    }

    /// Continues an earlier training with the same seed after so many epochs.
    #[must_use]
    pub fn after(self, epochs: usize) -> Self {
        Self { epoch: epochs, ..self }
    }

    /// Draws the orders of rows as NumPy does, each a shuffle of the one before, and not from the schedule's seed. A
    /// single batch is shuffled too, which advances the random state. The orders of epochs that an earlier training
    /// made are drawn again.
    pub fn with_random(mut self, mut random: LegacyRandom) -> Result<Self> {
        if self.schedule.shuffle {
            if self.order.is_empty() {
                self.order = new_order(self.train.n_rows())?;
            }
            self.order.iter_mut().zip(0..).for_each(|(row, i)| *row = i);
            (0..self.epoch).for_each(|_| random.shuffle(&mut self.order));
        }
        self.random = Some(random);
        Ok(self)
    }

    /// The random state that the next order comes from, if it comes from one.
    pub fn random(&self) -> Option<&LegacyRandom> {
        self.random.as_ref()
    }

    /// Trains with dropout; its masks are a pure function of the schedule's seed, the epoch and the batch.
    #[must_use]
    pub fn with_dropout(self, dropout: Dropout) -> Self {
        Self { dropout, ..self }
    }

    /// Takes steps with these options. `epochs` is the length of the whole training, over which a schedule of the
    /// learning rate extends; it includes the epochs of an earlier training.
    #[must_use]
    pub fn with_options(self, options: Options, epochs: usize) -> Self {
        Self { options, epochs, ..self }
    }

    /// One epoch. After an error the network has the parameters of the last whole step.
    pub fn epoch(
        &mut self,
        mlp: &mut Mlp<T>,
        rule: &Rule,
        state: &mut State<T>,
        interrupt: &dyn Interrupt,
    ) -> Result<EpochRecord> {
        state.check(rule, mlp.parameters().len())?;
        let start = Instant::now();
        let n = self.train.n_rows();
        self.epoch += 1;
        match &mut self.random {
            Some(random) => random.shuffle(&mut self.order),
            None => shuffle(self.schedule.seed, self.epoch as u64, &mut self.order),
        }
        let mut sum = Tally::default();
        for (batch, first) in (0..n).step_by(self.batch_size).enumerate() {
            let end = (first + self.batch_size).min(n);
            sum.add(self.step(mlp, rule, state, interrupt, (first, end), batch + 1)?);
        }
        let validation = self.validate(mlp, interrupt)?;
        Ok(EpochRecord {
            loss: sum.loss,
            accuracy: sum.correct as f64 / n as f64,
            validation,
            seconds: start.elapsed().as_secs_f64(),
        })
    }

    /// One step on the rows `first..end` of the epoch's order. A batch whose rows have no weight makes no step, so
    /// momentum does not move the network either.
    fn step(
        &mut self,
        mlp: &mut Mlp<T>,
        rule: &Rule,
        state: &mut State<T>,
        interrupt: &dyn Interrupt,
        (first, end): (usize, usize),
        batch: usize,
    ) -> Result<Tally> {
        let rows = match &self.order[..] {
            [] => Rows::Range(first, end),
            order => Rows::Index(&order[first..end]),
        };
        let whole = rows.len() == self.train.n_rows();
        let weight = if whole { self.train.total_weight() } else { self.train.weight(rows) };
        let scale = if weight > 0.0 { 1.0 / weight } else { 0.0 };
        let key = Key::new(self.schedule.seed).child(self.epoch as u64).child(batch as u64);
        let examples = Examples::batch(&self.train, rows, scale, self.dropout.masks(key));
        let pass = Pass { objective: self.objective, ..mlp.pass(interrupt) };
        let d_out = pass.plan.layout().d_out();
        let rate = self.rate_factor(batch);
        let gradient = &mut self.gradient;
        let (tally, largest) = self.workspace.gradient(pass, examples, gradient, &mut self.team)?;
        if weight > 0.0 {
            let descent = Descent { loss: tally.loss + tally.penalty, gradient, largest, rate };
            let with = (rule, &self.options, state);
            take_step(with, mlp.parts_mut(), descent, &mut self.team, (self.epoch, batch))
                .map_err(|diverged| self.train.check_finite().err().unwrap_or(diverged))?;
        }
        // Each share is at most 1, so the mean overflows only if a loss does.
        let shares = (weight / self.train.total_weight(), rows.len() as f64 / self.train.n_rows() as f64);
        Ok(Tally { loss: self.objective.reported(d_out, &tally, shares), ..tally })
    }

    /// The factor that the schedule gives to the learning rate in a batch of this epoch. Batches without weight count
    /// too, so it is a function of the position in the training alone.
    fn rate_factor(&self, batch: usize) -> f64 {
        let of_epoch = self.train.n_rows().div_ceil(self.batch_size) as u64;
        let before = (self.epoch as u64 - 1).saturating_mul(of_epoch).saturating_add(batch as u64 - 1);
        self.options.rate_factor(before, of_epoch.saturating_mul(self.epochs as u64))
    }

    fn validate(&mut self, mlp: &Mlp<T>, interrupt: &dyn Interrupt) -> Result<Option<(f64, f64)>> {
        let Some(data) = &self.validation else { return Ok(None) };
        let scale = 1.0 / data.total_weight();
        let tally = self.inference.tally(mlp.pass(interrupt), data, scale, &mut self.team)?;
        Ok(Some((tally.loss, tally.correct as f64 / data.n_rows() as f64)))
    }
}

fn new_order(n: usize) -> Result<Vec<u32>> {
    let refused = || Error::OutOfMemory { what: "the order of rows", elements: n };
    if u32::try_from(n).is_err() {
        return Err(Error::value(
            "shuffle",
            format_args!("True for {n} rows"),
            "False for more than 2^32 - 1 rows",
        ));
    }
    let mut order = Vec::new();
    order.try_reserve_exact(n).map_err(|_| refused())?;
    order.resize(n, 0);
    Ok(order)
}
