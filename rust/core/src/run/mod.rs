//! How a batch is computed: tiles of rows go through all steps and back, shared by a team of threads.

mod interrupt;
mod sync;
mod team;
mod targets;
mod pass;
mod forward;
mod slots;
mod backward;
mod tile;
mod barrier;
mod totals;
mod chunks;
mod blocks;
mod workspace;
mod score;
mod inference;
mod evaluation;

pub(crate) use inference::{Inference, Wanted};
pub use interrupt::{Ask, Interrupt, Never, is_brief};
pub(crate) use pass::Pass;
pub(crate) use team::{Team, slab_len};
pub(crate) use workspace::BatchWorkspace;
