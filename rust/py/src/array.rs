//! NumPy arrays: what is checked of each before it is read or written.

use std::ops::Range;

use fastmlp_core::{Element as Scalar, Error, Numbers};
use ndarray::{ArrayView1, Dimension};
use numpy::npyffi::NpyTypes;
use numpy::{
    Element, PY_ARRAY_API, PyArray, PyArray1, PyArray2, PyArrayDescr, PyArrayDescrMethods, PyArrayMethods,
    PyReadonlyArray, PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::prelude::*;

use crate::error::{BindError, BindResult};

/// Element types of a network that NumPy has too.
pub(crate) trait PyScalar: Scalar + Element {
    /// The numbers as an enum over the types.
    fn numbers(values: Vec<Self>) -> Numbers;
}

impl PyScalar for f32 {
    fn numbers(values: Vec<Self>) -> Numbers {
        Numbers::F32(values)
    }
}

impl PyScalar for f64 {
    fn numbers(values: Vec<Self>) -> Numbers {
        Numbers::F64(values)
    }
}

/// The name of anything that NumPy accepts as a dtype: `"float32"`, `numpy.float32`,
/// `numpy.dtype("f4")`.
pub(crate) fn dtype_name(object: &Bound<'_, PyAny>) -> BindResult<String> {
    let dtype = PyArrayDescr::new(object.py(), object)
        .map_err(|_| BindError::type_error("dtype", object, "\"float32\" or \"float64\""))?;
    Ok(dtype.str()?.extract()?)
}

/// Fails if two spans share an address.
pub(crate) fn check_apart(
    name: &'static str,
    span: &Range<usize>,
    other: &Range<usize>,
    what: &str,
) -> BindResult<()> {
    if span.start < other.end && other.start < span.end {
        let found = format!("in the same memory as {what}");
        return Err(Error::value(name, found, "an array with memory of its own").into());
    }
    Ok(())
}

/// A view of numbers that `owner` holds at a fixed address for as long as it lives.
///
/// # Safety `start` must point to `len` numbers, valid for reading and writing, that do not move
/// until `owner` is dropped. Python may write to them through the array: doing so while a call uses
/// them makes the numbers of that call undefined, as docs/2 says.
pub(crate) unsafe fn view_of<'py, T: PyScalar>(
    owner: Bound<'py, PyAny>,
    start: *mut T,
    len: usize,
) -> Bound<'py, PyArray1<T>> {
    // SAFETY: by the contract above; the array takes a reference to its owner, which keeps the numbers alive.
    unsafe { PyArray1::borrow_from_array(&ArrayView1::from_shape_ptr(len, start.cast_const()), owner) }
}

/// Our own view of an array without a mask: a change of the dtype, shape or strides of the caller's
/// object does not change what a running call checked and reads. `cast` says how to make an array
/// of another object.
pub(crate) fn untyped<'py>(
    name: &str,
    object: &Bound<'py, PyAny>,
    cast: impl Fn() -> String,
) -> BindResult<Bound<'py, PyUntypedArray>> {
    let (py, array) = (object.py(), unmasked(name, object, cast)?);
    // SAFETY: the argument is a live array, with no change of dtype and the plain array type; NumPy returns a new
    // reference to a view of it, or null with an exception set.
    let view = unsafe {
        let plain = numpy::npyffi::get_type_object(py, NpyTypes::PyArray_Type);
        let view = PY_ARRAY_API.PyArray_View(py, array.as_array_ptr(), std::ptr::null_mut(), plain);
        Bound::from_owned_ptr_or_err(py, view)?
    };
    Ok(view.cast_into().map_err(PyErr::from)?)
}

/// The object as an array, if it is one without a mask.
pub(crate) fn unmasked<'a, 'py>(
    name: &str,
    object: &'a Bound<'py, PyAny>,
    cast: impl Fn() -> String,
) -> BindResult<&'a Bound<'py, PyUntypedArray>> {
    let py = object.py();
    let array = object
        .cast()
        .map_err(|_| BindError::type_error(name, object, &format!("a NumPy array: use {}", cast())))?;
    let is_masked =
        || -> PyResult<bool> { object.is_instance(&py.import("numpy.ma")?.getattr("MaskedArray")?) };
    if !object.is_exact_instance_of::<PyUntypedArray>() && is_masked()? {
        let expected = format!("an array without a mask: use {name}.filled(...)");
        return Err(BindError::type_error(name, object, &expected));
    }
    Ok(array)
}

/// The expression that makes an array of this type from another object.
pub(crate) fn as_array(name: &str, dtype: &str) -> String {
    format!("numpy.asarray({name}, dtype=numpy.{dtype})")
}

/// The array as a matrix of this type, if it is one.
pub(crate) fn matrix<'a, 'py, T: PyScalar>(
    name: &'static str,
    array: &'a Bound<'py, PyUntypedArray>,
) -> BindResult<&'a Bound<'py, PyArray2<T>>> {
    check_dimensions(name, array, 2, "two dimensions, (rows, columns)")?;
    typed(name, array, || format!("{name}.astype(numpy.{})", T::DTYPE))
}

pub(crate) fn check_dimensions(
    name: &'static str,
    array: &Bound<'_, PyUntypedArray>,
    dimensions: usize,
    expected: &str,
) -> BindResult<()> {
    if array.ndim() == dimensions {
        return Ok(());
    }
    Err(Error::shape(name, array.shape(), expected).into())
}

pub(crate) fn dtype_error(
    name: &str,
    array: &Bound<'_, PyUntypedArray>,
    expected: &str,
    cast: &str,
) -> BindError {
    BindError::Type(format!("{name} has dtype {}, expected {expected}: use {cast}", array.dtype()))
}

/// The array, whose dimensions were checked, with its element type, if its numbers can be read.
pub(crate) fn typed<'a, 'py, T: Element, D: Dimension>(
    name: &'static str,
    array: &'a Bound<'py, PyUntypedArray>,
    cast: impl Fn() -> String,
) -> BindResult<&'a Bound<'py, PyArray<T, D>>> {
    let of_type = array.cast::<PyArray<T, D>>().map_err(|_| {
        let expected = numpy::dtype::<T>(array.py()).to_string();
        dtype_error(name, array, &expected, &cast())
    })?;
    let size = size_of::<T>().cast_signed();
    let whole_strides = array.strides().iter().all(|stride| stride % size == 0);
    if !(array.is_aligned() && whole_strides) {
        let expected = format!("an aligned array: use {name}.copy()");
        return Err(Error::value(name, "misaligned in memory", expected).into());
    }
    Ok(of_type)
}

/// The array with its numbers borrowed, read in place.
pub(crate) fn borrow<'py, T: Element, D: Dimension>(
    name: &'static str,
    array: &Bound<'py, PyUntypedArray>,
    cast: impl Fn() -> String,
) -> BindResult<PyReadonlyArray<'py, T, D>> {
    readonly(name, typed(name, array, cast)?)
}

pub(crate) fn readonly<'py, T: Element, D: Dimension>(
    name: &'static str,
    array: &Bound<'py, PyArray<T, D>>,
) -> BindResult<PyReadonlyArray<'py, T, D>> {
    let in_use = || Error::value(name, "being written to by another call", "an array that no call writes to");
    Ok(array.try_readonly().map_err(|_| in_use())?)
}

/// The range of addresses of an array, whatever its strides.
pub(crate) fn span(array: &Bound<'_, PyUntypedArray>) -> Range<usize> {
    // SAFETY: the pointer is that of a live array object; only its address is taken.
    let first = unsafe { (*array.as_array_ptr()).fields.data } as usize;
    if array.shape().contains(&0) {
        return first..first;
    }
    let (mut low, mut high) = (first, first);
    for (&n, &stride) in array.shape().iter().zip(array.strides()) {
        let reach = (n - 1) * stride.unsigned_abs();
        if stride < 0 { low -= reach } else { high += reach }
    }
    low..high + array.dtype().itemsize()
}
