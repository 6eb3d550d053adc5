//! Which values dropout drops, as plain numbers.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::SplitMix64;

/// Number of values that a random word can take.
const WORDS: f64 = (1_u64 << 32) as f64;

/// Which values of a matrix are dropped: a pure function of (key, row, column), however the rows are split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mask {
    /// The parent of the rows' keys.
    pub(crate) key: Key,
    /// A value stays if its random word is at most this.
    pub(crate) last: u32,
}

impl Mask {
    /// The mask of a rate and a key.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 2^32 - 1")]
    pub(crate) fn new(rate: f64, key: Key) -> Self {
        let kept = ((1.0 - rate) * WORDS).round().max(1.0);
        Self { key, last: (kept - 1.0) as u32 }
    }

    /// Probability that a value stays.
    pub(crate) fn keep(&self) -> f64 {
        (f64::from(self.last) + 1.0) / WORDS
    }

    /// The factor of the values that stay.
    pub(crate) fn scale(&self) -> f64 {
        1.0 / self.keep()
    }

    /// What is left out of a row.
    #[inline(always)]
    pub(crate) fn row(&self, row: usize) -> RowMask {
        RowMask { words: Words::new(self.key, row), last: self.last }
    }
}

/// What a mask leaves out of one row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowMask {
    words: Words,
    last: u32,
}

impl RowMask {
    /// Whether the value in a column stays.
    #[inline(always)]
    pub(crate) fn keeps(self, column: u32) -> bool {
        self.words.word(column) <= self.last
    }
}

/// The random words of a row, a bijection from column to word: were a row 2^32 columns wide, each word would come once.
///
/// The columns count along a Weyl sequence, from one half of the row's key on, and go through the finaliser lowbias32 of
/// C. Wellons ("Prospecting for hash functions", 2018), which is keyed with the other half between its rounds: without
/// that all rows would be pieces of one sequence, and two of them might overlap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    start: u32,
    middle: u32,
}

impl Words {
    #[inline(always)]
    pub(super) fn new(key: Key, row: usize) -> Self {
        let [start, middle] = key.child(row as u64).halves();
        Self { start, middle }
    }

    #[inline(always)]
    pub(super) fn word(self, column: u32) -> u32 {
        let mut z = self.start.wrapping_add(column.wrapping_mul(0x9E37_79B9));
        z = (z ^ (z >> 16)).wrapping_mul(0x7FEB_352D) ^ self.middle;
        z = (z ^ (z >> 15)).wrapping_mul(0x846C_A68B);
        z ^ (z >> 16)
    }
}

/// A node in a tree of random numbers: from a seed to epochs, batches, layers and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(u64);

impl Key {
    /// The key of no randomness.
    pub(crate) const NONE: Self = Self(0);

    /// The root. Its numbers differ from those that the order of rows comes from.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed ^ u64::from_be_bytes(*b"dropout "))
    }

    /// Child number `i`: the output number `i`, from 0, of `SplitMix64` started at this key.
    #[inline]
    pub(crate) fn child(self, i: u64) -> Self {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        Self(SplitMix64::seed_from_u64(self.0.wrapping_add(i.wrapping_mul(STEP))).random())
    }

    /// The two halves of the number.
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
    fn the_share_that_stays_is_the_nearest_multiple_of_2_to_the_minus_32() {
        for rate in [0.0, 1e-12, 1e-9, 0.1, 0.15, 0.5, 0.75, 0.999, 1.0 - 1e-9] {
            let mask = Mask::new(rate, Key::new(0));
            assert!((mask.keep() - (1.0 - rate)).abs() <= 0.5 / WORDS, "{rate}");
            assert!((mask.keep() * mask.scale() - 1.0).abs() < 1e-15, "{rate}");
        }
        let all = Mask::new(0.0, Key::new(0));
        assert_eq!((all.last, all.scale()), (u32::MAX, 1.0));
        // One of 2^32, although the nearest multiple would be none.
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
