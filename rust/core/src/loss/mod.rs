//! What training minimises.

mod range;
mod table;
mod batch;
mod objective;

pub use batch::{BatchLoss, LossBatch};
pub use objective::{Objective, Report};
pub(crate) use range::TargetRange;
pub use table::Loss;
