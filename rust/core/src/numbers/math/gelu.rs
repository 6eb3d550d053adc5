//! The Gaussian error linear unit `z P(z)`, where P is the distribution function of the normal distribution
//! (D. Hendrycks and K. Gimpel, 2016), and its slope.
//!
//! With `x = |z|` and `Q(x) = 1 - P(x) = exp(-x²/2) M(x)` the value is `x - x Q(x)` above 0 and `-x Q(x)` below. M is
//! smooth and falls like `1/x`: `(x + 4) M(x)` is a polynomial in `u = 8 / (x + 4) - SHIFT`, which goes from
//! 0.91 at `x = 0` to -0.90 where Q ends (as in M. M. Shepherd and J. G. Laframboise, "Chebyshev approximation of
//! (1 + 2x) exp(x²) erfc x in 0 <= x < inf", 1981).

use super::elementary::reciprocal_vector;
use super::pair::Pair;
use super::smooth::exp_pair;
use crate::numbers::Scalar;
use crate::numbers::simd::Simd;

/// `1 / sqrt(2 pi)`
const INVERSE_SQRT_2_PI: f64 = 0.398_942_280_401_432_7;

/// About the middle of `8 / (x + 4)`. With this number the first two coefficients of the polynomial have small rounding
/// errors in both formats.
const SHIFT: f64 = 1.087_661_743_164_062_5;

/// The value and the slope, as those of [`super::smooth`].
///
/// The rounding error of each factor of `x Q(x)` is kept, and added as a correction of the product.
#[inline(always)]
pub(crate) fn gelu_vector<T: Scalar, V: Simd<T>>(z: V) -> (V, V) {
    let (one, positive) = (V::splat(T::ONE), z.gt(V::zero()));
    // The order of operands lets NaN through.
    let x = V::constant(T::LIMITS.gelu_zero).min(z.abs());
    // An absolute error of x² / 2 becomes a relative error of the same size in its exponential.
    let square = Pair::product(x * V::constant(-0.5), x);
    let (n, e) = exp_pair::<T, V>(square.high);
    let e = e.and_product(e.high, square.low);

    let divisor = Pair::sum(V::constant(4.0), x);
    let w = reciprocal_vector::<T, V>(divisor.high);
    let w_excess = w.mul_add(divisor.low, w.mul_rest(divisor.high, one));
    let u = w.mul_add(V::constant(8.0), V::constant(-SHIFT));
    let m = polynomial::<T, V>(u);
    // To a tenth, by how much more than w itself M(x) changes with w.
    let sensitivity = u.mul_add(V::constant(1.2), V::constant(2.05));

    let q = m.times(x).times_pair(e).times(w);
    let below = (q.high + (w_excess * sensitivity).mul_add(-q.high, q.low)).scale2(n);
    let value = V::select(positive, z - below, below).copysign(z);
    let slope = m.high.mul_add(w, x * V::constant(-INVERSE_SQRT_2_PI));
    let slope = (e.rounded() * slope).scale2(n);
    (value, V::select(positive, one - slope, slope))
}

/// The polynomial at u. The terms from u³ on are two sums, of odd and of even degrees, which a processor computes at the
/// same time; the rounding errors of the last two additions are kept.
#[inline(always)]
fn polynomial<T: Scalar, V: Simd<T>>(u: V) -> Pair<T, V> {
    let c = T::LIMITS.gelu;
    let square = u * u;
    let mut k = c.len() - 1;
    let (mut odd, mut even) = (V::constant(c[k]), V::constant(c[k - 1]));
    while k > 5 {
        k -= 2;
        odd = odd.mul_add(square, V::constant(c[k]));
        even = even.mul_add(square, V::constant(c[k - 1]));
    }
    let from_third = even.mul_add(u, odd.mul_add(square, V::constant(c[3])));
    let from_second = from_third.mul_add(u, V::constant(c[2]));
    let from_first = sum_with_rest::<T, V>(u, from_second, c[1]);
    let sum = sum_with_rest::<T, V>(u, from_first.high, c[0]);
    sum.and_product(u, from_first.low)
}

/// `u p + c`
#[inline(always)]
fn sum_with_rest<T: Scalar, V: Simd<T>>(u: V, p: V, c: f64) -> Pair<T, V> {
    let c = V::constant(c);
    let high = u.mul_add(p, c);
    Pair::new(high, u.mul_rest(p, high - c))
}
