//! The optimizer classes: a rule, and the state that it keeps for the network it was used with.

mod options;
mod state;
mod base;
mod loan;
mod sgd;
mod adam;
mod adamw;

pub(crate) use adam::Adam;
pub(crate) use adamw::AdamW;
pub(crate) use base::Optimizer;
pub(crate) use loan::Reservation;
pub(crate) use options::lr_factors;
pub(crate) use sgd::SGD;
pub(crate) use state::Stateful;
