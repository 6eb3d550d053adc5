//! Losses that were computed elsewhere, and their derivatives, weighted.

use crate::kernels::tally::Tally;
use crate::numbers::Scalar;
use crate::numbers::math::ample_or_zero;
use crate::numbers::simd_fn;

/// `d = d_raw weight`, and the sum of `losses weight` in `f64`.
///
/// losses: (n,), `d_raw`: (n, `d_out`), weights: (n,), d: (n, `d_out`)
///
/// # Panics
/// If the shapes do not fit together.
pub(crate) fn given_losses<T: Scalar>(losses: &[T], d_raw: &[T], weights: &[T], d: &mut [T]) -> Tally {
    assert_eq!(losses.len(), weights.len(), "losses and weights");
    assert_eq!(d_raw.len(), d.len(), "derivatives");
    assert!(losses.is_empty() || d.len().is_multiple_of(losses.len()), "whole rows");
    weighted(losses, d_raw, weights, d)
}

simd_fn! {
    fn weighted<T as V>(losses: &[T], d_raw: &[T], weights: &[T], d: &mut [T]) -> Tally {
        let mut tally = Tally::default();
        let d_out = d.len().checked_div(losses.len()).unwrap_or(0).max(1);
        let rows = d_raw.chunks(d_out).zip(d.chunks_mut(d_out)).zip(losses.iter().zip(weights));
        for ((d_raw, d), (&loss, &weight)) in rows {
            tally.loss += (loss * weight).into();
            for (from, to) in d_raw.chunks(T::LANES).zip(d.chunks_mut(T::LANES)) {
                ample_or_zero::<T, V>(V::load_front(from) * V::splat(weight)).store_front(to);
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::given_losses;
    use crate::numbers::simd::{Isa, with_isa};

    #[test]
    fn every_row_has_its_weight() {
        for isa in Isa::available() {
            for (n, d_out) in [(0, 3), (1, 1), (17, 1), (3, 2), (5, 33)] {
                let losses: Vec<f64> = (0..n).map(|i| i as f64).collect();
                let weights: Vec<f64> = (0..n).map(|i| 0.5 + i as f64).collect();
                let d_raw: Vec<f64> = (0..n * d_out).map(|i| (i as f64).sin()).collect();
                let mut d = vec![f64::NAN; n * d_out];
                let tally = with_isa(isa, || given_losses(&losses, &d_raw, &weights, &mut d));
                let sum: f64 = losses.iter().zip(&weights).map(|(l, w)| l * w).sum();
                assert!((tally.loss - sum).abs() <= 1e-13 * sum);
                assert_eq!(tally.correct, 0);
                for (i, d) in d.iter().enumerate() {
                    assert_eq!(d.to_bits(), (d_raw[i] * weights[i / d_out]).to_bits());
                }
            }
        }
    }
}
