//! The arguments of dropout.

use fastmlp_core::{Dropout, Error};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::error::{BindError, BindResult};

/// Dropout, and the seed of its masks if the caller gave one.
pub(crate) struct SeededDropout {
    pub(crate) dropout: Dropout,
    pub(crate) seed: Option<u64>,
}

impl SeededDropout {
    /// The arguments of a call that draws no seed itself.
    pub(crate) fn seeded(self) -> BindResult<Self> {
        if self.seed.is_none() && !self.dropout.is_none() {
            let expected = "an integer: the masks of dropout are a function of it";
            return Err(Error::value("seed", "None", expected).into());
        }
        Ok(self)
    }

    /// The arguments of the core; `draw` makes a seed if none was given.
    pub(crate) fn masks(&self, draw: impl FnOnce() -> u64) -> Option<(&Dropout, u64)> {
        (!self.dropout.is_none()).then(|| (&self.dropout, self.seed.unwrap_or_else(draw)))
    }
}

/// The rates of hidden layers, and of the inputs where `input` is not 0.
pub(crate) fn dropout(hidden: Option<&Bound<'_, PyAny>>, input: f64, n_hidden: usize) -> BindResult<Dropout> {
    Ok(of_hidden(hidden, n_hidden)?.with_input(input)?)
}

/// `dropout`: none, one rate, or one per hidden layer.
fn of_hidden(object: Option<&Bound<'_, PyAny>>, n_hidden: usize) -> BindResult<Dropout> {
    let Some(object) = object else { return Ok(Dropout::default()) };
    let wrong = || BindError::type_error("dropout", object, "a number, or a sequence of numbers");
    if object.is_instance_of::<PyString>() {
        return Err(wrong());
    }
    if let Ok(rate) = object.extract::<f64>() {
        return Ok(Dropout::new(&[rate], n_hidden)?);
    }
    let rates = object.try_iter().map_err(|_| wrong())?;
    let rates = rates.map(|rate| rate.and_then(|rate| rate.extract()).map_err(|_| wrong()));
    let rates = rates.collect::<BindResult<Vec<f64>>>()?;
    if rates.len() != n_hidden {
        let found = format_args!("a sequence of {}", rates.len()).to_string();
        let expected = format!("one number, or a sequence of {n_hidden}: one per hidden layer");
        return Err(Error::value("dropout", found, expected).into());
    }
    Ok(Dropout::new(&rates, n_hidden)?)
}
