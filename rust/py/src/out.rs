//! Arrays that calls write to: the caller's and new ones.

use std::ffi::c_int;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use fastmlp_core::Error;
use ndarray::{ArrayViewMut, ArrayViewMut2, Dim, Dimension, Ix2};
use numpy::npyffi::npy_intp;
use numpy::{
    BorrowError, Element, PY_ARRAY_API, PyArray, PyArrayDescrMethods, PyArrayMethods, PyReadwriteArray2,
    PyUntypedArrayMethods,
};
use pyo3::prelude::*;

use crate::array::{PyScalar, check_apart, span, typed, untyped};
use crate::error::BindResult;

/// Number of callers' arrays that calls are writing to.
static N_WRITTEN: AtomicUsize = AtomicUsize::new(0);

/// Whether a call is writing to an array of its caller.
pub(crate) fn is_any_written() -> bool {
    N_WRITTEN.load(Ordering::Relaxed) > 0
}

/// A floating-point matrix that results are written to.
pub(crate) struct Out<'py, T: PyScalar>(PyReadwriteArray2<'py, T>);

impl<'py, T: PyScalar> Out<'py, T> {
    /// The array `out`, if it is a C-contiguous matrix of this type and this shape. `inputs` are
    /// spans of memory, with their names, that it must not share.
    pub(crate) fn extract(
        object: &Bound<'py, PyAny>,
        shape: [usize; 2],
        inputs: &[(&Range<usize>, &str)],
    ) -> BindResult<Self> {
        let cast = || format!("numpy.empty(({}, {}), dtype=numpy.{})", shape[0], shape[1], T::DTYPE);
        let array = &untyped("out", object, cast)?;
        if array.shape() != shape {
            return Err(Error::shape("out", array.shape(), format!("({}, {})", shape[0], shape[1])).into());
        }
        let matrix = typed::<T, Ix2>("out", array, cast)?;
        if !array.is_c_contiguous() {
            return Err(Error::value("out", "not C-contiguous", format!("an array like {}", cast())).into());
        }
        for (input, what) in inputs {
            check_apart("out", &span(array), input, what)?;
        }
        let writable = matrix.try_readwrite().map_err(|error| match error {
            BorrowError::NotWriteable => Error::value("out", "read-only", "a writable array"),
            _ => Error::value("out", "in use", "an array with memory of its own"),
        })?;
        N_WRITTEN.fetch_add(1, Ordering::Relaxed);
        Ok(Self(writable))
    }

    pub(crate) fn view_mut(&mut self) -> ArrayViewMut2<'_, T> {
        self.0.as_array_mut()
    }
}

impl<T: PyScalar> Drop for Out<'_, T> {
    fn drop(&mut self) {
        N_WRITTEN.fetch_sub(1, Ordering::Relaxed);
    }
}

/// `is_f_order` of NumPy's constructors.
const ROW_MAJOR: c_int = 0;

/// A new array that NumPy owns and that no Python code has access to yet.
pub(crate) struct New<'py, T: Element, D: Dimension>(Bound<'py, PyArray<T, D>>);

impl<'py, T: Element, D: Dimension> New<'py, T, D> {
    pub(crate) fn view_mut(&mut self) -> ArrayViewMut<'_, T, D> {
        // SAFETY: this is the only reference to the array.
        unsafe { self.0.as_array_mut() }
    }

    pub(crate) fn slice_mut(&mut self) -> &mut [T] {
        self.view_mut().into_slice().expect("a new array is contiguous")
    }

    pub(crate) fn into_any(self) -> Bound<'py, PyAny> {
        self.0.into_any()
    }
}

/// A new array of zeros.
pub(crate) fn zeros<'py, T: Element, const N: usize>(
    py: Python<'py>,
    shape: [usize; N],
) -> BindResult<New<'py, T, Dim<[usize; N]>>>
where
    Dim<[usize; N]>: Dimension,
{
    let too_large = || Error::OutOfMemory { what: "a result", elements: usize::MAX };
    let mut extents = [0; N];
    for (extent, &n) in extents.iter_mut().zip(&shape) {
        *extent = npy_intp::try_from(n).map_err(|_| too_large())?;
    }
    let rank = c_int::try_from(N).map_err(|_| too_large())?;
    let dtype = numpy::dtype::<T>(py).into_dtype_ptr();
    // `numpy.zeros` would let other threads run, and this thread could be ended in the middle of it: see `ending.rs`.
    // SAFETY: `extents` has N entries; NumPy takes over the reference to the type, and returns a new reference to an
    // array of that type and shape, or null with an exception set.
    let array = unsafe {
        let new = PY_ARRAY_API.PyArray_Empty(py, rank, extents.as_mut_ptr(), dtype, ROW_MAJOR);
        Bound::from_owned_ptr_or_err(py, new)?
    };
    let array = array.cast_into::<PyArray<T, _>>().map_err(PyErr::from)?;
    // SAFETY: the array is new, contiguous and as long as this; zero bytes are the number 0 of every type here.
    unsafe { array.data().write_bytes(0, array.len()) };
    Ok(New(array))
}
