//! What a pass over rows adds up, and the bounds that a loss is clipped to.

use crate::numbers::Scalar;
use crate::numbers::simd::Simd;

/// The bounds that the loss of an output is clipped to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    least: f64,
    greatest: f64,
}

impl Bounds {
    /// The loss as it is.
    pub(crate) const NONE: Self = Self { least: f64::NEG_INFINITY, greatest: f64::INFINITY };

    /// The bounds of the loss of a probability that is clipped to between epsilon and 1 - epsilon.
    pub(crate) fn of_clipped_probabilities<T: Scalar>() -> Self {
        let epsilon: f64 = T::EPSILON.into();
        Self { least: -(1.0 - epsilon).ln(), greatest: -epsilon.ln() }
    }

    /// The nearest number within; NaN for NaN.
    #[inline(always)]
    pub(crate) fn hold<T: Scalar, V: Simd<T>>(self, loss: V) -> V {
        // The order of operands lets NaN through.
        V::constant(self.least).max(V::constant(self.greatest).min(loss))
    }
}

/// What a pass over rows adds up besides the gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Tally {
    /// Sum of the weighted losses.
    pub(crate) loss: f64,
    /// Rows whose prediction is correct, for outputs that classify.
    pub(crate) correct: usize,
    /// The penalty that the squares of the weights add to the loss of a batch.
    pub(crate) penalty: f64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.loss += other.loss;
        self.correct += other.correct;
        self.penalty += other.penalty;
    }

    pub(crate) fn add_all(&mut self, others: &[Self]) {
        for &other in others {
            self.add(other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bounds;
    use crate::kernels::Kernels;

    #[test]
    fn two_equal_logits_lose_ln_2() {
        let mut z = [5.0_f64, 5.0];
        let tally = Kernels::softmax_cross_entropy(&mut z, 2, &[1], &[1.0], Bounds::NONE);
        assert!((tally.loss - 2.0_f64.ln()).abs() < 1e-15);
        assert!((z[0] - 0.5).abs() < 1e-15 && (z[1] + 0.5).abs() < 1e-15);
        assert_eq!(tally.correct, 0, "the first of equals is the prediction");
    }

    #[test]
    fn logits_far_apart_stay_finite() {
        for scale in [1e4_f32, -1e4, 1e30] {
            let mut z = [scale, 0.0, -scale];
            let tally = Kernels::softmax_cross_entropy(&mut z, 3, &[2], &[1.0], Bounds::NONE);
            assert!(tally.loss.is_finite(), "{scale}");
            assert!(z.iter().all(|d| d.is_finite()), "{scale}");
        }
    }

    #[test]
    fn a_weight_scales_loss_and_derivative() {
        let (mut once, mut twice) = ([1.0, 2.0, 3.0_f64], [1.0, 2.0, 3.0]);
        let single = Kernels::softmax_cross_entropy(&mut once, 3, &[0], &[1.0], Bounds::NONE);
        let double = Kernels::softmax_cross_entropy(&mut twice, 3, &[0], &[2.0], Bounds::NONE);
        assert!((double.loss - 2.0 * single.loss).abs() < 1e-15);
        assert!(once.iter().zip(&twice).all(|(a, b)| (2.0 * a - b).abs() < 1e-15));
    }
}
