//! A network in a file, with the tensors and the text that accompany it.

use std::collections::BTreeMap;

use fastmlp_core::{Error, NetworkFile, Numbers, Shape, Tensor};
use ndarray::IxDyn;
use numpy::{Element, PyArray1, PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::argument;
use crate::array::{borrow, untyped};
use crate::error::{BindError, BindResult};
use crate::mlp::MLP;
use crate::stream::{Destination, Source, destination, source};

/// Write a network to a file, with the tensors and the text that accompany it.
///
/// The file is in the safetensors layout, is written completely or not at all, and has a checksum.
/// The same content gives the same bytes.
///
/// Parameters
/// ----------
/// path : str, PathLike or object with write
///     The file, in an existing folder. It gets the permissions of a file that it replaces and,
///     where the process may set them, its owner and group. Or an object that writes bytes, such as
///     a file opened in binary mode or a BytesIO; it is flushed, but not closed.
/// network : MLP
///     Its architecture, parameters and random state are saved.
/// tensors : dict of str to ndarray
///     Arrays by name: float32, float64, int64 or uint8, at most two dimensions, any strides.
/// metadata : dict of str to str
///     Text by key.
///
/// Raises
/// ------
/// TypeError
///     If a tensor is not an array of one of these types, or a key or text not a str.
/// ValueError
///     If a parameter is not finite, a tensor has more than two dimensions, a name or key is one of
///     the network's or the file's own ("parameters", "network", "format", "crc32"), or all names
///     and text take more than 1 MiB.
/// OSError
///     If the file cannot be written; an existing file stays as it was. Exceptions of an object
///     pass through, and it may have received a part of the file.
/// RuntimeError
///     If another call is training the network.
///
/// See Also
/// --------
/// load_network : Reads it back.
#[pyfunction]
pub(crate) fn save_network(
    py: Python<'_>,
    #[pyo3(from_py_with = destination)] path: Destination,
    #[pyo3(from_py_with = argument::network)] network: Bound<'_, MLP>,
    #[pyo3(from_py_with = argument::tensors)] tensors: BTreeMap<String, Bound<'_, PyAny>>,
    #[pyo3(from_py_with = argument::metadata)] metadata: BTreeMap<String, String>,
) -> BindResult<()> {
    let tensors = tensors.iter().map(|(name, array)| Ok((name.clone(), tensor(name, array)?)));
    let file =
        NetworkFile { tensors: tensors.collect::<BindResult<_>>()?, metadata, ..network.get().to_file()? };
    path.save(py, file)
}

/// Read what `save_network` wrote.
///
/// Everything in the file is checked before it is used, and nothing in it is executed.
///
/// Parameters
/// ----------
/// path : str, PathLike, object with read, or bytes-like
///     The file. Or an object that reads bytes, such as a file opened in binary mode; it is read
///     from its position to the end of what `save` wrote, and not further. Or those bytes.
///
/// Returns
/// -------
/// network : MLP
///     The network, which behaves like the one that was saved.
/// tensors : dict of str to ndarray
///     C-contiguous arrays by name.
/// metadata : dict of str to str
///     Text by key.
///
/// Raises
/// ------
/// ModelFileError
///     If the file is damaged, or is not a model file.
/// OSError
///     If the file cannot be read; FileNotFoundError if it does not exist.
/// MemoryError
///     If the system refuses memory for what the file holds.
#[pyfunction]
#[allow(clippy::type_complexity, reason = "what Python unpacks")]
pub(crate) fn load_network<'py>(
    py: Python<'py>,
    #[pyo3(from_py_with = source)] mut path: Source<'py>,
) -> BindResult<(Bound<'py, MLP>, Bound<'py, PyDict>, BTreeMap<String, String>)> {
    loaded(py, &mut path)
}

#[allow(clippy::type_complexity, reason = "what Python unpacks")]
fn loaded<'py>(
    py: Python<'py>,
    source: &mut Source<'py>,
) -> BindResult<(Bound<'py, MLP>, Bound<'py, PyDict>, BTreeMap<String, String>)> {
    let NetworkFile { network, parameters, seeds, tensors, metadata } = source.load(py)?;
    let arrays = PyDict::new(py);
    for (name, Tensor { shape, numbers }) in tensors {
        arrays.set_item(name, array(py, numbers).call_method1("reshape", (shape,))?)?;
    }
    let dtype = match parameters {
        Numbers::F32(_) => "float32",
        Numbers::F64(_) => "float64",
        Numbers::I64(_) | Numbers::U8(_) => unreachable!("a network of integers is refused"),
    };
    Ok((MLP::restored(network, dtype, seeds, &array(py, parameters), None)?, arrays, metadata))
}

/// The network of a file that holds nothing else, for callers that would ignore the rest.
pub(crate) fn load_alone<'py>(py: Python<'py>, mut source: Source<'py>) -> BindResult<Bound<'py, MLP>> {
    let (network, tensors, metadata) = loaded(py, &mut source)?;
    let mut others = tensors.keys().extract::<Vec<String>>()?;
    others.extend(metadata.into_keys());
    if others.is_empty() {
        return Ok(network);
    }
    let reason = format!("it holds {} beside the network: load it with what saved it", others.join(", "));
    Err(Error::ModelFile { path: source.name().display().to_string(), reason }.into())
}

/// The numbers as a one-dimensional NumPy array.
pub(crate) fn array(py: Python<'_>, numbers: Numbers) -> Bound<'_, PyAny> {
    match numbers {
        Numbers::F32(values) => PyArray1::from_vec(py, values).into_any(),
        Numbers::F64(values) => PyArray1::from_vec(py, values).into_any(),
        Numbers::I64(values) => PyArray1::from_vec(py, values).into_any(),
        Numbers::U8(values) => PyArray1::from_vec(py, values).into_any(),
    }
}

fn tensor(name: &str, object: &Bound<'_, PyAny>) -> BindResult<Tensor> {
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
