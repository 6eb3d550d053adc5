//! Elementary functions. Special values are those of the exact functions (limits at infinities, NaN for NaN), results
//! below the normal range are rounded like any other, and tanh keeps the sign of `-0`. Arguments are reduced as in W.
//! J. Cody and W. Waite, "Software Manual for the Elementary Functions" (1980).

use crate::numbers::Scalar;
use crate::numbers::simd::Simd;

/// `1 / k!`
const INVERSE_FACTORIALS: [f64; 14] = {
    let mut table = [1.0; 14];
    let mut k = 2;
    while k < table.len() {
        table[k] = table[k - 1] / k as f64;
        k += 1;
    }
    table
};

/// `(n, r, w)` with `exp(x) = 2^n (1 + r + w)`, `|r| < 0.35`, `|w| < 0.07`, for an x in the range of
/// exp. `r = x` where n is 0.
#[inline(always)]
pub(super) fn exp_parts<T: Scalar, V: Simd<T>>(x: V) -> (V, V, V) {
    let (high, low) = T::LIMITS.ln_2;
    let n = (x * V::constant(std::f64::consts::LOG2_E)).round();
    let r = n.mul_add(V::constant(-high), x);
    let r = n.mul_add(V::constant(-low), r);
    let mut q = V::constant(INVERSE_FACTORIALS[T::LIMITS.exp_degree]);
    let mut k = T::LIMITS.exp_degree - 1;
    while k >= 2 {
        q = q.mul_add(r, V::constant(INVERSE_FACTORIALS[k]));
        k -= 1;
    }
    (n, r, r * r * q)
}

/// The exponential function.
#[inline(always)]
pub(crate) fn exp_vector<T: Scalar, V: Simd<T>>(x: V) -> V {
    let (least, greatest) = T::LIMITS.exp_range;
    // The order of operands lets NaN through.
    let x = V::constant(least).max(V::constant(greatest).min(x));
    let (n, r, w) = exp_parts::<T, V>(x);
    (V::splat(T::ONE) + (r + w)).scale2(n)
}

/// The hyperbolic tangent `m / (m + 2)`, `m = exp(2 |x|) - 1`.
///
/// Written as `c + (m - c (m + 2)) / (m + 2)` with c near the result, so that the errors of m and of
/// the quotient count for little: c = 1 for large x, 1/4 in between, and c = |x| where
/// `m = 2 |x| + w`, which makes the numerator `w - |x| m`.
#[inline(always)]
pub(crate) fn tanh_vector<T: Scalar, V: Simd<T>>(x: V) -> V {
    let (one, two) = (V::splat(T::ONE), V::constant(2.0));
    // The order of operands lets NaN through.
    let magnitude = V::constant(T::LIMITS.tanh_one).min(x.abs());
    let (n, r, w) = exp_parts::<T, V>(magnitude + magnitude);
    let power = one.scale2(n);
    let m = power.mul_add(w, power.mul_add(r, power - one));

    let (large, small) = (magnitude.gt(V::constant(0.55)), n.eq(V::zero()));
    let c = V::select(large, one, V::select(small, magnitude, V::constant(0.25)));
    let between = m.mul_add(V::constant(0.75), V::constant(-0.5));
    let near_zero = w - magnitude * m;
    let numerator = V::select(large, -two, V::select(small, near_zero, between));
    (c + numerator / (m + two)).copysign(x)
}

/// The logistic function `1 / (1 + exp(-x))`; below 0 it is `z / (1 + z)`, `z = exp(-|x|)`.
///
/// Written as c and a quotient, with c near the result, so that the errors of the quotient count for
/// little: c = 3/4 for x > 0, 1/4 from there to z = 1/4, and c = z beyond.
#[inline(always)]
pub(crate) fn sigmoid_vector<T: Scalar, V: Simd<T>>(x: V) -> V {
    let (quarter, three_quarters) = (V::constant(0.25), V::constant(0.75));
    let z = exp_vector::<T, V>(-x.abs());
    let (positive, near_zero) = (x.gt(V::zero()), z.gt(quarter));
    let c = V::select(positive, three_quarters, V::select(near_zero, quarter, z));
    let above = z.mul_add(-three_quarters, quarter);
    let below = z.mul_add(three_quarters, -quarter);
    let numerator = V::select(positive, above, V::select(near_zero, below, -z * z));
    c + numerator / (V::splat(T::ONE) + z)
}

/// `(h, c)` with `ln(1 + f) = f - (h - c)`, for f from -0.3 to 1/2.
///
/// With `s = f / (2 + f)`, `ln(1 + f) = 2 atanh(s) = f - f²/2 + s (f²/2 + r)`, `r = 2 s² / 3 + 2 s⁴ / 5 + …`.
#[inline(always)]
pub(super) fn ln_1p_parts<T: Scalar, V: Simd<T>>(f: V) -> (V, V) {
    let s = f / (f + V::constant(2.0));
    let z = s * s;
    let mut r = V::constant(2.0 / (2 * T::LIMITS.ln_terms + 1) as f64);
    let mut k = T::LIMITS.ln_terms - 1;
    while k >= 1 {
        r = r.mul_add(z, V::constant(2.0 / (2 * k + 1) as f64));
        k -= 1;
    }
    let r = r * z;
    let half_square = V::constant(0.5) * f * f;
    (half_square, s * (half_square + r))
}

/// The natural logarithm: -inf for 0, NaN below.
///
/// It is `e ln 2 + ln(1 + f)` with `x = 2^e (1 + f)`, `sqrt(1/2) < 1 + f <= sqrt(2)`.
#[inline(always)]
pub(crate) fn ln_vector<T: Scalar, V: Simd<T>>(x: V) -> V {
    let one = V::splat(T::ONE);
    let (least_normal, shift) = T::LIMITS.normal;
    let tiny = V::constant(least_normal).gt(x);
    let raised = V::constant(2_f64.powi(shift)) * x;
    let (m, e) = V::select(tiny, raised, x).split2();
    let e = V::select(tiny, e - V::constant(f64::from(shift)), e);
    let upper = m.gt(V::constant(std::f64::consts::SQRT_2));
    let m = V::select(upper, m * V::constant(0.5), m);
    let e = V::select(upper, e + one, e);

    let f = m - one;
    let (half_square, small) = ln_1p_parts::<T, V>(f);
    let (high, low) = T::LIMITS.ln_2;
    let small = e.mul_add(V::constant(low), small);
    let ln = e.mul_add(V::constant(high), f - (half_square - small));

    let infinity = V::constant(f64::INFINITY);
    let ln = V::select(x.eq(infinity), infinity, ln);
    let ln = V::select(x.gt(V::zero()), ln, V::constant(f64::NAN));
    V::select(x.eq(V::zero()), -infinity, ln)
}

/// `ln(1 + e)`, exact in relative terms for an `e` that is not negative.
#[inline(always)]
pub(crate) fn ln_1p_vector<T: Scalar, V: Simd<T>>(e: V) -> V {
    // What rounding took from 1 + e is given back to its logarithm, by proportion.
    let one = V::splat(T::ONE);
    let u = one + e;
    V::select(u.eq(one), e, ln_vector::<T, V>(u) * (e / (u - one)))
}

/// `exp(x) - 1`, exact in relative terms for an `x` whose exponential is a normal number.
#[inline(always)]
pub(crate) fn exp_m1_vector<T: Scalar, V: Simd<T>>(x: V) -> V {
    // As in `ln_1p_vector`: the logarithm tells of which x the rounded exponential is one.
    let one = V::splat(T::ONE);
    let u = exp_vector::<T, V>(x);
    V::select(u.eq(one), x, (u - one) * (x / ln_vector::<T, V>(u)))
}

/// `1 / x` for numbers from 0 to an eighth of the largest one, to 2 units in the last place, and faster than by
/// division; below the normal range it is the reciprocal of the smallest normal number.
///
/// With `y = (1 - e) / x`, `y (1 + e + e²) = (1 - e³) / x` and `y (1 + e) = (1 - e²) / x`.
#[inline(always)]
pub(crate) fn reciprocal_vector<T: Scalar, V: Simd<T>>(x: V) -> V {
    // The order of operands lets NaN through.
    let x = V::constant(T::LIMITS.normal.0).max(x);
    let mut y = x.near_reciprocal();
    let minus_x = -x;
    for _ in 0..T::LIMITS.reciprocal_steps {
        let e = minus_x.mul_add(y, V::splat(T::ONE));
        y = y.mul_add(e.mul_add(e, e), y);
    }
    y.mul_add(minus_x.mul_add(y, V::splat(T::ONE)), y)
}

/// x, or 0 if x is below the normal range, where a processor may take a hundred times as long for an operation,
/// and where values that decay step by step would stay forever.
#[inline(always)]
pub(crate) fn normal_or_zero<T: Scalar, V: Simd<T>>(x: V) -> V {
    V::select(V::constant(T::LIMITS.normal.0).gt(x.abs()), V::zero(), x)
}

/// x, or 0 if x is so small that its products with numbers of ordinary size may be below the normal range.
#[inline(always)]
pub(crate) fn ample_or_zero<T: Scalar, V: Simd<T>>(x: V) -> V {
    let (least_normal, shift) = T::LIMITS.normal;
    V::select(V::constant(least_normal * 2_f64.powi(shift)).gt(x.abs()), V::zero(), x)
}
