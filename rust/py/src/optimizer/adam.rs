//! The class `Adam`.

use std::collections::BTreeMap;

use fastmlp_core::{Adam as AdamRule, Options, Rule};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::Optimizer;
use super::options::{OptionArguments, call, reduced};
use crate::argument;
use crate::error::BindResult;

/// Adam: steps scaled by running means of the gradient and of its square.
///
/// The state, which continues from call to call of `MLP.step` and `MLP.fit`, belongs to networks of
/// one size and dtype. An optimizer can be copied and pickled together with its state.
///
/// Parameters
/// ----------
/// learning_rate : float, default=0.001
///     Length of a step: finite, > 0.
/// beta_1 : float, default=0.9
///     Decay rate of the mean of the gradient, in [0, 1).
/// beta_2 : float, default=0.999
///     Decay rate of the mean of its square, in [0, 1).
/// epsilon : float, default=1e-8
///     Added to the divisor, which keeps the quotient finite: finite, > 0.
/// epsilon_hat : bool, default=False
///     Whether epsilon is added before the correction of the root, as in scikit-learn.
/// clip_norm : float, default=None
///     The largest norm of a gradient: a gradient with a larger norm is scaled down to it before
///     the step. Finite, > 0; None clips nothing.
/// schedule : {"constant", "cosine", "linear", "one_cycle"}, default=None
///     How the learning rate changes from step to step of a fit; see `Optimizer`. None leaves it as
///     it is.
/// warmup : float, default=None
///     Fraction of the steps of a fit during which the learning rate rises, in [0, 1). None is 0.3
///     for ``"one_cycle"`` and 0 for the other schedules.
/// lr_factors : dict of str to float, default=None
///     Factors of the learning rate for the parameters of a role: ``"weight"``, ``"bias"``,
///     ``"gain"``, ``"shift"``, ``"scale"`` or ``"slope"``. Finite, > 0, and 1 for roles that are
///     not named; roles that a network does not have are ignored.
///
/// Attributes
/// ----------
/// learning_rate : float
///     Length of a step; it can be set.
/// beta_1 : float
///     Decay rate of the mean of the gradient.
/// beta_2 : float
///     Decay rate of the mean of its square.
/// epsilon : float
///     Added to the divisor, which keeps the quotient finite.
/// epsilon_hat : bool
///     Whether epsilon is added before the correction of the root.
/// clip_norm, schedule, warmup, lr_factors : object
///     As given.
///
/// Raises
/// ------
/// TypeError
///     If an argument is of the wrong type.
/// ValueError
///     If an argument is out of its range, or names no schedule or role.
///
/// See Also
/// --------
/// AdamW : Adam with decoupled weight decay.
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
/// which is algorithm 1 of [1]. With `epsilon_hat` the last line is the one at the end of its
/// section 2 ::
///
///     p = p - learning_rate * (m / (1 - beta_1**t)) * sqrt(1 - beta_2**t) / (sqrt(v) + epsilon)
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
#[pyclass(frozen, subclass, extends = Optimizer, module = "fastmlp")]
pub(crate) struct Adam;

#[pymethods]
impl Adam {
    #[new]
    #[allow(clippy::too_many_arguments, reason = "those of the class")]
    #[pyo3(signature = (
        learning_rate = 0.001, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-8, epsilon_hat = false, *, clip_norm = None, schedule = None, warmup = None,
        lr_factors = None
    ))]
    fn new(
        #[pyo3(from_py_with = argument::learning_rate)] learning_rate: f64,
        #[pyo3(from_py_with = argument::beta_1)] beta_1: f64,
        #[pyo3(from_py_with = argument::beta_2)] beta_2: f64,
        #[pyo3(from_py_with = argument::epsilon)] epsilon: f64,
        #[pyo3(from_py_with = argument::epsilon_hat)] epsilon_hat: bool,
        #[pyo3(from_py_with = argument::clip_norm)] clip_norm: Option<f64>,
        #[pyo3(from_py_with = argument::schedule)] schedule: Option<&str>,
        #[pyo3(from_py_with = argument::warmup)] warmup: Option<f64>,
        #[pyo3(from_py_with = argument::lr_factors)] lr_factors: Option<BTreeMap<String, f64>>,
    ) -> BindResult<PyClassInitializer<Self>> {
        let rule = AdamRule::new(learning_rate, beta_1, beta_2, epsilon)?.with_epsilon_hat(epsilon_hat);
        let given = OptionArguments { clip_norm, schedule, warmup, lr_factors, decay_roles: None };
        Ok(Self::of(rule, given.options()?))
    }

    /// Decay rate of the mean of the gradient: float in [0, 1).
    #[getter]
    fn beta_1(slf: &Bound<'_, Self>) -> f64 {
        rule(slf).beta_1()
    }

    /// Decay rate of the mean of the gradient's square: float in [0, 1).
    #[getter]
    fn beta_2(slf: &Bound<'_, Self>) -> f64 {
        rule(slf).beta_2()
    }

    /// Added to the divisor, which keeps the quotient finite: float > 0.
    #[getter]
    fn epsilon(slf: &Bound<'_, Self>) -> f64 {
        rule(slf).epsilon()
    }

    /// Whether epsilon is added before the correction of the root: bool.
    #[getter]
    fn epsilon_hat(slf: &Bound<'_, Self>) -> bool {
        rule(slf).epsilon_hat()
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> BindResult<Bound<'py, PyTuple>> {
        let rule = rule(slf);
        let (rate, epsilon) = (rule.learning_rate(), rule.epsilon());
        let settings = (rate, rule.beta_1(), rule.beta_2(), epsilon, rule.epsilon_hat());
        reduced(slf.as_super(), slf.get_type(), settings)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> BindResult<String> {
        let rule = rule(slf);
        let epsilon_hat = if rule.epsilon_hat() { ", epsilon_hat=True" } else { "" };
        call(slf.as_super(), "Adam", &(settings(rule) + epsilon_hat))
    }
}

impl Adam {
    /// The Python object of a rule.
    pub(super) fn of(rule: AdamRule, options: Options) -> PyClassInitializer<Self> {
        PyClassInitializer::from(Optimizer::new(Rule::Adam(rule), options)).add_subclass(Self)
    }
}

/// The arguments of `Adam`, by name.
pub(super) fn settings(rule: AdamRule) -> String {
    let (rate, epsilon) = (rule.learning_rate(), rule.epsilon());
    format!(
        "learning_rate={rate:?}, beta_1={:?}, beta_2={:?}, epsilon={epsilon:?}",
        rule.beta_1(),
        rule.beta_2()
    )
}

pub(super) fn rule(optimizer: &Bound<'_, Adam>) -> AdamRule {
    match optimizer.as_super().get().rule() {
        Rule::Adam(rule) => rule,
        Rule::Sgd(_) => unreachable!("the rule was made with the class"),
    }
}
