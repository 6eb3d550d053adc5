//! The element types of a network: `f32` and `f64`, and nothing else.

use crate::kernels::Kernels;
use crate::kernels::math::Limits;
use crate::kernels::simd::{Simd, portable};
#[cfg(target_arch = "x86_64")]
use crate::kernels::simd::{avx2, avx512};

use std::fmt::{Debug, Display};
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// A floating-point number the network can be made of. Sealed: `f32` or `f64`.
pub trait Scalar:
    sealed::Sealed
    + Kernels
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
    /// The vector that needs no particular instruction set.
    #[doc(hidden)]
    type Portable: Simd<Self>;
    /// The vector of AVX2 with FMA.
    #[doc(hidden)]
    #[cfg(target_arch = "x86_64")]
    type Avx2: Simd<Self>;
    /// The vector of AVX-512.
    #[doc(hidden)]
    #[cfg(target_arch = "x86_64")]
    type Avx512: Simd<Self>;

    /// What the series of [`crate::kernels::math`] need to know of the format.
    #[doc(hidden)]
    const LIMITS: Limits;

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
    /// The larger of two; the other one if one is NaN.
    fn max(self, other: Self) -> Self;
}

macro_rules! scalar {
    ($t:ident, $vector:ident, $limits:expr, $dtype:literal) => {
        impl Scalar for $t {
            const LIMITS: Limits = $limits;
            type Portable = portable::$vector;
            #[cfg(target_arch = "x86_64")]
            type Avx2 = avx2::$vector;
            #[cfg(target_arch = "x86_64")]
            type Avx512 = avx512::$vector;

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

scalar!(f32, F32, Limits::F32, "float32");
scalar!(f64, F64, Limits::F64, "float64");
