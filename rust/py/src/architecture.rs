//! A network's architecture: from Python's arguments, and shown to Python.

use std::sync::Arc;

use fastmlp_core::{Activation, HiddenActivation, Loss, Network, Normalization, Output};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::argument::converted;
use crate::error::{BindError, BindResult};
use crate::integer::{count, integer};
use crate::loss::loss;
use crate::loss_function::LossFunction;

/// The arguments that describe a network.
pub(crate) struct Architecture<'a, 'py> {
    /// Widths, input first.
    pub(crate) layer_sizes: &'a Bound<'py, PyAny>,
    /// One name for all hidden layers, or one per hidden layer.
    pub(crate) activation: Option<&'a Bound<'py, PyAny>>,
    /// None is the first output that the loss goes with.
    pub(crate) output: Option<&'a str>,
    pub(crate) normalization: Option<&'a str>,
    pub(crate) input_scale: bool,
    pub(crate) periodic_inputs: Option<&'a Bound<'py, PyAny>>,
    pub(crate) parametric_activation: bool,
    /// None is the loss that goes with the output.
    pub(crate) loss: Option<&'a Bound<'py, PyAny>>,
}

impl Architecture<'_, '_> {
    /// The network.
    pub(crate) fn network(&self) -> BindResult<Network> {
        let sizes = sizes(self.layer_sizes)?;
        let output = self.output.map(Output::from_name).transpose()?;
        let loss = self.loss.map(loss).transpose()?;
        let normalization = self.normalization.map(Normalization::from_name).transpose()?;
        let activations = activations(self.activation, sizes.len().saturating_sub(2))?;
        let network = Network::with_stages(&sizes, &activations, normalization, self.input_scale)?;
        let periodic_inputs =
            self.periodic_inputs.map(|value| count("periodic_inputs", value, 0)).transpose()?;
        let network = network
            .with_periodic_inputs(periodic_inputs.unwrap_or(0))?
            .with_parametric_activation(self.parametric_activation)?;
        let network = network.with_output(output.unwrap_or_else(|| match &loss {
            Some(loss) => loss.outputs()[0],
            None => Output::Softmax,
        }));
        Ok(match loss {
            Some(loss) => network.with_loss(loss)?,
            None => network,
        })
    }

    /// The function that is the loss of the network, if it is one.
    pub(crate) fn loss_function(&self, network: &Network) -> Option<Arc<LossFunction>> {
        let callable = self.loss.filter(|_| *network.loss() == Loss::Function)?;
        Some(Arc::new(LossFunction::new(callable)))
    }
}

fn sizes(layer_sizes: &Bound<'_, PyAny>) -> BindResult<Vec<usize>> {
    let sizes = layer_sizes
        .try_iter()
        .map_err(|_| BindError::type_error("layer_sizes", layer_sizes, "a sequence of integers"))?;
    let widths = 0..=isize::MAX as i128;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in the range of usize")]
    let size =
        |size: PyResult<_>| Ok(integer("layer_sizes", &size?, widths.clone(), "widths >= 1")? as usize);
    sizes.map(size).collect()
}

fn activations(activation: Option<&Bound<'_, PyAny>>, n_hidden: usize) -> BindResult<Vec<HiddenActivation>> {
    match activation {
        None => Ok(vec![Activation::Relu.into(); n_hidden]),
        Some(one) if one.is_instance_of::<PyString>() => {
            Ok(vec![HiddenActivation::from_name(converted("activation", one, "a name")?)?; n_hidden])
        }
        Some(several) => Ok(several
            .extract::<Vec<String>>()
            .map_err(|_| BindError::type_error("activation", several, "a name, or a sequence of names"))?
            .iter()
            .map(|name| HiddenActivation::from_name(name))
            .collect::<Result<_, _>>()?),
    }
}

/// Widths, input first.
pub(crate) fn layer_sizes<'py>(network: &Network, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, network.layout().layer_sizes().collect::<Vec<_>>())
}

/// The name of the activation of all hidden layers, or the names if they differ.
pub(crate) fn activation<'py>(network: &Network, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
    let names: Vec<_> = network.activations().iter().map(|activation| activation.name()).collect();
    match names.first() {
        Some(first) if names.iter().all(|name| name == first) => Ok(PyString::new(py, first).into_any()),
        _ => Ok(PyTuple::new(py, names)?.into_any()),
    }
}

/// The call that makes a network of this architecture.
pub(crate) fn shown(network: &Network, dtype: &str, loss: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = loss.py();
    let (sizes, activation) = (layer_sizes(network, py)?.to_list().repr()?, activation(network, py)?.repr()?);
    let output = network.output().name();
    let normalization = network.normalization();
    let normalization =
        normalization.map_or_else(String::new, |name| format!(", normalization='{}'", name.name()));
    let input_scale = if network.input_scale() { ", input_scale=True" } else { "" };
    let periodic_inputs = match network.periodic_inputs() {
        0 => String::new(),
        count => format!(", periodic_inputs={count}"),
    };
    let parametric = if network.parametric_activation() { ", parametric_activation=True" } else { "" };
    let loss = if network.has_canonical_loss() { String::new() } else { format!(", loss={}", loss.repr()?) };
    Ok(format!(
        "MLP({sizes}, activation={activation}, output='{output}', dtype='{dtype}'{normalization}{input_scale}{loss}{periodic_inputs}{parametric})"
    ))
}
