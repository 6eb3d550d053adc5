//! Vectors of AVX2 with FMA: two registers each, so the width is that of AVX-512. The file is long because both
//! types have every operation of [`super::Simd`].
//!
//! SAFETY of every block below: intrinsics need the instruction set, and a value of these types
//! exists only where [`super::Isa`] has proved it (see [`super`]); pointers are the caller's promise.

#![allow(clippy::undocumented_unsafe_blocks)] // one reason for all of them, above

use std::arch::x86_64::{
    __m256, __m256d, __m256i, _CMP_EQ_OQ, _CMP_GT_OQ, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT,
    _MM_HINT_T0, _mm_add_pd, _mm_add_ps, _mm_add_sd, _mm_add_ss, _mm_castps_si128, _mm_cvtsd_f64,
    _mm_cvtss_f32, _mm_loadu_si128, _mm_movehl_ps, _mm_prefetch, _mm_shuffle_ps, _mm_store_sd, _mm_store_ss,
    _mm_storel_epi64, _mm_storeu_pd, _mm_storeu_ps, _mm_unpackhi_pd, _mm256_add_epi32, _mm256_add_pd,
    _mm256_add_ps, _mm256_and_pd, _mm256_and_ps, _mm256_andnot_pd, _mm256_andnot_ps, _mm256_blendv_pd,
    _mm256_blendv_ps, _mm256_castpd_si256, _mm256_castpd256_pd128, _mm256_castps_si256,
    _mm256_castps256_ps128, _mm256_castsi256_pd, _mm256_castsi256_ps, _mm256_cmp_pd, _mm256_cmp_ps,
    _mm256_cvtepi32_pd, _mm256_cvtepi32_ps, _mm256_cvtps_epi32, _mm256_div_pd, _mm256_div_ps,
    _mm256_extractf128_pd, _mm256_extractf128_ps, _mm256_fmadd_pd, _mm256_fmadd_ps, _mm256_loadu_pd,
    _mm256_loadu_ps, _mm256_loadu_si256, _mm256_maskload_pd, _mm256_maskload_ps, _mm256_max_pd,
    _mm256_max_ps, _mm256_min_pd, _mm256_min_ps, _mm256_movemask_pd, _mm256_movemask_ps, _mm256_mul_pd,
    _mm256_mul_ps, _mm256_or_pd, _mm256_or_ps, _mm256_permute2f128_pd, _mm256_permute2f128_ps,
    _mm256_round_pd, _mm256_round_ps, _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_set1_pd, _mm256_set1_ps,
    _mm256_setzero_ps, _mm256_shuffle_ps, _mm256_slli_epi32, _mm256_slli_epi64, _mm256_sqrt_pd,
    _mm256_sqrt_ps, _mm256_srli_epi32, _mm256_srli_epi64, _mm256_storeu_pd, _mm256_storeu_ps,
    _mm256_sub_epi32, _mm256_sub_epi64, _mm256_sub_pd, _mm256_sub_ps, _mm256_unpackhi_pd, _mm256_unpackhi_ps,
    _mm256_unpacklo_pd, _mm256_unpacklo_ps, _mm256_xor_pd, _mm256_xor_ps,
};
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::vector::{RECIPROCAL_BITS_F32, RECIPROCAL_BITS_F64, Simd};

macro_rules! avx2_vector {
    ($name:ident, $real:ty, $register:ty, $half_lanes:literal,
     $add:ident, $sub:ident, $mul:ident, $div:ident, $xor:ident, $and:ident, $andnot:ident, $or:ident,
     $splat:ident, $load:ident, $load_mask:ident, $store:ident, $fma:ident,
     $max:ident, $min:ident, $sqrt:ident, $round:ident, $compare:ident, $blend:ident, $bits:ident
    ) => {
        /// Two registers: the lower and the upper half.
        #[derive(Clone, Copy)]
        pub struct $name($register, $register);

        avx2_vector!(@operator $name, Add, add, $add);
        avx2_vector!(@operator $name, Sub, sub, $sub);
        avx2_vector!(@operator $name, Mul, mul, $mul);
        avx2_vector!(@operator $name, Div, div, $div);

        impl Neg for $name {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                let sign = Self::splat(-0.0);
                unsafe { Self($xor(self.0, sign.0), $xor(self.1, sign.1)) }
            }
        }

        impl $name {
            /// A vector of its two halves.
            #[inline(always)]
            pub(super) fn from_halves(low: $register, high: $register) -> Self {
                Self(low, high)
            }
        }

        impl Simd<$real> for $name {
            type Mask = Self;
            // 12 registers of sums, 2 of B and 1 broadcast element of A in 16 registers.
            const TILE_ROWS: usize = 6;
            const TILE_VECTORS: usize = 1;

            #[inline(always)]
            fn splat(x: $real) -> Self {
                unsafe { Self($splat(x), $splat(x)) }
            }

            #[inline(always)]
            unsafe fn load_ptr(from: *const $real) -> Self {
                unsafe { Self($load(from), $load(from.add($half_lanes))) }
            }

            #[inline(always)]
            unsafe fn load_part_ptr(from: *const $real, count: usize) -> Self {
                let (low, high) = Self::first(count);
                unsafe { Self($load_mask(from, low), $load_mask(from.wrapping_add($half_lanes), high)) }
            }

            #[inline(always)]
            unsafe fn store_ptr(self, to: *mut $real) {
                unsafe {
                    $store(to, self.0);
                    $store(to.add($half_lanes), self.1);
                }
            }

            #[inline(always)]
            unsafe fn store_part_ptr(self, to: *mut $real, count: usize) {
                unsafe {
                    if count >= 2 * $half_lanes {
                        self.store_ptr(to);
                    } else if count >= $half_lanes {
                        $store(to, self.0);
                        Self::store_first(self.1, to.add($half_lanes), count - $half_lanes);
                    } else {
                        Self::store_first(self.0, to, count);
                    }
                }
            }

            #[inline(always)]
            unsafe fn load_u32_ptr(from: *const u32) -> Self {
                unsafe { Self(Self::from_u32(from), Self::from_u32(from.add($half_lanes))) }
            }

            #[inline(always)]
            fn prefetch(at: *const $real) {
                unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
            }

            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self {
                unsafe { Self($fma(self.0, b.0, c.0), $fma(self.1, b.1, c.1)) }
            }

            #[inline(always)]
            fn max(self, other: Self) -> Self {
                unsafe { Self($max(self.0, other.0), $max(self.1, other.1)) }
            }

            #[inline(always)]
            fn min(self, other: Self) -> Self {
                unsafe { Self($min(self.0, other.0), $min(self.1, other.1)) }
            }

            #[inline(always)]
            fn sqrt(self) -> Self {
                unsafe { Self($sqrt(self.0), $sqrt(self.1)) }
            }

            #[inline(always)]
            fn abs(self) -> Self {
                let sign = Self::splat(-0.0);
                unsafe { Self($andnot(sign.0, self.0), $andnot(sign.1, self.1)) }
            }

            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                let (magnitude, bit) = (self.abs(), Self::splat(-0.0));
                unsafe {
                    Self(
                        $or(magnitude.0, $and(bit.0, sign.0)),
                        $or(magnitude.1, $and(bit.1, sign.1)),
                    )
                }
            }

            #[inline(always)]
            fn round(self) -> Self {
                const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
                unsafe { Self($round::<NEAREST>(self.0), $round::<NEAREST>(self.1)) }
            }

            #[inline(always)]
            fn near_reciprocal(self) -> Self {
                Self(Self::reciprocal(self.0), Self::reciprocal(self.1))
            }

            #[inline(always)]
            fn scale2(self, n: Self) -> Self {
                // Two factors, since 2^n itself may be out of range. The first product is exact.
                let half = (n * Self::splat(0.5)).round();
                let rest = n - half;
                self * Self(Self::power(half.0), Self::power(half.1))
                    * Self(Self::power(rest.0), Self::power(rest.1))
            }

            #[inline(always)]
            fn split2(self) -> (Self, Self) {
                (
                    Self(Self::mantissa(self.0), Self::mantissa(self.1)),
                    Self(Self::exponent(self.0), Self::exponent(self.1)),
                )
            }

            #[inline(always)]
            fn gt(self, other: Self) -> Self::Mask {
                unsafe { Self($compare::<_CMP_GT_OQ>(self.0, other.0), $compare::<_CMP_GT_OQ>(self.1, other.1)) }
            }

            #[inline(always)]
            fn eq(self, other: Self) -> Self::Mask {
                unsafe { Self($compare::<_CMP_EQ_OQ>(self.0, other.0), $compare::<_CMP_EQ_OQ>(self.1, other.1)) }
            }

            #[inline(always)]
            fn bits(mask: Self::Mask) -> u64 {
                let [low, high] = unsafe { [$bits(mask.0), $bits(mask.1)] }.map(i32::cast_unsigned);
                u64::from(low) | u64::from(high) << $half_lanes
            }

            #[inline(always)]
            fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
                unsafe { Self($blend(no.0, yes.0, mask.0), $blend(no.1, yes.1, mask.1)) }
            }

            #[inline(always)]
            fn sum(self) -> $real {
                Self::sum_register(unsafe { $add(self.0, self.1) })
            }

            #[inline(always)]
            unsafe fn transpose_ptr(rows: [*const $real; 8], to: *mut $real, stride: usize) {
                unsafe { Self::transpose_registers(rows, to, stride) }
            }
        }
    };
    (@operator $name:ident, $trait:ident, $method:ident, $intrinsic:ident) => {
        impl $trait for $name {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                unsafe { Self($intrinsic(self.0, other.0), $intrinsic(self.1, other.1)) }
            }
        }
    };
}

avx2_vector!(
    F32,
    f32,
    __m256,
    8,
    _mm256_add_ps,
    _mm256_sub_ps,
    _mm256_mul_ps,
    _mm256_div_ps,
    _mm256_xor_ps,
    _mm256_and_ps,
    _mm256_andnot_ps,
    _mm256_or_ps,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_maskload_ps,
    _mm256_storeu_ps,
    _mm256_fmadd_ps,
    _mm256_max_ps,
    _mm256_min_ps,
    _mm256_sqrt_ps,
    _mm256_round_ps,
    _mm256_cmp_ps,
    _mm256_blendv_ps,
    _mm256_movemask_ps
);

avx2_vector!(
    F64,
    f64,
    __m256d,
    4,
    _mm256_add_pd,
    _mm256_sub_pd,
    _mm256_mul_pd,
    _mm256_div_pd,
    _mm256_xor_pd,
    _mm256_and_pd,
    _mm256_andnot_pd,
    _mm256_or_pd,
    _mm256_set1_pd,
    _mm256_loadu_pd,
    _mm256_maskload_pd,
    _mm256_storeu_pd,
    _mm256_fmadd_pd,
    _mm256_max_pd,
    _mm256_min_pd,
    _mm256_sqrt_pd,
    _mm256_round_pd,
    _mm256_cmp_pd,
    _mm256_blendv_pd,
    _mm256_movemask_pd
);

/// Operations that differ between the widths in more than the names of the intrinsics.
impl F32 {
    /// Masks of the first `count` lanes, for each register.
    #[inline(always)]
    fn first(count: usize) -> (__m256i, __m256i) {
        #[rustfmt::skip]
        const ONES_THEN_ZEROS: [i32; 32] = [
            -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ];
        let start = ONES_THEN_ZEROS[16 - count..].as_ptr();
        unsafe { (_mm256_loadu_si256(start.cast()), _mm256_loadu_si256(start.add(8).cast())) }
    }

    /// Stores the first `count < 8` lanes, part by part: processors of AMD take tens of cycles for a store
    /// under a mask.
    #[inline(always)]
    unsafe fn store_first(x: __m256, mut to: *mut f32, count: usize) {
        unsafe {
            let mut rest = _mm256_castps256_ps128(x);
            if count & 4 != 0 {
                _mm_storeu_ps(to, rest);
                (rest, to) = (_mm256_extractf128_ps::<1>(x), to.add(4));
            }
            if count & 2 != 0 {
                _mm_storel_epi64(to.cast(), _mm_castps_si128(rest));
                (rest, to) = (_mm_movehl_ps(rest, rest), to.add(2));
            }
            if count & 1 != 0 {
                _mm_store_ss(to, rest);
            }
        }
    }

    #[inline(always)]
    unsafe fn from_u32(from: *const u32) -> __m256 {
        unsafe { _mm256_cvtepi32_ps(_mm256_loadu_si256(from.cast())) }
    }

    /// `2^n` for a whole `n` in the normal range.
    #[inline(always)]
    fn power(n: __m256) -> __m256 {
        unsafe {
            let biased = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(biased))
        }
    }

    #[inline(always)]
    fn reciprocal(x: __m256) -> __m256 {
        unsafe {
            let bits = _mm256_sub_epi32(
                _mm256_set1_epi32(RECIPROCAL_BITS_F32.cast_signed()),
                _mm256_castps_si256(x),
            );
            _mm256_castsi256_ps(bits)
        }
    }

    #[inline(always)]
    fn mantissa(x: __m256) -> __m256 {
        unsafe {
            let low = _mm256_castsi256_ps(_mm256_set1_epi32(0x007f_ffff));
            _mm256_or_ps(_mm256_and_ps(x, low), _mm256_set1_ps(1.0))
        }
    }

    #[inline(always)]
    fn exponent(x: __m256) -> __m256 {
        unsafe {
            let biased = _mm256_srli_epi32::<23>(_mm256_castps_si256(x));
            _mm256_cvtepi32_ps(_mm256_sub_epi32(biased, _mm256_set1_epi32(127)))
        }
    }

    /// Lane `i` takes lane `i + 4`, then `i + 2`, then `i + 1`.
    #[inline(always)]
    fn sum_register(x: __m256) -> f32 {
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }

    /// 8 x 8: swaps pairs of rows, then pairs of pairs, then halves.
    #[inline(always)]
    unsafe fn transpose_registers(rows: [*const f32; 8], to: *mut f32, stride: usize) {
        unsafe {
            let mut t = [_mm256_setzero_ps(); 8];
            for i in 0..4 {
                let (r, s) = (_mm256_loadu_ps(rows[2 * i]), _mm256_loadu_ps(rows[2 * i + 1]));
                t[2 * i] = _mm256_unpacklo_ps(r, s);
                t[2 * i + 1] = _mm256_unpackhi_ps(r, s);
            }
            let mut u = [_mm256_setzero_ps(); 8];
            for i in 0..2 {
                let q = 4 * i;
                u[q] = _mm256_shuffle_ps::<0b01_00_01_00>(t[q], t[q + 2]);
                u[q + 1] = _mm256_shuffle_ps::<0b11_10_11_10>(t[q], t[q + 2]);
                u[q + 2] = _mm256_shuffle_ps::<0b01_00_01_00>(t[q + 1], t[q + 3]);
                u[q + 3] = _mm256_shuffle_ps::<0b11_10_11_10>(t[q + 1], t[q + 3]);
            }
            for j in 0..4 {
                let low = _mm256_permute2f128_ps::<0x20>(u[j], u[j + 4]);
                let high = _mm256_permute2f128_ps::<0x31>(u[j], u[j + 4]);
                _mm256_storeu_ps(to.add(j * stride), low);
                _mm256_storeu_ps(to.add((j + 4) * stride), high);
            }
        }
    }
}

/// Operations that differ between the widths in more than the names of the intrinsics.
impl F64 {
    /// Masks of the first `count` lanes, for each register.
    #[inline(always)]
    fn first(count: usize) -> (__m256i, __m256i) {
        #[rustfmt::skip]
        const ONES_THEN_ZEROS: [i64; 16] = [
            -1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0,
        ];
        let start = ONES_THEN_ZEROS[8 - count..].as_ptr();
        unsafe { (_mm256_loadu_si256(start.cast()), _mm256_loadu_si256(start.add(4).cast())) }
    }

    /// Stores the first `count < 4` lanes, as `F32` does.
    #[inline(always)]
    unsafe fn store_first(x: __m256d, mut to: *mut f64, count: usize) {
        unsafe {
            let mut rest = _mm256_castpd256_pd128(x);
            if count & 2 != 0 {
                _mm_storeu_pd(to, rest);
                (rest, to) = (_mm256_extractf128_pd::<1>(x), to.add(2));
            }
            if count & 1 != 0 {
                _mm_store_sd(to, rest);
            }
        }
    }

    #[inline(always)]
    unsafe fn from_u32(from: *const u32) -> __m256d {
        unsafe { _mm256_cvtepi32_pd(_mm_loadu_si128(from.cast())) }
    }

    /// `2^n` for a whole `n` in the normal range: the low bits of `n + 1023 + 1.5 * 2^52` are the
    /// biased exponent.
    #[inline(always)]
    fn power(n: __m256d) -> __m256d {
        unsafe {
            let biased = _mm256_add_pd(n, _mm256_set1_pd(6_755_399_441_055_744.0 + 1023.0));
            _mm256_castsi256_pd(_mm256_slli_epi64::<52>(_mm256_castpd_si256(biased)))
        }
    }

    #[inline(always)]
    fn reciprocal(x: __m256d) -> __m256d {
        unsafe {
            let bits = _mm256_sub_epi64(
                _mm256_set1_epi64x(RECIPROCAL_BITS_F64.cast_signed()),
                _mm256_castpd_si256(x),
            );
            _mm256_castsi256_pd(bits)
        }
    }

    #[inline(always)]
    fn mantissa(x: __m256d) -> __m256d {
        unsafe {
            let low = _mm256_castsi256_pd(_mm256_set1_epi64x(0x000f_ffff_ffff_ffff));
            _mm256_or_pd(_mm256_and_pd(x, low), _mm256_set1_pd(1.0))
        }
    }

    /// The biased exponent becomes the low bits of `2^52 + exponent`.
    #[inline(always)]
    fn exponent(x: __m256d) -> __m256d {
        const TWO_52: f64 = 4_503_599_627_370_496.0;
        unsafe {
            let biased = _mm256_castsi256_pd(_mm256_srli_epi64::<52>(_mm256_castpd_si256(x)));
            let whole = _mm256_or_pd(biased, _mm256_set1_pd(TWO_52));
            _mm256_sub_pd(whole, _mm256_set1_pd(TWO_52 + 1023.0))
        }
    }

    /// Lane `i` takes lane `i + 2`, then `i + 1`.
    #[inline(always)]
    fn sum_register(x: __m256d) -> f64 {
        unsafe {
            let two = _mm_add_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd::<1>(x));
            _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)))
        }
    }

    /// 4 x 4: swaps pairs of rows, then halves.
    #[inline(always)]
    unsafe fn transpose_registers(rows: [*const f64; 8], to: *mut f64, stride: usize) {
        unsafe {
            let (r0, r1) = (_mm256_loadu_pd(rows[0]), _mm256_loadu_pd(rows[1]));
            let (r2, r3) = (_mm256_loadu_pd(rows[2]), _mm256_loadu_pd(rows[3]));
            let (t0, t1) = (_mm256_unpacklo_pd(r0, r1), _mm256_unpackhi_pd(r0, r1));
            let (t2, t3) = (_mm256_unpacklo_pd(r2, r3), _mm256_unpackhi_pd(r2, r3));
            _mm256_storeu_pd(to, _mm256_permute2f128_pd::<0x20>(t0, t2));
            _mm256_storeu_pd(to.add(stride), _mm256_permute2f128_pd::<0x20>(t1, t3));
            _mm256_storeu_pd(to.add(2 * stride), _mm256_permute2f128_pd::<0x31>(t0, t2));
            _mm256_storeu_pd(to.add(3 * stride), _mm256_permute2f128_pd::<0x31>(t1, t3));
        }
    }
}
