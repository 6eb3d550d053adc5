//! How a batch is computed: tiles of rows through all layers and back, shared by a team of threads.

mod interrupt;
mod team;
mod targets;
mod dense;
mod tile;
mod gradient;
mod inference;

pub(crate) use gradient::Gradients;
pub(crate) use inference::{Inference, Stage};
pub use interrupt::{Ask, Interrupt, Never, is_brief};
pub(crate) use team::{Team, slab_len};
pub(crate) use tile::Pass;
