//! The loop of `minimize` between the core's iterations and Python's callback.

use std::sync::{PoisonError, RwLock};

use fastmlp_core::{Limits, Minimizer, Mlp, Objective};
use pyo3::prelude::*;

use crate::data::DataArrays;
use crate::detached::watched;
use crate::error::{BindError, BindResult};
use crate::history::{History, LastHistory};
use crate::integer::count;
use crate::listener::{Listener, make_room};
use crate::minimum::{Minimum, name_of};
use crate::optimizer::Stateful;

/// The arguments of `minimize` besides the rows.
pub(crate) struct MinimizeArguments<'a, 'py> {
    pub(crate) objective: Objective,
    pub(crate) limits: Limits,
    pub(crate) n_threads: usize,
    pub(crate) callback: Option<&'a Bound<'py, PyAny>>,
    /// Gets what there is of a history even if the minimisation ends with an error.
    pub(crate) history: &'a LastHistory,
}

/// Minimises the objective over all rows; the caller holds the right to train.
pub(crate) fn minimize<T: Stateful>(
    py: Python<'_>,
    mlp: &RwLock<Mlp<T>>,
    data: &DataArrays<'_, '_, T>,
    has_accuracy: bool,
    arguments: &MinimizeArguments<'_, '_>,
) -> BindResult<Minimum> {
    let &MinimizeArguments { objective, limits, n_threads, callback, history } = arguments;
    let views = data.views()?;
    let mut minimizer = py.detach(|| {
        let mlp = mlp.read().unwrap_or_else(PoisonError::into_inner);
        let dataset = views.dataset(mlp.network())?;
        Minimizer::new(&mlp, dataset, objective, limits, n_threads)
    })?;
    let listener = Listener { callback, initial_epoch: 0, epochs: limits.max_iter.max(1), has_accuracy };
    let mut records = Vec::new();
    let stopped = listener.attend(py, &mut records, |ahead, records| {
        watched(py, |interrupt| {
            let mut mlp = mlp.write().unwrap_or_else(PoisonError::into_inner);
            for _ in 0..ahead {
                make_room(records)?;
                let Some(record) = minimizer.iterate(&mut mlp, interrupt)? else { break };
                records.push(record);
            }
            Ok::<_, BindError>(())
        })
    });
    let record = Py::new(py, History::from_records(py, &records, (false, has_accuracy)))?;
    history.set(record.clone_ref(py));
    let ending = if stopped? { None } else { minimizer.ending() };
    Ok(Minimum::new(minimizer.loss(), name_of(ending).to_owned(), minimizer.n_evaluations(), record))
}

/// `max_iter`, `max_fun` and `tol`.
pub(crate) fn limits_of(
    max_iter: Option<&Bound<'_, PyAny>>,
    max_fun: Option<&Bound<'_, PyAny>>,
    tol: f64,
) -> BindResult<Limits> {
    let or = |name, given: Option<&Bound<'_, PyAny>>, default| {
        given.map_or(Ok(default), |given| count(name, given, 0))
    };
    Ok(Limits { max_iter: or("max_iter", max_iter, 200)?, max_fun: or("max_fun", max_fun, 15_000)?, tol })
}
