//! Optimizers: a rule, and the state it keeps for one network.
//!
//! A rule is one loop over the flat vectors of parameters, gradient and state.

mod ranges;
mod sgd;
mod adam;
mod rule;
mod state;
mod step;

pub use adam::Adam;
pub use rule::Rule;
pub use sgd::Sgd;
pub use state::State;
