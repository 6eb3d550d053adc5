//! Losses whose outputs stand apart from one another, with the gradient: one loop over the table of [`row_loss`].
//!
//! [`row_loss`]: crate::kernels::row_loss

use crate::kernels::output::Output;
use crate::kernels::row_loss::{
    Absolute, Binary, BinaryFocal, Gamma, Huber, Poisson, Quantile, RowLoss, SmoothedBinary, Squared,
    SquaredOfExp, Tweedie,
};
use crate::kernels::tally::{Bounds, Tally};
use crate::numbers::Scalar;
use crate::numbers::math::ample_or_zero;
use crate::numbers::simd::Simd;
use crate::numbers::simd_fn;

/// A loss of outputs that stand apart, as plain numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ValueLoss<'a> {
    /// The cross-entropy of yes and no.
    Binary,
    /// The same with targets drawn towards a half by this share.
    SmoothedBinary(f64),
    /// The focal loss of yes and no, with this exponent.
    BinaryFocal(f64),
    /// Half the squared error.
    Squared,
    /// Half the squared error of the sum's exponential.
    SquaredOfExp,
    /// The absolute error.
    Absolute,
    /// Half the squared error up to this error, and a line from there on.
    Huber(f64),
    /// The pinball loss, of one level per output.
    Quantile(&'a [f64]),
    /// Half the Poisson deviance of the sum's exponential.
    Poisson,
    /// Half the gamma deviance of the sum's exponential.
    Gamma,
    /// Half the Tweedie deviance of the sum's exponential, of a power that is neither 1 nor 2.
    Tweedie(f64),
}

impl ValueLoss<'_> {
    /// The loss of which an output is the canonical link: its derivative is the prediction less the target.
    ///
    /// # Panics
    /// For [`Output::Softmax`].
    pub(crate) fn canonical(output: Output) -> Self {
        match output {
            Output::Softmax => unreachable!("its outputs belong together"),
            Output::Sigmoid => Self::Binary,
            Output::Identity => Self::Squared,
            Output::Exp => Self::Poisson,
        }
    }
}

/// Turns sums `(n, d_out)` into the gradient of the weighted losses with respect to them, and returns the losses, each
/// output's held to `bounds`, summed in `f64`; and how many rows have every output on the right side of a half, if the
/// loss is one of yes and no.
///
/// targets: (n, `d_out`), weights: (n,)
///
/// # Panics
/// If the shapes do not fit together.
pub(crate) fn value_losses<T: Scalar>(
    loss: ValueLoss<'_>,
    z: &mut [T],
    targets: &[T],
    weights: &[T],
    bounds: Bounds,
) -> Tally {
    assert_eq!(z.len(), targets.len(), "sums and targets");
    assert!(weights.is_empty() || z.len().is_multiple_of(weights.len()), "whole rows");
    match loss {
        ValueLoss::Binary => losses(z, targets, weights, bounds, &Binary),
        ValueLoss::SmoothedBinary(share) => losses(z, targets, weights, bounds, &SmoothedBinary(share)),
        ValueLoss::BinaryFocal(gamma) => losses(z, targets, weights, bounds, &BinaryFocal(gamma)),
        ValueLoss::Squared => losses(z, targets, weights, bounds, &Squared),
        ValueLoss::SquaredOfExp => losses(z, targets, weights, bounds, &SquaredOfExp),
        ValueLoss::Absolute => losses(z, targets, weights, bounds, &Absolute),
        ValueLoss::Huber(delta) => losses(z, targets, weights, bounds, &Huber(delta)),
        ValueLoss::Quantile(levels) => losses(z, targets, weights, bounds, &Quantile(levels)),
        ValueLoss::Poisson => losses(z, targets, weights, bounds, &Poisson),
        ValueLoss::Gamma => losses(z, targets, weights, bounds, &Gamma),
        ValueLoss::Tweedie(power) => losses(z, targets, weights, bounds, &Tweedie(power)),
    }
}

simd_fn! {
    fn losses<T as V; L: RowLoss>(z: &mut [T], targets: &[T], weights: &[T], bounds: Bounds, loss: &L) -> Tally {
        let mut tally = Tally::default();
        let d_out = z.len().checked_div(weights.len()).unwrap_or(0);
        if d_out == 1 {
            let blocks = z.chunks_mut(T::LANES).zip(targets.chunks(T::LANES)).zip(weights.chunks(T::LANES));
            for ((z, y), weights) in blocks {
                let right = block::<T, V, L>(z, y, V::load_front(weights), 0, bounds, loss, &mut tally);
                if L::IS_BINARY {
                    tally.correct += n_right(right, y.len());
                }
            }
            return tally;
        }
        for ((z, y), &weight) in z.chunks_mut(d_out.max(1)).zip(targets.chunks(d_out.max(1))).zip(weights) {
            let (mut column, mut all_right) = (0, L::IS_BINARY);
            for (z, y) in z.chunks_mut(T::LANES).zip(y.chunks(T::LANES)) {
                let right = block::<T, V, L>(z, y, V::splat(weight), column, bounds, loss, &mut tally);
                if L::IS_BINARY {
                    all_right &= n_right(right, y.len()) == y.len();
                }
                column += T::LANES;
            }
            tally.correct += usize::from(all_right);
        }
        tally
    }
}

/// At most one vector of outputs: sums become the gradient, losses are added; 1 for those on the right side of a half.
#[inline(always)]
fn block<T: Scalar, V: Simd<T>, L: RowLoss>(
    z: &mut [T],
    targets: &[T],
    weight: V,
    column: usize,
    bounds: Bounds,
    loss: &L,
    tally: &mut Tally,
) -> V {
    let (sums, y) = (V::load_front(z), V::load_front(targets));
    let (of_output, d) = loss.eval::<T, V>(sums, y, column);
    let weighted = weight * bounds.hold::<T, V>(of_output);
    let mut losses = [T::ZERO; 16];
    weighted.store(&mut losses);
    for &loss in losses.iter().take(z.len()) {
        tally.loss += loss.into();
    }
    ample_or_zero::<T, V>(d * weight).store_front(z);
    let (zero, one) = (V::zero(), V::splat(T::ONE));
    let right_if_yes = V::select(sums.gt(zero), one, zero);
    V::select(y.gt(V::constant(0.5)), right_if_yes, one - right_if_yes)
}

/// How many of the first lanes are 1.
#[inline(always)]
fn n_right<T: Scalar, V: Simd<T>>(right: V, lanes: usize) -> usize {
    let mut each = [T::ZERO; 16];
    right.store(&mut each);
    each.iter().take(lanes).filter(|&&right| right == T::ONE).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::simd::{Isa, with_isa};

    const LEVELS: [f64; 33] = {
        let mut levels = [0.0; 33];
        let mut i = 0;
        while i < 33 {
            levels[i] = (i + 1) as f64 / 34.0;
            i += 1;
        }
        levels
    };

    fn all(d_out: usize) -> [ValueLoss<'static>; 15] {
        [
            ValueLoss::Binary,
            ValueLoss::SmoothedBinary(0.2),
            ValueLoss::BinaryFocal(0.0),
            ValueLoss::BinaryFocal(2.5),
            ValueLoss::Squared,
            ValueLoss::SquaredOfExp,
            ValueLoss::Absolute,
            ValueLoss::Huber(1.3),
            ValueLoss::Quantile(&LEVELS[..d_out]),
            ValueLoss::Poisson,
            ValueLoss::Gamma,
            ValueLoss::Tweedie(1.5),
            ValueLoss::Tweedie(-0.5),
            ValueLoss::Tweedie(1.05),
            ValueLoss::Tweedie(1.97),
        ]
    }

    /// The loss of an output and its derivative, as the formulas say.
    fn plain(loss: ValueLoss<'_>, z: f64, y: f64, column: usize) -> (f64, f64) {
        let (sigmoid, m, error) = (1.0 / (1.0 + (-z).exp()), z.exp(), z - y);
        let binary = |y: f64| (-y * sigmoid.ln() - (1.0 - y) * (1.0 - sigmoid).ln(), sigmoid - y);
        match loss {
            ValueLoss::Binary => binary(y),
            ValueLoss::SmoothedBinary(share) => binary(y * (1.0 - share) + share / 2.0),
            ValueLoss::BinaryFocal(gamma) => {
                // A target of 0 or 1 alone: the probability of what is right and the sign of its sum.
                let (p, sign) = if y > 0.5 { (sigmoid, 1.0) } else { (1.0 - sigmoid, -1.0) };
                let slope = gamma * (1.0 - p).powf(gamma) * p * p.ln() - (1.0 - p).powf(gamma + 1.0);
                (-(1.0 - p).powf(gamma) * p.ln(), sign * slope)
            }
            ValueLoss::Squared => (error * error / 2.0, error),
            ValueLoss::SquaredOfExp => ((m - y).powi(2) / 2.0, (m - y) * m),
            ValueLoss::Absolute => (error.abs(), error.signum()),
            ValueLoss::Huber(delta) if error.abs() <= delta => (error * error / 2.0, error),
            ValueLoss::Huber(delta) => (delta * (error.abs() - delta / 2.0), delta * error.signum()),
            ValueLoss::Quantile(levels) => {
                let q = levels[column];
                if error > 0.0 { ((1.0 - q) * error, 1.0 - q) } else { (-q * error, -q) }
            }
            ValueLoss::Poisson => (if y > 0.0 { y * (y / m).ln() } else { 0.0 } - y + m, m - y),
            ValueLoss::Gamma => ((m / y).ln() + y / m - 1.0, 1.0 - y / m),
            ValueLoss::Tweedie(p) => {
                let (a, b) = (1.0 - p, 2.0 - p);
                let of_y = if y > 0.0 { y.powf(b) } else { 0.0 };
                (of_y / (a * b) - y * m.powf(a) / a + m.powf(b) / b, m.powf(b) - y * m.powf(a))
            }
        }
    }

    #[test]
    fn matches_the_formulas() {
        for isa in Isa::available() {
            for (n, d_out) in [(0, 1), (1, 1), (17, 1), (40, 1), (3, 2), (5, 8), (4, 9), (2, 33)] {
                for loss in all(d_out) {
                    let z: Vec<f64> = (0..n * d_out).map(|i| 3.0 * (i as f64 * 1.7).sin()).collect();
                    let yes = |i: usize| if i.is_multiple_of(3) { 1.0 } else { 0.0 };
                    let value = |i: usize| if loss == ValueLoss::Gamma { 0.5 + yes(i) } else { yes(i) };
                    let y: Vec<f64> = (0..n * d_out).map(value).collect();
                    let weights: Vec<f64> = (0..n).map(|i| 0.5 + i as f64 * 0.1).collect();
                    let mut d = z.clone();
                    let tally = with_isa(isa, || value_losses(loss, &mut d, &y, &weights, Bounds::NONE));
                    let mut expected = Tally::default();
                    for (i, (z, y)) in z.chunks(d_out).zip(y.chunks(d_out)).enumerate() {
                        for (c, (&z, &y)) in z.iter().zip(y).enumerate() {
                            let (l, slope) = plain(loss, z, y, c);
                            expected.loss += weights[i] * l;
                            let error = (d[i * d_out + c] - weights[i] * slope).abs();
                            assert!(error < 1e-12 * (1.0 + slope.abs()), "{loss:?} {z} {y} {error}");
                        }
                        let is_binary = matches!(
                            loss,
                            ValueLoss::Binary | ValueLoss::SmoothedBinary(_) | ValueLoss::BinaryFocal(_)
                        );
                        let right = z.iter().zip(y).all(|(&z, &y)| (z > 0.0) == (y > 0.5));
                        expected.correct += usize::from(right && is_binary);
                    }
                    let error = (tally.loss - expected.loss).abs();
                    assert!(error < 1e-12 * (1.0 + expected.loss.abs()), "{loss:?} {n} {d_out} {error}");
                    assert_eq!(tally.correct, expected.correct, "{loss:?} {n} {d_out}");
                }
            }
        }
    }

    #[test]
    fn tweedie_near_the_powers_of_poisson_and_gamma_is_theirs() {
        let z: Vec<f32> = (0..40).map(|i| 3.0 * f32::sin(1.7 * i as f32)).collect();
        let y: Vec<f32> = (0..40).map(|i| 0.5 + (i % 3) as f32).collect();
        let loss_of = |loss, z: &mut [f32], y: &[f32]| value_losses(loss, z, y, &[1.0], Bounds::NONE).loss;
        for isa in Isa::available() {
            for (power, limit) in [
                (1.0 + 1e-12, ValueLoss::Poisson),
                (1.0 + 1e-7, ValueLoss::Poisson),
                (2.0 - 1e-9, ValueLoss::Gamma),
                (2.0 + 1e-7, ValueLoss::Gamma),
            ] {
                for (&z, &y) in z.iter().zip(&y) {
                    let (mut near, mut at) = ([z], [z]);
                    let (near, at) = with_isa(isa, || {
                        (loss_of(ValueLoss::Tweedie(power), &mut near, &[y]), loss_of(limit, &mut at, &[y]))
                    });
                    // Rounding of terms that are as large as the means and the targets.
                    let scale = f64::from(z.exp() + y + y / z.exp());
                    assert!((near - at).abs() < 3e-6 * scale, "{power} {z} {y}: {near} {at}");
                }
            }
            let at_zero = with_isa(isa, || loss_of(ValueLoss::Tweedie(1.0 + 1e-12), &mut [0.5], &[0.0]));
            assert!((at_zero - f64::from(0.5_f32.exp())).abs() < 1e-6);
        }
    }

    #[test]
    fn at_a_corner_the_derivative_is_0() {
        for loss in [ValueLoss::Absolute, ValueLoss::Quantile(&[0.9]), ValueLoss::Huber(0.1)] {
            let mut z = [0.25_f32];
            let tally = value_losses(loss, &mut z, &[0.25], &[1.0], Bounds::NONE);
            assert_eq!((tally.loss, z), (0.0, [0.0]), "{loss:?}");
        }
    }

    #[test]
    fn far_out_the_cross_entropy_of_yes_and_no_is_exact() {
        // ln(1 + exp(-40)) is exp(-40) but for its square, far below the rounding of 1 + exp(-40).
        let mut z = [40.0_f64, -1e4, 1e4];
        let tally = value_losses(ValueLoss::Binary, &mut z[..1], &[1.0], &[1.0], Bounds::NONE);
        assert!((tally.loss / (-40.0_f64).exp() - 1.0).abs() < 1e-14);
        let tally = value_losses(ValueLoss::Binary, &mut z[1..], &[1.0, 0.0], &[1.0, 1.0], Bounds::NONE);
        assert_eq!(tally, Tally { loss: 2e4, correct: 0, penalty: 0.0 });
        assert_eq!(z[1..], [-1.0, 1.0]);
    }

    #[test]
    fn far_out_the_focal_loss_stays_finite() {
        for (y, expected) in [(0.0, [1e30_f32, 0.0]), (1.0, [0.0, 1e30])] {
            for (far, expected) in [1e30, -1e30].into_iter().zip(expected) {
                let mut z: [f32; 1] = [far];
                let tally = value_losses(ValueLoss::BinaryFocal(2.0), &mut z, &[y], &[1.0], Bounds::NONE);
                assert_eq!(tally.loss, f64::from(expected), "{far} {y}");
                assert!(z[0].is_finite());
            }
        }
    }

    #[test]
    fn a_sum_that_is_nan_makes_a_loss_that_is_nan() {
        for loss in all(1) {
            for bounds in [Bounds::NONE, Bounds::of_clipped_probabilities::<f64>()] {
                let tally = value_losses(loss, &mut [f64::NAN], &[1.0], &[1.0], bounds);
                assert!(tally.loss.is_nan(), "{loss:?}");
            }
        }
    }
}
