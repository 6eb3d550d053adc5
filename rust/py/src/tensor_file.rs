//! Tensors and text in one file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use fastmlp_core::{Error, Numbers, Shape, Tensor, TensorFile};
use ndarray::IxDyn;
use numpy::{PyArray1, PyArrayDescrMethods, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::array::{borrow, untyped};
use crate::error::{BindError, BindResult};

/// Write arrays and text to a file in the safetensors layout.
///
/// The file appears whole or not at all: what was there before stays until all is written. The
/// same content gives the same bytes.
///
/// Parameters
/// ----------
/// path : str or PathLike
///     The file; its folder exists.
/// tensors : dict of str to ndarray
///     Arrays by name: float32 or float64, at most two dimensions, any strides.
/// metadata : dict of str to str
///     Text by key.
///
/// Raises
/// ------
/// TypeError
///     If a tensor is not a float32 or float64 array, or a key or text not a str.
/// ValueError
///     If a tensor has more than two dimensions.
/// OSError
///     If the file cannot be written.
///
/// See Also
/// --------
/// load_tensors : Reads it back.
#[pyfunction]
pub(crate) fn save_tensors(
    py: Python<'_>,
    path: PathBuf,
    tensors: BTreeMap<String, Bound<'_, PyAny>>,
    metadata: BTreeMap<String, String>,
) -> BindResult<()> {
    let tensors = tensors.iter().map(|(name, array)| Ok((name.clone(), tensor(name, array)?)));
    let file = TensorFile { tensors: tensors.collect::<BindResult<_>>()?, metadata };
    Ok(py.detach(|| file.save(&path))?)
}

/// Read what `save_tensors` wrote.
///
/// All that the file says of itself is checked before it is believed, and nothing in it is
/// executed.
///
/// Parameters
/// ----------
/// path : str or PathLike
///     The file.
///
/// Returns
/// -------
/// tensors : dict of str to ndarray
///     C-contiguous arrays by name.
/// metadata : dict of str to str
///     Text by key.
///
/// Raises
/// ------
/// ModelFileError
///     If the file is damaged or no such file, or a tensor is not float32 or float64 of at most
///     two dimensions.
/// OSError
///     If the file cannot be read; FileNotFoundError if there is none.
#[pyfunction]
pub(crate) fn load_tensors(
    py: Python<'_>,
    path: PathBuf,
) -> BindResult<(Bound<'_, PyDict>, BTreeMap<String, String>)> {
    let file = py.detach(|| TensorFile::load(&path))?;
    let tensors = PyDict::new(py);
    for (name, Tensor { shape, numbers }) in file.tensors {
        let array = match numbers {
            Numbers::F32(values) => PyArray1::from_vec(py, values).reshape(shape)?.into_any(),
            Numbers::F64(values) => PyArray1::from_vec(py, values).reshape(shape)?.into_any(),
        };
        tensors.set_item(name, array)?;
    }
    Ok((tensors, file.metadata))
}

fn tensor(name: &str, object: &Bound<'_, PyAny>) -> BindResult<Tensor> {
    let what = format!("tensors[{name:?}]");
    if name == "__metadata__" {
        return Err(
            PyValueError::new_err(format!("{what} has the name of the text, expected another name")).into()
        );
    }
    let expected = "a float32 or float64 NumPy array";
    if object.cast::<PyUntypedArray>().is_err() {
        return Err(BindError::type_error(&what, object, expected));
    }
    let array = &untyped(&what, object, String::new)?;
    let shape = array.shape().to_vec();
    if shape.len() > 2 {
        let message = format!("{what} has shape {}, expected at most two dimensions", Shape(&shape));
        return Err(PyValueError::new_err(message).into());
    }
    let dtype = array.dtype();
    let numbers = if dtype.is_equiv_to(&numpy::dtype::<f32>(array.py())) {
        Numbers::F32(copied(borrow::<f32, IxDyn>("tensors", array, String::new)?.as_array())?)
    } else if dtype.is_equiv_to(&numpy::dtype::<f64>(array.py())) {
        Numbers::F64(copied(borrow::<f64, IxDyn>("tensors", array, String::new)?.as_array())?)
    } else {
        return Err(BindError::Type(format!("{what} has dtype {dtype}, expected {expected}")));
    };
    Ok(Tensor { shape, numbers })
}

/// The numbers, row after row.
fn copied<T: Copy>(array: ndarray::ArrayViewD<'_, T>) -> BindResult<Vec<T>> {
    let refused = |_| Error::OutOfMemory { what: "a tensor to be saved", elements: array.len() };
    let mut values = Vec::new();
    values.try_reserve_exact(array.len()).map_err(refused)?;
    values.extend(array.iter().copied());
    Ok(values)
}
