//! The optimizers of Python: a rule, and the state it keeps for the network it was used with.

mod adam;
mod adamw;
mod sgd;
mod state;

use std::sync::{Mutex, MutexGuard, PoisonError};

use fastmlp_core::{Adam as AdamRule, Error, Rule, State};
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::argument;
use crate::array::PyScalar;
use crate::error::{BindError, BindResult};
use crate::integer::integer;

pub(crate) use adam::Adam;
pub(crate) use adamw::AdamW;
pub(crate) use sgd::SGD;
pub(crate) use state::Stateful;
use state::{AnyState, counted, loaded};

/// What every optimizer has: a learning rate, and a state for the network it trains.
///
/// `SGD`, `Adam` and `AdamW` are optimizers; this class has no constructor of its own.
///
/// Attributes
/// ----------
/// learning_rate : float
///     Length of a step; it can be set.
#[pyclass(frozen, subclass, module = "fastmlp")]
pub(crate) struct Optimizer {
    rule: Mutex<Rule>,
    state: Mutex<AnyState>,
}

const IN_USE: BindError =
    BindError::Busy("the optimizer is training a network: wait for that call to return");

impl Default for Optimizer {
    /// Adam: the optimizer of a fit that is given none.
    fn default() -> Self {
        Self::new(Rule::Adam(AdamRule::default()))
    }
}

impl Optimizer {
    pub(crate) fn new(rule: Rule) -> Self {
        Self { rule: Mutex::new(rule), state: Mutex::new(AnyState::New) }
    }

    /// The rule as it is now.
    pub(crate) fn rule(&self) -> Rule {
        *self.rule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The optimizer that an argument is.
    pub(crate) fn extract<'a>(object: &'a Bound<'_, PyAny>) -> BindResult<&'a Self> {
        match object.cast::<Self>() {
            Ok(optimizer) => Ok(optimizer.get()),
            Err(_) => Err(BindError::type_error("optimizer", object, "fastmlp.SGD, Adam or AdamW")),
        }
    }

    /// Lends the state for training a network of `n_parameters`, which nobody else can do meanwhile.
    pub(crate) fn lend<T: Stateful>(&self, n_parameters: usize) -> BindResult<Loan<'_, T>> {
        let rule = self.rule();
        let mut held = self.state();
        let state = match std::mem::replace(&mut *held, AnyState::InUse) {
            AnyState::InUse => return Err(IN_USE),
            AnyState::New => State::new(&rule, n_parameters).map_err(|error| (error, AnyState::New)),
            other => match T::unwrap(other) {
                Ok(state) => match state.check(&rule, n_parameters) {
                    Ok(()) => Ok(state),
                    Err(error) => Err((error, T::wrap(state))),
                },
                // Plain descent keeps a count, and nothing that has a type.
                Err(other) if rule.slots().is_empty() => {
                    counted(&rule, n_parameters, other.steps()).map_err(|error| (error, other))
                }
                Err(other) => Err((
                    Error::value(
                        "optimizer",
                        "one that trained a network of another dtype",
                        format!("a new one, or its reset(), for a network of {}", T::DTYPE),
                    ),
                    other,
                )),
            },
        };
        match state {
            Ok(state) => Ok(Loan { optimizer: self, state: Some(state) }),
            Err((error, before)) => {
                *held = before;
                Err(error.into())
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, AnyState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Optimizer {
    /// Length of a step: float, finite, > 0; a new value counts from the next epoch or step on.
    #[getter]
    fn learning_rate(&self) -> f64 {
        self.rule().learning_rate()
    }

    #[setter]
    fn set_learning_rate(&self, value: &Bound<'_, PyAny>) -> BindResult<()> {
        let value = argument::learning_rate(value)?;
        let mut rule = self.rule.lock().unwrap_or_else(PoisonError::into_inner);
        *rule = rule.with_learning_rate(value)?;
        Ok(())
    }

    /// Forget the state, as if no step had been made; then any network can be trained.
    ///
    /// Raises
    /// ------
    /// RuntimeError
    ///     If the optimizer is training a network.
    fn reset(&self) -> BindResult<()> {
        let mut state = self.state();
        if matches!(*state, AnyState::InUse) {
            return Err(IN_USE);
        }
        *state = AnyState::New;
        Ok(())
    }

    /// Copy the state.
    ///
    /// Returns
    /// -------
    /// dict
    ///     ``"step"``, the number of steps made, and after the first of them the vectors of the
    ///     state, arrays of shape (n_parameters,) laid out like `MLP.parameters`: ``"velocity"`` of
    ///     `SGD` with momentum, ``"m"`` and ``"v"``, the moments, of `Adam` and `AdamW`.
    ///
    /// Raises
    /// ------
    /// RuntimeError
    ///     If the optimizer is training a network.
    fn state_dict<'py>(&self, py: Python<'py>) -> BindResult<Bound<'py, PyDict>> {
        fn fill<T: PyScalar>(dict: &Bound<'_, PyDict>, rule: &Rule, state: &State<T>) -> PyResult<()> {
            dict.set_item("step", state.steps())?;
            for (name, slot) in rule.slots().iter().zip(state.slots()) {
                dict.set_item(name, PyArray1::from_slice(dict.py(), slot))?;
            }
            Ok(())
        }
        let (dict, rule) = (PyDict::new(py), self.rule());
        match &*self.state() {
            AnyState::New => dict.set_item("step", 0)?,
            AnyState::F32(state) => fill(&dict, &rule, state)?,
            AnyState::F64(state) => fill(&dict, &rule, state)?,
            AnyState::InUse => return Err(IN_USE),
        }
        Ok(dict)
    }

    /// Go on from a state that `state_dict` returned.
    ///
    /// Parameters
    /// ----------
    /// state : dict
    ///     ``"step"`` and, unless no step was made, the vectors of the state; they are copied. The
    ///     settings, such as the learning rate, are no part of it.
    ///
    /// Raises
    /// ------
    /// TypeError
    ///     If `state` is not a dict, or ``"step"`` not an integer.
    /// ValueError
    ///     If a key is missing, ``"step"`` is negative, or the arrays are not float32 or float64
    ///     of one dimension, one length and one type. The state stays as it was.
    /// RuntimeError
    ///     If the optimizer is training a network.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in the range of u64")]
    fn load_state_dict(
        &self,
        #[pyo3(from_py_with = argument::state)] state: Bound<'_, PyDict>,
    ) -> BindResult<()> {
        let (rule, dict) = (self.rule(), state);
        let missing =
            |key: &str| Error::value("state", format!("without {key:?}"), "what state_dict() returns");
        let step = dict.get_item("step")?.ok_or_else(|| missing("step"))?;
        let steps = integer("step", &step, 0..=i128::from(i64::MAX), "an integer >= 0")? as u64;
        if steps == 0 && dict.len() == 1 {
            return self.reset();
        }
        let arrays = rule.slots().iter().map(|name| dict.get_item(name)?.ok_or_else(|| missing(name).into()));
        let arrays: Vec<_> = arrays.collect::<BindResult<_>>()?;
        let state = if arrays.is_empty() {
            Some(AnyState::F64(counted(&rule, 0, steps)?))
        } else if let Some(state) = loaded::<f32>(&rule, steps, &arrays)? {
            Some(AnyState::F32(state))
        } else {
            loaded::<f64>(&rule, steps, &arrays)?.map(AnyState::F64)
        };
        let expected = "one-dimensional float32 or float64 arrays of one length and type";
        let state = state.ok_or_else(|| Error::value("state", "of other arrays", expected))?;
        let mut held = self.state();
        if matches!(*held, AnyState::InUse) {
            return Err(IN_USE);
        }
        *held = state;
        Ok(())
    }

    fn __setstate__(&self, state: Bound<'_, PyDict>) -> BindResult<()> {
        self.load_state_dict(state)
    }
}

/// A state on loan; it goes back when this is dropped.
pub(crate) struct Loan<'a, T: Stateful> {
    optimizer: &'a Optimizer,
    state: Option<State<T>>,
}

impl<T: Stateful> Loan<'_, T> {
    /// The rule as it is now: a callback may have changed the learning rate.
    pub(crate) fn rule(&self) -> Rule {
        self.optimizer.rule()
    }

    pub(crate) fn state(&mut self) -> &mut State<T> {
        self.state.as_mut().expect("a loan has its state until it is dropped")
    }
}

impl<T: Stateful> Drop for Loan<'_, T> {
    fn drop(&mut self) {
        if let Some(state) = self.state.take() {
            // Who made no step belongs to no network.
            *self.optimizer.state() = if state.steps() == 0 { AnyState::New } else { T::wrap(state) };
        }
    }
}
