//! The loop of `fit` between the core's epochs and Python's callback.

use std::sync::{PoisonError, RwLock};

use fastmlp_core::{Dropout, EpochRecord, Error, Mlp, Objective, Schedule, Trainer};
use pyo3::prelude::*;

use crate::data::{DataArguments, DataArrays};
use crate::detached::watched;
use crate::error::{BindError, BindResult};
use crate::history::{History, LastHistory};
use crate::integer::count;
use crate::listener::{Listener, make_room};
use crate::optimizer::{Reservation, Stateful};
use crate::shuffling::Shuffling;

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
    /// All epochs, of which a callback is told.
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
        let &Self { arguments: &FitArguments { callback, .. }, has_accuracy, .. } = &self;
        let listener = Listener { callback, initial_epoch, epochs, has_accuracy };
        let mut records = Vec::new();
        let trained =
            listener.attend(py, &mut records, |ahead, records| self.train(py, &mut trainer, ahead, records));
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
                make_room(records)?;
                records.push(trainer.epoch(&mut mlp, &rule, state, interrupt)?);
            }
            Ok::<_, BindError>(())
        })
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
