//! Arrays that calls read: every conversion from NumPy arrays to views.

use std::ops::Range;

use fastmlp_core::{Element as Scalar, Error, Labels, Numbers, Weights};
use ndarray::{ArrayView1, ArrayView2, Dimension, Ix1};
use numpy::npyffi::NpyTypes;
use numpy::{
    Element, PY_ARRAY_API, PyArray, PyArray1, PyArray2, PyArrayDescr, PyArrayDescrMethods, PyArrayMethods,
    PyReadonlyArray, PyReadonlyArray2, PyUntypedArray, PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::types::PyMapping;

use crate::ending::is_instance;
use crate::error::{BindError, BindResult};
use crate::out::is_any_written;

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
    Ok(dtype.str()?.to_string())
}

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

macro_rules! columns {
    ($(#[$doc:meta])* $name:ident, $trait:ident, $($variant:ident($type:ty)),+) => {
        $(#[$doc])*
        pub(crate) enum $name<'py> {
            $($variant(PyReadonlyArray<'py, $type, Ix1>)),+
        }

        impl<'py> $name<'py> {
            /// The array of one of these types in one dimension.
            fn from_array(name: &'static str, array: &Bound<'py, PyUntypedArray>) -> BindResult<Option<Self>> {
                $(if array.dtype().is_equiv_to(&numpy::dtype::<$type>(array.py())) {
                    return Ok(Some(Self::$variant(borrow(name, array, String::new)?)));
                })+
                Ok(None)
            }

            /// The range of its addresses.
            pub(crate) fn span(&self) -> Range<usize> {
                match self {
                    $(Self::$variant(array) => span(array.as_untyped())),+
                }
            }

            /// The numbers, read in place.
            pub(crate) fn view(&self) -> Box<dyn $trait + '_> {
                match self {
                    $(Self::$variant(array) => Box::new(array.as_array())),+
                }
            }
        }
    };
}

columns! {
    /// Labels of any integer type.
    LabelArray, Labels,
    I8(i8), I16(i16), I32(i32), I64(i64), U8(u8), U16(u16), U32(u32), U64(u64)
}

columns! {
    /// Weights of either floating-point type.
    WeightArray, Weights,
    F32(f32), F64(f64)
}

impl<'py> LabelArray<'py> {
    /// The array `name`, if it holds integers in one dimension.
    pub(crate) fn extract(name: &'static str, object: &Bound<'py, PyAny>) -> BindResult<Self> {
        let array = &untyped(name, object, || as_array(name, "int64"))?;
        check_dimensions(name, array, 1, "one dimension, (n,)")?;
        let cast = format!("{name}.astype(numpy.int64)");
        Self::from_array(name, array)?.ok_or_else(|| dtype_error(name, array, "an integer type", &cast))
    }
}

impl<'py> WeightArray<'py> {
    /// The array `sample_weight`, if it holds floating-point numbers in one dimension.
    pub(crate) fn extract(object: &Bound<'py, PyAny>) -> BindResult<Self> {
        let name = "sample_weight";
        let array = &untyped(name, object, || as_array(name, "float64"))?;
        check_dimensions(name, array, 1, "one dimension, (n,)")?;
        let cast = format!("{name}.astype(numpy.float64)");
        Self::from_array(name, array)?.ok_or_else(|| dtype_error(name, array, "float32 or float64", &cast))
    }
}

/// `class_weight`: one number per class.
pub(crate) fn class_weight(object: &Bound<'_, PyAny>) -> BindResult<Vec<f64>> {
    let wrong = || BindError::type_error("class_weight", object, "a sequence of numbers, one per class");
    if is_instance(object, &object.py().get_type::<PyMapping>())? {
        return Err(wrong());
    }
    let numbers = object.try_iter().map_err(|_| wrong())?;
    numbers.map(|number| number.and_then(|number| number.extract()).map_err(|_| wrong())).collect()
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
fn unmasked<'a, 'py>(
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
fn as_array(name: &str, dtype: &str) -> String {
    format!("numpy.asarray({name}, dtype=numpy.{dtype})")
}

/// The array as a matrix of this type, if it is one.
fn matrix<'a, 'py, T: PyScalar>(
    name: &'static str,
    array: &'a Bound<'py, PyUntypedArray>,
) -> BindResult<&'a Bound<'py, PyArray2<T>>> {
    check_dimensions(name, array, 2, "two dimensions, (rows, columns)")?;
    typed(name, array, || format!("{name}.astype(numpy.{})", T::DTYPE))
}

fn check_dimensions(
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

fn dtype_error(name: &str, array: &Bound<'_, PyUntypedArray>, expected: &str, cast: &str) -> BindError {
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

fn readonly<'py, T: Element, D: Dimension>(
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
