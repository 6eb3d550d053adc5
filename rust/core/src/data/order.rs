//! The order of rows in an epoch, and the seeds it comes from.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::{SplitMix64, Xoshiro256PlusPlus};

/// Seeds drawn one after another from one seed: a network's own random stream.
#[derive(Clone, Debug)]
pub(crate) struct Seeds(u64);

impl Seeds {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The seed from which [`new`](Self::new) makes the rest of this stream.
    pub(crate) fn state(&self) -> u64 {
        self.0
    }

    pub(crate) fn next_seed(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(1);
        SplitMix64::seed_from_u64(self.0).random()
    }
}

/// Fills `order` with a permutation of its indices that is a pure function of (seed, epoch) and its length.
///
/// Fisher and Yates' shuffle. An index is the upper half of a product with 64 random bits; for fewer than 2^32 rows no
/// order is more likely than another by more than 2^-32.
#[allow(clippy::cast_possible_truncation, reason = "an index below 2^32, the number of rows")]
pub(crate) fn shuffle(seed: u64, epoch: u64, order: &mut [u32]) {
    let mut seeds = SplitMix64::seed_from_u64(seed ^ epoch.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seeds.random());
    for (i, row) in order.iter_mut().enumerate() {
        *row = i as u32;
    }
    for i in (1..order.len()).rev() {
        let random: u64 = rng.random();
        let j = (u128::from(random) * (i as u128 + 1)) >> 64;
        order.swap(i, j as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shuffled(seed: u64, epoch: u64, n: usize) -> Vec<u32> {
        let mut order = vec![7; n];
        shuffle(seed, epoch, &mut order);
        order
    }

    #[test]
    fn every_row_comes_once() {
        for n in [1, 2, 33, 1000] {
            let mut order = shuffled(1, 2, n);
            order.sort_unstable();
            assert!(order.iter().enumerate().all(|(i, &row)| row as usize == i));
        }
    }

    #[test]
    fn the_order_is_a_function_of_seed_and_epoch() {
        assert_eq!(shuffled(1, 2, 100), shuffled(1, 2, 100));
        assert_ne!(shuffled(1, 2, 100), shuffled(1, 3, 100));
        assert_ne!(shuffled(1, 2, 100), shuffled(2, 2, 100));
    }

    #[test]
    fn every_order_is_as_likely() {
        let mut counts = std::collections::HashMap::new();
        let n = 6000_u32;
        for epoch in 0..n {
            *counts.entry(shuffled(3, u64::from(epoch), 3)).or_insert(0_u32) += 1;
        }
        assert_eq!(counts.len(), 6);
        // Five standard deviations of a binomial around 1000.
        assert!(counts.values().all(|&count| count.abs_diff(n / 6) < 145), "{counts:?}");
    }
}
