//! y: classes of rows, or a number for each output.

use std::ops::Range;

use fastmlp_core::{Error, Labels, Network};
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
    /// (n,), where a row has one target.
    Column(PyReadonlyArray1<'py, T>),
}

/// Views of the targets, which need no interpreter.
pub(crate) enum TargetViews<'a, T> {
    Classes(Box<dyn Labels + 'a>),
    /// Whether they were a vector.
    Values(ArrayView2<'a, T>, bool),
}

impl<'py, T: PyScalar> TargetArray<'py, T> {
    /// The array `name` as the network wants it.
    pub(crate) fn extract(
        name: &'static str,
        object: &Bound<'py, PyAny>,
        network: &Network,
    ) -> BindResult<Self> {
        if network.has_classes() {
            return Ok(Self::Classes(LabelArray::extract(name, object)?));
        }
        let dimensions = object.cast::<PyUntypedArray>().map_or(2, PyUntypedArrayMethods::ndim);
        let (loss, d_out) = (network.loss(), network.layout().d_out());
        if dimensions == 1 && loss.n_targets(d_out).is_none_or(|n| n == 1) {
            let array = untyped(name, object, String::new)?;
            let cast = || format!("{name}.astype(numpy.{})", T::DTYPE);
            return Ok(Self::Column(borrow(name, &array, cast)?));
        }
        if dimensions != 2 {
            let shape =
                object.cast::<PyUntypedArray>().map(|array| array.shape().to_vec()).unwrap_or_default();
            return Err(Error::shape(name, &shape, loss.shape_of_targets(d_out)).into());
        }
        Ok(Self::Values(Matrix::extract(name, object)?))
    }

    pub(crate) fn view(&self) -> TargetViews<'_, T> {
        match self {
            Self::Classes(labels) => TargetViews::Classes(labels.view()),
            Self::Values(values) => TargetViews::Values(values.view(), false),
            Self::Column(values) => TargetViews::Values(values.as_array().insert_axis(Axis(1)), true),
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
