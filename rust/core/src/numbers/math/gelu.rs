//! The Gaussian error linear unit `z P(z)`, where P is the distribution function of the normal distribution
//! (D. Hendrycks and K. Gimpel, 2016), and its slope.
//!
//! With `x = |z|` and `Q(x) = 1 - P(x) = exp(-x²/2) M(x)` the value is `x - x Q(x)` above 0 and `-x Q(x)` below. M is
//! smooth and falls like `1/x`: `(x + 5/2) M(x)` is a polynomial in `u = 5.3125 / (x + 5/2) - 1.125`, which goes from 1 at
//! `x = 0` to -1 at `x = 40` (as in M. M. Shepherd and J. G. Laframboise, "Chebyshev approximation of
//! (1 + 2x) exp(x²) erfc x in 0 <= x < inf", 1981).

use super::elementary::reciprocal_vector;
use super::pair::Pair;
use super::smooth::exp_pair;
use crate::numbers::Scalar;
use crate::numbers::simd::Simd;

/// `1 / sqrt(2 pi)`
const INVERSE_SQRT_2_PI: f64 = 0.398_942_280_401_432_7;

/// The value and the slope, as those of [`super::smooth`].
#[inline(always)]
pub(crate) fn gelu_vector<T: Scalar, V: Simd<T>>(z: V) -> (V, V) {
    let (one, positive) = (V::splat(T::ONE), z.gt(V::zero()));
    // The order of operands lets NaN through.
    let x = V::constant(T::LIMITS.gelu_zero).min(z.abs());
    // An absolute error of x² / 2 becomes a relative error of the same size in its exponential.
    let square = Pair::product(x * V::constant(-0.5), x);
    let (n, e) = exp_pair::<T, V>(square.high);
    let e = e.and(e.high * square.low);

    let divisor = Pair::exact(V::constant(2.5)).plus_positive(Pair::exact(x));
    let inverse = reciprocal_vector::<T, V>(divisor.high);
    let back = Pair::product(inverse, divisor.high);
    let rest = (one - back.high) - back.low - inverse * divisor.low;
    let factor = V::constant(5.3125);
    let v = Pair::product(inverse, factor).and(rest * inverse * factor).plus(Pair::constant(-0.125));
    let u = v.high - one;
    let (at_40, polynomial) = T::LIMITS.gelu;
    let mut p = V::constant(polynomial[polynomial.len() - 1]);
    let mut k = polynomial.len() - 1;
    while k > 1 {
        k -= 1;
        p = p.mul_add(u, V::constant(polynomial[k]));
    }
    // The last two steps keep the rounding errors.
    let p = Pair::constant(polynomial[0]).plus(Pair::product(p, u));
    let m = Pair::constant(at_40).plus_positive(v.times_pair(p));

    let below = m.times(x).times_pair(e).over(divisor).scale2(n);
    let value = V::select(positive, z - below, below).copysign(z);
    let slope = m.high.mul_add(inverse, x * V::constant(-INVERSE_SQRT_2_PI));
    let slope = (e.rounded() * slope).scale2(n);
    (value, V::select(positive, one - slope, slope))
}
