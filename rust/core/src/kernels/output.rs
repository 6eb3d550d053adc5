//! What becomes of the last layer's sums.

use crate::error::{Error, Result};

/// How the last layer's sums `z` become predictions.
///
/// Each is the canonical link of a loss `l`: the derivative of that with respect to `z` is the prediction `p` less the
/// target `y`.
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
}
