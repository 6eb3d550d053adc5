//! The class `ParameterBlock`.

use fastmlp_core::{Block, Layout};
use pyo3::prelude::*;
use pyo3::types::{PySlice, PyTuple};

use crate::error::BindResult;

/// Parameters of one role that belong to one stage of a network.
///
/// Attributes
/// ----------
/// stage : int
///     Number of the stage, from 0 in the order in which rows go through them.
/// kind : str
///     Kind of the stage: ``"dense"``, ``"input_scale"``, ``"layer_norm"`` or ``"prelu"``.
/// role : str
///     What the parameters are for: ``"weight"`` or ``"bias"`` of a dense layer, ``"scale"`` of the
///     inputs, ``"gain"`` or ``"shift"`` of a normalisation, ``"slope"`` of a learnable activation.
/// shape : tuple of int
///     ``(d_in, d_out)`` for weights, ``(d,)`` for all others.
/// view : ndarray of that shape
///     The parameters, a live view of `MLP.parameters`.
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
pub(crate) fn part<'py>(flat: &Bound<'py, PyAny>, block: &Block) -> PyResult<Bound<'py, PyAny>> {
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
