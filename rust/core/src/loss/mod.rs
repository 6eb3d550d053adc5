//! What training lowers.

mod objective;

pub use objective::{Objective, Report};
