//! From causes of errors to classes of exceptions.

use fastmlp_core::Error;
use pyo3::exceptions::{
    PyKeyboardInterrupt, PyMemoryError, PyOSError, PyRuntimeError, PyTypeError, PyValueError,
};
use pyo3::prelude::*;

pyo3::create_exception!(
    fastmlp,
    DivergenceError,
    pyo3::exceptions::PyArithmeticError,
    "Training met a loss, a gradient or a step that is not finite.\n\nThe network keeps the parameters it had before that batch."
);
pyo3::create_exception!(
    fastmlp,
    ModelFileError,
    PyValueError,
    "A model file is damaged, or is not a model file."
);

/// Result of everything in the binding that can fail.
pub(crate) type BindResult<T> = Result<T, BindError>;

/// An error of the core, of Python, or of the binding between them.
#[derive(Debug)]
pub(crate) enum BindError {
    /// An error of the core.
    Core(Error),
    /// An argument of the wrong type, with a message that names it.
    Type(String),
    /// The network or the optimizer is in use by another call.
    Busy(&'static str),
    /// An exception of Python.
    Python(PyErr),
}

impl BindError {
    pub(crate) fn type_error(name: &str, found: &Bound<'_, PyAny>, expected: &str) -> Self {
        let found = found.get_type().name().map_or_else(|_| "unknown".into(), |name| name.to_string());
        Self::Type(format!("{name} is of type {found}, expected {expected}"))
    }
}

impl From<Error> for BindError {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl From<PyErr> for BindError {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<BindError> for PyErr {
    fn from(error: BindError) -> Self {
        let error = match error {
            // What a function of the caller's raised passes through.
            BindError::Core(Error::LossFunction(raised)) => {
                return match raised.downcast::<Self>() {
                    Ok(raised) => *raised,
                    Err(other) => PyRuntimeError::new_err(other.to_string()),
                };
            }
            BindError::Core(error) => error,
            BindError::Type(message) => return PyTypeError::new_err(message),
            BindError::Busy(message) => return PyRuntimeError::new_err(message),
            BindError::Python(error) => return error,
        };
        let message = error.to_string();
        match error {
            Error::Shape { .. }
            | Error::Value { .. }
            | Error::Label { .. }
            | Error::Target { .. }
            | Error::SampleWeight { .. }
            | Error::NoWeight { .. }
            | Error::OptimizerState { .. }
            | Error::Unsavable { .. }
            | Error::LossNotFinite(_)
            | Error::NotFinite { .. } => PyValueError::new_err(message),
            Error::Diverged { .. } | Error::NoStart { .. } => DivergenceError::new_err(message),
            Error::Interrupted => PyKeyboardInterrupt::new_err(()),
            Error::OutOfMemory { .. } | Error::TooLarge { .. } => PyMemoryError::new_err(message),
            // With the number, Python picks the class: FileNotFoundError, PermissionError, ...
            Error::Io { path, source } => {
                // An exception that a Python object raised while it wrote or read.
                let source = match source.downcast::<PyErr>() {
                    Ok(raised) => return raised,
                    Err(source) => source,
                };
                let Some(number) = source.raw_os_error() else {
                    return std::io::Error::new(source.kind(), message).into();
                };
                let text = source.to_string();
                let text = text.split(" (os error").next().unwrap_or_default().to_owned();
                PyOSError::new_err((number, text, path))
            }
            Error::ModelFile { .. } => ModelFileError::new_err(message),
            // The core may name a new cause before this list does.
            _ => PyOSError::new_err(message),
        }
    }
}
