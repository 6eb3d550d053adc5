//! The element types of a network as plain numbers: `f32` and `f64`, and nothing else.

use std::fmt::{Debug, Display};
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// A floating-point number. Sealed: `f32` or `f64`.
pub trait Number:
    sealed::Sealed
    + Copy
    + Default
    + Debug
    + Display
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + Into<f64>
{
    /// Numbers in a logical vector of 64 bytes.
    const LANES: usize = 64 / size_of::<Self>();
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// The smallest number: the start of a running maximum.
    const NEG_INFINITY: Self;
    /// The distance from 1 to the next greater number.
    const EPSILON: Self;
    /// NumPy's name of the type.
    const DTYPE: &'static str;

    /// The nearest number of this type.
    fn from_f64(value: f64) -> Self;
    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// The larger of two; if one is NaN, the other one.
    fn max(self, other: Self) -> Self;
}

macro_rules! number {
    ($t:ident, $dtype:literal) => {
        impl Number for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NEG_INFINITY: Self = $t::NEG_INFINITY;
            const EPSILON: Self = $t::EPSILON;
            const DTYPE: &'static str = $dtype;

            #[inline(always)]
            #[allow(clippy::cast_possible_truncation, reason = "rounding is what the name says")]
            fn from_f64(value: f64) -> Self {
                value as $t
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                self.is_finite()
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                self.max(other)
            }
        }
    };
}

number!(f32, "float32");
number!(f64, "float64");
