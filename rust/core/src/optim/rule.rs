//! The rule of an optimizer.

use super::adam::Adam;
use super::groups::Treatment;
use super::sgd::Sgd;
use crate::error::Result;

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

    /// The same rule with a learning rate that is multiplied by a factor, and may become 0 or infinite.
    pub(super) fn scaled(self, factor: f64) -> Self {
        match self {
            Self::Sgd(rule) => Self::Sgd(rule.scaled(factor)),
            Self::Adam(rule) => Self::Adam(rule.scaled(factor)),
        }
    }

    /// The rule for parameters with this treatment.
    pub(super) fn treating(self, treatment: Treatment) -> Self {
        match self.scaled(treatment.rate) {
            Self::Adam(rule) if !treatment.decays => Self::Adam(rule.without_decay()),
            rule => rule,
        }
    }

    /// Names of the vectors the rule keeps between steps, each as long as the parameters.
    pub fn slots(&self) -> &'static [&'static str] {
        match self {
            Self::Sgd(rule) => rule.slots(),
            Self::Adam(_) => Adam::SLOTS,
        }
    }
}
