//! Training: steps, and epochs of them; minimisation over all rows.

mod batches;
mod descent;
mod trainer;
mod steps;
mod minimizer;

pub use minimizer::{Ending, Limits, Minimizer};
pub use trainer::{EpochRecord, Schedule, Trainer};
