//! The optimizers of Python: a rule, and the state it keeps for the network it was used with.

use std::sync::{Mutex, MutexGuard, PoisonError};

use fastmlp_core::{Adam as AdamRule, Error, Rule, Sgd as SgdRule, State};
use numpy::{PyArray1, PyReadonlyArray1, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::array::{PyScalar, borrow};
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

impl AnyState {
    fn steps(&self) -> u64 {
        match self {
            Self::F32(state) => state.steps(),
            Self::F64(state) => state.steps(),
            Self::New | Self::InUse => 0,
        }
    }
}

/// A state after some steps, its vectors 0.
fn counted<T: PyScalar>(rule: &Rule, n_parameters: usize, steps: u64) -> fastmlp_core::Result<State<T>> {
    let mut state = State::new(rule, n_parameters)?;
    state.set_steps(steps);
    Ok(state)
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
}

/// A state with these vectors, if they are all of this type and of one length.
fn loaded<T: PyScalar>(rule: &Rule, steps: u64, arrays: &[Bound<'_, PyAny>]) -> BindResult<Option<State<T>>> {
    fn vector<'py, T: PyScalar>(array: &Bound<'py, PyAny>) -> Option<PyReadonlyArray1<'py, T>> {
        let array = array.cast::<PyUntypedArray>().ok().filter(|array| array.ndim() == 1)?;
        borrow("state", array, "").ok()
    }
    let Some(arrays) = arrays.iter().map(vector::<T>).collect::<Option<Vec<_>>>() else { return Ok(None) };
    let len = arrays[0].as_array().len();
    if arrays.iter().any(|array| array.as_array().len() != len) {
        return Ok(None);
    }
    let mut state = counted(rule, len, steps)?;
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
///
/// The state, which goes on from call to call of `MLP.step` and `MLP.fit`, belongs to networks
/// of one size and dtype. An optimizer can be copied and pickled with it.
///
/// Parameters
/// ----------
/// learning_rate : float, default=0.01
///     Length of a step: finite, > 0.
/// momentum : float, default=0.0
///     Share of the velocity that each step keeps, in [0, 1).
/// nesterov : bool, default=False
///     Nesterov's lookahead; it needs a momentum > 0.
///
/// Attributes
/// ----------
/// learning_rate : float
///     Length of a step; it can be set.
/// momentum : float
///     Share of the velocity that each step keeps.
/// nesterov : bool
///     Whether steps look ahead.
///
/// Raises
/// ------
/// TypeError
///     If an argument is not a number.
/// ValueError
///     If an argument is out of its range.
///
/// Notes
/// -----
/// With the gradient ``g`` and the velocity ``v``, which starts at 0, a step on the parameters
/// ``p`` is ::
///
///     v = momentum * v + g
///     p = p - learning_rate * v                      without lookahead
///     p = p - learning_rate * (g + momentum * v)     with lookahead
///
/// as PyTorch writes it [1].
///
/// References
/// ----------
/// .. [1] I. Sutskever, J. Martens, G. Dahl and G. Hinton, "On the importance of initialization
///    and momentum in deep learning", ICML 2013.
///
/// Examples
/// --------
/// >>> import fastmlp
/// >>> fastmlp.SGD(learning_rate=0.1, momentum=0.9, nesterov=True)
/// SGD(learning_rate=0.1, momentum=0.9, nesterov=True)
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

    /// Length of a step: float, finite, > 0; a new value counts from the next epoch or step on.
    #[getter]
    fn learning_rate(&self) -> f64 {
        self.rule().learning_rate()
    }

    #[setter]
    fn set_learning_rate(&self, value: f64) -> BindResult<()> {
        self.0.set_rule(Rule::Sgd(self.rule().with_learning_rate(value)?));
        Ok(())
    }

    /// Share of the velocity that each step keeps: float in [0, 1).
    #[getter]
    fn momentum(&self) -> f64 {
        self.rule().momentum()
    }

    /// Whether steps look ahead: bool.
    #[getter]
    fn nesterov(&self) -> bool {
        self.rule().nesterov()
    }

    /// Copy the state.
    ///
    /// Returns
    /// -------
    /// dict
    ///     ``"step"``, the number of steps made, and, with momentum and after the first step,
    ///     ``"velocity"``, an array of shape (n_parameters,) laid out like `MLP.parameters`.
    ///
    /// Raises
    /// ------
    /// RuntimeError
    ///     If the optimizer is training a network.
    fn state_dict<'py>(&self, py: Python<'py>) -> BindResult<Bound<'py, PyDict>> {
        self.0.state_dict(py)
    }

    /// Go on from a state that `state_dict` returned.
    ///
    /// Parameters
    /// ----------
    /// state : dict
    ///     ``"step"`` and, with momentum and unless no step was made, ``"velocity"``; it is copied.
    ///     The settings, such as the learning rate, are no part of it.
    ///
    /// Raises
    /// ------
    /// TypeError
    ///     If `state` is not a dict, or ``"step"`` not an integer.
    /// ValueError
    ///     If a key is missing, ``"step"`` is negative, or an array is not float32 or float64 of
    ///     one dimension. The state stays as it was.
    /// RuntimeError
    ///     If the optimizer is training a network.
    fn load_state_dict(&self, state: &Bound<'_, PyDict>) -> BindResult<()> {
        self.0.load_state_dict(state)
    }

    /// Forget the state, as if no step had been made; then any network can be trained.
    ///
    /// Raises
    /// ------
    /// RuntimeError
    ///     If the optimizer is training a network.
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

/// Adam: steps scaled by running means of the gradient and of its square.
///
/// The state, which goes on from call to call of `MLP.step` and `MLP.fit`, belongs to networks
/// of one size and dtype. An optimizer can be copied and pickled with it.
///
/// Parameters
/// ----------
/// learning_rate : float, default=0.001
///     Length of a step: finite, > 0.
/// beta_1 : float, default=0.9
///     Memory of the gradient's mean, in [0, 1).
/// beta_2 : float, default=0.999
///     Memory of the mean of its square, in [0, 1).
/// epsilon : float, default=1e-8
///     Keeps the quotient finite: finite, > 0.
///
/// Attributes
/// ----------
/// learning_rate : float
///     Length of a step; it can be set.
/// beta_1 : float
///     Memory of the gradient's mean.
/// beta_2 : float
///     Memory of the mean of its square.
/// epsilon : float
///     Keeps the quotient finite.
///
/// Raises
/// ------
/// TypeError
///     If an argument is not a number.
/// ValueError
///     If an argument is out of its range.
///
/// Notes
/// -----
/// With the gradient ``g`` and the moments ``m`` and ``v``, which start at 0, step number ``t``,
/// from 1, on the parameters ``p`` is ::
///
///     m = beta_1 * m + (1 - beta_1) * g
///     v = beta_2 * v + (1 - beta_2) * g**2
///     p = p - learning_rate * (m / (1 - beta_1**t)) / (sqrt(v / (1 - beta_2**t)) + epsilon)
///
/// which is algorithm 1 of [1].
///
/// References
/// ----------
/// .. [1] D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015.
///
/// Examples
/// --------
/// Halve the learning rate after each epoch:
///
/// >>> import numpy as np
/// >>> import fastmlp
/// >>> adam = fastmlp.Adam(learning_rate=0.01)
/// >>> def halve(epoch):
/// ...     adam.learning_rate /= 2
/// >>> mlp = fastmlp.MLP([2, 2], dtype="float64", seed=0)
/// >>> history = mlp.fit(np.eye(2), np.arange(2), adam, epochs=3, callback=halve)
/// >>> adam.learning_rate
/// 0.00125
/// >>> adam.state_dict()["step"]
/// 3
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

    /// Length of a step: float, finite, > 0; a new value counts from the next epoch or step on.
    #[getter]
    fn learning_rate(&self) -> f64 {
        self.rule().learning_rate()
    }

    #[setter]
    fn set_learning_rate(&self, value: f64) -> BindResult<()> {
        self.0.set_rule(Rule::Adam(self.rule().with_learning_rate(value)?));
        Ok(())
    }

    /// Memory of the gradient's mean: float in [0, 1).
    #[getter]
    fn beta_1(&self) -> f64 {
        self.rule().beta_1()
    }

    /// Memory of the mean of the gradient's square: float in [0, 1).
    #[getter]
    fn beta_2(&self) -> f64 {
        self.rule().beta_2()
    }

    /// Keeps the quotient finite: float > 0.
    #[getter]
    fn epsilon(&self) -> f64 {
        self.rule().epsilon()
    }

    /// Copy the state.
    ///
    /// Returns
    /// -------
    /// dict
    ///     ``"step"``, the number of steps made, and after the first of them ``"m"`` and ``"v"``,
    ///     the moments: arrays of shape (n_parameters,) laid out like `MLP.parameters`.
    ///
    /// Raises
    /// ------
    /// RuntimeError
    ///     If the optimizer is training a network.
    fn state_dict<'py>(&self, py: Python<'py>) -> BindResult<Bound<'py, PyDict>> {
        self.0.state_dict(py)
    }

    /// Go on from a state that `state_dict` returned.
    ///
    /// Parameters
    /// ----------
    /// state : dict
    ///     ``"step"`` and, unless no step was made, ``"m"`` and ``"v"``; it is copied. The settings,
    ///     such as the learning rate, are no part of it.
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
    fn load_state_dict(&self, state: &Bound<'_, PyDict>) -> BindResult<()> {
        self.0.load_state_dict(state)
    }

    /// Forget the state, as if no step had been made; then any network can be trained.
    ///
    /// Raises
    /// ------
    /// RuntimeError
    ///     If the optimizer is training a network.
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
