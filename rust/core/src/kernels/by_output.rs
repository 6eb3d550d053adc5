//! Losses of outputs that are independent of one another, with the gradient: see [`Output`] for the formulas.

use crate::kernels::output::Output;
use crate::kernels::tally::{Bounds, Tally};
use crate::numbers::Scalar;
use crate::numbers::math::{ample_or_zero, exp_vector, ln_vector, sigmoid_vector};
use crate::numbers::simd::Simd;
use crate::numbers::simd_fn;

/// Turns sums `(n, d_out)` into the gradient of the weighted losses with respect to them, and returns the losses, each
/// output's held to `bounds`, summed in `f64`; and the number of rows with every output of [`Output::Sigmoid`] on the
/// right side of 1/2.
///
/// targets: (n, `d_out`), weights: (n,)
///
/// # Panics
/// If the shapes do not fit together, or for [`Output::Softmax`].
pub(crate) fn losses_by_output<T: Scalar>(
    output: Output,
    z: &mut [T],
    targets: &[T],
    weights: &[T],
    bounds: Bounds,
) -> Tally {
    assert_eq!(z.len(), targets.len(), "sums and targets");
    assert!(weights.is_empty() || z.len().is_multiple_of(weights.len()), "whole rows");
    match output {
        Output::Softmax => unreachable!("its outputs belong together"),
        Output::Sigmoid => losses(z, targets, weights, bounds, &Sigmoid),
        Output::Identity => losses(z, targets, weights, bounds, &Identity),
        Output::Exp => losses(z, targets, weights, bounds, &Exp),
    }
}

/// An output and its loss.
trait Link {
    /// The prediction.
    fn predict<T: Scalar, V: Simd<T>>(&self, z: V) -> V;
    /// The loss of the target y, given the prediction p.
    fn loss<T: Scalar, V: Simd<T>>(&self, z: V, p: V, y: V) -> V;
    /// 1 where prediction and target are on the same side of a half, else 0; always 0 if there is no such thing.
    fn is_right<T: Scalar, V: Simd<T>>(&self, z: V, y: V) -> V;
}

struct Sigmoid;
struct Identity;
struct Exp;

impl Link for Sigmoid {
    #[inline(always)]
    fn predict<T: Scalar, V: Simd<T>>(&self, z: V) -> V {
        sigmoid_vector::<T, V>(z)
    }
    /// `max(z, 0) - y z + ln(1 + exp(-|z|))`
    #[inline(always)]
    fn loss<T: Scalar, V: Simd<T>>(&self, z: V, _: V, y: V) -> V {
        let one = V::splat(T::ONE);
        let e = exp_vector::<T, V>(-z.abs());
        // The logarithm is corrected for the rounding of 1 + e, in proportion.
        let u = one + e;
        let ln = V::select(u.eq(one), e, ln_vector::<T, V>(u) * (e / (u - one)));
        // The order of operands lets NaN through.
        V::zero().max(z) - y * z + ln
    }
    #[inline(always)]
    fn is_right<T: Scalar, V: Simd<T>>(&self, z: V, y: V) -> V {
        let (zero, one) = (V::zero(), V::splat(T::ONE));
        let right_if_yes = V::select(z.gt(zero), one, zero);
        V::select(y.gt(V::constant(0.5)), right_if_yes, one - right_if_yes)
    }
}

impl Link for Identity {
    #[inline(always)]
    fn predict<T: Scalar, V: Simd<T>>(&self, z: V) -> V {
        z
    }
    #[inline(always)]
    fn loss<T: Scalar, V: Simd<T>>(&self, z: V, _: V, y: V) -> V {
        V::constant(0.5) * (z - y) * (z - y)
    }
    #[inline(always)]
    fn is_right<T: Scalar, V: Simd<T>>(&self, _: V, _: V) -> V {
        V::zero()
    }
}

impl Link for Exp {
    #[inline(always)]
    fn predict<T: Scalar, V: Simd<T>>(&self, z: V) -> V {
        exp_vector::<T, V>(z)
    }
    /// `y (ln(y) - z) - y + p`, where 0 times its logarithm is 0
    #[inline(always)]
    fn loss<T: Scalar, V: Simd<T>>(&self, z: V, p: V, y: V) -> V {
        let ln = V::select(y.gt(V::zero()), ln_vector::<T, V>(y), V::zero());
        y * (ln - z) - y + p
    }
    #[inline(always)]
    fn is_right<T: Scalar, V: Simd<T>>(&self, _: V, _: V) -> V {
        V::zero()
    }
}

simd_fn! {
    fn losses<T as V; L: Link>(z: &mut [T], targets: &[T], weights: &[T], bounds: Bounds, link: &L) -> Tally {
        let mut tally = Tally::default();
        let d_out = z.len().checked_div(weights.len()).unwrap_or(0);
        if d_out == 1 {
            let blocks = z.chunks_mut(T::LANES).zip(targets.chunks(T::LANES)).zip(weights.chunks(T::LANES));
            for ((z, y), weights) in blocks {
                let mut right = [T::ZERO; 16];
                block::<T, V, L>(z, y, V::load_front(weights), bounds, link, &mut tally).store(&mut right);
                tally.correct += right.iter().take(y.len()).filter(|&&right| right == T::ONE).count();
            }
            return tally;
        }
        for ((z, y), &weight) in z.chunks_mut(d_out.max(1)).zip(targets.chunks(d_out.max(1))).zip(weights) {
            let mut all_right = true;
            for (z, y) in z.chunks_mut(T::LANES).zip(y.chunks(T::LANES)) {
                let mut right = [T::ZERO; 16];
                block::<T, V, L>(z, y, V::splat(weight), bounds, link, &mut tally).store(&mut right);
                all_right &= right.iter().take(y.len()).all(|&right| right == T::ONE);
            }
            tally.correct += usize::from(all_right);
        }
        tally
    }
}

/// At most one vector of outputs: sums become the gradient, losses are added; returns which of them are right.
#[inline(always)]
fn block<T: Scalar, V: Simd<T>, L: Link>(
    z: &mut [T],
    targets: &[T],
    weight: V,
    bounds: Bounds,
    link: &L,
    tally: &mut Tally,
) -> V {
    let (sums, y) = (V::load_front(z), V::load_front(targets));
    let p = link.predict::<T, V>(sums);
    let loss = weight * bounds.hold::<T, V>(link.loss::<T, V>(sums, p, y));
    let mut losses = [T::ZERO; 16];
    loss.store(&mut losses);
    for &loss in losses.iter().take(z.len()) {
        tally.loss += loss.into();
    }
    ample_or_zero::<T, V>((p - y) * weight).store_front(z);
    link.is_right::<T, V>(sums, y)
}

/// Sums become predictions, in place.
///
/// # Panics
/// For [`Output::Softmax`].
pub(crate) fn predict_by_output<T: Scalar>(output: Output, z: &mut [T]) {
    match output {
        Output::Softmax => unreachable!("its outputs belong together"),
        Output::Identity => {}
        Output::Sigmoid => predictions(z, &Sigmoid),
        Output::Exp => predictions(z, &Exp),
    }
}

simd_fn! {
    fn predictions<T as V; L: Link>(z: &mut [T], link: &L) {
        for z in z.chunks_mut(T::LANES) {
            link.predict::<T, V>(V::load_front(z)).store_front(z);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::simd::{Isa, with_isa};

    const APART: [Output; 3] = [Output::Sigmoid, Output::Identity, Output::Exp];

    /// Prediction and loss, as the formulas say.
    fn plain(output: Output, z: f64, y: f64) -> (f64, f64) {
        match output {
            Output::Softmax => unreachable!(),
            Output::Identity => (z, (z - y).powi(2) / 2.0),
            Output::Sigmoid => {
                let p = 1.0 / (1.0 + (-z).exp());
                (p, -y * p.ln() - (1.0 - y) * (1.0 - p).ln())
            }
            Output::Exp => {
                let p = z.exp();
                (p, if y > 0.0 { y * (y / p).ln() } else { 0.0 } - y + p)
            }
        }
    }

    #[test]
    fn matches_the_formulas() {
        for (isa, output) in Isa::available().flat_map(|isa| APART.map(|output| (isa, output))) {
            for (n, d_out) in [(0, 1), (1, 1), (17, 1), (40, 1), (3, 2), (5, 8), (4, 9), (2, 33)] {
                let z: Vec<f64> = (0..n * d_out).map(|i| 3.0 * (i as f64 * 1.7).sin()).collect();
                let y: Vec<f64> = (0..n * d_out).map(|i| f64::from(u8::from(i % 3 == 0))).collect();
                let weights: Vec<f64> = (0..n).map(|i| 0.5 + i as f64 * 0.1).collect();
                let mut d = z.clone();
                let tally = with_isa(isa, || losses_by_output(output, &mut d, &y, &weights, Bounds::NONE));
                let mut predictions = z.clone();
                with_isa(isa, || predict_by_output(output, &mut predictions));
                let mut expected = Tally::default();
                for (i, (z, y)) in z.chunks(d_out).zip(y.chunks(d_out)).enumerate() {
                    for (c, (&z, &y)) in z.iter().zip(y).enumerate() {
                        let (p, loss) = plain(output, z, y);
                        expected.loss += weights[i] * loss;
                        assert!((d[i * d_out + c] - weights[i] * (p - y)).abs() < 1e-12);
                        assert!((predictions[i * d_out + c] - p).abs() < 1e-13);
                    }
                    let right = z.iter().zip(y).all(|(&z, &y)| (z > 0.0) == (y > 0.5));
                    expected.correct += usize::from(right && output == Output::Sigmoid);
                }
                assert!((tally.loss - expected.loss).abs() < 1e-12 * (1.0 + expected.loss), "{output:?} {n}");
                assert_eq!(tally.correct, expected.correct, "{output:?} {n} {d_out}");
            }
        }
    }

    #[test]
    fn far_out_the_cross_entropy_of_yes_and_no_is_exact() {
        // ln(1 + exp(-40)) is exp(-40) but for its square, far below the rounding of 1 + exp(-40).
        let mut z = [40.0_f64, -1e4, 1e4];
        let tally = losses_by_output(Output::Sigmoid, &mut z[..1], &[1.0], &[1.0], Bounds::NONE);
        assert!((tally.loss / (-40.0_f64).exp() - 1.0).abs() < 1e-14);
        let tally = losses_by_output(Output::Sigmoid, &mut z[1..], &[1.0, 0.0], &[1.0, 1.0], Bounds::NONE);
        assert_eq!(tally, Tally { loss: 2e4, correct: 0, penalty: 0.0 });
        assert_eq!(z[1..], [-1.0, 1.0]);
    }

    #[test]
    fn a_sum_that_is_nan_makes_a_loss_that_is_nan() {
        for output in APART {
            for bounds in [Bounds::NONE, Bounds::of_clipped_probabilities::<f64>()] {
                let tally = losses_by_output(output, &mut [f64::NAN], &[1.0], &[1.0], bounds);
                assert!(tally.loss.is_nan(), "{output:?}");
            }
        }
    }
}
