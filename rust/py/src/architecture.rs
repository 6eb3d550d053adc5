//! A network's architecture, as Python writes it.

use fastmlp_core::{Activation, Network, Output};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::argument::converted;
use crate::error::{BindError, BindResult};
use crate::integer::integer;

/// The network with these widths, input first; `activation` is one name for all hidden layers or one for each.
pub(crate) fn network(
    layer_sizes: &Bound<'_, PyAny>,
    activation: Option<&Bound<'_, PyAny>>,
    output: &str,
) -> BindResult<Network> {
    let sizes = layer_sizes
        .try_iter()
        .map_err(|_| BindError::type_error("layer_sizes", layer_sizes, "a sequence of integers"))?;
    let widths = 0..=isize::MAX as i128;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in the range of usize")]
    let sizes = sizes.map(|size| Ok(integer("layer_sizes", &size?, widths.clone(), "widths >= 1")? as usize));
    let sizes = sizes.collect::<BindResult<Vec<_>>>()?;
    let output = Output::from_name(output)?;
    let n_hidden = sizes.len().saturating_sub(2);
    let activations = match activation {
        None => vec![Activation::Relu; n_hidden],
        Some(one) if one.is_instance_of::<PyString>() => {
            vec![Activation::from_name(converted("activation", one, "a name")?)?; n_hidden]
        }
        Some(several) => several
            .extract::<Vec<String>>()
            .map_err(|_| BindError::type_error("activation", several, "a name, or a sequence of names"))?
            .iter()
            .map(|name| Activation::from_name(name))
            .collect::<Result<_, _>>()?,
    };
    Ok(Network::new(&sizes, &activations)?.with_output(output))
}
