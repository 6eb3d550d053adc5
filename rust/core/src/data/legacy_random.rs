//! NumPy's `RandomState`, as far as shuffling needs it.
//!
//! The generator is MT19937 (M. Matsumoto and T. Nishimura, "Mersenne Twister: a 623-dimensionally equidistributed
//! uniform pseudo-random number generator", 1998), and a bounded number is drawn by masking and rejecting, as NumPy has
//! frozen it (NEP 19): the same state gives the same order as there.

use crate::error::{Error, Result};

/// Words of the state.
const N: usize = 624;
/// Distance of the words that are mixed.
const M: usize = 397;

/// The state of an MT19937: what `numpy.random.RandomState.get_state` returns as key and position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyRandom {
    key: [u32; N],
    /// The output of each word of the key.
    numbers: [u32; N],
    position: usize,
}

impl LegacyRandom {
    /// Continues from a state.
    pub fn new(key: &[u32], position: usize) -> Result<Self> {
        let key: [u32; N] = key.try_into().map_err(|_| {
            let found = format_args!("a RandomState with a key of {} numbers", key.len()).to_string();
            Error::value("seed", found, "624")
        })?;
        if position > N {
            let found = format_args!("a RandomState at position {position}").to_string();
            return Err(Error::value("seed", found, "at most 624"));
        }
        Ok(Self { key, numbers: key.map(tempered), position })
    }

    /// The words of the state.
    pub fn key(&self) -> &[u32] {
        &self.key
    }

    /// How many of them were used.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Shuffles as `RandomState.shuffle` does: from the last position on, each is swapped with one that is not after
    /// it.
    pub(crate) fn shuffle(&mut self, order: &mut [u32]) {
        let mut i = order.len().saturating_sub(1);
        while i > 0 {
            // A number that is too large is rejected: the position is swapped with itself and stays the next one.
            // A branch here would be unpredictable.
            let drawn = self.next() as usize & (usize::MAX >> i.leading_zeros());
            let is_taken = drawn <= i;
            order.swap(i, if is_taken { drawn } else { i });
            i -= usize::from(is_taken);
        }
    }

    fn next(&mut self) -> u32 {
        if self.position == N {
            self.twist();
        }
        let number = self.numbers[self.position];
        self.position += 1;
        number
    }

    /// The next words: each depends on three old ones, whose indices wrap around.
    fn twist(&mut self) {
        let key = &mut self.key;
        for i in 0..N - M {
            key[i] = key[i + M] ^ mixed(key[i], key[i + 1]);
        }
        for i in N - M..N - 1 {
            key[i] = key[i + M - N] ^ mixed(key[i], key[i + 1]);
        }
        key[N - 1] = key[M - 1] ^ mixed(key[N - 1], key[0]);
        self.numbers = key.map(tempered);
        self.position = 0;
    }
}

fn mixed(word: u32, next: u32) -> u32 {
    let y = (word & 0x8000_0000) | (next & 0x7fff_ffff);
    (y >> 1) ^ ((y & 1).wrapping_neg() & 0x9908_b0df)
}

fn tempered(mut y: u32) -> u32 {
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c_5680;
    y ^= (y << 15) & 0xefc6_0000;
    y ^ (y >> 18)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the authors initialise it.
    fn seeded(seed: u32) -> LegacyRandom {
        let mut key = [seed; N];
        for i in 1..N {
            #[allow(clippy::cast_possible_truncation, reason = "below 624")]
            let index = i as u32;
            key[i] = (key[i - 1] ^ (key[i - 1] >> 30)).wrapping_mul(1_812_433_253).wrapping_add(index);
        }
        LegacyRandom::new(&key, N).unwrap()
    }

    #[test]
    fn the_ten_thousandth_number_is_that_of_the_standard() {
        // The C++ standard requires this number of std::mt19937, whose default seed is 5489.
        let mut random = seeded(5489);
        let last = (0..10_000).map(|_| random.next()).last();
        assert_eq!(last, Some(4_123_659_995));
    }

    #[test]
    fn a_state_of_another_kind_is_refused() {
        let message = |key: &[u32], position| LegacyRandom::new(key, position).unwrap_err().to_string();
        assert_eq!(message(&[0; 3], 0), "seed is a RandomState with a key of 3 numbers, expected 624");
        assert_eq!(message(&[0; N], 625), "seed is a RandomState at position 625, expected at most 624");
    }

    #[test]
    fn every_row_comes_once() {
        let mut random = seeded(1);
        for n in [0, 1, 2, 3, 1000] {
            let mut order: Vec<u32> = (0..n).collect();
            random.shuffle(&mut order);
            order.sort_unstable();
            assert!(order.into_iter().eq(0..n));
        }
    }
}
