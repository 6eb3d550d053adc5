//! The class `ParameterBlock`.

use fastmlp_core::{Block, Error, Layout, Role};
use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PySlice, PyTuple};

use crate::error::{BindError, BindResult};

#[doc = docstring!("ParameterBlock")]
#[pyclass(frozen, get_all, module = "fastmlp")]
pub(crate) struct ParameterBlock {
    /// Number of the stage, from 0.
    stage: usize,
    /// Kind of the stage.
    kind: &'static str,
    /// What the parameters are for.
    role: &'static str,
    /// Shape of the block.
    shape: Py<PyTuple>,
    /// The parameters, a live view.
    view: Py<PyAny>,
}

#[pymethods]
impl ParameterBlock {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (stage, kind, role) = (self.stage, self.kind, self.role);
        let shape = self.shape.bind(py).repr()?;
        Ok(format!("ParameterBlock(stage={stage}, kind='{kind}', role='{role}', shape={shape})"))
    }
}

/// The block's part of a vector with the layout of the parameters, in the block's shape.
fn part<'py>(flat: &Bound<'py, PyAny>, block: &Block) -> PyResult<Bound<'py, PyAny>> {
    let range = block.range();
    let part = flat.get_item(flat.py().get_type::<PySlice>().call1((range.start, range.end))?)?;
    if block.is_matrix() { part.call_method1("reshape", (block.rows, block.cols)) } else { Ok(part) }
}

/// Every block of a vector with the layout of the parameters.
pub(crate) fn blocks_of<'py>(layout: &Layout, flat: &Bound<'py, PyAny>) -> BindResult<Bound<'py, PyTuple>> {
    let py = flat.py();
    let block = |block: &Block| -> PyResult<_> {
        let shape: &[usize] = if block.is_matrix() { &[block.rows, block.cols] } else { &[block.cols] };
        ParameterBlock {
            stage: block.stage,
            kind: layout.stages()[block.stage].name(),
            role: block.role.name(),
            shape: PyTuple::new(py, shape)?.unbind(),
            view: part(flat, block)?.unbind(),
        }
        .into_pyobject(py)
    };
    let blocks = layout.blocks().iter().map(block).collect::<PyResult<Vec<_>>>()?;
    Ok(PyTuple::new(py, blocks)?)
}

/// Weights and biases, layer by layer, of a vector that is laid out like the parameters.
pub(crate) fn weights_and_biases<'py>(
    layout: &Layout,
    flat: &Bound<'py, PyAny>,
) -> BindResult<(Bound<'py, PyTuple>, Bound<'py, PyTuple>)> {
    let (py, n_parameters) = (flat.py(), layout.n_parameters());
    let array =
        flat.cast::<PyUntypedArray>().map_err(|_| BindError::type_error("flat", flat, "a NumPy array"))?;
    if array.shape() != [n_parameters] {
        return Err(Error::shape("flat", array.shape(), format!("({n_parameters},)")).into());
    }
    let of = |role: Role| {
        let blocks = layout.blocks().iter().filter(|block| block.role == role);
        PyTuple::new(py, blocks.map(|block| part(flat, block)).collect::<PyResult<Vec<_>>>()?)
    };
    Ok((of(Role::Weight)?, of(Role::Bias)?))
}
