//! Which losses there are, the outputs they go with, and the targets they take.

use crate::error::{Error, Result};
use crate::kernels::{Output, ValueLoss};
use crate::loss::range::TargetRange;

/// The loss of a row. That of outputs that stand apart is the sum over these.
///
/// | variant | name | numbers | outputs |
/// | --- | --- | --- | --- |
/// | `CrossEntropy` | `cross_entropy` | share of the label that is spread over all classes, in [0, 1) | softmax, sigmoid |
/// | `Focal` | `focal` | exponent of the probability of what is wrong, >= 0 | softmax, sigmoid |
/// | `SquaredError` | `squared_error` | | identity, exp |
/// | `AbsoluteError` | `absolute_error` | | identity |
/// | `Huber` | `huber` | error from which on it is a line, > 0 | identity |
/// | `Quantile` | `quantile` | one level per output, in (0, 1) | identity |
/// | `Poisson` | `poisson` | | exp |
/// | `Gamma` | `gamma` | | exp |
/// | `Tweedie` | `tweedie` | power of the variance, <= 0 or >= 1 | exp |
///
/// The formulas are those of [`row_loss`](crate::kernels) and `class_losses`, in the repository's
/// `docs/1_model_and_gradients.md`.
#[derive(Clone, Debug, PartialEq)]
pub enum Loss {
    /// `-ln(p[class])`, or `-y ln(p) - (1 - y) ln(1 - p)` per output.
    CrossEntropy {
        /// Share of the label that is spread over all classes.
        label_smoothing: f64,
    },
    /// The cross-entropy times `(1 - p)^gamma`, p the probability of what is right.
    Focal {
        /// The exponent.
        gamma: f64,
    },
    /// Half the squared error.
    SquaredError,
    /// The absolute error.
    AbsoluteError,
    /// Half the squared error where it is small, a line beyond.
    Huber {
        /// Where the line begins.
        delta: f64,
    },
    /// The pinball loss.
    Quantile {
        /// One per output.
        levels: Vec<f64>,
    },
    /// Half the Poisson deviance.
    Poisson,
    /// Half the gamma deviance.
    Gamma,
    /// Half the Tweedie deviance.
    Tweedie {
        /// The power of the mean that the variance is proportional to.
        power: f64,
    },
    /// A [function](crate::BatchLoss) of the caller's.
    Function,
}

/// The losses that have names, with the numbers that they have where none are given.
const NAMED: [(&str, &[f64]); 9] = [
    ("cross_entropy", &[0.0]),
    ("focal", &[2.0]),
    ("squared_error", &[]),
    ("absolute_error", &[]),
    ("huber", &[1.0]),
    ("quantile", &[0.5]),
    ("poisson", &[]),
    ("gamma", &[]),
    ("tweedie", &[1.5]),
];

impl Loss {
    /// The loss of which an output is the canonical link: its derivative is the prediction less the target.
    pub fn canonical(output: Output) -> Self {
        match output {
            Output::Softmax | Output::Sigmoid => Self::CrossEntropy { label_smoothing: 0.0 },
            Output::Identity => Self::SquaredError,
            Output::Exp => Self::Poisson,
        }
    }

    /// The loss of a name, with these numbers, or with its own if there are none.
    pub fn from_name(name: &str, numbers: &[f64]) -> Result<Self> {
        let Some((name, own)) = NAMED.into_iter().find(|(known, _)| *known == name) else {
            let names = NAMED.map(|(name, _)| format!("{name:?}"));
            return Err(Error::value(
                "loss",
                format_args!("{name:?}"),
                format!("one of {}", names.join(", ")),
            ));
        };
        let numbers = if numbers.is_empty() { own } else { numbers };
        if name != "quantile" && numbers.len() != own.len() {
            let found = format!("{name:?} with {} numbers", numbers.len());
            return Err(Error::value("loss", found, format!("{}", own.len())));
        }
        let number = numbers.first().copied().unwrap_or(0.0);
        let in_range = |argument, holds: bool, range: &str| {
            if holds { Ok(()) } else { Err(Error::value(argument, number, range)) }
        };
        match name {
            "cross_entropy" => {
                in_range("label_smoothing", (0.0..1.0).contains(&number), "a number >= 0 and < 1")?;
                Ok(Self::CrossEntropy { label_smoothing: number })
            }
            "focal" => {
                in_range("gamma", number.is_finite() && number >= 0.0, "a finite number >= 0")?;
                Ok(Self::Focal { gamma: number })
            }
            "squared_error" => Ok(Self::SquaredError),
            "absolute_error" => Ok(Self::AbsoluteError),
            "huber" => {
                in_range("delta", number.is_finite() && number > 0.0, "a finite number > 0")?;
                Ok(Self::Huber { delta: number })
            }
            "quantile" => match numbers.iter().find(|level| !(0.0 < **level && **level < 1.0)) {
                Some(level) => Err(Error::value("levels", level, "numbers > 0 and < 1")),
                None => Ok(Self::Quantile { levels: numbers.to_vec() }),
            },
            "poisson" => Ok(Self::Poisson),
            "gamma" => Ok(Self::Gamma),
            _ => {
                let holds = number.is_finite() && (number <= 0.0 || number >= 1.0);
                in_range("power", holds, "a finite number <= 0 or >= 1")?;
                Ok(Self::Tweedie { power: number })
            }
        }
    }

    /// The name users write; none of a function of theirs.
    pub fn name(&self) -> Option<&'static str> {
        match self {
            Self::CrossEntropy { .. } => Some("cross_entropy"),
            Self::Focal { .. } => Some("focal"),
            Self::SquaredError => Some("squared_error"),
            Self::AbsoluteError => Some("absolute_error"),
            Self::Huber { .. } => Some("huber"),
            Self::Quantile { .. } => Some("quantile"),
            Self::Poisson => Some("poisson"),
            Self::Gamma => Some("gamma"),
            Self::Tweedie { .. } => Some("tweedie"),
            Self::Function => None,
        }
    }

    /// The numbers that [`from_name`](Self::from_name) takes.
    pub fn numbers(&self) -> &[f64] {
        match self {
            Self::CrossEntropy { label_smoothing: number }
            | Self::Focal { gamma: number }
            | Self::Huber { delta: number }
            | Self::Tweedie { power: number } => std::slice::from_ref(number),
            Self::Quantile { levels } => levels,
            Self::SquaredError | Self::AbsoluteError | Self::Poisson | Self::Gamma | Self::Function => &[],
        }
    }

    /// The outputs that it goes with; the first is its default.
    pub fn outputs(&self) -> &'static [Output] {
        match self {
            Self::CrossEntropy { .. } | Self::Focal { .. } => &[Output::Softmax, Output::Sigmoid],
            Self::SquaredError => &[Output::Identity, Output::Exp],
            Self::AbsoluteError | Self::Huber { .. } | Self::Quantile { .. } | Self::Function => {
                &[Output::Identity]
            }
            Self::Poisson | Self::Gamma | Self::Tweedie { .. } => &[Output::Exp],
        }
    }

    /// An error unless it is a loss for this output, and for so many of them.
    pub(crate) fn check(&self, output: Output, d_out: usize) -> Result<()> {
        if !self.outputs().contains(&output) {
            let found = self.name().map_or_else(|| "a function".to_owned(), |name| format!("{name:?}"));
            let names = NAMED.iter().filter(|(name, numbers)| {
                Self::from_name(name, numbers).is_ok_and(|loss| loss.outputs().contains(&output))
            });
            let mut names: Vec<_> = names.map(|(name, _)| format!("{name:?}")).collect();
            if Self::Function.outputs().contains(&output) {
                names.push("a function".to_owned());
            }
            let expected = format!("one for the output {:?}: {}", output.name(), names.join(", "));
            return Err(Error::value("loss", found, expected));
        }
        match self {
            Self::Quantile { levels } if levels.len() != d_out => {
                let found = format!("\"quantile\" with {} levels", levels.len());
                Err(Error::value("loss", found, format!("one level per output, {d_out}")))
            }
            _ => Ok(()),
        }
    }

    /// How many numbers the targets of a row are, for so many outputs; none if any number will do.
    pub fn n_targets(&self, d_out: usize) -> Option<usize> {
        match self {
            Self::Quantile { .. } => Some(1),
            Self::Function => None,
            _ => Some(d_out),
        }
    }

    /// The shape of targets that are numbers, in words a user understands.
    pub fn shape_of_targets(&self, d_out: usize) -> String {
        match self {
            Self::Quantile { .. } => "(n,) or (n, 1), one target for all outputs".to_owned(),
            Self::Function => "(n,) or (n, k)".to_owned(),
            _ => format!("(n, {d_out}), one column an output"),
        }
    }

    /// What targets that are numbers can be.
    pub(crate) fn range(&self) -> TargetRange {
        match *self {
            Self::CrossEntropy { .. } | Self::Focal { .. } => TargetRange::Probability,
            Self::Poisson => TargetRange::NotNegative,
            Self::Gamma => TargetRange::Positive,
            Self::Tweedie { power } if power >= 2.0 => TargetRange::Positive,
            Self::Tweedie { power } if power >= 1.0 => TargetRange::NotNegative,
            _ => TargetRange::Finite,
        }
    }

    /// Whether it is the cross-entropy of a probability that could be clipped.
    pub(crate) fn is_plain_cross_entropy(&self) -> bool {
        *self == Self::CrossEntropy { label_smoothing: 0.0 }
    }

    /// The loss of classes that the share of a label is spread over, by their weights: it takes these itself.
    pub(crate) fn spreads_labels(&self) -> bool {
        matches!(self, Self::CrossEntropy { label_smoothing } if *label_smoothing > 0.0)
    }

    /// The loss of numbers, for a network with this output.
    ///
    /// # Panics
    /// If [`check`](Self::check) refuses the output, for classes, and for a function of the caller's.
    pub(crate) fn of_values(&self, output: Output) -> ValueLoss<'_> {
        match (self, output) {
            (Self::CrossEntropy { label_smoothing: 0.0 }, Output::Sigmoid) => ValueLoss::Binary,
            (&Self::CrossEntropy { label_smoothing }, Output::Sigmoid) => {
                ValueLoss::SmoothedBinary(label_smoothing)
            }
            (&Self::Focal { gamma }, Output::Sigmoid) => ValueLoss::BinaryFocal(gamma),
            (Self::SquaredError, Output::Identity) => ValueLoss::Squared,
            (Self::AbsoluteError, _) => ValueLoss::Absolute,
            (&Self::Huber { delta }, _) => ValueLoss::Huber(delta),
            (Self::Quantile { levels }, _) => ValueLoss::Quantile(levels),
            // The deviances of powers that have names are those by themselves.
            (Self::SquaredError | Self::Tweedie { power: 0.0 }, _) => ValueLoss::SquaredOfExp,
            (Self::Poisson | Self::Tweedie { power: 1.0 }, _) => ValueLoss::Poisson,
            (Self::Gamma | Self::Tweedie { power: 2.0 }, _) => ValueLoss::Gamma,
            (&Self::Tweedie { power }, _) => ValueLoss::Tweedie(power),
            (Self::CrossEntropy { .. } | Self::Focal { .. }, _) => unreachable!("classes are no numbers"),
            (Self::Function, _) => unreachable!("it is called for whole batches"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_numbers_lead_back_to_the_loss() {
        for (name, numbers) in NAMED {
            let loss = Loss::from_name(name, &[]).unwrap();
            assert_eq!((loss.name(), loss.numbers()), (Some(name), numbers));
            assert_eq!(Loss::from_name(name, numbers).unwrap(), loss);
            assert!(loss.check(loss.outputs()[0], 1).is_ok());
        }
        for output in Output::ALL {
            assert!(Loss::canonical(output).check(output, 3).is_ok());
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let levels = Loss::Quantile { levels: vec![0.1, 0.9] };
        for (error, message) in [
            (
                Loss::Gamma.check(Output::Sigmoid, 1).unwrap_err(),
                r#"loss is "gamma", expected one for the output "sigmoid": "cross_entropy", "focal""#,
            ),
            (
                Loss::Function.check(Output::Exp, 1).unwrap_err(),
                r#"loss is a function, expected one for the output "exp": "squared_error", "poisson", "gamma", "tweedie""#,
            ),
            (
                levels.check(Output::Identity, 3).unwrap_err(),
                r#"loss is "quantile" with 2 levels, expected one level per output, 3"#,
            ),
            (
                Loss::from_name("hinge", &[]).unwrap_err(),
                r#"loss is "hinge", expected one of "cross_entropy", "focal", "squared_error", "absolute_error", "huber", "quantile", "poisson", "gamma", "tweedie""#,
            ),
            (
                Loss::from_name("huber", &[1.0, 2.0]).unwrap_err(),
                r#"loss is "huber" with 2 numbers, expected 1"#,
            ),
            (Loss::from_name("huber", &[0.0]).unwrap_err(), "delta is 0, expected a finite number > 0"),
            (Loss::from_name("focal", &[-1.0]).unwrap_err(), "gamma is -1, expected a finite number >= 0"),
            (
                Loss::from_name("cross_entropy", &[1.0]).unwrap_err(),
                "label_smoothing is 1, expected a number >= 0 and < 1",
            ),
            (
                Loss::from_name("quantile", &[0.5, 1.0]).unwrap_err(),
                "levels is 1, expected numbers > 0 and < 1",
            ),
            (
                Loss::from_name("tweedie", &[0.5]).unwrap_err(),
                "power is 0.5, expected a finite number <= 0 or >= 1",
            ),
        ] {
            assert_eq!(error.to_string(), message);
        }
    }
}
