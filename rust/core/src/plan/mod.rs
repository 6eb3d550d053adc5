//! The plan of a network, made once: its steps, how batches are cut, the pieces of its gradient, and whether there is
//! one kernel for the whole network.

mod step;
mod pieces;
mod cut;
mod compile;

pub(crate) use compile::Plan;
pub(crate) use cut::{Cut, MAX_CHUNKS, ROW_GROUP, chunk};
pub(crate) use pieces::{Piece, Pieces};
pub(crate) use step::Step;
