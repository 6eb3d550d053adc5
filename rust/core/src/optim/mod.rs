//! Optimizers: a rule, options that any rule can have, and the state it keeps for one network.
//!
//! A rule is one loop over the flat vectors of parameters, gradient and state. Options say what else a step depends on:
//! the norm of the gradient, the position in a schedule, the roles of the parameters. L-BFGS is no such rule: its steps
//! follow from several gradients, and a search along each direction.

mod ranges;
mod schedule;
mod groups;
mod parts;
mod clip;
mod options;
mod sgd;
mod adam;
mod rule;
mod state;
mod slab;
mod step;
mod line_search;
mod curvature;

pub use adam::Adam;
pub(crate) use clip::{clip_factor, norm};
pub(crate) use curvature::{Curvature, Made};
pub use groups::Groups;
pub(crate) use line_search::{LineSearch, Verdict};
pub(crate) use options::Controls;
pub use options::Options;
pub(crate) use parts::{inner_products, move_along};
pub use rule::Rule;
pub use schedule::RateSchedule;
pub use sgd::Sgd;
pub use state::State;
