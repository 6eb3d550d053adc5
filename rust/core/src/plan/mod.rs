//! The plan of a network, made once: its steps, how batches are cut, the pieces of its gradient and how threads join them,
//! and whether there is one kernel for the whole network.

mod step;
mod pieces;
mod shares;
mod cut;
mod frozen;
mod compile;

pub(crate) use compile::Plan;
pub(crate) use cut::{Cut, MAX_CHUNKS, ROW_GROUP, chunk};
pub(crate) use frozen::Frozen;
pub(crate) use pieces::{Piece, Pieces};
pub(crate) use shares::Shares;
pub(crate) use step::Step;
