//! Dropout: in training, activations of hidden layers are left out at random and the others made larger, so that sums
//! keep their expectation. N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting",
//! 2014; scaled in training, as torch does, so that prediction needs no change.

use crate::error::{Error, Result};
use crate::order::mixed;

/// What share of each hidden layer's activations is left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dropout {
    /// One a hidden layer; none is no dropout at all.
    rates: Vec<f64>,
}

impl Dropout {
    /// Rates, each in [0, 1): one a hidden layer of a network that has `n_hidden`, or one for all of them.
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
            let expected = format!("one number, or a sequence of {n_hidden}: one a hidden layer");
            return Err(Error::value("dropout", found, expected));
        }
        let some = rates.iter().any(|&rate| rate > 0.0);
        Ok(Self { rates: if some { rates } else { Vec::new() } })
    }

    /// Whether nothing is left out.
    pub fn is_none(&self) -> bool {
        self.rates.is_empty()
    }

    /// The masks of one step, a pure function of `seed`.
    pub(crate) fn masks(&self, seed: u64) -> Masks<'_> {
        Masks { rates: &self.rates, seed }
    }
}

/// The masks of one step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Masks<'a> {
    rates: &'a [f64],
    seed: u64,
}

impl Masks<'_> {
    /// Of no dropout.
    pub(crate) const NONE: Self = Masks { rates: &[], seed: 0 };

    /// Whether nothing is left out.
    pub(crate) fn is_none(&self) -> bool {
        self.rates.is_empty()
    }

    /// The mask of the activations of hidden layer `l`; none if it keeps all.
    pub(crate) fn of_layer(&self, l: usize) -> Option<Mask> {
        let rate = *self.rates.get(l).filter(|&&rate| rate > 0.0)?;
        Some(Mask::new(mixed(self.seed, l as u64), 1.0 - rate))
    }
}

const TWO_32: f64 = 4_294_967_296.0;

/// Which activations of a layer are kept: the one of row `i` and unit `j` if a random number below 2^32, a pure
/// function of the key, i and j, is below the threshold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mask {
    pub(crate) key: u64,
    pub(crate) threshold: u64,
}

impl Mask {
    /// The mask that keeps the nearest share to this one that is a multiple of 2^-32, and not 0.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 2^32")]
    pub(crate) fn new(key: u64, keep: f64) -> Self {
        Self { key, threshold: (keep * TWO_32).round().max(1.0) as u64 }
    }

    /// Share of the activations that is kept.
    pub(crate) fn keep(&self) -> f64 {
        self.threshold as f64 / TWO_32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_share_and_the_wrong_number_of_them() {
        for (rates, message) in [
            (&[1.0][..], "dropout is 1, expected a number in [0, 1)"),
            (&[0.1, -0.1], "dropout is -0.1, expected a number in [0, 1)"),
            (&[f64::NAN], "dropout is NaN, expected a number in [0, 1)"),
            (
                &[0.1, 0.2, 0.3],
                "dropout is a sequence of 3, expected one number, or a sequence of 2: one a hidden layer",
            ),
            (&[], "dropout is a sequence of 0, expected one number, or a sequence of 2: one a hidden layer"),
        ] {
            assert_eq!(Dropout::new(rates, 2).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn the_threshold_is_the_share_that_is_kept() {
        let dropout = Dropout::new(&[0.25, 0.0, 1.0 - 1e-16], 3).unwrap();
        let masks = dropout.masks(1);
        assert_eq!(masks.of_layer(0).unwrap().threshold, 3 << 30);
        assert_eq!(masks.of_layer(0).unwrap().keep(), 0.75);
        assert!(masks.of_layer(1).is_none());
        assert_eq!(masks.of_layer(2).unwrap().threshold, 1);
        assert!(Dropout::new(&[0.0], 3).unwrap().is_none());
        assert!(Dropout::default().is_none());
    }
}
