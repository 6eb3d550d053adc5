//! X: a dense NumPy matrix or a sparse SciPy matrix, read in place.

use std::ops::Range;

use fastmlp_core::{Csr, Error, Indices, Inputs};
use ndarray::Ix1;
use numpy::{PyArrayDescrMethods, PyArrayMethods, PyReadonlyArray, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::array::{Input, Matrix, PyScalar, borrow, span, untyped};
use crate::ending::attribute;
use crate::error::{BindError, BindResult};

/// The inputs of a call.
pub(crate) enum InputArray<'a, 'py, T: PyScalar> {
    Dense(Input<'a, 'py, T>),
    Sparse(SparseMatrix<'py, T>),
}

impl<'a, 'py, T: PyScalar> InputArray<'a, 'py, T> {
    /// The matrix `name` for a call that lets others run.
    pub(crate) fn borrowed(name: &'static str, object: &'a Bound<'py, PyAny>) -> BindResult<Self> {
        Ok(match SparseMatrix::extract(name, object)? {
            Some(sparse) => Self::Sparse(sparse),
            None => Self::Dense(Input::Borrowed(Matrix::extract(name, object)?)),
        })
    }

    /// The matrix `name` for a call without a gradient; `is_alone` as for [`Input::extract`].
    pub(crate) fn attached(
        name: &'static str,
        object: &'a Bound<'py, PyAny>,
        is_alone: impl Fn(usize) -> bool,
    ) -> BindResult<Self> {
        Ok(match SparseMatrix::extract(name, object)? {
            Some(sparse) => Self::Sparse(sparse),
            None => Self::Dense(Input::extract(name, object, is_alone)?),
        })
    }

    pub(crate) fn view(&self, name: &'static str) -> BindResult<Inputs<'_, T>> {
        match self {
            Self::Dense(dense) => Ok(dense.view().into()),
            Self::Sparse(sparse) => Ok(sparse.view(name)?.into()),
        }
    }

    /// The range of addresses of each of its arrays.
    pub(crate) fn spans(&self) -> Vec<Range<usize>> {
        match self {
            Self::Dense(dense) => vec![dense.span()],
            Self::Sparse(sparse) => sparse.spans(),
        }
    }
}

/// The three arrays of a matrix in compressed rows.
pub(crate) struct SparseMatrix<'py, T: PyScalar> {
    shape: [usize; 2],
    data: PyReadonlyArray<'py, T, Ix1>,
    indices: IndexArray<'py>,
    indptr: IndexArray<'py>,
}

/// Indices of either type that SciPy uses.
enum IndexArray<'py> {
    I32(PyReadonlyArray<'py, i32, Ix1>),
    I64(PyReadonlyArray<'py, i64, Ix1>),
}

impl<'py, T: PyScalar> SparseMatrix<'py, T> {
    /// The object as a sparse matrix; none if it is something else.
    fn extract(name: &'static str, object: &Bound<'py, PyAny>) -> BindResult<Option<Self>> {
        if object.cast::<PyUntypedArray>().is_ok() {
            return Ok(None);
        }
        let (Ok(format), Ok(shape)) = (attribute(object, "format"), attribute(object, "shape")) else {
            return Ok(None);
        };
        let Ok(format) = format.extract::<String>() else { return Ok(None) };
        let Ok(shape) = shape.extract::<[usize; 2]>() else { return Ok(None) };
        if format != "csr" {
            let found = format!("a sparse matrix of format {format:?}");
            return Err(Error::value(name, found, format!("\"csr\": use {name}.tocsr()")).into());
        }
        let part = |part| column(name, &attribute(object, part)?);
        let data = part("data")?;
        let cast = || format!("{name}.astype(numpy.{})", T::DTYPE);
        Ok(Some(Self {
            shape,
            data: borrow(name, &data, cast)?,
            indices: IndexArray::borrow(name, &part("indices")?)?,
            indptr: IndexArray::borrow(name, &part("indptr")?)?,
        }))
    }

    fn view(&self, name: &'static str) -> BindResult<Csr<'_, T>> {
        let data = self.data.as_slice().map_err(|_| not_contiguous(name))?;
        Ok(Csr::new(name, self.shape, data, self.indices.view(name)?, self.indptr.view(name)?)?)
    }

    fn spans(&self) -> Vec<Range<usize>> {
        vec![span(self.data.as_untyped()), self.indices.span(), self.indptr.span()]
    }
}

impl<'py> IndexArray<'py> {
    fn borrow(name: &'static str, array: &Bound<'py, PyUntypedArray>) -> BindResult<Self> {
        let py = array.py();
        if array.dtype().is_equiv_to(&numpy::dtype::<i32>(py)) {
            return Ok(Self::I32(borrow(name, array, String::new)?));
        }
        if array.dtype().is_equiv_to(&numpy::dtype::<i64>(py)) {
            return Ok(Self::I64(borrow(name, array, String::new)?));
        }
        let found = format!("a sparse matrix with indices of dtype {}", array.dtype());
        Err(Error::value(name, found, "int32 or int64").into())
    }

    fn view(&self, name: &'static str) -> BindResult<Indices<'_>> {
        Ok(match self {
            Self::I32(indices) => Indices::I32(indices.as_slice().map_err(|_| not_contiguous(name))?),
            Self::I64(indices) => Indices::I64(indices.as_slice().map_err(|_| not_contiguous(name))?),
        })
    }

    fn span(&self) -> Range<usize> {
        match self {
            Self::I32(indices) => span(indices.as_untyped()),
            Self::I64(indices) => span(indices.as_untyped()),
        }
    }
}

/// One of the arrays of a sparse matrix.
fn column<'py>(name: &'static str, object: &Bound<'py, PyAny>) -> BindResult<Bound<'py, PyUntypedArray>> {
    let array = untyped(name, object, || format!("{name}.tocsr()"))?;
    if array.ndim() == 1 {
        return Ok(array);
    }
    let found = format!("a sparse matrix with an array of {} dimensions", array.ndim());
    Err(Error::value(name, found, "one dimension each").into())
}

fn not_contiguous(name: &'static str) -> BindError {
    let expected = format!("contiguous ones: use {name}.copy()");
    Error::value(name, "a sparse matrix with arrays that have gaps", expected).into()
}
