//! Numbers with a vector type for each instruction set, the interface that kernels are written against.

use crate::numbers::limits::Limits;
use crate::numbers::number::Number;
use crate::numbers::simd::{Simd, portable};
#[cfg(target_arch = "x86_64")]
use crate::numbers::simd::{avx2, avx512};

/// A number that kernels can be compiled for.
pub trait Scalar: Number {
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

    /// Constants of the format for the series of [`crate::numbers::math`].
    #[doc(hidden)]
    const LIMITS: Limits;
}

macro_rules! scalar {
    ($t:ident, $vector:ident, $limits:expr) => {
        impl Scalar for $t {
            type Portable = portable::$vector;
            #[cfg(target_arch = "x86_64")]
            type Avx2 = avx2::$vector;
            #[cfg(target_arch = "x86_64")]
            type Avx512 = avx512::$vector;
            const LIMITS: Limits = $limits;
        }
    };
}

scalar!(f32, F32, Limits::F32);
scalar!(f64, F64, Limits::F64);
