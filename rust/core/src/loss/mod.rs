//! What training minimises.

mod objective;

pub use objective::{Objective, Report};
