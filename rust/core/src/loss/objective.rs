//! The objective of training, and how its value is reported.
//!
//! Softmax and cross-entropy are one numerically safe operation. For a row of logits `z`, its class `y` and its weight `w`, with `m = max(z)`:
//!
//! ```text
//! p      = exp(z - m) / sum(exp(z - m))
//! loss   = w (m + ln(sum(exp(z - m))) - z[y])
//! d_z[j] = w (p[j] - 1[j = y])
//! ```
//!
//! No exponent exceeds 0, so nothing overflows, and the sum is at least 1, so its logarithm is finite.

use crate::error::{Error, Result};
use crate::kernels::Element;
use crate::kernels::{Bounds, Output, Tally};

/// What training minimises, and what it reports.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Objective {
    /// Strength of the penalty: `alpha / (2 w)` times the sum of the squares of all weights, without biases, is added
    /// to the loss of a batch whose rows have the total weight `w`.
    pub alpha: f64,
    /// Which losses are reported.
    pub report: Report,
}

/// Which losses are reported. The gradient is that of the objective either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Report {
    /// The objective itself: losses summed over outputs, averaged over rows by weight.
    #[default]
    Objective,
    /// What scikit-learn's estimators report: probabilities clipped to between the type's epsilon and 1 -
    /// epsilon, squared errors averaged over outputs, batches averaged by their number of rows.
    ScikitLearn,
}

impl Objective {
    /// [`Error::Value`] unless the penalty is a finite number that is not negative.
    pub fn check(&self) -> Result<()> {
        if self.alpha.is_finite() && self.alpha >= 0.0 {
            return Ok(());
        }
        Err(Error::value("alpha", self.alpha, "a finite number >= 0"))
    }

    /// The bounds that the reported loss of an output is clipped to.
    pub(crate) fn bounds<T: Element>(&self, output: Output) -> Bounds {
        match self.report {
            Report::ScikitLearn if output.is_probability() => Bounds::of_clipped_probabilities::<T>(),
            _ => Bounds::NONE,
        }
    }

    /// The contribution of a batch, whose losses were averaged by weight, to the reported mean, given its shares of the
    /// weight of all rows and of their number.
    pub(crate) fn reported(
        &self,
        output: Output,
        d_out: usize,
        tally: &Tally,
        (of_weight, of_rows): (f64, f64),
    ) -> f64 {
        match (self.report, output) {
            (Report::Objective, _) => (tally.loss + tally.penalty) * of_weight,
            (Report::ScikitLearn, Output::Identity) => (tally.loss / d_out as f64 + tally.penalty) * of_rows,
            (Report::ScikitLearn, _) => (tally.loss + tally.penalty) * of_rows,
        }
    }
}
