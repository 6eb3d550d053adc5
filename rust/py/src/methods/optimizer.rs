//! The methods of `Optimizer`: one of them takes a network, whose methods take optimizers, so that the methods of both
//! stand behind both classes.

use fastmlp_core::RateSchedule;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::argument::{self, arguments};
use crate::error::BindResult;
use crate::integer::count;
use crate::mlp::MLP;
use crate::optimizer::{Optimizer, lr_factors};
use crate::out::zeros;

arguments! {
    mlp: Bound<'py, MLP>, "an MLP";
}

#[pymethods]
impl Optimizer {
    /// Length of a step: float, finite, > 0; a new value takes effect from the next epoch or step
    /// on.
    #[getter]
    fn learning_rate(&self) -> f64 {
        self.rule().learning_rate()
    }

    #[setter]
    fn set_learning_rate(&self, value: &Bound<'_, PyAny>) -> BindResult<()> {
        self.change_learning_rate(argument::learning_rate(value)?)
    }

    /// The largest norm of a gradient: float > 0, or None.
    #[getter]
    fn clip_norm(&self) -> Option<f64> {
        self.options().clip_norm()
    }

    /// How the learning rate changes from step to step of a fit: str, or None.
    #[getter]
    fn schedule(&self) -> Option<&'static str> {
        self.options().schedule().map(RateSchedule::name)
    }

    /// Fraction of the steps of a fit during which the learning rate rises: float in [0, 1), or
    /// None.
    #[getter]
    fn warmup(&self) -> Option<f64> {
        self.options().schedule().and_then(RateSchedule::warmup)
    }

    /// Factors of the learning rate by role, for those that are not 1: dict, or None.
    #[getter]
    fn lr_factors<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        lr_factors(self.options(), py)
    }

    #[doc = docstring!("Optimizer.learning_rates")]
    fn learning_rates<'py>(
        &self,
        py: Python<'py>,
        n_steps: &Bound<'py, PyAny>,
    ) -> BindResult<Bound<'py, PyAny>> {
        let n = count("n_steps", n_steps, 0)?;
        let (rate, steps) = (self.learning_rate(), n as u64);
        let mut rates = zeros::<f64, 1>(py, [n])?;
        for (to, step) in rates.slice_mut().iter_mut().zip(0..) {
            *to = rate * self.options().rate_factor(step, steps);
        }
        Ok(rates.into_any())
    }

    #[doc = docstring!("Optimizer.step")]
    fn step(
        &self,
        #[pyo3(from_py_with = mlp)] mlp: Bound<'_, MLP>,
        gradient: &Bound<'_, PyAny>,
    ) -> BindResult<()> {
        mlp.get().engine.descend(gradient, self)
    }

    #[doc = docstring!("Optimizer.reset")]
    fn reset(&self) -> BindResult<()> {
        self.forget()
    }

    #[doc = docstring!("Optimizer.state_dict")]
    fn state_dict<'py>(&self, py: Python<'py>) -> BindResult<Bound<'py, PyDict>> {
        self.saved(py)
    }

    #[doc = docstring!("Optimizer.load_state_dict")]
    fn load_state_dict(
        &self,
        #[pyo3(from_py_with = argument::state)] state: Bound<'_, PyDict>,
    ) -> BindResult<()> {
        self.load(&state)
    }

    fn __setstate__(&self, state: Bound<'_, PyDict>) -> BindResult<()> {
        self.load_state_dict(state)
    }
}
