//! Training: steps, and epochs of them.

mod descent;
mod trainer;
mod steps;

pub use trainer::{EpochRecord, Schedule, Trainer};
