//! y: classes of rows, or a number for each output.

use std::ops::Range;

use fastmlp_core::{Error, Labels, Output};
use ndarray::{ArrayView2, Axis};
use numpy::{PyArrayMethods, PyReadonlyArray1, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::array::{LabelArray, Matrix, PyScalar, borrow, span, untyped};
use crate::error::BindResult;

/// The targets of a call, borrowed.
pub(crate) enum TargetArray<'py, T: PyScalar> {
    Classes(LabelArray<'py>),
    /// (n, `d_out`)
    Values(Matrix<'py, T>),
    /// (n,), for a network with one output.
    Column(PyReadonlyArray1<'py, T>),
}

/// Views of the targets, which need no interpreter.
pub(crate) enum TargetViews<'a, T> {
    Classes(Box<dyn Labels + 'a>),
    Values(ArrayView2<'a, T>),
}

impl<'py, T: PyScalar> TargetArray<'py, T> {
    /// The array `name` in the form that a network with this output and so many outputs needs.
    pub(crate) fn extract(
        name: &'static str,
        object: &Bound<'py, PyAny>,
        output: Output,
        d_out: usize,
    ) -> BindResult<Self> {
        if output == Output::Softmax {
            return Ok(Self::Classes(LabelArray::extract(name, object)?));
        }
        let dimensions = object.cast::<PyUntypedArray>().map_or(2, PyUntypedArrayMethods::ndim);
        if dimensions == 1 && d_out == 1 {
            let array = untyped(name, object, String::new)?;
            let cast = || format!("{name}.astype(numpy.{})", T::DTYPE);
            return Ok(Self::Column(borrow(name, &array, cast)?));
        }
        if dimensions != 2 {
            let shape =
                object.cast::<PyUntypedArray>().map(|array| array.shape().to_vec()).unwrap_or_default();
            let expected = format!("(n, {d_out}), one column an output");
            return Err(Error::shape(name, &shape, expected).into());
        }
        Ok(Self::Values(Matrix::extract(name, object)?))
    }

    pub(crate) fn view(&self) -> TargetViews<'_, T> {
        match self {
            Self::Classes(labels) => TargetViews::Classes(labels.view()),
            Self::Values(values) => TargetViews::Values(values.view()),
            Self::Column(values) => TargetViews::Values(values.as_array().insert_axis(Axis(1))),
        }
    }

    /// The addresses it spans.
    pub(crate) fn span(&self) -> Range<usize> {
        match self {
            Self::Classes(labels) => labels.span(),
            Self::Values(values) => values.span(),
            Self::Column(values) => span(values.as_untyped()),
        }
    }
}
