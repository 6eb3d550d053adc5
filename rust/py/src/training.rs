//! The arguments of training, and the loop of `fit` between the core's epochs and Python's callback.

use std::ops::Range;
use std::sync::{PoisonError, RwLock};

use fastmlp_core::{
    Dataset, Dropout, EpochRecord, Error, Inputs, Mlp, Names, Network, Objective, Result, Schedule, Trainer,
    Weights,
};
use pyo3::prelude::*;

use crate::array::{PyScalar, WeightArray, class_weight};
use crate::detached::watched;
use crate::ending::called;
use crate::error::{BindError, BindResult};
use crate::history::{Epoch, History};
use crate::inputs::InputArray;
use crate::optimizer::{Reservation, Stateful};
use crate::shuffling::Shuffling;
use crate::targets::{TargetArray, TargetViews};

/// Inputs, labels and weights as Python gave them.
pub(crate) struct DataArguments<'a, 'py> {
    pub(crate) x: &'a Bound<'py, PyAny>,
    pub(crate) y: &'a Bound<'py, PyAny>,
    pub(crate) sample_weight: Option<&'a Bound<'py, PyAny>>,
    pub(crate) class_weight: Option<&'a Bound<'py, PyAny>>,
}

impl<'py> DataArguments<'_, 'py> {
    pub(crate) fn py(&self) -> Python<'py> {
        self.x.py()
    }

    /// The arrays, borrowed; `names` are those of X and y.
    pub(crate) fn arrays<T: PyScalar>(
        &self,
        names: Names,
        network: &Network,
    ) -> BindResult<DataArrays<'_, 'py, T>> {
        if !network.has_classes() && self.class_weight.is_some() {
            return Err(Error::value("class_weight", "given", "None for a network without classes").into());
        }
        Ok(DataArrays {
            names,
            x: InputArray::borrowed(names.x, self.x)?,
            y: TargetArray::extract(names.y, self.y, network)?,
            sample_weight: self.sample_weight.map(WeightArray::extract).transpose()?,
            class_weight: self.class_weight.map(class_weight).transpose()?,
        })
    }
}

/// Inputs, labels and weights, borrowed in place.
pub(crate) struct DataArrays<'a, 'py, T: PyScalar> {
    names: Names,
    x: InputArray<'a, 'py, T>,
    y: TargetArray<'py, T>,
    sample_weight: Option<WeightArray<'py>>,
    class_weight: Option<Vec<f64>>,
}

impl<T: PyScalar> DataArrays<'_, '_, T> {
    /// The names of the arrays, and their ranges of addresses.
    pub(crate) fn spans(&self) -> Vec<(&'static str, Range<usize>)> {
        let weights = self.sample_weight.as_ref().map(|weights| ("sample_weight", weights.span()));
        let x = self.x.spans().into_iter().map(|span| (self.names.x, span));
        x.chain([(self.names.y, self.y.span())]).chain(weights).collect()
    }

    /// Views that can be read detached from the interpreter.
    pub(crate) fn views(&self) -> BindResult<DataViews<'_, T>> {
        Ok(DataViews {
            names: self.names,
            x: self.x.view(self.names.x)?,
            targets: self.y.view(),
            sample_weight: self.sample_weight.as_ref().map(WeightArray::view),
            class_weight: self.class_weight.as_deref(),
        })
    }
}

/// Views of [`DataArrays`], which need no interpreter.
pub(crate) struct DataViews<'a, T: PyScalar> {
    names: Names,
    x: Inputs<'a, T>,
    targets: TargetViews<'a, T>,
    sample_weight: Option<Box<dyn Weights + 'a>>,
    class_weight: Option<&'a [f64]>,
}

impl<T: PyScalar> DataViews<'_, T> {
    /// Number of rows of X.
    pub(crate) fn n_rows(&self) -> usize {
        self.x.nrows()
    }

    /// The data set for a network, checked.
    pub(crate) fn dataset(&self, network: &Network) -> Result<Dataset<'_, T>> {
        let (layout, names) = (network.layout(), self.names);
        let x = self.x.view();
        x.check_columns(names.x, layout)?;
        let sample_weight = self.sample_weight.as_deref();
        match &self.targets {
            TargetViews::Classes(labels) => {
                Dataset::new(names, x, &**labels, sample_weight, self.class_weight, layout.d_out())
            }
            TargetViews::Values(values, is_vector) => {
                let data = Dataset::with_values(names, x, values.view(), sample_weight, network)?;
                Ok(if *is_vector { data.with_vector_of_targets() } else { data })
            }
        }
    }
}

/// The arguments of `fit` besides the training set and the optimizer.
pub(crate) struct FitArguments<'a, 'py> {
    pub(crate) validation: Option<DataArguments<'a, 'py>>,
    pub(crate) epochs: usize,
    pub(crate) initial_epoch: usize,
    pub(crate) batch_size: Option<usize>,
    pub(crate) shuffle: bool,
    pub(crate) shuffling: Shuffling<'py>,
    pub(crate) dropout: Dropout,
    pub(crate) objective: Objective,
    pub(crate) n_threads: usize,
    pub(crate) callback: Option<&'a Bound<'py, PyAny>>,
}

/// A running call of `fit`.
pub(crate) struct Training<'a, 'py, T: Stateful> {
    pub(crate) mlp: &'a RwLock<Mlp<T>>,
    /// Held for the whole call, so that no callback can train another network with the optimizer.
    pub(crate) optimizer: Reservation<'a>,
    pub(crate) n_parameters: usize,
    /// Whether the network classifies, so that predictions are right or wrong.
    pub(crate) has_accuracy: bool,
    pub(crate) arguments: &'a FitArguments<'a, 'py>,
}

impl<T: Stateful> Training<'_, '_, T> {
    /// All epochs at once if there is no callback; otherwise one by one, and between two of them
    /// the callback can use the network.
    pub(crate) fn run(
        self,
        py: Python<'_>,
        train: &DataArrays<'_, '_, T>,
        validation: Option<&DataArrays<'_, '_, T>>,
    ) -> BindResult<History> {
        let (train, validation) = (train.views()?, validation.map(DataArrays::views).transpose()?);
        let &FitArguments { batch_size, shuffle, n_threads, epochs, initial_epoch, objective, .. } =
            self.arguments;
        let FitArguments { dropout, shuffling, .. } = self.arguments;
        let (seed, random) = (shuffling.seed(), shuffling.random());
        let (mlp, n_epochs, options) = (self.mlp, epochs - initial_epoch, self.optimizer.options());
        let mut trainer = py.detach(|| {
            let mut mlp = mlp.write().unwrap_or_else(PoisonError::into_inner);
            let train = train.dataset(mlp.network())?;
            let validation = validation.as_ref().map(|views| views.dataset(mlp.network())).transpose()?;
            // Without epochs there is nothing to shuffle, and the network must stay as it was.
            let seed = seed.unwrap_or_else(|| if n_epochs == 0 { 0 } else { mlp.next_seed() });
            let schedule = Schedule { batch_size, shuffle, seed, n_threads };
            let trainer = Trainer::new(&mlp, train, validation, schedule)?
                .with_objective(objective)?
                .with_dropout(dropout.clone())
                .with_options(options, epochs)
                .after(initial_epoch);
            match random {
                Some(random) => trainer.with_random(random.clone()),
                None => Ok::<_, Error>(trainer),
            }
        })?;
        let epoch = |made, last: &EpochRecord| {
            Epoch::from_record(initial_epoch + made, epochs, last, self.has_accuracy)
        };
        let at_once = if self.arguments.callback.is_some() { 1 } else { n_epochs };
        let mut records = Vec::new();
        let mut all_epochs = || {
            while records.len() < n_epochs {
                self.train(py, &mut trainer, at_once, &mut records)?;
                if let (Some(callback), Some(last)) = (self.arguments.callback, records.last())
                    && wants_to_stop(&called(callback, (epoch(records.len(), last),))?)?
                {
                    break;
                }
            }
            Ok::<_, BindError>(())
        };
        let trained = all_epochs();
        shuffling.advance(trainer.random())?;
        trained?;
        Ok(History::from_records(py, &records, (validation.is_some(), self.has_accuracy)))
    }

    /// Some epochs, detached. The optimizer's state is lent only during these, so that a callback
    /// can read it.
    fn train(
        &self,
        py: Python<'_>,
        trainer: &mut Trainer<'_, T>,
        epochs: usize,
        records: &mut Vec<EpochRecord>,
    ) -> BindResult<()> {
        let mut loan = self.optimizer.lend::<T>(self.n_parameters)?;
        let rule = loan.rule();
        let state = loan.state();
        let mlp = self.mlp;
        watched(py, |interrupt| {
            let mut mlp = mlp.write().unwrap_or_else(PoisonError::into_inner);
            for _ in 0..epochs {
                let elements = records.len() + 1;
                records.try_reserve(1).map_err(|_| Error::OutOfMemory { what: "the history", elements })?;
                records.push(trainer.epoch(&mut mlp, &rule, state, interrupt)?);
            }
            Ok::<_, BindError>(())
        })
    }
}

/// Whether a callback's return value stops training.
fn wants_to_stop(answer: &Bound<'_, PyAny>) -> BindResult<bool> {
    if answer.is_none() {
        return Ok(false);
    }
    answer
        .extract()
        .map_err(|_| BindError::type_error("the callback's answer", answer, "True to stop, or None"))
}
