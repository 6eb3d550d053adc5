//! The class `MLP`: what an object of it holds. Its methods stand in `methods/mlp.rs`.

use std::collections::BTreeMap;
use std::sync::Arc;

use fastmlp_core::{Init, Layout, Network, NetworkFile};
use pyo3::prelude::*;

use crate::engine::{Engine, build};
use crate::error::BindResult;
use crate::history::LastHistory;
use crate::loss::as_object;
use crate::loss_function::LossFunction;

#[doc = docstring!("MLP")]
#[pyclass(frozen, weakref, module = "fastmlp")]
#[allow(clippy::upper_case_acronyms, reason = "the name users know")]
pub(crate) struct MLP {
    pub(crate) engine: Box<dyn Engine>,
    pub(crate) network: Network,
    /// The engine has it too; counted once, so that the garbage collector sees all that holds the callable.
    pub(crate) loss_function: Option<Arc<LossFunction>>,
    pub(crate) history: LastHistory,
}

impl MLP {
    /// A network. Without an initialiser all parameters are 0, and `seed` is the state of its randomness.
    pub(crate) fn new(
        network: Network,
        loss_function: Option<Arc<LossFunction>>,
        dtype: &str,
        init: Option<Init>,
        seed: u64,
    ) -> BindResult<Self> {
        let engine = build(dtype, network.clone(), init, seed, loss_function.as_ref())?;
        Ok(Self { engine, network, loss_function, history: LastHistory::default() })
    }

    /// A network with these parameters, this random state and these frozen layers.
    pub(crate) fn restored<'py>(
        network: Network,
        loss_function: Option<Arc<LossFunction>>,
        dtype: &str,
        (seeds, frozen): (u64, &[usize]),
        parameters: &Bound<'py, PyAny>,
    ) -> BindResult<Bound<'py, Self>> {
        let mlp = Self::new(network, loss_function, dtype, None, seeds)?;
        mlp.engine.freeze(parameters.py(), frozen, true)?;
        let mlp = Bound::new(parameters.py(), mlp)?;
        Self::live_parameters(&mlp).set_item(parameters.py().Ellipsis(), parameters)?;
        Ok(mlp)
    }

    /// All parameters, a live view.
    pub(crate) fn live_parameters<'py>(slf: &Bound<'py, Self>) -> Bound<'py, PyAny> {
        slf.get().engine.parameters(slf.clone().into_any())
    }

    /// How the parameters lie.
    pub(crate) fn layout(&self) -> &Layout {
        self.network.layout()
    }

    /// The loss, as Python has it.
    pub(crate) fn loss_object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match &self.loss_function {
            Some(function) => Ok(function.callable(py).clone()),
            None => as_object(py, self.network.loss()),
        }
    }

    /// The content of a file of the network.
    pub(crate) fn to_file(&self) -> BindResult<NetworkFile> {
        let ((parameters, seeds), frozen) = (self.engine.snapshot()?, self.engine.frozen()?);
        let (network, tensors, metadata) = (self.network.clone(), BTreeMap::new(), BTreeMap::new());
        Ok(NetworkFile { network, parameters, seeds, frozen, tensors, metadata })
    }
}
