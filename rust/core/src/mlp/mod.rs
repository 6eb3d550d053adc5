//! The network with its parameters.

mod model;
mod inside;
mod transfer;

pub use model::Mlp;
pub(crate) use model::{check_len, check_threads};
