//! Rows to learn from or to predict for, read in place, and their order.

mod rows;
mod csr;
mod inputs;
mod columns;
mod dataset;
mod examples;
mod order;
mod legacy_random;

pub use columns::{Labels, Weights};
pub use csr::{Csr, Indices};
pub use dataset::{Dataset, Names};
pub(crate) use examples::Examples;
pub use inputs::Inputs;
pub use legacy_random::LegacyRandom;
pub(crate) use order::{Seeds, shuffle};
pub(crate) use rows::Rows;
