//! A network's architecture, from Python's arguments.

use std::sync::Arc;

use fastmlp_core::{Activation, HiddenActivation, Loss, Network, Normalization, Output};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::argument::converted;
use crate::error::{BindError, BindResult};
use crate::integer::integer;
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
