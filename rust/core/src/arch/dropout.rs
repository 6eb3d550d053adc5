//! Dropout: which inputs and values of hidden layers a step leaves out, as a pure function of a key.

use crate::error::{Error, Result};
use crate::kernels::{Key, Mask};

/// Inverted dropout: in training each activation of a hidden layer is 0 with the layer's rate as probability, and
/// otherwise multiplied by `1 / (1 - rate)`, so that its expectation stays and prediction needs no change. Inputs have a
/// rate of their own.
///
/// A rate is rounded to a multiple of 2^-32, which is then the exact probability.
///
/// Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014, section 10.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dropout {
    /// Of the inputs.
    input: f64,
    /// One per hidden layer; none where nothing is left out.
    rates: Vec<f64>,
}

/// The number of the inputs among the layers, which no hidden layer has.
const INPUT: u64 = u64::MAX;

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
        Ok(Self { input: 0.0, rates: if some { rates } else { Vec::new() } })
    }

    /// The same with a rate of the inputs, in [0, 1).
    pub fn with_input(self, rate: f64) -> Result<Self> {
        if (0.0..1.0).contains(&rate) {
            Ok(Self { input: rate, ..self })
        } else {
            Err(Error::value("input_dropout", rate, "a number in [0, 1)"))
        }
    }

    /// Whether nothing is dropped.
    pub fn is_none(&self) -> bool {
        self.input == 0.0 && self.rates.is_empty()
    }

    /// The masks of one step.
    pub(crate) fn masks(&self, key: Key) -> Masks<'_> {
        Masks { input: self.input, rates: &self.rates, key }
    }
}

/// The masks of one step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Masks<'a> {
    input: f64,
    rates: &'a [f64],
    key: Key,
}

impl Masks<'_> {
    /// Of no dropout.
    pub(crate) const NONE: Self = Masks { input: 0.0, rates: &[], key: Key::NONE };

    /// Whether nothing is dropped.
    pub(crate) fn is_none(&self) -> bool {
        self.input == 0.0 && self.rates.is_empty()
    }

    /// The mask of the inputs; none if none is left out.
    pub(crate) fn of_input(&self) -> Option<Mask> {
        (self.input > 0.0).then(|| Mask::new(self.input, self.key.child(INPUT)))
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
        for (rate, found) in [(1.0, "1"), (-0.1, "-0.1"), (f64::NAN, "NaN")] {
            let message = Dropout::default().with_input(rate).unwrap_err().to_string();
            assert_eq!(message, format!("input_dropout is {found}, expected a number in [0, 1)"));
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
        assert_eq!(masks.of_input(), None);
    }

    #[test]
    fn inputs_have_a_mask_of_their_own() {
        let dropout = Dropout::new(&[0.0], 1).unwrap().with_input(0.25).unwrap();
        assert!(!dropout.is_none());
        let masks = dropout.masks(Key::new(0));
        assert!(!masks.is_none());
        assert_eq!((masks.of_layer(0), masks.of_input().is_some()), (None, true));
        let both = Dropout::new(&[0.25], 1).unwrap().with_input(0.25).unwrap();
        let masks = both.masks(Key::new(0));
        assert_ne!(masks.of_input(), masks.of_layer(0));
    }
}
