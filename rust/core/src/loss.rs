//! Softmax and cross-entropy, one numerically safe operation.
//!
//! For a row of logits `z`, its class `y` and its weight `w`, with `m = max(z)`:
//!
//! ```text
//! p      = exp(z - m) / sum(exp(z - m))
//! loss   = w (m + ln(sum(exp(z - m))) - z[y])
//! d_z[j] = w (p[j] - 1[j = y])
//! ```
//!
//! No exponent is above 0, so that nothing overflows, and the sum is at least 1, so that its logarithm is finite.

/// What a pass over rows adds up besides the gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    /// Sum of the weighted losses.
    pub(crate) loss: f64,
    /// Rows whose largest logit is that of their class.
    pub(crate) correct: usize,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.loss += other.loss;
        self.correct += other.correct;
    }
}

#[cfg(test)]
mod tests {
    use crate::kernels::Kernels;

    #[test]
    fn two_equal_logits_lose_ln_2() {
        let mut z = [5.0_f64, 5.0];
        let tally = Kernels::softmax_cross_entropy(&mut z, 2, &[1], &[1.0]);
        assert!((tally.loss - 2.0_f64.ln()).abs() < 1e-15);
        assert!((z[0] - 0.5).abs() < 1e-15 && (z[1] + 0.5).abs() < 1e-15);
        assert_eq!(tally.correct, 0, "the first of equals is the prediction");
    }

    #[test]
    fn logits_far_apart_stay_finite() {
        for scale in [1e4_f32, -1e4, 1e30] {
            let mut z = [scale, 0.0, -scale];
            let tally = Kernels::softmax_cross_entropy(&mut z, 3, &[2], &[1.0]);
            assert!(tally.loss.is_finite(), "{scale}");
            assert!(z.iter().all(|d| d.is_finite()), "{scale}");
        }
    }

    #[test]
    fn a_weight_scales_loss_and_derivative() {
        let (mut once, mut twice) = ([1.0, 2.0, 3.0_f64], [1.0, 2.0, 3.0]);
        let single = Kernels::softmax_cross_entropy(&mut once, 3, &[0], &[1.0]);
        let double = Kernels::softmax_cross_entropy(&mut twice, 3, &[0], &[2.0]);
        assert!((double.loss - 2.0 * single.loss).abs() < 1e-15);
        assert!(once.iter().zip(&twice).all(|(a, b)| (2.0 * a - b).abs() < 1e-15));
    }
}
