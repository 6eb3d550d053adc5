//! What training lowers, and what is reported of it.
//!
//! Softmax and cross-entropy are one numerically safe operation. For a row of logits `z`, its class `y` and its weight
//! `w`, with `m = max(z)`:
//!
//! ```text
//! p      = exp(z - m) / sum(exp(z - m))
//! loss   = w (m + ln(sum(exp(z - m))) - z[y])
//! d_z[j] = w (p[j] - 1[j = y])
//! ```
//!
//! No exponent exceeds 0, so nothing overflows, and the sum is at least 1, so its logarithm is finite.

use crate::error::{Error, Result};
use crate::kernels::{Bounds, Element, Tally};
use crate::loss::table::Loss;

/// What training minimises, and what it reports.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Objective {
    /// Strength of the penalty: `alpha / (2 w)` times the sum of the squares of all weights, without biases, is added
    /// to the loss of a batch whose rows have the total weight `w`.
    pub alpha: f64,
    /// Which losses are reported.
    pub report: Report,
}

/// Which losses are reported: by default the objective itself, losses summed over outputs and averaged over rows by
/// weight. The gradient is that of the objective whatever is reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Probabilities are held to between the type's epsilon and 1 less that before a cross-entropy is taken.
    pub clips_probabilities: bool,
    /// Losses are averaged over the outputs of a row.
    pub averages_outputs: bool,
    /// Batches are averaged by their number of rows.
    pub averages_by_rows: bool,
}

impl Objective {
    /// [`Error::Value`] unless the penalty is a finite number that is not negative.
    pub fn check(&self) -> Result<()> {
        if self.alpha.is_finite() && self.alpha >= 0.0 {
            return Ok(());
        }
        Err(Error::value("alpha", self.alpha, "a finite number >= 0"))
    }

    /// What the reported loss of an output is held to.
    pub(crate) fn bounds<T: Element>(&self, loss: &Loss) -> Bounds {
        if self.report.clips_probabilities && loss.is_plain_cross_entropy() {
            Bounds::of_clipped_probabilities::<T>()
        } else {
            Bounds::NONE
        }
    }

    /// What a batch, whose losses were averaged by weight, adds to the reported mean: the batch has these shares of the
    /// weight of all rows, and of their number.
    pub(crate) fn reported(&self, d_out: usize, tally: &Tally, (of_weight, of_rows): (f64, f64)) -> f64 {
        let loss = if self.report.averages_outputs { tally.loss / d_out as f64 } else { tally.loss };
        (loss + tally.penalty) * if self.report.averages_by_rows { of_rows } else { of_weight }
    }
}
