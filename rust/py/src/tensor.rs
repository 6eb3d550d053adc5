//! The numbers of a file, and NumPy arrays: copies, in both directions.

use fastmlp_core::{Error, Numbers, Shape, Tensor};
use ndarray::IxDyn;
use numpy::{Element, PyArray1, PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::array::{borrow, untyped};
use crate::error::{BindError, BindResult};

/// The numbers as a one-dimensional NumPy array.
pub(crate) fn array(py: Python<'_>, numbers: Numbers) -> Bound<'_, PyAny> {
    match numbers {
        Numbers::F32(values) => PyArray1::from_vec(py, values).into_any(),
        Numbers::F64(values) => PyArray1::from_vec(py, values).into_any(),
        Numbers::I64(values) => PyArray1::from_vec(py, values).into_any(),
        Numbers::U8(values) => PyArray1::from_vec(py, values).into_any(),
    }
}

/// An array as a tensor of a file; errors call it `tensors[name]`.
pub(crate) fn tensor(name: &str, object: &Bound<'_, PyAny>) -> BindResult<Tensor> {
    let what = format!("tensors[{name:?}]");
    if name == "__metadata__" {
        return Err(
            PyValueError::new_err(format!("{what} has the name of the text, expected another name")).into()
        );
    }
    let expected = "a float32, float64, int64 or uint8 NumPy array";
    if object.cast::<PyUntypedArray>().is_err() {
        return Err(BindError::type_error(&what, object, expected));
    }
    let array = &untyped(&what, object, String::new)?;
    let shape = array.shape().to_vec();
    if shape.len() > 2 {
        let message = format!("{what} has shape {}, expected at most two dimensions", Shape(&shape));
        return Err(PyValueError::new_err(message).into());
    }
    let numbers = if let Some(values) = numbers_of::<f32>(array)? {
        Numbers::F32(values)
    } else if let Some(values) = numbers_of::<f64>(array)? {
        Numbers::F64(values)
    } else if let Some(values) = numbers_of::<i64>(array)? {
        Numbers::I64(values)
    } else if let Some(values) = numbers_of::<u8>(array)? {
        Numbers::U8(values)
    } else {
        return Err(BindError::Type(format!("{what} has dtype {}, expected {expected}", array.dtype())));
    };
    Ok(Tensor { shape, numbers })
}

/// The numbers of an array of this type.
fn numbers_of<T: Element + Copy>(array: &Bound<'_, PyUntypedArray>) -> BindResult<Option<Vec<T>>> {
    if !array.dtype().is_equiv_to(&numpy::dtype::<T>(array.py())) {
        return Ok(None);
    }
    copied(borrow::<T, IxDyn>("tensors", array, String::new)?.as_array().iter()).map(Some)
}

/// The numbers, row after row.
pub(crate) fn copied<'a, T: Copy + 'a>(values: impl ExactSizeIterator<Item = &'a T>) -> BindResult<Vec<T>> {
    let refused = |_| Error::OutOfMemory { what: "a tensor to be saved", elements: values.len() };
    let mut copy = Vec::new();
    copy.try_reserve_exact(values.len()).map_err(refused)?;
    copy.extend(values);
    Ok(copy)
}
