//! Stages at work: what each does to the rows of a tile, forward and backward, and how its gradient is cut.

mod operation;
mod dense;
mod input_scale;
mod layer_norm;
mod batch_norm;
mod prelu;
mod dispatch;

pub(crate) use operation::{Backward, Forward, Gradient, Operation, Part, Source};
