//! A network's architecture, from Python's arguments.

use fastmlp_core::{Activation, HiddenActivation, Network, Normalization, Output};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::argument::converted;
use crate::error::{BindError, BindResult};
use crate::integer::integer;

/// The arguments that describe a network.
pub(crate) struct Architecture<'a, 'py> {
    /// Widths, input first.
    pub(crate) layer_sizes: &'a Bound<'py, PyAny>,
    /// One name for all hidden layers, or one per hidden layer.
    pub(crate) activation: Option<&'a Bound<'py, PyAny>>,
    pub(crate) output: &'a str,
    pub(crate) normalization: Option<&'a str>,
    pub(crate) input_scale: bool,
}

impl Architecture<'_, '_> {
    /// The network.
    pub(crate) fn network(&self) -> BindResult<Network> {
        let sizes = sizes(self.layer_sizes)?;
        let output = Output::from_name(self.output)?;
        let normalization = self.normalization.map(Normalization::from_name).transpose()?;
        let activations = activations(self.activation, sizes.len().saturating_sub(2))?;
        Ok(Network::with_stages(&sizes, &activations, normalization, self.input_scale)?.with_output(output))
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
