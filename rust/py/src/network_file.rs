//! A network in a file, with the tensors and the text that accompany it.

use std::collections::BTreeMap;

use fastmlp_core::{Error, NetworkFile, Numbers, Tensor};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::argument::arguments;
use crate::error::BindResult;
use crate::mlp::MLP;
use crate::stream::{Destination, Source, destination, source};
use crate::tensor::{array, tensor};

arguments! {
    metadata: BTreeMap<String, String>, "a dict of str to str";
    network: Bound<'py, MLP>, "an MLP";
    tensors: BTreeMap<String, Bound<'py, PyAny>>, "a dict of str to ndarray";
}

#[doc = docstring!("save_network")]
#[pyfunction]
pub(crate) fn save_network(
    py: Python<'_>,
    #[pyo3(from_py_with = destination)] path: Destination,
    #[pyo3(from_py_with = network)] network: Bound<'_, MLP>,
    #[pyo3(from_py_with = tensors)] tensors: BTreeMap<String, Bound<'_, PyAny>>,
    #[pyo3(from_py_with = metadata)] metadata: BTreeMap<String, String>,
) -> BindResult<()> {
    let tensors = tensors.iter().map(|(name, array)| Ok((name.clone(), tensor(name, array)?)));
    let file =
        NetworkFile { tensors: tensors.collect::<BindResult<_>>()?, metadata, ..network.get().to_file()? };
    path.save(py, file)
}

#[doc = docstring!("load_network")]
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
    let NetworkFile { network, parameters, seeds, frozen, tensors, metadata } = source.load(py)?;
    let arrays = PyDict::new(py);
    for (name, Tensor { shape, numbers }) in tensors {
        arrays.set_item(name, array(py, numbers).call_method1("reshape", (shape,))?)?;
    }
    let dtype = match parameters {
        Numbers::F32(_) => "float32",
        Numbers::F64(_) => "float64",
        Numbers::I64(_) | Numbers::U8(_) => unreachable!("a network of integers is refused"),
    };
    let mlp = MLP::restored(network, None, dtype, (seeds, &frozen), &array(py, parameters))?;
    Ok((mlp, arrays, metadata))
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
