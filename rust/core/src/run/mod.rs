//! How a batch is computed: tiles of rows go through all steps and back, shared by a team of threads.

mod interrupt;
mod sync;
mod team;
mod targets;
mod statistics;
mod pass;
mod forward;
mod slots;
mod backward;
mod tile_input;
mod tile;
mod totals;
mod block;
mod barrier;
mod chunks;
mod blocks;
mod segments;
mod workspace;
mod score;
mod folded;
mod inference;
mod evaluation;
mod input_gradients;

pub(crate) use inference::{Inference, Wanted};
pub(crate) use input_gradients::InputGradients;
pub use interrupt::{Ask, Interrupt, Never, is_brief};
pub(crate) use pass::Pass;
pub(crate) use team::{Team, slab_len};
pub(crate) use workspace::BatchWorkspace;
