//! Dropout: which values of a hidden layer a step leaves out, as a pure function of a key.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::SplitMix64;

use crate::error::{Error, Result};

/// Number of values that a random word can take.
const WORDS: f64 = (1_u64 << 32) as f64;

/// Inverted dropout: in training each activation of a hidden layer is 0 with the layer's rate as probability, and
/// otherwise multiplied by `1 / (1 - rate)`, so that its expectation stays and prediction needs no change.
///
/// A rate is rounded to a multiple of 2^-32, and that is the probability exactly.
///
/// Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014, section 10.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dropout {
    /// One a hidden layer; none where nothing is left out.
    rates: Vec<f64>,
}

impl Dropout {
    /// Rates in [0, 1): one a hidden layer of a network that has `n_hidden`, or one for all of them.
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
    /// Of no dropout.
    pub(crate) const NONE: Self = Masks { rates: &[], key: Key(0) };

    /// Whether nothing is left out.
    pub(crate) fn is_none(&self) -> bool {
        self.rates.is_empty()
    }

    /// The mask of hidden layer `l`; none if it leaves nothing out.
    pub(crate) fn of_layer(&self, l: usize) -> Option<Mask> {
        let rate = *self.rates.get(l).filter(|&&rate| rate > 0.0)?;
        Some(Mask::new(rate, self.key.child(l as u64)))
    }
}

/// Which values of a matrix are left out: a pure function of (key, row, column), whatever the rows are computed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mask {
    /// The parent of the rows' keys.
    pub(crate) key: Key,
    /// A value stays if its random word is at most this.
    pub(crate) last: u32,
}

impl Mask {
    /// What a rate leaves out under a key.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 2^32 - 1")]
    pub(crate) fn new(rate: f64, key: Key) -> Self {
        let kept = ((1.0 - rate) * WORDS).round().max(1.0);
        Self { key, last: (kept - 1.0) as u32 }
    }

    /// Probability that a value stays.
    pub(crate) fn keep(&self) -> f64 {
        (f64::from(self.last) + 1.0) / WORDS
    }

    /// What values that stay are multiplied by.
    pub(crate) fn scale(&self) -> f64 {
        1.0 / self.keep()
    }
}

/// A node in a tree of random numbers: from a seed to epochs, batches, layers and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(u64);

impl Key {
    /// The root. Its numbers are others than those that the order of rows comes from.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed ^ u64::from_be_bytes(*b"dropout "))
    }

    /// Child number `i`: the output number `i`, from 0, of `SplitMix64` started at this key.
    #[inline]
    pub(crate) fn child(self, i: u64) -> Self {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        Self(SplitMix64::seed_from_u64(self.0.wrapping_add(i.wrapping_mul(STEP))).random())
    }

    /// The number as two.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "its halves")]
    pub(crate) fn halves(self) -> [u32; 2] {
        [(self.0 >> 32) as u32, self.0 as u32]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_probability_and_the_wrong_number_of_them() {
        let wrong_number = |found: &str| {
            format!("dropout is {found}, expected one number, or a sequence of 2: one a hidden layer")
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

    #[test]
    fn the_share_that_stays_is_the_nearest_multiple_of_2_to_the_minus_32() {
        for rate in [0.0, 1e-12, 1e-9, 0.1, 0.15, 0.5, 0.75, 0.999, 1.0 - 1e-9] {
            let mask = Mask::new(rate, Key::new(0));
            assert!((mask.keep() - (1.0 - rate)).abs() <= 0.5 / WORDS, "{rate}");
            assert!((mask.keep() * mask.scale() - 1.0).abs() < 1e-15, "{rate}");
        }
        let all = Mask::new(0.0, Key::new(0));
        assert_eq!((all.last, all.scale()), (u32::MAX, 1.0));
        // One of 2^32, where the nearest multiple would be none.
        let almost_none = Mask::new(1.0 - 1e-14, Key::new(0));
        assert_eq!((almost_none.last, almost_none.scale()), (0, WORDS));
    }

    #[test]
    fn children_are_the_outputs_of_a_generator() {
        let key = Key(0x1234_5678_9ABC_DEF0);
        let mut generator = SplitMix64::seed_from_u64(key.0);
        for i in 0..100 {
            assert_eq!(key.child(i), Key(generator.random()));
        }
    }

    #[test]
    fn every_place_in_the_tree_has_a_key_of_its_own() {
        let mut keys = std::collections::HashSet::new();
        for seed in 0..10 {
            for epoch in 0..10 {
                for batch in 0..10 {
                    let key = Key::new(seed).child(epoch).child(batch);
                    assert!((0..10).all(|layer| keys.insert(key.child(layer).0)));
                }
            }
        }
    }
}
