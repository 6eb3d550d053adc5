//! Vectors of 64 bytes, whatever the instruction set.
//!
//! A kernel is written once, against [`Simd`], inside [`simd_fn!`], which compiles its body for every
//! instruction set and picks one at each call. The logical width is the same everywhere (16 `f32` or
//! 8 `f64`; two registers with AVX2), so sums over lanes have one order and AVX-512 and AVX2 give the
//! same bits.
//!
//! Soundness: a vector can be made through [`Simd`] only, which no other crate can name, and
//! [`simd_fn!`] hands them out only where [`Isa`] proves that the CPU has it. A type parameter
//! `V: Simd<T>` is therefore itself the proof, and arithmetic on it is safe.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
mod isa;
pub(crate) mod portable;
#[cfg(test)]
mod tests;

use std::ops::{Add, Div, Mul, Neg, Sub};

pub(crate) use isa::Isa;
pub(crate) use isa::Kind;
pub use isa::check_environment;
#[cfg(test)]
pub(crate) use isa::with_isa;

use crate::scalar::Scalar;

/// What the bits of a number are taken from to make those of about its reciprocal: exponents change their sign, and the
/// mantissa falls along a line. The errors to both sides are as large as each other.
const RECIPROCAL_BITS_F32: u32 = 0x7ef3_11c7;
const RECIPROCAL_BITS_F64: u64 = 0x7fde_6238_502f_a000;

/// One vector of `T::LANES` elements. Operations work lane by lane.
pub trait Simd<T: Scalar>:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    /// A yes or no per lane.
    type Mask: Copy;

    /// Rows of the largest product tile whose sums stay in registers (see `gemm::tile`).
    const TILE_ROWS: usize;
    /// Vectors in a row of that tile.
    const TILE_VECTORS: usize;

    /// The same value in all lanes.
    fn splat(x: T) -> Self;

    /// Reads `T::LANES` elements.
    ///
    /// # Safety
    /// `from` is valid for reading that many; it need not be aligned.
    unsafe fn load_ptr(from: *const T) -> Self;

    /// Reads `count <= T::LANES` elements; the other lanes are 0.
    ///
    /// # Safety
    /// `from` is valid for reading `count` elements.
    unsafe fn load_part_ptr(from: *const T, count: usize) -> Self;

    /// Writes all lanes.
    ///
    /// # Safety
    /// `to` is valid for writing `T::LANES` elements; it need not be aligned.
    unsafe fn store_ptr(self, to: *mut T);

    /// Writes the first `count <= T::LANES` lanes.
    ///
    /// # Safety
    /// `to` is valid for writing `count` elements.
    unsafe fn store_part_ptr(self, to: *mut T, count: usize);

    /// `T::LANES` whole numbers below 2^24 as floating point numbers.
    ///
    /// # Safety
    /// `from` is valid for reading that many.
    unsafe fn load_u32_ptr(from: *const u32) -> Self;

    /// Asks for the cache line at an address, which need not be valid.
    fn prefetch(at: *const T);

    /// `self * b + c`, rounded once where the CPU can.
    fn mul_add(self, b: Self, c: Self) -> Self;

    /// `a * b + c` where the mask is set, `c` elsewhere, for a finite `b` and a `c` that is not -0.
    #[inline(always)]
    fn mul_add_where(mask: Self::Mask, a: Self, b: Self, c: Self) -> Self {
        Self::select(mask, a, Self::zero()).mul_add(b, c)
    }

    /// The greater one; `other` if either is NaN.
    fn max(self, other: Self) -> Self;

    /// The lesser one; `other` if either is NaN.
    fn min(self, other: Self) -> Self;

    /// Square root.
    fn sqrt(self) -> Self;

    /// Magnitude.
    fn abs(self) -> Self;

    /// The magnitude of `self` with the sign of `sign`.
    fn copysign(self, sign: Self) -> Self;

    /// The nearest whole number, ties to even, for magnitudes below 2^22.
    fn round(self) -> Self;

    /// `1 / self` to 6 % of it, by a subtraction of bits, for normal numbers from 0 to an eighth of the greatest one.
    fn near_reciprocal(self) -> Self;

    /// `self * 2^n`, rounded once, for a whole `n` and a result whose exponent needs at most two
    /// steps of the normal range. A NaN in either gives NaN.
    fn scale2(self, n: Self) -> Self;

    /// `(m, e)` with `self = m * 2^e` and `1 <= m < 2`, for positive normal finite numbers.
    fn split2(self) -> (Self, Self);

    /// `self > other`; false for NaN.
    fn gt(self, other: Self) -> Self::Mask;

    /// `self == other`; false for NaN.
    fn eq(self, other: Self) -> Self::Mask;

    /// `yes` where the mask is set, `no` elsewhere.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;

    /// The sum of the lanes: lane `i` takes lane `i + 8`, then `i + 4`, `i + 2`, `i + 1`
    /// (from `i + 4` on with 8 lanes).
    fn sum(self) -> T;

    /// Side of the square that [`Simd::transpose_ptr`] turns.
    const SQUARE: usize = 32 / size_of::<T>();

    /// Writes the transpose of a square of `SQUARE` rows: row `i` starts at `rows(i)`; column `j` is
    /// written at `to + j * stride`.
    ///
    /// # Safety
    /// All rows are valid for reading `SQUARE` elements, all written places for writing them.
    unsafe fn transpose_ptr(rows: [*const T; 8], to: *mut T, stride: usize);

    /// Reads the first `T::LANES` elements of a slice.
    #[inline(always)]
    fn load(from: &[T]) -> Self {
        assert!(from.len() >= T::LANES);
        // SAFETY: the slice is long enough.
        unsafe { Self::load_ptr(from.as_ptr()) }
    }

    /// Reads a slice of at most `T::LANES` elements; the other lanes are 0.
    #[inline(always)]
    fn load_part(from: &[T]) -> Self {
        assert!(from.len() <= T::LANES);
        // SAFETY: exactly the elements of the slice are read.
        unsafe { Self::load_part_ptr(from.as_ptr(), from.len()) }
    }

    /// Writes the first `T::LANES` elements of a slice.
    #[inline(always)]
    fn store(self, to: &mut [T]) {
        assert!(to.len() >= T::LANES);
        // SAFETY: the slice is long enough.
        unsafe { self.store_ptr(to.as_mut_ptr()) }
    }

    /// Writes a slice of at most `T::LANES` elements.
    #[inline(always)]
    fn store_part(self, to: &mut [T]) {
        assert!(to.len() <= T::LANES);
        // SAFETY: exactly the elements of the slice are written.
        unsafe { self.store_part_ptr(to.as_mut_ptr(), to.len()) }
    }

    /// Reads a slice as far as it goes; lanes beyond its end are 0.
    #[inline(always)]
    fn load_front(from: &[T]) -> Self {
        if from.len() < T::LANES { Self::load_part(from) } else { Self::load(from) }
    }

    /// Writes a slice as far as it goes.
    #[inline(always)]
    fn store_front(self, to: &mut [T]) {
        if to.len() < T::LANES { self.store_part(to) } else { self.store(to) }
    }

    /// A constant of the source, rounded to `T`.
    #[inline(always)]
    fn constant(x: f64) -> Self {
        Self::splat(T::from_f64(x))
    }

    /// 0 in all lanes.
    #[inline(always)]
    fn zero() -> Self {
        Self::splat(T::ZERO)
    }
}

/// Defines a function whose body is compiled for every instruction set and chosen at each call.
///
/// `fn name<T as V>(…)` is generic over the element `T: Scalar`; inside the body `V: Simd<T>` is the
/// vector. What the body calls with a `V` is `#[inline(always)]` too: a function or a closure that
/// stays outside of the body is compiled without the instruction set. Further parameters follow as `, const N: usize` and `; F: Bound`.
macro_rules! simd_fn {
    ($(#[$meta:meta])* $vis:vis unsafe fn $($rest:tt)*) => {
        simd_fn! { @define [$(#[$meta])* $vis] [unsafe] $($rest)* }
    };
    ($(#[$meta:meta])* $vis:vis fn $($rest:tt)*) => {
        simd_fn! { @define [$(#[$meta])* $vis] [] $($rest)* }
    };
    (@define [$($head:tt)*] [$($unsafety:tt)?]
        $name:ident<$t:ident as $v:ident $(, const $n:ident: $nt:ty)* $(; $g:ident: $bound:path)*>(
            $($arg:ident: $ty:ty),* $(,)?
        ) $(-> $out:ty)? $body:block
    ) => {
        $($head)* $($unsafety)? fn $name<$t: $crate::scalar::Scalar $(, const $n: $nt)* $(, $g: $bound)*>(
            $($arg: $ty),*
        ) $(-> $out)? {
            use $crate::scalar::Scalar;
            use $crate::kernels::simd::{Isa, Kind, Simd};

            #[inline(always)]
            $($unsafety)? fn body<$t: Scalar, $v: Simd<$t> $(, const $n: $nt)* $(, $g: $bound)*>(
                $($arg: $ty),*
            ) $(-> $out)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")]
            $($unsafety)? fn avx512<$t: Scalar $(, const $n: $nt)* $(, $g: $bound)*>($($arg: $ty),*) $(-> $out)? {
                simd_fn!(@call [$($unsafety)?] body::<$t, $t::Avx512 $(, $n)* $(, $g)*>($($arg),*))
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            $($unsafety)? fn avx2<$t: Scalar $(, const $n: $nt)* $(, $g: $bound)*>($($arg: $ty),*) $(-> $out)? {
                simd_fn!(@call [$($unsafety)?] body::<$t, $t::Avx2 $(, $n)* $(, $g)*>($($arg),*))
            }

            match Isa::current().kind() {
                // SAFETY: `Isa` proves that the CPU has the instruction set; what else the function
                // asks for, its caller promises.
                #[cfg(target_arch = "x86_64")]
                Kind::Avx512 => unsafe { avx512::<$t $(, $n)* $(, $g)*>($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                Kind::Avx2 => unsafe { avx2::<$t $(, $n)* $(, $g)*>($($arg),*) },
                Kind::Portable => {
                    simd_fn!(@call [$($unsafety)?] body::<$t, $t::Portable $(, $n)* $(, $g)*>($($arg),*))
                }
            }
        }
    };
    (@call [unsafe] $($call:tt)*) => {
        // SAFETY: the caller of the function promises what its body needs.
        unsafe { $($call)* }
    };
    (@call [] $($call:tt)*) => {
        $($call)*
    };
}
pub(crate) use simd_fn;
