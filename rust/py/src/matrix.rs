//! Floating-point arrays that calls read in place.

use std::ops::Range;

use fastmlp_core::Error;
use ndarray::{ArrayView2, Ix1};
use numpy::{PyArray2, PyArrayMethods, PyReadonlyArray, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::array::{PyScalar, as_array, borrow, matrix, readonly, span, unmasked, untyped};
use crate::error::BindResult;
use crate::out::is_any_written;

/// A floating-point matrix that is read in place.
pub(crate) struct Matrix<'py, T: PyScalar>(PyReadonlyArray2<'py, T>);

impl<'py, T: PyScalar> Matrix<'py, T> {
    /// The array `name`, if it is a matrix of this type.
    pub(crate) fn extract(name: &'static str, object: &Bound<'py, PyAny>) -> BindResult<Self> {
        let array = &untyped(name, object, || as_array(name, T::DTYPE))?;
        Ok(Self(readonly(name, matrix(name, array)?)?))
    }

    pub(crate) fn view(&self) -> ArrayView2<'_, T> {
        self.0.as_array()
    }

    /// The range of its addresses.
    pub(crate) fn span(&self) -> Range<usize> {
        span(self.0.as_untyped())
    }
}

/// A vector that is laid out like the parameters.
pub(crate) struct Vector<'py, T: PyScalar>(&'static str, PyReadonlyArray<'py, T, Ix1>);

impl<'py, T: PyScalar> Vector<'py, T> {
    /// The array `name`, if it is a vector of this type and length.
    pub(crate) fn extract(name: &'static str, object: &Bound<'py, PyAny>, len: usize) -> BindResult<Self> {
        let array = &untyped(name, object, || as_array(name, T::DTYPE))?;
        if array.shape() != [len] {
            return Err(Error::shape(name, array.shape(), format!("({len},)")).into());
        }
        Ok(Self(name, borrow(name, array, || format!("{name}.astype(numpy.{})", T::DTYPE))?))
    }

    /// The numbers, if they are contiguous.
    pub(crate) fn view(&self) -> BindResult<&[T]> {
        self.1.as_slice().map_err(|_| {
            let expected = format!("a contiguous vector: use {}.copy()", self.0);
            Error::value(self.0, "an array with gaps", expected).into()
        })
    }

    /// The range of its addresses.
    pub(crate) fn span(&self) -> Range<usize> {
        span(self.1.as_untyped())
    }
}

/// A floating-point matrix that a call without a gradient reads.
pub(crate) enum Input<'a, 'py, T: PyScalar> {
    /// The caller's own object, for a call that ends before other code can change it.
    Attached(&'a Bound<'py, PyArray2<T>>),
    /// A borrowed view, for a call that lets other code run.
    Borrowed(Matrix<'py, T>),
}

impl<'a, 'py, T: PyScalar> Input<'a, 'py, T> {
    /// The array `name`, if it is a matrix of this type.
    ///
    /// `is_alone` tells for a number of rows whether no Python code runs from here to the end of
    /// the call, which then stays attached to the interpreter: no other code can change the array
    /// or begin to write to it. Without a global lock other code runs all the same.
    pub(crate) fn extract(
        name: &'static str,
        object: &'a Bound<'py, PyAny>,
        is_alone: impl Fn(usize) -> bool,
    ) -> BindResult<Self> {
        let array = matrix(name, unmasked(name, object, || as_array(name, T::DTYPE))?)?;
        let has_lock = cfg!(not(Py_GIL_DISABLED));
        if has_lock && !is_any_written() && is_alone(array.shape()[0]) {
            return Ok(Self::Attached(array));
        }
        Ok(Self::Borrowed(Matrix::extract(name, object)?))
    }

    pub(crate) fn view(&self) -> ArrayView2<'_, T> {
        match self {
            // SAFETY: no code writes to the array, and none can begin to before the call returns; see `extract`.
            Self::Attached(array) => unsafe { array.as_array() },
            Self::Borrowed(matrix) => matrix.view(),
        }
    }

    /// The range of its addresses.
    pub(crate) fn span(&self) -> Range<usize> {
        match self {
            Self::Attached(array) => span(array.as_untyped()),
            Self::Borrowed(matrix) => matrix.span(),
        }
    }
}
