//! Networks in files, complete and checked.

mod tensor;
mod description;
mod network;

pub use network::NetworkFile;
pub use tensor::{Numbers, Tensor, TensorFile};
