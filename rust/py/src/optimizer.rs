//! The optimizers of Python: a rule, and the state it keeps for the network it was used with.

use std::sync::{Mutex, MutexGuard, PoisonError};

use fastmlp_core::{Adam as AdamRule, Error, Rule, Sgd as SgdRule, State};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::array::PyScalar;
use crate::error::{BindError, BindResult};
use crate::integer::integer;

/// The state of either element type.
pub(crate) enum AnyState {
    /// Before the first step.
    New,
    /// Of a network of float32.
    F32(State<f32>),
    /// Of a network of float64.
    F64(State<f64>),
    /// Taken by a call that trains.
    InUse,
}

/// Element types whose state can be told from the other's.
pub(crate) trait Stateful: PyScalar {
    fn wrap(state: State<Self>) -> AnyState;
    /// The state, or the other way round what is not of this type.
    fn unwrap(state: AnyState) -> Result<State<Self>, AnyState>;
}

impl Stateful for f32 {
    fn wrap(state: State<Self>) -> AnyState {
        AnyState::F32(state)
    }
    fn unwrap(state: AnyState) -> Result<State<Self>, AnyState> {
        if let AnyState::F32(state) = state { Ok(state) } else { Err(state) }
    }
}

impl Stateful for f64 {
    fn wrap(state: State<Self>) -> AnyState {
        AnyState::F64(state)
    }
    fn unwrap(state: AnyState) -> Result<State<Self>, AnyState> {
        if let AnyState::F64(state) = state { Ok(state) } else { Err(state) }
    }
}

/// What both classes hold.
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
    fn new(rule: Rule) -> Self {
        Self { rule: Mutex::new(rule), state: Mutex::new(AnyState::New) }
    }

    /// The rule as it is now.
    pub(crate) fn rule(&self) -> Rule {
        *self.rule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The optimizer that an argument is.
    pub(crate) fn extract<'a>(object: &'a Bound<'_, PyAny>) -> BindResult<&'a Self> {
        if let Ok(sgd) = object.cast::<SGD>() {
            return Ok(&sgd.get().0);
        }
        if let Ok(adam) = object.cast::<Adam>() {
            return Ok(&adam.get().0);
        }
        Err(BindError::type_error("optimizer", object, "fastmlp.SGD or fastmlp.Adam"))
    }

    /// Lends the state for training a network of `n_parameters`, which nobody else can do meanwhile.
    pub(crate) fn lend<T: Stateful>(&self, n_parameters: usize) -> BindResult<Loan<'_, T>> {
        let rule = self.rule();
        let mut held = self.state();
        let state = match std::mem::replace(&mut *held, AnyState::InUse) {
            AnyState::InUse => return Err(IN_USE),
            AnyState::New => State::new(&rule, n_parameters).map_err(|error| (error, AnyState::New)),
            other => match T::unwrap(other) {
                Ok(state) => match state.check(n_parameters) {
                    Ok(()) => Ok(state),
                    Err(error) => Err((error, T::wrap(state))),
                },
                // Plain descent keeps nothing that has a type.
                Err(_) if rule.slots().is_empty() => {
                    State::new(&rule, n_parameters).map_err(|error| (error, AnyState::New))
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

    fn set_rule(&self, rule: Rule) {
        *self.rule.lock().unwrap_or_else(PoisonError::into_inner) = rule;
    }

    fn reset(&self) -> BindResult<()> {
        let mut state = self.state();
        if matches!(*state, AnyState::InUse) {
            return Err(IN_USE);
        }
        *state = AnyState::New;
        Ok(())
    }

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

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in the range of u64")]
    fn load_state_dict(&self, dict: &Bound<'_, PyDict>) -> BindResult<()> {
        let rule = self.rule();
        let missing =
            |key: &str| Error::value("state", format!("without {key:?}"), "what state_dict() returns");
        let step = dict.get_item("step")?.ok_or_else(|| missing("step"))?;
        let steps = integer("step", &step, 0..=i128::from(i64::MAX), "an integer >= 0")? as u64;
        if rule.slots().is_empty() || (steps == 0 && dict.len() == 1) {
            return self.reset();
        }
        let arrays = rule.slots().iter().map(|name| dict.get_item(name)?.ok_or_else(|| missing(name).into()));
        let arrays: Vec<_> = arrays.collect::<BindResult<_>>()?;
        let state = match loaded::<f32>(&rule, steps, &arrays)? {
            Some(state) => Some(AnyState::F32(state)),
            None => loaded::<f64>(&rule, steps, &arrays)?.map(AnyState::F64),
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
}

/// A state with these vectors, if they are all of this type and of one length.
fn loaded<T: PyScalar>(rule: &Rule, steps: u64, arrays: &[Bound<'_, PyAny>]) -> BindResult<Option<State<T>>> {
    let arrays: Result<Vec<PyReadonlyArray1<'_, T>>, _> = arrays.iter().map(PyAnyMethods::extract).collect();
    let Ok(arrays) = arrays else { return Ok(None) };
    let len = arrays[0].as_array().len();
    if arrays.iter().any(|array| array.as_array().len() != len) {
        return Ok(None);
    }
    let mut state = State::new(rule, len)?;
    state.set_steps(steps);
    for (slot, array) in state.slots_mut().zip(&arrays) {
        for (to, &from) in slot.iter_mut().zip(array.as_array()) {
            *to = from;
        }
    }
    Ok(Some(state))
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
            *self.optimizer.state() = T::wrap(state);
        }
    }
}

/// Stochastic gradient descent, with momentum and Nesterov's lookahead.
#[pyclass(frozen, module = "fastmlp")]
#[allow(clippy::upper_case_acronyms, reason = "the name users know")]
pub(crate) struct SGD(Optimizer);

impl SGD {
    fn rule(&self) -> SgdRule {
        match self.0.rule() {
            Rule::Sgd(rule) => rule,
            Rule::Adam(_) => unreachable!("SGD holds an SGD rule"),
        }
    }
}

#[pymethods]
impl SGD {
    #[new]
    #[pyo3(signature = (learning_rate = 0.01, momentum = 0.0, nesterov = false))]
    fn new(learning_rate: f64, momentum: f64, nesterov: bool) -> BindResult<Self> {
        Ok(Self(Optimizer::new(Rule::Sgd(SgdRule::new(learning_rate, momentum, nesterov)?))))
    }

    #[getter]
    fn learning_rate(&self) -> f64 {
        self.rule().learning_rate()
    }

    #[setter]
    fn set_learning_rate(&self, value: f64) -> BindResult<()> {
        self.0.set_rule(Rule::Sgd(self.rule().with_learning_rate(value)?));
        Ok(())
    }

    #[getter]
    fn momentum(&self) -> f64 {
        self.rule().momentum()
    }

    #[getter]
    fn nesterov(&self) -> bool {
        self.rule().nesterov()
    }

    fn state_dict<'py>(&self, py: Python<'py>) -> BindResult<Bound<'py, PyDict>> {
        self.0.state_dict(py)
    }

    fn load_state_dict(&self, state: &Bound<'_, PyDict>) -> BindResult<()> {
        self.0.load_state_dict(state)
    }

    fn reset(&self) -> BindResult<()> {
        self.0.reset()
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> BindResult<Bound<'py, PyTuple>> {
        let rule = slf.get().rule();
        let arguments = (rule.learning_rate(), rule.momentum(), rule.nesterov());
        Ok((slf.get_type(), arguments, slf.get().state_dict(slf.py())?).into_pyobject(slf.py())?)
    }

    fn __setstate__(&self, state: &Bound<'_, PyDict>) -> BindResult<()> {
        self.load_state_dict(state)
    }

    fn __repr__(&self) -> String {
        let rule = self.rule();
        let nesterov = if rule.nesterov() { "True" } else { "False" };
        format!(
            "SGD(learning_rate={}, momentum={}, nesterov={nesterov})",
            rule.learning_rate(),
            rule.momentum()
        )
    }
}

/// Adam.
#[pyclass(frozen, module = "fastmlp")]
pub(crate) struct Adam(Optimizer);

impl Adam {
    fn rule(&self) -> AdamRule {
        match self.0.rule() {
            Rule::Adam(rule) => rule,
            Rule::Sgd(_) => unreachable!("Adam holds an Adam rule"),
        }
    }
}

#[pymethods]
impl Adam {
    #[new]
    #[pyo3(signature = (learning_rate = 0.001, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-8))]
    fn new(learning_rate: f64, beta_1: f64, beta_2: f64, epsilon: f64) -> BindResult<Self> {
        Ok(Self(Optimizer::new(Rule::Adam(AdamRule::new(learning_rate, beta_1, beta_2, epsilon)?))))
    }

    #[getter]
    fn learning_rate(&self) -> f64 {
        self.rule().learning_rate()
    }

    #[setter]
    fn set_learning_rate(&self, value: f64) -> BindResult<()> {
        self.0.set_rule(Rule::Adam(self.rule().with_learning_rate(value)?));
        Ok(())
    }

    #[getter]
    fn beta_1(&self) -> f64 {
        self.rule().beta_1()
    }

    #[getter]
    fn beta_2(&self) -> f64 {
        self.rule().beta_2()
    }

    #[getter]
    fn epsilon(&self) -> f64 {
        self.rule().epsilon()
    }

    fn state_dict<'py>(&self, py: Python<'py>) -> BindResult<Bound<'py, PyDict>> {
        self.0.state_dict(py)
    }

    fn load_state_dict(&self, state: &Bound<'_, PyDict>) -> BindResult<()> {
        self.0.load_state_dict(state)
    }

    fn reset(&self) -> BindResult<()> {
        self.0.reset()
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> BindResult<Bound<'py, PyTuple>> {
        let rule = slf.get().rule();
        let arguments = (rule.learning_rate(), rule.beta_1(), rule.beta_2(), rule.epsilon());
        Ok((slf.get_type(), arguments, slf.get().state_dict(slf.py())?).into_pyobject(slf.py())?)
    }

    fn __setstate__(&self, state: &Bound<'_, PyDict>) -> BindResult<()> {
        self.load_state_dict(state)
    }

    fn __repr__(&self) -> String {
        let rule = self.rule();
        let (rate, epsilon) = (rule.learning_rate(), rule.epsilon());
        format!(
            "Adam(learning_rate={rate}, beta_1={}, beta_2={}, epsilon={epsilon})",
            rule.beta_1(),
            rule.beta_2()
        )
    }
}
