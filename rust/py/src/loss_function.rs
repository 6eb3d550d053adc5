//! A loss that is a function of the caller's: called for whole batches, with copies of what it is about.

use std::cell::RefCell;

use fastmlp_core::{BatchLoss, Error, LossBatch, Result};
use ndarray::{Dimension, IxDyn};
use numpy::{PyArray1, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::array::{PyScalar, borrow, untyped};
use crate::error::{BindError, BindResult};

/// What Python gave as `loss`.
pub(crate) struct LossFunction(Py<PyAny>);

impl LossFunction {
    pub(crate) fn new(callable: &Bound<'_, PyAny>) -> Self {
        Self(callable.clone().unbind())
    }

    pub(crate) fn callable<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.0.bind(py)
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.0)
    }

    fn call<T: PyScalar>(
        &self,
        py: Python<'_>,
        batch: &LossBatch<'_, T>,
        losses: &mut [T],
        d_raw: &mut [T],
    ) -> BindResult<()> {
        let _turn = Turn::of(self)?;
        let (n, d_out) = (batch.n, batch.raw.len() / batch.n.max(1));
        let y = PyArray1::from_slice(py, batch.y);
        let y = match batch.n_targets {
            None => y.into_any(),
            Some(width) => y.reshape([n, width])?.into_any(),
        };
        let raw = PyArray1::from_slice(py, batch.raw).reshape([n, d_out])?;
        let callable = self.callable(py);
        let result = callable.call1((y, raw))?;
        // Sums that are no numbers any more have losses that are none: training says so itself.
        let is_finite = batch.raw.iter().all(|sum| sum.is_finite());
        Self::take(&result, (losses, d_raw), &[n, d_out], is_finite).map_err(|error| {
            let name = callable.getattr("__name__").or_else(|_| callable.get_type().getattr("__name__"));
            let name = name.map_or_else(|_| "loss".to_owned(), |name| format!("loss {name}"));
            match error {
                BindError::Type(message) => BindError::Type(format!("{name}: {message}")),
                BindError::Core(Error::LossNotFinite(message)) => {
                    Error::LossNotFinite(format!("{name}: {message}")).into()
                }
                BindError::Core(error) => PyValueError::new_err(format!("{name}: {error}")).into(),
                other => other,
            }
        })
    }

    /// Copies what the function returned.
    fn take<T: PyScalar>(
        result: &Bound<'_, PyAny>,
        (losses, d_raw): (&mut [T], &mut [T]),
        shape: &[usize; 2],
        is_finite: bool,
    ) -> BindResult<()> {
        let expected = "a tuple (losses, d_raw)";
        let pair = result
            .cast::<PyTuple>()
            .map_err(|_| BindError::type_error("what it returned", result, expected))?;
        if pair.len() != 2 {
            let found = format!("a tuple of {}", pair.len());
            return Err(Error::value("what it returned", found, expected).into());
        }
        copy("losses", &pair.get_item(0)?, &shape[..1], losses, is_finite)?;
        copy("d_raw", &pair.get_item(1)?, shape, d_raw, is_finite)
    }
}

impl<T: PyScalar> BatchLoss<T> for LossFunction {
    fn eval(&self, batch: LossBatch<'_, T>, losses: &mut [T], d_raw: &mut [T]) -> Result<()> {
        Python::attach(|py| self.call(py, &batch, losses, d_raw)).map_err(|error| match error {
            BindError::Core(error @ Error::LossNotFinite(_)) => error,
            error => Error::LossFunction(Box::new(PyErr::from(error))),
        })
    }
}

/// Copies the numbers of an array of this shape, which must be finite if that is asked for.
fn copy<T: PyScalar>(
    name: &'static str,
    object: &Bound<'_, PyAny>,
    shape: &[usize],
    to: &mut [T],
    is_finite: bool,
) -> BindResult<()> {
    let cast = || format!("{name}.astype(numpy.{})", T::DTYPE);
    let array = untyped(name, object, || format!("numpy.asarray({name}, dtype=numpy.{})", T::DTYPE))?;
    if array.shape() != shape {
        let expected = fastmlp_core::Shape(shape).to_string();
        return Err(Error::shape(name, array.shape(), expected).into());
    }
    let values = borrow::<T, IxDyn>(name, &array, cast)?;
    for ((index, &value), to) in values.as_array().indexed_iter().zip(to) {
        if is_finite && !value.is_finite() {
            let place: Vec<_> = index.slice().iter().map(usize::to_string).collect();
            let found = format!("{name} is {value} at [{}], expected finite numbers", place.join(", "));
            return Err(Error::LossNotFinite(found).into());
        }
        *to = value;
    }
    Ok(())
}

thread_local! {
    /// Functions at work on this thread, the last called at the end.
    static AT_WORK: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// A call of a function, which may not lead to another call of it: that one would lead to the next.
struct Turn;

impl Turn {
    fn of(function: &LossFunction) -> BindResult<Self> {
        let this = function.0.as_ptr() as usize;
        AT_WORK.with_borrow_mut(|at_work| {
            if at_work.contains(&this) {
                return Err(BindError::Busy("the loss function asked for the loss of its own network"));
            }
            at_work.push(this);
            Ok(Self)
        })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        AT_WORK.with_borrow_mut(Vec::pop);
    }
}
