//! Tensors and text in one file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use fastmlp_core::{Error, Numbers, Tensor, TensorFile};
use numpy::{PyArray1, PyArrayMethods, PyReadonlyArrayDyn};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::{BindError, BindResult};

/// Writes arrays and text to a file in the safetensors layout, whole or not at all.
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

/// Reads what [`save_tensors`] wrote: the arrays by name, and the text by key.
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

fn tensor(name: &str, array: &Bound<'_, PyAny>) -> BindResult<Tensor> {
    let (shape, numbers) = if let Ok(array) = array.extract::<PyReadonlyArrayDyn<'_, f32>>() {
        let array = array.as_array();
        (array.shape().to_vec(), Numbers::F32(copied(array)?))
    } else if let Ok(array) = array.extract::<PyReadonlyArrayDyn<'_, f64>>() {
        let array = array.as_array();
        (array.shape().to_vec(), Numbers::F64(copied(array)?))
    } else {
        return Err(BindError::type_error(
            &format!("tensors[{name:?}]"),
            array,
            "a float32 or float64 NumPy array",
        ));
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
