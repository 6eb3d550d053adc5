//! Arguments that PyO3 converts: its own errors name the argument only in a note; these name it in the
//! message.

use std::collections::BTreeMap;

use fastmlp_core::Error;
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyUnicodeError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::BindError;

/// Defines a function for each argument, with which `from_py_with` converts it.
macro_rules! arguments {
    ($($name:ident: $type:ty, $expected:literal;)*) => {$(
        pub(crate) fn $name<'a, 'py>(object: &'a pyo3::Bound<'py, pyo3::PyAny>) -> pyo3::PyResult<$type> {
            $crate::argument::converted(stringify!($name), object, $expected)
        }
    )*};
}
pub(crate) use arguments;

arguments! {
    alpha: f64, "a number";
    beta_1: f64, "a number";
    beta_2: f64, "a number";
    clip_norm: Option<f64>, "None or a number";
    decay_roles: Option<Vec<String>>, "None or a sequence of str";
    epsilon: f64, "a number";
    epsilon_hat: bool, "a bool";
    init: &'a str, "a str";
    init_scale: Option<f64>, "None or a number";
    input_dropout: f64, "a number";
    input_scale: bool, "a bool";
    learning_rate: f64, "a number";
    lr_factors: Option<BTreeMap<String, f64>>, "None or a dict of str to number";
    momentum: f64, "a number";
    nesterov: bool, "a bool";
    normalization: Option<&'a str>, "None or a str";
    of: &'a str, "a str";
    output: Option<&'a str>, "None or a str";
    parametric_activation: bool, "a bool";
    report: &'a str, "a str";
    scaled_velocity: bool, "a bool";
    schedule: Option<&'a str>, "None or a str";
    shuffle: bool, "a bool";
    state: Bound<'py, PyDict>, "a dict";
    tau: f64, "a number";
    tol: f64, "a number";
    warmup: Option<f64>, "None or a number";
    weight_decay: f64, "a number";
}

/// An optional argument for which None is a value like any other, and not the same as no argument.
#[allow(clippy::unnecessary_wraps, reason = "the form that from_py_with asks for")]
pub(crate) fn given<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    Ok(Some(object.clone()))
}

/// The converted object, or an error that names the argument. Exceptions of the object's own code
/// pass through.
pub(crate) fn converted<'a, 'py, T: FromPyObject<'a, 'py>>(
    name: &'static str,
    object: &'a Bound<'py, PyAny>,
    expected: &str,
) -> PyResult<T> {
    object.extract().map_err(|error: T::Error| {
        let (py, error) = (object.py(), error.into());
        if error.is_instance_of::<PyTypeError>(py) {
            BindError::type_error(name, object, expected).into()
        } else if error.is_instance_of::<PyOverflowError>(py) {
            BindError::from(Error::value(name, "out of range", expected)).into()
        } else if error.is_instance_of::<PyUnicodeError>(py) {
            BindError::from(Error::value(name, "text that is not Unicode", expected)).into()
        } else {
            error
        }
    })
}
