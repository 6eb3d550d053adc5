//! Dropout: which values of a hidden layer a step drops, as a pure function of a key.

use crate::error::{Error, Result};
use crate::kernels::{Key, Mask};

/// Inverted dropout: in training each activation of a hidden layer is 0 with probability `rate`, and otherwise
/// multiplied by `1 / (1 - rate)`, so its expectation stays the same and prediction needs no change.
///
/// A rate is rounded to a multiple of 2^-32, which is then the exact probability.
///
/// Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014, section 10.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dropout {
    /// One per hidden layer; empty if nothing is dropped.
    rates: Vec<f64>,
}

impl Dropout {
    /// Rates in [0, 1): one per hidden layer of a network that has `n_hidden`, or one for all of them.
    pub fn new(rates: &[f64], n_hidden: usize) -> Result<Self> {
        if let Some(rate) = rates.iter().find(|rate| !(0.0..1.0).contains(*rate)) {
            return Err(Error::value("dropout", rate, "a number in [0, 1)"));
        }
        let rates = match rates {
            &[rate] => vec![rate; n_hidden],
            _ => rates.to_vec(),
        };
        if rates.len() != n_hidden {
            let found = format_args!("a sequence of {}", rates.len()).to_string();
            let expected = format!("one number, or a sequence of {n_hidden}: one per hidden layer");
            return Err(Error::value("dropout", found, expected));
        }
        let some = rates.iter().any(|&rate| rate > 0.0);
        Ok(Self { rates: if some { rates } else { Vec::new() } })
    }

    /// Whether nothing is dropped.
    pub fn is_none(&self) -> bool {
        self.rates.is_empty()
    }

    /// The masks of one step.
    pub(crate) fn masks(&self, key: Key) -> Masks<'_> {
        Masks { rates: &self.rates, key }
    }
}

/// The masks of one step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Masks<'a> {
    rates: &'a [f64],
    key: Key,
}

impl Masks<'_> {
    /// The masks of no dropout.
    pub(crate) const NONE: Self = Masks { rates: &[], key: Key::NONE };

    /// Whether nothing is dropped.
    pub(crate) fn is_none(&self) -> bool {
        self.rates.is_empty()
    }

    /// The mask of hidden layer `l`; none if the layer drops nothing.
    pub(crate) fn of_layer(&self, l: usize) -> Option<Mask> {
        let rate = *self.rates.get(l).filter(|&&rate| rate > 0.0)?;
        Some(Mask::new(rate, self.key.child(l as u64)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_probability_and_the_wrong_number_of_them() {
        let wrong_number = |found: &str| {
            format!("dropout is {found}, expected one number, or a sequence of 2: one per hidden layer")
        };
        for (rates, message) in [
            (&[1.0][..], "dropout is 1, expected a number in [0, 1)".to_owned()),
            (&[0.1, -0.1], "dropout is -0.1, expected a number in [0, 1)".to_owned()),
            (&[f64::NAN], "dropout is NaN, expected a number in [0, 1)".to_owned()),
            (&[0.1, 0.2, 0.3], wrong_number("a sequence of 3")),
            (&[], wrong_number("a sequence of 0")),
        ] {
            assert_eq!(Dropout::new(rates, 2).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn a_rate_of_0_has_no_mask() {
        let dropout = Dropout::new(&[0.25, 0.0], 2).unwrap();
        let masks = dropout.masks(Key::new(0));
        assert_eq!(masks.of_layer(0), Some(Mask::new(0.25, Key::new(0).child(0))));
        assert_eq!(masks.of_layer(1), None);
        assert!(Dropout::new(&[0.0], 3).unwrap().is_none());
        assert!(Dropout::default().masks(Key::new(0)).is_none());
    }
}
