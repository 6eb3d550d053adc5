//! What a network needs to be computed, worked out once: its steps, how batches are cut, which pieces a gradient has, and
//! whether there is a kernel for the network as a whole.

mod step;
mod pieces;
mod cut;
mod frozen;
mod compile;

pub(crate) use compile::Plan;
pub(crate) use cut::{Cut, MAX_CHUNKS, ROW_GROUP, chunk};
pub(crate) use frozen::Frozen;
pub(crate) use pieces::{Piece, Pieces};
pub(crate) use step::Step;
