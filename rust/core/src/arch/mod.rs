//! What a network is: widths, activations, where its parameters lie and what they are at first.

mod layout;
mod init;
mod dropout;
mod network;

pub use dropout::Dropout;
pub(crate) use dropout::Masks;
pub use init::Init;
pub use layout::{Layer, Layout};
pub use network::Network;
