//! The loss of a network, as Python writes it: a name, or an object of `fastmlp.losses`.

use fastmlp_core::Loss;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use crate::argument::converted;
use crate::error::{BindError, BindResult};

/// Refuse numbers that a loss does not take.
///
/// Parameters
/// ----------
/// name : str
///     The loss.
/// numbers : sequence of float
///     Its numbers.
///
/// Raises
/// ------
/// ValueError
///     If there is no such loss, or a number is out of its range.
#[pyfunction]
#[pyo3(name = "_check_loss")]
#[allow(clippy::needless_pass_by_value, reason = "what PyO3 extracts")]
pub(crate) fn check_loss(name: &str, numbers: Vec<f64>) -> BindResult<()> {
    Loss::from_name(name, &numbers)?;
    Ok(())
}

/// The loss that an argument is.
pub(crate) fn loss(object: &Bound<'_, PyAny>) -> BindResult<Loss> {
    if object.is_instance_of::<PyString>() {
        return Ok(Loss::from_name(converted("loss", object, "a name")?, &[])?);
    }
    let base = module(object.py())?.getattr("Loss")?;
    if object.is_instance(&base)? {
        let (name, numbers): (String, Vec<f64>) = object.call_method0("_description")?.extract()?;
        return Ok(Loss::from_name(&name, &numbers)?);
    }
    let class = object.cast::<PyType>().ok();
    if let Some(class) = class
        && class.is_subclass(&base)?
    {
        let class = class.qualname()?;
        let expected = "an object of it, made with its numbers in parentheses, such as Huber(1.35)";
        return Err(BindError::Type(format!("loss is the class {class}, expected {expected}")));
    }
    if object.is_callable() && class.is_none() {
        return Ok(Loss::Function);
    }
    let expected = "None, a name, one of fastmlp.losses or a function of (y, raw)";
    Err(BindError::type_error("loss", object, expected))
}

/// The object of `fastmlp.losses` that stands for a loss that has a name.
pub(crate) fn as_object<'py>(py: Python<'py>, loss: &Loss) -> PyResult<Bound<'py, PyAny>> {
    module(py)?.call_method1("_of", (loss.name(), loss.numbers()))
}

fn module(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import("fastmlp.losses")
}
