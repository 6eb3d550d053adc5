//! The network behind the class `MLP`, of the element type that is chosen here.

mod interface;
mod cell;
mod calls;
mod inside;
mod transfer;

use std::sync::Arc;

use fastmlp_core::{Error, Init, Network};

use crate::error::BindResult;
use crate::loss_function::LossFunction;

use cell::NetworkCell;
pub(crate) use interface::Engine;

/// A new engine, with the one `match` on the type. Without an initialiser all parameters are 0 and
/// `seed` is the state that [`Engine::snapshot`] gave.
pub(crate) fn build(
    dtype: &str,
    network: Network,
    init: Option<Init>,
    seed: u64,
    loss_function: Option<&Arc<LossFunction>>,
) -> BindResult<Box<dyn Engine>> {
    match dtype {
        "float32" => Ok(Box::new(NetworkCell::<f32>::new(network, init, seed, loss_function)?)),
        "float64" => Ok(Box::new(NetworkCell::<f64>::new(network, init, seed, loss_function)?)),
        _ => {
            let expected = r#""float32" or "float64""#;
            Err(Error::value("dtype", format_args!("{dtype:?}"), expected).into())
        }
    }
}
