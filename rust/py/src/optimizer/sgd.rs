//! The class `SGD`.

use std::collections::BTreeMap;

use fastmlp_core::{Rule, Sgd as SgdRule};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::base::{Optimizer, call, reduced};
use super::options::OptionArguments;
use crate::argument;
use crate::error::BindResult;

#[doc = docstring!("SGD")]
#[pyclass(frozen, extends = Optimizer, module = "fastmlp")]
#[allow(clippy::upper_case_acronyms, reason = "the name users know")]
pub(crate) struct SGD;

#[pymethods]
impl SGD {
    #[new]
    #[allow(clippy::too_many_arguments, reason = "those of the class")]
    #[pyo3(signature = (
        learning_rate = 0.01, momentum = 0.0, nesterov = false, scaled_velocity = false, *, clip_norm = None, schedule = None, warmup = None,
        lr_factors = None
    ))]
    fn new(
        #[pyo3(from_py_with = argument::learning_rate)] learning_rate: f64,
        #[pyo3(from_py_with = argument::momentum)] momentum: f64,
        #[pyo3(from_py_with = argument::nesterov)] nesterov: bool,
        #[pyo3(from_py_with = argument::scaled_velocity)] scaled_velocity: bool,
        #[pyo3(from_py_with = argument::clip_norm)] clip_norm: Option<f64>,
        #[pyo3(from_py_with = argument::schedule)] schedule: Option<&str>,
        #[pyo3(from_py_with = argument::warmup)] warmup: Option<f64>,
        #[pyo3(from_py_with = argument::lr_factors)] lr_factors: Option<BTreeMap<String, f64>>,
    ) -> BindResult<PyClassInitializer<Self>> {
        let rule = SgdRule::new(learning_rate, momentum, nesterov)?.with_scaled_velocity(scaled_velocity);
        let given = OptionArguments { clip_norm, schedule, warmup, lr_factors, decay_roles: None };
        let optimizer = Optimizer::new(Rule::Sgd(rule), given.options()?);
        Ok(PyClassInitializer::from(optimizer).add_subclass(Self))
    }

    /// Fraction of the velocity that each step keeps: float in [0, 1].
    #[getter]
    fn momentum(slf: &Bound<'_, Self>) -> f64 {
        rule(slf).momentum()
    }

    /// Whether steps look ahead: bool.
    #[getter]
    fn nesterov(slf: &Bound<'_, Self>) -> bool {
        rule(slf).nesterov()
    }

    /// Whether the velocity sums steps: bool.
    #[getter]
    fn scaled_velocity(slf: &Bound<'_, Self>) -> bool {
        rule(slf).scaled_velocity()
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> BindResult<Bound<'py, PyTuple>> {
        let rule = rule(slf);
        let settings = (rule.learning_rate(), rule.momentum(), rule.nesterov(), rule.scaled_velocity());
        reduced(slf.as_super(), slf.get_type(), settings)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> BindResult<String> {
        let rule = rule(slf);
        let nesterov = if rule.nesterov() { "True" } else { "False" };
        let scaled_velocity = if rule.scaled_velocity() { ", scaled_velocity=True" } else { "" };
        let (rate, momentum) = (rule.learning_rate(), rule.momentum());
        let settings =
            format!("learning_rate={rate:?}, momentum={momentum:?}, nesterov={nesterov}{scaled_velocity}");
        call(slf.as_super(), "SGD", &settings)
    }
}

fn rule(optimizer: &Bound<'_, SGD>) -> SgdRule {
    match optimizer.as_super().get().rule() {
        Rule::Sgd(rule) => rule,
        Rule::Adam(_) => unreachable!("the rule was made with the class"),
    }
}
