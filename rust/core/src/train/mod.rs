//! Training: steps, and epochs of them.

mod batches;
mod descent;
mod trainer;
mod steps;

pub use trainer::{EpochRecord, Schedule, Trainer};
