//! The loop of `fit` between the core's epochs and Python's callback.

use std::sync::{PoisonError, RwLock};

use fastmlp_core::{Dropout, EpochRecord, Error, Mlp, Objective, Schedule, Trainer};
use pyo3::prelude::*;

use crate::data::{DataArguments, DataArrays};
use crate::detached::watched;
use crate::ending::{attribute, called};
use crate::epoch::Epoch;
use crate::error::{BindError, BindResult};
use crate::history::{History, LastHistory};
use crate::integer::count;
use crate::optimizer::{Reservation, Stateful};
use crate::shuffling::Shuffling;

/// The attribute by which a callback says how many epochs may pass before it is called, then once for
/// each of them: it is to stop none but the last. Threads that train small networks would otherwise
/// wait for each other's interpreter after every epoch.
const EPOCHS_AHEAD: &str = "epochs_ahead";

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
    /// Gets what there is of a history even if training ends with an error.
    pub(crate) history: &'a LastHistory,
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
    /// All epochs at once if there is no callback; otherwise one by one, unless the callback looks
    /// ahead, and between two of them the callback can use the network.
    pub(crate) fn run(
        self,
        py: Python<'_>,
        train: &DataArrays<'_, '_, T>,
        validation: Option<&DataArrays<'_, '_, T>>,
    ) -> BindResult<Py<History>> {
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
        let callback = self.arguments.callback;
        let looks_ahead = callback.map_or(Ok(false), |callback| callback.hasattr(EPOCHS_AHEAD))?;
        let mut records = Vec::new();
        let mut told = 0;
        let mut all_epochs = || {
            while records.len() < n_epochs {
                let ahead = match callback {
                    Some(callback) if looks_ahead => attribute(callback, EPOCHS_AHEAD)?.extract()?,
                    Some(_) => 1,
                    None => n_epochs,
                };
                let ahead = usize::clamp(ahead, 1, n_epochs - records.len());
                let mut trained = self.train(py, &mut trainer, ahead, &mut records);
                if looks_ahead && trained.is_ok() {
                    // A signal that came meanwhile would otherwise end the first of several calls.
                    trained = py.check_signals().map_err(BindError::from);
                }
                // Epochs before an error were made too.
                while let (Some(callback), Some(last)) = (callback, records.get(told)) {
                    told += 1;
                    if wants_to_stop(&called(callback, (epoch(told, last),))?)? {
                        return trained;
                    }
                }
                trained?;
            }
            Ok::<_, BindError>(())
        };
        let trained = all_epochs();
        let history = History::from_records(py, &records, (validation.is_some(), self.has_accuracy));
        let history = Py::new(py, history)?;
        self.arguments.history.set(history.clone_ref(py));
        shuffling.advance(trainer.random())?;
        trained?;
        Ok(history)
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

/// `callback`, if it can be called.
pub(crate) fn callable<'a, 'py>(
    callback: Option<&'a Bound<'py, PyAny>>,
) -> BindResult<Option<&'a Bound<'py, PyAny>>> {
    match callback {
        Some(other) if !other.is_callable() => {
            Err(BindError::type_error("callback", other, "a function of one argument"))
        }
        callback => Ok(callback),
    }
}

/// `epochs` and `initial_epoch`.
pub(crate) fn epochs_of(
    epochs: Option<&Bound<'_, PyAny>>,
    initial_epoch: Option<&Bound<'_, PyAny>>,
) -> BindResult<(usize, usize)> {
    let epochs = epochs.map_or(Ok(1000), |epochs| count("epochs", epochs, 0))?;
    let initial_epoch = initial_epoch.map_or(Ok(0), |initial| count("initial_epoch", initial, 0))?;
    if initial_epoch > epochs {
        let expected = format!("at most {epochs}, the number of epochs");
        return Err(Error::value("initial_epoch", initial_epoch, expected).into());
    }
    Ok((epochs, initial_epoch))
}
