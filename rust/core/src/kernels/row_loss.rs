//! The table of losses whose outputs stand apart: each is a function of one sum and its target.
//!
//! A loss `l` and its derivative `d` with respect to the sum `z` of the last layer, for a target `y`:
//!
//! | row | `l` | `d` |
//! | --- | --- | --- |
//! | [`Binary`] | `max(z, 0) - y z + ln(1 + exp(-abs(z)))` | `sigmoid(z) - y` |
//! | [`SmoothedBinary`] | the same of `y (1 - s) + s / 2` | |
//! | [`BinaryFocal`] | `y (1 - p)^g ln(1 / p) + (1 - y) p^g ln(1 / (1 - p))`, `p = sigmoid(z)` | |
//! | [`Squared`] | `(z - y)² / 2` | `z - y` |
//! | [`SquaredOfExp`] | `(exp(z) - y)² / 2` | `(exp(z) - y) exp(z)` |
//! | [`Absolute`] | `abs(z - y)` | the sign of `z - y`, 0 for 0 |
//! | [`Huber`] | `a (abs(z - y) - a / 2)`, `a = min(abs(z - y), delta)` | `a` with the sign of `z - y` |
//! | [`Quantile`] | `q (y - z)` below the target, `(1 - q) (z - y)` above it | `-q`, `1 - q`; 0 at the target |
//! | [`Poisson`] | `y (ln(y) - z) - y + exp(z)` | `exp(z) - y` |
//! | [`Gamma`] | `z - ln(y) + y exp(-z) - 1` | `1 - y exp(-z)` |
//! | [`Tweedie`] | see there | `exp((2 - p) z) - y exp((1 - p) z)` |
//!
//! A NaN in `z` gives a NaN in `l`, so that training that diverged is seen.

use crate::numbers::Scalar;
use crate::numbers::math::{exp_m1_vector, exp_vector, ln_1p_vector, ln_vector, sigmoid_vector};
use crate::numbers::simd::Simd;

/// A row of the table.
pub(super) trait RowLoss {
    /// Whether targets are probabilities of yes, so that an output is right or wrong.
    const IS_BINARY: bool = false;
    /// The loss and its derivative with respect to `z`. The lanes are rows of a single column, or columns from `column`
    /// on of a single row.
    fn eval<T: Scalar, V: Simd<T>>(&self, z: V, y: V, column: usize) -> (V, V);
}

/// `ln(1 + exp(-abs(z)))`, exact in relative terms however far `z` is from 0.
#[inline(always)]
fn far_part<T: Scalar, V: Simd<T>>(z: V) -> V {
    ln_1p_vector::<T, V>(exp_vector::<T, V>(-z.abs()))
}

/// The cross-entropy of yes and no, and its derivative.
#[inline(always)]
fn binary<T: Scalar, V: Simd<T>>(z: V, y: V) -> (V, V) {
    let ln = far_part::<T, V>(z);
    // The order of operands lets NaN through.
    (V::zero().max(z) - y * z + ln, sigmoid_vector::<T, V>(z) - y)
}

/// The cross-entropy of yes and no.
pub(super) struct Binary;

impl RowLoss for Binary {
    const IS_BINARY: bool = true;
    #[inline(always)]
    fn eval<T: Scalar, V: Simd<T>>(&self, z: V, y: V, _: usize) -> (V, V) {
        binary::<T, V>(z, y)
    }
}

/// The same with targets drawn towards a half by this share.
pub(super) struct SmoothedBinary(pub(super) f64);

impl RowLoss for SmoothedBinary {
    const IS_BINARY: bool = true;
    #[inline(always)]
    fn eval<T: Scalar, V: Simd<T>>(&self, z: V, y: V, _: usize) -> (V, V) {
        binary::<T, V>(z, y.mul_add(V::constant(1.0 - self.0), V::constant(0.5 * self.0)))
    }
}

/// The focal loss of yes and no, with this exponent.
pub(super) struct BinaryFocal(pub(super) f64);

impl BinaryFocal {
    /// The loss of a yes and its derivative, from `p = sigmoid(z)`, `q = 1 - p`, `ln(1 / p)` and `ln(1 / q)`.
    #[inline(always)]
    fn of_yes<T: Scalar, V: Simd<T>>(&self, p: V, q: V, ln_p: V, ln_q: V) -> (V, V) {
        let gamma = V::constant(self.0);
        let modulation = exp_vector::<T, V>(-(gamma * ln_q));
        (modulation * ln_p, -(modulation * (gamma * p).mul_add(ln_p, q)))
    }
}

impl RowLoss for BinaryFocal {
    const IS_BINARY: bool = true;
    #[inline(always)]
    fn eval<T: Scalar, V: Simd<T>>(&self, z: V, y: V, _: usize) -> (V, V) {
        let (p, q) = (sigmoid_vector::<T, V>(z), sigmoid_vector::<T, V>(-z));
        let ln = far_part::<T, V>(z);
        let (ln_p, ln_q) = (V::zero().max(-z) + ln, V::zero().max(z) + ln);
        let (yes, d_yes) = self.of_yes::<T, V>(p, q, ln_p, ln_q);
        let (no, d_no) = self.of_yes::<T, V>(q, p, ln_q, ln_p);
        let not_y = V::splat(T::ONE) - y;
        (y * yes + not_y * no, y * d_yes - not_y * d_no)
    }
}

/// Half the squared error.
pub(super) struct Squared;

impl RowLoss for Squared {
    #[inline(always)]
    fn eval<T: Scalar, V: Simd<T>>(&self, z: V, y: V, _: usize) -> (V, V) {
        (V::constant(0.5) * (z - y) * (z - y), z - y)
    }
}

/// Half the squared error of a prediction that is the exponential of the sum.
pub(super) struct SquaredOfExp;

impl RowLoss for SquaredOfExp {
    #[inline(always)]
    fn eval<T: Scalar, V: Simd<T>>(&self, z: V, y: V, _: usize) -> (V, V) {
        let p = exp_vector::<T, V>(z);
        (V::constant(0.5) * (p - y) * (p - y), (p - y) * p)
    }
}

/// The absolute error.
pub(super) struct Absolute;

impl RowLoss for Absolute {
    #[inline(always)]
    fn eval<T: Scalar, V: Simd<T>>(&self, z: V, y: V, _: usize) -> (V, V) {
        let error = z - y;
        (error.abs(), sided::<T, V>(error, V::constant(-1.0), V::splat(T::ONE)))
    }
}

/// `below` where the error is negative, `above` where it is positive, 0 for 0.
#[inline(always)]
fn sided<T: Scalar, V: Simd<T>>(error: V, below: V, above: V) -> V {
    V::select(error.gt(V::zero()), above, V::select(V::zero().gt(error), below, V::zero()))
}

/// Half the squared error up to this error, and a line from there on.
pub(super) struct Huber(pub(super) f64);

impl RowLoss for Huber {
    #[inline(always)]
    fn eval<T: Scalar, V: Simd<T>>(&self, z: V, y: V, _: usize) -> (V, V) {
        let error = z - y;
        // The order of operands lets NaN through.
        let least = V::constant(self.0).min(error.abs());
        (least * (error.abs() - V::constant(0.5) * least), least.copysign(error))
    }
}

/// The pinball loss, of one level per column.
pub(super) struct Quantile<'a>(pub(super) &'a [f64]);

impl RowLoss for Quantile<'_> {
    #[inline(always)]
    fn eval<T: Scalar, V: Simd<T>>(&self, z: V, y: V, column: usize) -> (V, V) {
        let q = match self.0 {
            &[level] => V::constant(level),
            levels => {
                let mut lanes = [T::ZERO; 16];
                for (lane, &level) in lanes.iter_mut().zip(&levels[column..]) {
                    *lane = T::from_f64(level);
                }
                V::load(&lanes)
            }
        };
        let (error, rest) = (z - y, V::splat(T::ONE) - q);
        (V::select(error.gt(V::zero()), rest * error, -(q * error)), sided::<T, V>(error, -q, rest))
    }
}

/// Half the Poisson deviance, where 0 times its logarithm is 0.
pub(super) struct Poisson;

impl RowLoss for Poisson {
    #[inline(always)]
    fn eval<T: Scalar, V: Simd<T>>(&self, z: V, y: V, _: usize) -> (V, V) {
        let p = exp_vector::<T, V>(z);
        let ln = V::select(y.gt(V::zero()), ln_vector::<T, V>(y), V::zero());
        (y * (ln - z) - y + p, p - y)
    }
}

/// Half the gamma deviance.
pub(super) struct Gamma;

impl RowLoss for Gamma {
    #[inline(always)]
    fn eval<T: Scalar, V: Simd<T>>(&self, z: V, y: V, _: usize) -> (V, V) {
        let ratio = y * exp_vector::<T, V>(-z);
        let one = V::splat(T::ONE);
        (z - ln_vector::<T, V>(y) + ratio - one, one - ratio)
    }
}

/// How near to 1 and 2 powers of Tweedie are whose deviance would be a difference of large numbers.
const NEAR: f64 = 1.0 / 16.0;

/// Half the Tweedie deviance of this power `p`, which is neither 1 nor 2: with the prediction `m = exp(z)`,
/// `max(y, 0)^(2 - p) / ((1 - p) (2 - p)) - y m^(1 - p) / (1 - p) + m^(2 - p) / (2 - p)`.
pub(super) struct Tweedie(pub(super) f64);

impl RowLoss for Tweedie {
    #[inline(always)]
    fn eval<T: Scalar, V: Simd<T>>(&self, z: V, y: V, _: usize) -> (V, V) {
        let (one_less, two_less) = (1.0 - self.0, 2.0 - self.0);
        let of_one = y * exp_vector::<T, V>(V::constant(one_less) * z);
        let of_two = exp_vector::<T, V>(V::constant(two_less) * z);
        let ln_y = ln_vector::<T, V>(y);
        let power = exp_vector::<T, V>(V::constant(two_less) * ln_y);
        let of_y = V::select(y.gt(V::zero()), power, V::zero());
        let loss = if one_less.abs().min(two_less.abs()) > NEAR {
            V::constant(1.0 / (one_less * two_less)) * of_y - V::constant(1.0 / one_less) * of_one
                + V::constant(1.0 / two_less) * of_two
        } else {
            // The same as a difference of (m^c y^(2 - p - c) - y^(2 - p)) / c for both c; that of the small c is nearly
            // the logarithm of m / y.
            let part = |c: f64, of_c: V| {
                if c.abs() > NEAR {
                    V::constant(1.0 / c) * (of_c - of_y)
                } else {
                    power * V::constant(1.0 / c) * exp_m1_vector::<T, V>(V::constant(c) * (z - ln_y))
                }
            };
            let both = part(two_less, of_two) - part(one_less, of_one);
            V::select(y.gt(V::zero()), both, V::constant(1.0 / two_less) * of_two)
        };
        (loss, of_two - of_one)
    }
}
