//! Smooth relatives of `max(0, z)`: each with its value and its slope, which share most of their terms.
//!
//! Values are exact to 2 units in the last place, for arguments of any size and into the range where they underflow:
//! if a function falls like `exp(z)` or faster, the factor `2^n` is applied last. Slopes have an error of some units in
//! the last place of the largest term, which is the slope itself except near its zeros. Callers that need only the
//! value drop the slope, and the compiler removes its computation.

use super::elementary::{exp_parts, exp_vector, ln_1p_parts, reciprocal_vector};
use super::pair::Pair;
use crate::numbers::Scalar;
use crate::numbers::simd::Simd;

/// The two constants of Klambauer et al., "Self-Normalizing Neural Networks" (2017), and the product of them as a sum.
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
const SELU_SCALE_ALPHA: (f64, f64) = (1.758_099_340_847_376_8, 1.415_351_938_008_45e-17);

/// `z` clipped to between `-bound` and `bound`; NaN stays.
#[inline(always)]
fn bounded<T: Scalar, V: Simd<T>>(z: V, bound: f64) -> V {
    V::constant(-bound).max(V::constant(bound).min(z))
}

/// `(n, e)` with `exp(x) = 2^n e`, for an x in the range of [`exp_parts`].
#[inline(always)]
pub(super) fn exp_pair<T: Scalar, V: Simd<T>>(x: V) -> (V, Pair<T, V>) {
    let (n, r, w) = exp_parts::<T, V>(x);
    (n, Pair::exact(V::splat(T::ONE)).plus(Pair::sum(r, w)))
}

/// `exp(z) - 1` and `exp(z)`, of the negative part of z.
#[inline(always)]
fn exp_below_zero<T: Scalar, V: Simd<T>>(z: V) -> (Pair<T, V>, V) {
    let one = V::splat(T::ONE);
    let x = V::constant(T::LIMITS.exp_range.0).max(V::zero().min(z));
    let (n, r, w) = exp_parts::<T, V>(x);
    let power = one.scale2(n);
    // If n is 0 the first term is 0 too; otherwise it is the larger one.
    let less_one = Pair::sum(power - one, power * r).and(power * w);
    (less_one, (one + (r + w)).scale2(n))
}

/// The exponential linear unit: z, or `exp(z) - 1` below 0.
#[inline(always)]
pub(crate) fn elu_vector<T: Scalar, V: Simd<T>>(z: V) -> (V, V) {
    let positive = z.gt(V::zero());
    let (less_one, exp) = exp_below_zero::<T, V>(z);
    let value = V::select(positive, z, less_one.rounded()).copysign(z);
    (value, V::select(positive, V::splat(T::ONE), exp))
}

/// The scaled exponential linear unit.
#[inline(always)]
pub(crate) fn selu_vector<T: Scalar, V: Simd<T>>(z: V) -> (V, V) {
    let positive = z.gt(V::zero());
    let scale = V::constant(SELU_SCALE);
    let below = Pair::constant(SELU_SCALE_ALPHA.0).and(V::constant(SELU_SCALE_ALPHA.1));
    let (less_one, exp) = exp_below_zero::<T, V>(z);
    let value = V::select(positive, scale * z, below.times_pair(less_one).rounded()).copysign(z);
    (value, V::select(positive, scale, below.high * exp))
}

/// `ln(1 + exp(z))`.
///
/// It is `max(0, z) + ln(1 + t)`, `t = exp(-|z|)`, where `1 + t` is `1 + f` or, from 3/2 on, `2 (1 + f)` for an f that
/// has no rounding error.
#[inline(always)]
pub(crate) fn softplus_vector<T: Scalar, V: Simd<T>>(z: V) -> (V, V) {
    let (zero, one, half) = (V::zero(), V::splat(T::ONE), V::constant(0.5));
    let t = exp_vector::<T, V>(-z.abs());
    let upper = t.gt(half);
    let f = V::select(upper, half * (t - one), t);
    let (half_square, small) = ln_1p_parts::<T, V>(f);
    let (high, low) = T::LIMITS.ln_2;
    let (high, low) = (V::select(upper, V::constant(high), zero), V::select(upper, V::constant(low), zero));
    let ln = high + (f - (half_square - (low + small)));
    let inverse = reciprocal_vector::<T, V>(one + t);
    (zero.max(z) + ln, V::select(z.gt(zero), one, t) * inverse)
}

/// `z / (1 + exp(-z))`, also known as swish.
///
/// With `t = exp(-|z|)` it is `z / (1 + t)` above 0 and `z t / (1 + t)` below.
#[inline(always)]
pub(crate) fn silu_vector<T: Scalar, V: Simd<T>>(z: V) -> (V, V) {
    let one = V::splat(T::ONE);
    let (x, positive) = (bounded::<T, V>(z, T::LIMITS.decayed), z.gt(V::zero()));
    let (n, e) = exp_pair::<T, V>(-x.abs());
    let t = e.scale2(n);
    let divisor = Pair::exact(one).plus(t);
    let numerator = Pair::select(positive, Pair::exact(one), e).times(x);
    let value = numerator.over(divisor).scale2(V::select(positive, V::zero(), n));

    let inverse = reciprocal_vector::<T, V>(divisor.high);
    let (above, below) = (inverse, t.high * inverse);
    let sigmoid = V::select(positive, above, below);
    let slope = (x * sigmoid).mul_add(V::select(positive, below, above), sigmoid);
    (beyond::<T, V>(z, value), slope)
}

/// `z tanh(ln(1 + exp(z)))` (D. Misra, 2019).
///
/// With `t = exp(-|z|)` it is `z N / D`, `N = 1 + 2 t`, `D = N + 2 t²` above 0, and `z t N / D`, `N = 2 + t`,
/// `D = 2 + t N` below; the slope is `(N + 4 z t² (1 + t) / D) / D` above and `t (N + 4 z (1 + t) / D) / D` below.
#[inline(always)]
pub(crate) fn mish_vector<T: Scalar, V: Simd<T>>(z: V) -> (V, V) {
    let (one, two) = (V::splat(T::ONE), V::constant(2.0));
    let (x, positive) = (bounded::<T, V>(z, T::LIMITS.decayed), z.gt(V::zero()));
    let (n, e) = exp_pair::<T, V>(-x.abs());
    let t = e.scale2(n);
    // N = a + b t and D = a + t (2 + b t).
    let (a, b) = (V::select(positive, one, two), V::select(positive, two, one));
    let bt = t.exact_times(b);
    let top = Pair::exact(a).plus(bt);
    let divisor = Pair::exact(a).plus(t.times_pair(Pair::exact(two).plus(bt)));
    let numerator = Pair::select(positive, Pair::exact(one), e).times_pair(top).times(x);
    let value = numerator.over(divisor).scale2(V::select(positive, V::zero(), n));

    let inverse = reciprocal_vector::<T, V>(divisor.high);
    let w = V::select(positive, t.high * t.high, one) * (one + t.high);
    let slope = (V::constant(4.0) * x * inverse).mul_add(w, top.high) * inverse;
    (beyond::<T, V>(z, value), slope * V::select(positive, one, t.high))
}

/// The value for all z of a function with the sign of z that is z itself for large z.
#[inline(always)]
fn beyond<T: Scalar, V: Simd<T>>(z: V, value: V) -> V {
    V::select(z.gt(V::constant(T::LIMITS.decayed)), z, value).copysign(z)
}
