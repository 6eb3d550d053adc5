//! Numbers as unevaluated sums of two, for results that should be rounded about once (T. J. Dekker, "A floating-point
//! technique for extending the available precision", 1971).

use std::marker::PhantomData;

use super::elementary::reciprocal_vector;
use crate::numbers::Scalar;
use crate::numbers::simd::Simd;

/// `high + low`, where `low` is at most about a unit in the last place of `high`.
#[derive(Clone, Copy)]
pub(super) struct Pair<T, V> {
    pub(super) high: V,
    pub(super) low: V,
    number: PhantomData<T>,
}

impl<T: Scalar, V: Simd<T>> Pair<T, V> {
    #[inline(always)]
    pub(super) fn new(high: V, low: V) -> Self {
        Self { high, low, number: PhantomData }
    }

    #[inline(always)]
    pub(super) fn exact(x: V) -> Self {
        Self::new(x, V::zero())
    }

    /// A constant of the source.
    #[inline(always)]
    pub(super) fn constant(x: f64) -> Self {
        let high = T::from_f64(x);
        Self::new(V::splat(high), V::constant(x - high.into()))
    }

    /// `a + b`, for an `a` that is 0 or whose exponent is not below that of `b`.
    #[inline(always)]
    pub(super) fn sum(a: V, b: V) -> Self {
        let high = a + b;
        Self::new(high, b - (high - a))
    }

    /// `a b`
    #[inline(always)]
    pub(super) fn product(a: V, b: V) -> Self {
        let high = a * b;
        Self::new(high, a.mul_rest(b, high))
    }

    /// The same with a little more.
    #[inline(always)]
    pub(super) fn and(self, more: V) -> Self {
        Self::new(self.high, self.low + more)
    }

    /// The same with a product that is no more than that.
    #[inline(always)]
    pub(super) fn and_product(self, a: V, b: V) -> Self {
        Self::new(self.high, a.mul_add(b, self.low))
    }

    /// `self + other`, where self is 0 or its exponent is not below that of the other.
    #[inline(always)]
    pub(super) fn plus(self, other: Self) -> Self {
        Self::sum(self.high, other.high).and(self.low + other.low)
    }

    #[inline(always)]
    pub(super) fn times(self, x: V) -> Self {
        Self::product(self.high, x).and_product(self.low, x)
    }

    /// The same for a power of 2.
    #[inline(always)]
    pub(super) fn exact_times(self, power: V) -> Self {
        Self::new(self.high * power, self.low * power)
    }

    #[inline(always)]
    pub(super) fn times_pair(self, other: Self) -> Self {
        let highs = Self::product(self.high, other.high);
        highs.and_product(self.low, other.high).and_product(self.high, other.low)
    }

    /// `self * 2^n`
    #[inline(always)]
    pub(super) fn scale2(self, n: V) -> Self {
        Self::new(self.high.scale2(n), self.low.scale2(n))
    }

    #[inline(always)]
    pub(super) fn select(mask: V::Mask, yes: Self, no: Self) -> Self {
        Self::new(V::select(mask, yes.high, no.high), V::select(mask, yes.low, no.low))
    }

    /// `self / divisor` for divisors in the range of [`reciprocal_vector`].
    #[inline(always)]
    pub(super) fn over(self, divisor: Self) -> V {
        let inverse = reciprocal_vector::<T, V>(divisor.high);
        let quotient = self.high * inverse;
        let rest = (self.low - quotient * divisor.low) - quotient.mul_rest(divisor.high, self.high);
        rest.mul_add(inverse, quotient)
    }

    /// The sum, rounded.
    #[inline(always)]
    pub(super) fn rounded(self) -> V {
        self.high + self.low
    }
}
