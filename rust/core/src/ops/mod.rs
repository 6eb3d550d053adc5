//! What stages compute: the rows of a tile, forward and backward, and the gradient and how it is cut.

mod operation;
mod dense;
mod parametric;
mod periodic;
mod input_scale;
mod layer_norm;
mod batch_norm;
mod prelu;
mod dispatch;

pub(crate) use operation::{Backward, Forward, Gradient, Operation, Part, Source};
