//! The interface of vectors, independent of the instruction set.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::numbers::number::Number;

/// Subtracting the bits of a number from this constant gives about its reciprocal: the exponent changes its sign, and
/// the mantissa falls linearly. The largest errors above and below are equal.
pub(super) const RECIPROCAL_BITS_F32: u32 = 0x7ef3_11c7;
pub(super) const RECIPROCAL_BITS_F64: u64 = 0x7fde_6238_502f_a000;

/// One vector of `T::LANES` elements. Operations work lane by lane.
pub trait Simd<T: Number>:
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

    /// `self * b - product` without the rounding error of a multiplication, where `product` is about `self * b` and
    /// neither is above 2^-30 times the largest number or below the normal range.
    #[inline(always)]
    fn mul_rest(self, b: Self, product: Self) -> Self {
        self.mul_add(b, -product)
    }

    /// `a * b + c` where the mask is set, `c` elsewhere, for a finite `b` and a `c` that is not -0.
    #[inline(always)]
    fn mul_add_where(mask: Self::Mask, a: Self, b: Self, c: Self) -> Self {
        Self::select(mask, a, Self::zero()).mul_add(b, c)
    }

    /// The larger one; `other` if either is NaN.
    fn max(self, other: Self) -> Self;

    /// The smaller one; `other` if either is NaN.
    fn min(self, other: Self) -> Self;

    /// Square root.
    fn sqrt(self) -> Self;

    /// Magnitude.
    fn abs(self) -> Self;

    /// The magnitude of `self` with the sign of `sign`.
    fn copysign(self, sign: Self) -> Self;

    /// The nearest whole number, ties to even, for magnitudes below 2^22.
    fn round(self) -> Self;

    /// `1 / self` to 6 % of it, by a subtraction of bits, for normal numbers from 0 to an eighth of the largest one.
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

    /// Bit `i` says whether the mask is set in lane `i`.
    fn bits(mask: Self::Mask) -> u64;

    /// `yes` where the mask is set, `no` elsewhere.
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self;

    /// The sum of the lanes: lane `i` takes lane `i + 8`, then `i + 4`, `i + 2`, `i + 1`
    /// (from `i + 4` on with 8 lanes).
    fn sum(self) -> T;

    /// Side of the square that [`Simd::transpose_ptr`] transposes.
    const SQUARE: usize = 32 / size_of::<T>();

    /// Writes the transpose of a square of `SQUARE` rows: row `i` starts at `rows(i)`; column `j` is
    /// written at `to + j * stride`.
    ///
    /// # Safety
    /// All rows are valid for reading `SQUARE` elements, all written places for writing them.
    unsafe fn transpose_ptr(rows: [*const T; 8], to: *mut T, stride: usize);

    /// Reads `count <= T::LANES` elements, which takes less time if they are a whole vector; the other lanes are 0.
    ///
    /// # Safety
    /// As for [`load_part_ptr`](Self::load_part_ptr).
    #[inline(always)]
    unsafe fn load_front_ptr(from: *const T, count: usize) -> Self {
        // SAFETY: the caller's promise.
        unsafe { if count == T::LANES { Self::load_ptr(from) } else { Self::load_part_ptr(from, count) } }
    }

    /// Writes the first `count <= T::LANES` lanes, which takes less time if they are a whole vector.
    ///
    /// # Safety
    /// As for [`store_part_ptr`](Self::store_part_ptr).
    #[inline(always)]
    unsafe fn store_front_ptr(self, to: *mut T, count: usize) {
        // SAFETY: the caller's promise.
        unsafe { if count == T::LANES { self.store_ptr(to) } else { self.store_part_ptr(to, count) } }
    }

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

    /// Reads as many elements of a slice as there are; lanes beyond its end are 0.
    #[inline(always)]
    fn load_front(from: &[T]) -> Self {
        if from.len() < T::LANES { Self::load_part(from) } else { Self::load(from) }
    }

    /// Writes as many elements of a slice as there are.
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
