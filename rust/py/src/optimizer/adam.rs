//! The class `Adam`.

use std::collections::BTreeMap;

use fastmlp_core::{Adam as AdamRule, Options, Rule};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::base::{Optimizer, call, reduced};
use super::options::OptionArguments;
use crate::argument;
use crate::error::BindResult;

#[doc = docstring!("Adam")]
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
