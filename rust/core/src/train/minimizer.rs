//! Minimisation of the objective over all rows at once, by L-BFGS: Liu and Nocedal, "On the limited memory BFGS method
//! for large scale optimization", Mathematical Programming 45 (1989).
//!
//! Steps, limits and ends are those of SciPy's `minimize(method="L-BFGS-B")` without bounds, as scikit-learn uses it.

use std::time::Instant;

use crate::arch::Masks;
use crate::data::{Dataset, Examples, Rows};
use crate::error::{Error, Result};
use crate::kernels::Element;
use crate::loss::Objective;
use crate::memory::Buffer;
use crate::mlp::{Mlp, check_threads};
use crate::optim::{Curvature, LineSearch, Made, Verdict, inner_products, move_along};
use crate::run::{BatchWorkspace, Interrupt, Pass, Team};
use crate::train::trainer::EpochRecord;

/// An iteration ends a minimisation if it lowers the loss by this part of it at most, or of 1 if that is more.
const LEAST_DECREASE: f64 = 1e7 * f64::EPSILON;
/// Evaluations after which a search along a direction is given up.
const MOST_TRIALS: usize = 20;

/// When a minimisation ends.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most iterations.
    pub max_iter: usize,
    /// Evaluations of loss and gradient after which no iteration begins.
    pub max_fun: usize,
    /// The largest magnitude in a gradient that counts as 0: finite, >= 0.
    pub tol: f64,
}

/// Why a minimisation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The gradient is as small as is asked for.
    Gradient,
    /// The loss has hardly fallen.
    Loss,
    /// There were as many iterations as there may be.
    MaxIter,
    /// There were more evaluations than there may be.
    MaxFun,
    /// The loss falls nowhere along the direction, though its slope says so: rounding hides it, or the loss bends
    /// sharply.
    LineSearch,
}

/// Loss and gradient over all rows.
struct AllRows<'a, T: Element> {
    data: Dataset<'a, T>,
    objective: Objective,
    workspace: BatchWorkspace<T>,
    n_evaluations: usize,
}

/// What there is at some parameters besides the gradient.
struct Found {
    loss: f64,
    accuracy: f64,
    /// The largest magnitude in the gradient, NaN if a number is not finite.
    largest: f64,
}

impl<T: Element> AllRows<'_, T> {
    fn evaluate(
        &mut self,
        mlp: &Mlp<T>,
        gradient: &mut [T],
        team: &mut Team,
        interrupt: &dyn Interrupt,
    ) -> Result<Found> {
        let n = self.data.n_rows();
        let pass = Pass { objective: self.objective, ..mlp.pass(interrupt) };
        let scale = 1.0 / self.data.total_weight();
        let examples = Examples::batch(&self.data, Rows::Range(0, n), scale, Masks::NONE);
        self.n_evaluations += 1;
        let (tally, largest) = self.workspace.gradient(pass, examples, gradient, team)?;
        Ok(Found { loss: tally.loss + tally.penalty, accuracy: tally.correct as f64 / n as f64, largest })
    }
}

/// Parameters that become those of the start again, unless they are accepted.
struct Trials<'a, T: Element> {
    mlp: &'a mut Mlp<T>,
    start: &'a [T],
    is_accepted: bool,
}

impl<T: Element> Drop for Trials<'_, T> {
    fn drop(&mut self) {
        if !self.is_accepted {
            self.mlp.parameters_mut().copy_from_slice(self.start);
        }
    }
}

/// A minimisation in progress: the data, and every buffer that an iteration needs.
pub struct Minimizer<'a, T: Element> {
    rows: AllRows<'a, T>,
    limits: Limits,
    team: Team,
    curvature: Curvature<T>,
    /// The parameters after the last iteration, and the loss and its gradient there.
    position: Buffer<T>,
    /// NaN until it is known where the first iteration begins.
    loss: f64,
    gradient: Buffer<T>,
    /// Where the loss is looked for next, as seen from there.
    direction: Buffer<T>,
    /// The gradient at the last trial.
    trial: Buffer<T>,
    /// The layers that were frozen there.
    frozen: Vec<usize>,
    /// Whether nothing is known yet of how long a step should be.
    is_first: bool,
    n_iterations: usize,
    ending: Option<Ending>,
}

impl<'a, T: Element> Minimizer<'a, T> {
    /// Allocates the buffers and starts the threads.
    pub fn new(
        mlp: &Mlp<T>,
        data: Dataset<'a, T>,
        objective: Objective,
        limits: Limits,
        n_threads: usize,
    ) -> Result<Self> {
        let (n, network) = (data.n_rows(), mlp.network());
        data.check(network)?;
        objective.check()?;
        check_threads(n_threads)?;
        if !(limits.tol.is_finite() && limits.tol >= 0.0) {
            return Err(Error::value("tol", limits.tol, "a finite number >= 0"));
        }
        if network.needs_batches() {
            let expected = "None or \"layer\": the statistics of batches are learned by fit";
            return Err(Error::value("normalization", "\"batch\"", expected));
        }
        let team = Team::new(n_threads.min(mlp.plan().workload().most_threads(n)));
        let mut workspace = BatchWorkspace::default();
        workspace.reserve(mlp.plan(), &data.x(), n, team.len())?;
        let n_parameters = network.layout().n_parameters();
        let zeros = || Buffer::zeros("the vectors of L-BFGS", n_parameters);
        Ok(Self {
            rows: AllRows { data, objective, workspace, n_evaluations: 0 },
            limits,
            team,
            curvature: Curvature::new(n_parameters)?,
            position: zeros()?,
            loss: f64::NAN,
            gradient: zeros()?,
            direction: zeros()?,
            trial: zeros()?,
            frozen: Vec::new(),
            is_first: true,
            n_iterations: 0,
            ending: None,
        })
    }

    /// Why no further iteration will be made, if that is so.
    pub fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// How often loss and gradient were computed.
    pub fn n_evaluations(&self) -> usize {
        self.rows.n_evaluations
    }

    /// The objective after the last iteration, or where the first one begins; NaN before that is known.
    pub fn loss(&self) -> f64 {
        self.loss
    }

    /// One iteration, with loss and accuracy after it; none if the minimisation has ended or ends here. After an error the
    /// network has the parameters that it had before. If parameters or frozen layers were changed since the last iteration,
    /// nothing is known any more of gradients before.
    pub fn iterate(&mut self, mlp: &mut Mlp<T>, interrupt: &dyn Interrupt) -> Result<Option<EpochRecord>> {
        let start = Instant::now();
        if self.ending.is_none() && self.stands_elsewhere(mlp) {
            self.begin(mlp, interrupt)?;
        }
        if self.ending.is_some() {
            return Ok(None);
        }
        let Some(found) = self.search(mlp, interrupt)? else {
            self.ending = Some(Ending::LineSearch);
            return Ok(None);
        };
        self.n_iterations += 1;
        let before = std::mem::replace(&mut self.loss, found.loss);
        let unit = before.abs().max(found.loss.abs()).max(1.0);
        let stands_still = before - found.loss <= LEAST_DECREASE * unit;
        self.ending = self.limit_reached(found.largest).or(stands_still.then_some(Ending::Loss));
        Ok(Some(EpochRecord {
            loss: found.loss,
            accuracy: found.accuracy,
            validation: None,
            seconds: start.elapsed().as_secs_f64(),
        }))
    }

    /// The limit that is reached with a gradient of this largest magnitude.
    fn limit_reached(&self, largest: f64) -> Option<Ending> {
        if self.n_iterations >= self.limits.max_iter {
            Some(Ending::MaxIter)
        } else if self.rows.n_evaluations > self.limits.max_fun {
            Some(Ending::MaxFun)
        } else if largest <= self.limits.tol {
            Some(Ending::Gradient)
        } else {
            None
        }
    }

    /// Whether loss and gradient are not those of the network.
    fn stands_elsewhere(&self, mlp: &Mlp<T>) -> bool {
        let is_same = mlp.parameters() == &*self.position && mlp.plan().frozen().layers() == self.frozen;
        self.loss.is_nan() || !is_same
    }

    /// Computes loss and gradient where the network stands.
    fn begin(&mut self, mlp: &Mlp<T>, interrupt: &dyn Interrupt) -> Result<()> {
        let Self { rows, gradient, team, .. } = self;
        let found = rows.evaluate(mlp, gradient, team, interrupt)?;
        let [square, _] = inner_products(gradient, gradient, gradient, team)?;
        let numbers = [
            ("the loss", found.loss),
            ("the gradient", found.largest),
            ("the square of the gradient", square),
        ];
        for (what, number) in numbers {
            if !number.is_finite() {
                self.rows.data.check_finite()?;
                return Err(Error::NoStart { what });
            }
        }
        self.position.copy_from_slice(mlp.parameters());
        self.frozen = mlp.plan().frozen().layers().to_vec();
        self.curvature.clear();
        (self.loss, self.is_first) = (found.loss, true);
        self.ending = self.limit_reached(found.largest);
        Ok(())
    }

    /// Takes the network to where the loss has fallen enough. Nothing is found, and the network stays, if the loss falls
    /// neither where its curvature points to nor along the gradient.
    fn search(&mut self, mlp: &mut Mlp<T>, interrupt: &dyn Interrupt) -> Result<Option<Found>> {
        loop {
            let Self { curvature, gradient, direction, team, .. } = self;
            let [slope, square] = curvature.direction(gradient, direction, team)?;
            let step = if self.is_first { 1.0 / square.sqrt() } else { 1.0 };
            if slope < 0.0 && slope.is_finite() {
                let found = self.follow(mlp, (slope, step), interrupt)?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            if self.curvature.is_empty() {
                return Ok(None);
            }
            self.curvature.clear();
        }
    }

    /// The same along the direction, in which the loss has this slope, beginning with this multiple of it.
    fn follow(
        &mut self,
        mlp: &mut Mlp<T>,
        (slope, step): (f64, f64),
        interrupt: &dyn Interrupt,
    ) -> Result<Option<Found>> {
        let Self { rows, team, position, gradient, direction, trial, .. } = self;
        let mut search = LineSearch::new(self.loss, slope, step);
        let mut trials = Trials { mlp, start: position, is_accepted: false };
        for _ in 0..MOST_TRIALS {
            let length = search.step();
            move_along(trials.mlp.parameters_mut(), trials.start, direction, length, team)?;
            let found = match rows.evaluate(trials.mlp, trial, team, interrupt) {
                Err(Error::LossNotFinite(_)) => {
                    search.retreat();
                    continue;
                }
                found => found?,
            };
            let [slope_there, _] = inner_products(trial, direction, direction, team)?;
            if search.see(found.loss, slope_there) == Verdict::Try {
                continue;
            }
            let gradients = [&gradient[..], &trial[..]];
            let made = Made { direction, length, gradients, slopes: [slope, slope_there] };
            self.curvature.learn(&made, team)?;
            trials.is_accepted = true;
            drop(trials);
            self.position.copy_from_slice(mlp.parameters());
            std::mem::swap(&mut self.gradient, &mut self.trial);
            self.is_first = false;
            return Ok(Some(found));
        }
        Ok(None)
    }
}
