//! Optimizers: a rule, and the state it keeps for one network.
//!
//! A rule is one loop over the flat vectors of parameters, gradient and state.

mod adam;
mod sgd;
mod state;
mod step;

pub use adam::Adam;
pub use sgd::Sgd;
pub use state::State;

use crate::error::{Error, Result};

/// How parameters follow their gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Stochastic gradient descent.
    Sgd(Sgd),
    /// Adam or `AdamW`.
    Adam(Adam),
}

impl Rule {
    /// Length of a step.
    pub fn learning_rate(&self) -> f64 {
        match self {
            Self::Sgd(rule) => rule.learning_rate(),
            Self::Adam(rule) => rule.learning_rate(),
        }
    }

    /// The same rule with another learning rate.
    pub fn with_learning_rate(&self, learning_rate: f64) -> Result<Self> {
        Ok(match self {
            Self::Sgd(rule) => Self::Sgd(rule.with_learning_rate(learning_rate)?),
            Self::Adam(rule) => Self::Adam(rule.with_learning_rate(learning_rate)?),
        })
    }

    /// Names of the vectors the rule keeps between steps, each as long as the parameters.
    pub fn slots(&self) -> &'static [&'static str] {
        match self {
            Self::Sgd(rule) => rule.slots(),
            Self::Adam(_) => Adam::SLOTS,
        }
    }
}

fn check_learning_rate(value: f64) -> Result<()> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(Error::value("learning_rate", value, "a finite number > 0"))
}

fn check_decay(name: &'static str, value: f64) -> Result<()> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::value(name, value, "a number in [0, 1)"))
}
