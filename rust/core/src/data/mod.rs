//! Rows to learn from or to predict for, read in place, and their order.

mod rows;
mod csr;
mod inputs;
mod dataset;
mod order;
mod legacy_random;

pub use csr::Csr;
pub(crate) use dataset::Examples;
pub use dataset::{Dataset, Labels, Names, Weights};
pub use inputs::Inputs;
pub use legacy_random::LegacyRandom;
pub(crate) use order::{Seeds, shuffle};
pub(crate) use rows::Rows;
