//! What becomes of the last layer's sums, and the loss that goes with it.

use crate::error::{Error, Result};

/// How the last layer's sums `z` become predictions.
///
/// Each has the loss `l` of which it is the canonical link: its derivative with respect to `z` is the prediction `p`
/// less the target `y`. The loss of a row is the sum over its outputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// `p = softmax(z)`, the cross-entropy of a class: `l = -ln(p[class])`
    #[default]
    Softmax,
    /// `p = 1 / (1 + exp(-z))`, the cross-entropy of yes and no: `l = -y ln(p) - (1 - y) ln(1 - p)`
    Sigmoid,
    /// `p = z`, half the squared error: `l = (z - y)² / 2`
    Identity,
    /// `p = exp(z)`, half the Poisson deviance: `l = y ln(y / p) - y + p`
    Exp,
}

impl Output {
    /// Every output, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Softmax, Self::Sigmoid, Self::Identity, Self::Exp];

    /// The name users write.
    pub fn name(self) -> &'static str {
        match self {
            Self::Softmax => "softmax",
            Self::Sigmoid => "sigmoid",
            Self::Identity => "identity",
            Self::Exp => "exp",
        }
    }

    /// The output of that name.
    pub fn from_name(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|output| output.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(|output| format!("{:?}", output.name()));
            Error::value("output", format_args!("{name:?}"), format!("one of {}", names.join(", ")))
        })
    }

    /// Whether predictions are probabilities, of classes or of each output.
    pub fn is_probability(self) -> bool {
        matches!(self, Self::Softmax | Self::Sigmoid)
    }

    /// What is wrong with a target, if something is: what it should be.
    pub(crate) fn complaint(self, target: f64) -> Option<&'static str> {
        match self {
            Self::Softmax | Self::Identity if target.is_finite() => None,
            Self::Sigmoid if (0.0..=1.0).contains(&target) => None,
            Self::Exp if target.is_finite() && target >= 0.0 => None,
            Self::Softmax | Self::Identity => Some("finite numbers"),
            Self::Sigmoid => Some("numbers from 0 to 1"),
            Self::Exp => Some("finite numbers >= 0"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_back_to_its_output() {
        for output in Output::ALL {
            assert_eq!(Output::from_name(output.name()).unwrap(), output);
        }
        assert_eq!(
            Output::from_name("logistic").unwrap_err().to_string(),
            r#"output is "logistic", expected one of "softmax", "sigmoid", "identity", "exp""#
        );
    }

    #[test]
    fn targets_out_of_range_are_found() {
        for (output, good, bad) in [
            (Output::Sigmoid, [0.0, 1.0], [-0.1, f64::NAN]),
            (Output::Identity, [-1e300, 1.0], [f64::INFINITY, f64::NAN]),
            (Output::Exp, [0.0, 7.0], [-1e-9, f64::INFINITY]),
        ] {
            assert!(good.iter().all(|&y| output.complaint(y).is_none()), "{output:?}");
            assert!(bad.iter().all(|&y| output.complaint(y).is_some()), "{output:?}");
        }
    }
}
