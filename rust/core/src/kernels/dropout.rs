//! Dropout in place, with random numbers that are a function of their position.

use super::simd::simd_fn;
use crate::dropout::Mask;
use crate::order::mixed;

/// Columns whose random numbers are made together.
const BLOCK: usize = 16;

simd_fn! {
    /// Multiplies the elements of a matrix, whose first row is row `first_row` of the batch, by 0 or by the inverse of
    /// the share that the mask keeps. On activations this is dropout; on derivatives, the way back through it.
    ///
    /// # Panics
    /// If `x` does not consist of whole rows of `cols` elements.
    pub(crate) fn dropout<T as V>(x: &mut [T], cols: usize, mask: &Mask, first_row: usize) {
        assert!(x.len().is_multiple_of(cols), "whole rows of {cols}");
        let scale = T::from_f64(1.0 / mask.keep());
        for (i, row) in x.chunks_exact_mut(cols).enumerate() {
            let (counter, whitening) = row_key(mask.key, (first_row + i) as u64);
            for (j, block) in row.chunks_mut(BLOCK).enumerate() {
                let mut factors = [T::ZERO; BLOCK];
                factors_of_block(counter, j, whitening, mask.threshold, scale, &mut factors);
                for (x, factor) in block.chunks_mut(T::LANES).zip(factors.chunks_exact(T::LANES)) {
                    (V::load_front(x) * V::load(factor)).store_front(x);
                }
            }
        }

        #[inline(always)]
        #[allow(clippy::cast_possible_truncation, reason = "a counter of 32 bits runs round")]
        fn factors_of_block<T: Scalar>(
            counter: u32,
            j: usize,
            whitening: u32,
            threshold: u64,
            scale: T,
            factors: &mut [T; BLOCK],
        ) {
            // The largest number that is kept, since a threshold of 2^32 has no place in 32 bits.
            let last = (threshold - 1) as u32;
            for (lane, factor) in factors.iter_mut().enumerate() {
                let random = scrambled(counter.wrapping_add((j * BLOCK + lane) as u32)) ^ whitening;
                *factor = if random <= last { scale } else { T::ZERO };
            }
        }
    }
}

/// Where the counter of a row starts, and what its random numbers are combined with.
#[allow(clippy::cast_possible_truncation, reason = "two halves")]
fn row_key(key: u64, row: u64) -> (u32, u32) {
    let bits = mixed(key, row);
    ((bits >> 32) as u32, bits as u32)
}

/// A bijection of 32 bits in which each bit of the result depends on all: the last stage of `MurmurHash3` (A. Appleby).
#[inline(always)]
fn scrambled(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x85EB_CA6B);
    x ^= x >> 13;
    x = x.wrapping_mul(0xC2B2_AE35);
    x ^ (x >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::simd::{Isa, with_isa};
    use crate::scalar::Scalar;

    /// Whether each element of a matrix is kept.
    fn kept(rows: usize, cols: usize, mask: &Mask) -> Vec<bool> {
        let mut x = vec![1.0_f64; rows * cols];
        dropout(&mut x, cols, mask, 0);
        x.into_iter().map(|x| x > 0.0).collect()
    }

    /// Standard deviations between a count and what a share of `n` makes likely.
    fn deviation(count: usize, n: usize, share: f64) -> f64 {
        let n = n as f64;
        (count as f64 - n * share).abs() / (n * share * (1.0 - share)).sqrt()
    }

    #[test]
    fn what_is_kept_is_scaled_and_the_rest_is_0() {
        let mask = Mask::new(1, 0.85);
        let mut x: Vec<f32> = (1..=300_u16).map(f32::from).collect();
        dropout(&mut x, 30, &mask, 0);
        let scale = f32::from_f64(1.0 / mask.keep());
        assert!(x.iter().zip(1_u16..).all(|(&x, i)| x == 0.0 || x == f32::from(i) * scale));
    }

    #[test]
    fn a_mask_does_not_depend_on_tiles_or_types_or_instruction_sets() {
        let mask = Mask::new(2, 0.6);
        for cols in [1, 7, 8, 16, 17, 40] {
            let whole = kept(30, cols, &mask);
            for isa in Isa::available() {
                with_isa(isa, || {
                    let mut x = vec![1.0_f32; 30 * cols];
                    let (front, back) = x.split_at_mut(13 * cols);
                    dropout(back, cols, &mask, 13);
                    dropout(front, cols, &mask, 0);
                    assert!(x.iter().map(|&x| x > 0.0).eq(whole.iter().copied()), "{isa:?} {cols}");
                });
            }
        }
    }

    #[test]
    fn each_share_is_kept_as_often_as_it_says() {
        for keep in [1e-3, 0.15, 0.5, 0.85, 0.999] {
            let n = 1_000_000;
            let count = kept(1000, 1000, &Mask::new(3, keep)).into_iter().filter(|&kept| kept).count();
            assert!(deviation(count, n, keep) < 4.0, "{keep}: {count}");
        }
        assert!(kept(10, 100, &Mask::new(3, 1.0)).into_iter().all(|kept| kept));
    }

    #[test]
    fn neighbours_keys_and_rows_know_nothing_of_each_other() {
        let (rows, cols, keep) = (1000, 100, 0.5);
        let first = kept(rows, cols, &Mask::new(4, keep));
        let both = |a: &[bool], b: &[bool]| a.iter().zip(b).filter(|(a, b)| **a && **b).count();
        for apart in [1, 2, 8, 16, cols, 2 * cols, 7 * cols + 3] {
            let (a, b) = (&first[apart..], &first[..rows * cols - apart]);
            assert!(deviation(both(a, b), a.len(), keep * keep) < 4.0, "{apart} apart");
        }
        for key in [5, 4 + (1 << 32), u64::MAX] {
            let other = kept(rows, cols, &Mask::new(key, keep));
            assert!(deviation(both(&first, &other), rows * cols, keep * keep) < 4.0, "key {key}");
        }
    }

    #[test]
    fn rows_and_columns_keep_their_share() {
        let (rows, cols, keep) = (2000, 50, 0.3);
        let all = kept(rows, cols, &Mask::new(6, keep));
        for j in 0..cols {
            let count = all.iter().skip(j).step_by(cols).filter(|&&kept| kept).count();
            assert!(deviation(count, rows, keep) < 4.0, "column {j}: {count}");
        }
        // Chi-square with as many degrees of freedom as rows: its mean, and five standard deviations.
        let chi_square: f64 = all
            .chunks_exact(cols)
            .map(|row| deviation(row.iter().filter(|&&kept| kept).count(), cols, keep).powi(2))
            .sum();
        assert!((chi_square - rows as f64).abs() < 5.0 * (2.0 * rows as f64).sqrt(), "{chi_square}");
    }
}
