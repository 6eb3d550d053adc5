//! The class `AdamW`.

use std::collections::BTreeMap;

use fastmlp_core::Adam as AdamRule;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::adam::{Adam, rule, settings};
use super::base::{call, reduced};
use super::options::{OptionArguments, decay_roles};
use crate::argument;
use crate::error::BindResult;

#[doc = docstring!("AdamW")]
#[pyclass(frozen, extends = Adam, module = "fastmlp")]
pub(crate) struct AdamW;

#[pymethods]
impl AdamW {
    #[new]
    #[allow(clippy::too_many_arguments, reason = "those of the class")]
    #[pyo3(signature = (
        learning_rate = 0.001, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-8, weight_decay = 0.01, *, clip_norm = None, schedule = None, warmup = None,
        lr_factors = None, decay_roles = None
    ))]
    fn new(
        #[pyo3(from_py_with = argument::learning_rate)] learning_rate: f64,
        #[pyo3(from_py_with = argument::beta_1)] beta_1: f64,
        #[pyo3(from_py_with = argument::beta_2)] beta_2: f64,
        #[pyo3(from_py_with = argument::epsilon)] epsilon: f64,
        #[pyo3(from_py_with = argument::weight_decay)] weight_decay: f64,
        #[pyo3(from_py_with = argument::clip_norm)] clip_norm: Option<f64>,
        #[pyo3(from_py_with = argument::schedule)] schedule: Option<&str>,
        #[pyo3(from_py_with = argument::warmup)] warmup: Option<f64>,
        #[pyo3(from_py_with = argument::lr_factors)] lr_factors: Option<BTreeMap<String, f64>>,
        #[pyo3(from_py_with = argument::decay_roles)] decay_roles: Option<Vec<String>>,
    ) -> BindResult<PyClassInitializer<Self>> {
        let rule = AdamRule::new(learning_rate, beta_1, beta_2, epsilon)?.with_weight_decay(weight_decay)?;
        let given = OptionArguments { clip_norm, schedule, warmup, lr_factors, decay_roles };
        Ok(Adam::of(rule, given.options()?).add_subclass(Self))
    }

    /// Weight decay coefficient: float >= 0.
    #[getter]
    fn weight_decay(slf: &Bound<'_, Self>) -> f64 {
        rule(slf.as_super()).weight_decay()
    }

    /// Roles whose parameters decay: tuple of str; None if all do.
    #[getter]
    fn decay_roles<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        decay_roles(slf.as_super().as_super().get().options(), slf.py())
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> BindResult<Bound<'py, PyTuple>> {
        let adam = slf.as_super();
        let rule = rule(adam);
        let (rate, epsilon) = (rule.learning_rate(), rule.epsilon());
        let settings = (rate, rule.beta_1(), rule.beta_2(), epsilon, rule.weight_decay());
        reduced(adam.as_super(), slf.get_type(), settings)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> BindResult<String> {
        let rule = rule(slf.as_super());
        let settings = format!("{}, weight_decay={:?}", settings(rule), rule.weight_decay());
        call(slf.as_super().as_super(), "AdamW", &settings)
    }
}
