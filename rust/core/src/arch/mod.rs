//! What a network is: stages, the layout of their parameters, and their initial values.

mod block;
mod stage;
mod layout;
mod hidden;
mod init;
mod dropout;
mod network;

pub use block::{Block, Role};
pub use dropout::Dropout;
pub(crate) use dropout::Masks;
pub use hidden::{HiddenActivation, Normalization};
pub use init::Init;
pub use layout::{Layer, Layout};
pub use network::Network;
pub use stage::{BatchNorm, Dense, InputScale, LayerNorm, Parametric, Periodic, Prelu, Stage};
