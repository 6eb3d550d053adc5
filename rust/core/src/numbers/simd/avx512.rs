//! Vectors of AVX-512 (F, DQ, BW, VL): one register each.
//!
//! SAFETY of every block below: intrinsics need the instruction set, and a value of these types
//! exists only where [`super::Isa`] has proved it (see [`super`]); pointers are the caller's promise.

#![allow(clippy::undocumented_unsafe_blocks)] // one reason for all of them, above

use std::arch::x86_64::{
    __m512, __m512d, __mmask8, __mmask16, _CMP_EQ_OQ, _CMP_GT_OQ, _MM_FROUND_TO_NEAREST_INT, _MM_HINT_T0,
    _MM_MANT_NORM_1_2, _MM_MANT_SIGN_SRC, _mm_prefetch, _mm256_loadu_si256, _mm512_add_pd, _mm512_add_ps,
    _mm512_and_pd, _mm512_and_ps, _mm512_andnot_pd, _mm512_andnot_ps, _mm512_castpd_si512,
    _mm512_castpd512_pd256, _mm512_castps_si512, _mm512_castps512_ps256, _mm512_castsi512_pd,
    _mm512_castsi512_ps, _mm512_cmp_pd_mask, _mm512_cmp_ps_mask, _mm512_cvtepi32_pd, _mm512_cvtepi32_ps,
    _mm512_div_pd, _mm512_div_ps, _mm512_extractf32x8_ps, _mm512_extractf64x4_pd, _mm512_fmadd_pd,
    _mm512_fmadd_ps, _mm512_getexp_pd, _mm512_getexp_ps, _mm512_getmant_pd, _mm512_getmant_ps,
    _mm512_loadu_pd, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mask_blend_pd, _mm512_mask_blend_ps,
    _mm512_mask_storeu_pd, _mm512_mask_storeu_ps, _mm512_mask3_fmadd_pd, _mm512_mask3_fmadd_ps,
    _mm512_maskz_loadu_pd, _mm512_maskz_loadu_ps, _mm512_max_pd, _mm512_max_ps, _mm512_min_pd, _mm512_min_ps,
    _mm512_mul_pd, _mm512_mul_ps, _mm512_or_pd, _mm512_or_ps, _mm512_roundscale_pd, _mm512_roundscale_ps,
    _mm512_scalef_pd, _mm512_scalef_ps, _mm512_set1_epi32, _mm512_set1_epi64, _mm512_set1_pd, _mm512_set1_ps,
    _mm512_sqrt_pd, _mm512_sqrt_ps, _mm512_storeu_pd, _mm512_storeu_ps, _mm512_sub_epi32, _mm512_sub_epi64,
    _mm512_sub_pd, _mm512_sub_ps, _mm512_xor_pd, _mm512_xor_ps,
};
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::avx2;
use super::vector::{RECIPROCAL_BITS_F32, RECIPROCAL_BITS_F64, Simd};

macro_rules! avx512_vector {
    ($name:ident, $real:ty, $register:ty, $mask:ty, $lanes:literal,
     $add:ident, $sub:ident, $mul:ident, $div:ident, $xor:ident, $and:ident, $andnot:ident, $or:ident,
     $splat:ident, $load:ident, $load_mask:ident, $store:ident, $store_mask:ident, $fma:ident, $fma_mask:ident,
     $max:ident, $min:ident, $sqrt:ident, $round:ident, $scale:ident, $exponent:ident, $mantissa:ident,
     $compare:ident, $blend:ident, $low:ident, $high:ident, $half:ident, $from_u32:expr, $reciprocal:expr
    ) => {
        /// One register.
        #[derive(Clone, Copy)]
        pub struct $name($register);

        avx512_vector!(@operator $name, Add, add, $add);
        avx512_vector!(@operator $name, Sub, sub, $sub);
        avx512_vector!(@operator $name, Mul, mul, $mul);
        avx512_vector!(@operator $name, Div, div, $div);

        impl Neg for $name {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                unsafe { Self($xor(self.0, $splat(-0.0))) }
            }
        }

        impl $name {
            #[inline(always)]
            #[allow(clippy::cast_possible_truncation, reason = "one bit per lane")]
            fn first(count: usize) -> $mask {
                debug_assert!(count <= $lanes);
                ((1_u32 << count) - 1) as $mask
            }
        }

        impl Simd<$real> for $name {
            type Mask = $mask;
            // 28 sums, 2 vectors of B and 1 broadcast element of A in 32 registers.
            const TILE_ROWS: usize = 14;
            const TILE_VECTORS: usize = 2;

            #[inline(always)]
            fn splat(x: $real) -> Self {
                unsafe { Self($splat(x)) }
            }

            #[inline(always)]
            unsafe fn load_ptr(from: *const $real) -> Self {
                unsafe { Self($load(from)) }
            }

            #[inline(always)]
            unsafe fn load_part_ptr(from: *const $real, count: usize) -> Self {
                unsafe { Self($load_mask(Self::first(count), from)) }
            }

            #[inline(always)]
            unsafe fn store_ptr(self, to: *mut $real) {
                unsafe { $store(to, self.0) }
            }

            #[inline(always)]
            unsafe fn store_part_ptr(self, to: *mut $real, count: usize) {
                unsafe { $store_mask(to, Self::first(count), self.0) }
            }

            #[inline(always)]
            unsafe fn load_u32_ptr(from: *const u32) -> Self {
                unsafe { Self($from_u32(from)) }
            }

            #[inline(always)]
            fn prefetch(at: *const $real) {
                unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
            }

            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self {
                unsafe { Self($fma(self.0, b.0, c.0)) }
            }

            #[inline(always)]
            fn mul_add_where(mask: $mask, a: Self, b: Self, c: Self) -> Self {
                unsafe { Self($fma_mask(a.0, b.0, c.0, mask)) }
            }

            #[inline(always)]
            fn max(self, other: Self) -> Self {
                unsafe { Self($max(self.0, other.0)) }
            }

            #[inline(always)]
            fn min(self, other: Self) -> Self {
                unsafe { Self($min(self.0, other.0)) }
            }

            #[inline(always)]
            fn sqrt(self) -> Self {
                unsafe { Self($sqrt(self.0)) }
            }

            #[inline(always)]
            fn abs(self) -> Self {
                unsafe { Self($andnot($splat(-0.0), self.0)) }
            }

            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                unsafe { Self($or(self.abs().0, $and($splat(-0.0), sign.0))) }
            }

            #[inline(always)]
            fn round(self) -> Self {
                unsafe { Self($round::<_MM_FROUND_TO_NEAREST_INT>(self.0)) }
            }

            #[inline(always)]
            fn near_reciprocal(self) -> Self {
                unsafe { Self($reciprocal(self.0)) }
            }

            #[inline(always)]
            fn scale2(self, n: Self) -> Self {
                unsafe { Self($scale(self.0, n.0)) }
            }

            #[inline(always)]
            fn split2(self) -> (Self, Self) {
                unsafe {
                    let mantissa = $mantissa::<_MM_MANT_NORM_1_2, _MM_MANT_SIGN_SRC>(self.0);
                    (Self(mantissa), Self($exponent(self.0)))
                }
            }

            #[inline(always)]
            fn gt(self, other: Self) -> Self::Mask {
                unsafe { $compare::<_CMP_GT_OQ>(self.0, other.0) }
            }

            #[inline(always)]
            fn eq(self, other: Self) -> Self::Mask {
                unsafe { $compare::<_CMP_EQ_OQ>(self.0, other.0) }
            }

            #[inline(always)]
            fn bits(mask: Self::Mask) -> u64 {
                mask.into()
            }

            #[inline(always)]
            fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
                unsafe { Self($blend(mask, no.0, yes.0)) }
            }

            #[inline(always)]
            fn sum(self) -> $real {
                avx2::$name::from_halves(unsafe { $low(self.0) }, unsafe { $high::<1>(self.0) }).sum()
            }

            #[inline(always)]
            unsafe fn transpose_ptr(rows: [*const $real; 8], to: *mut $real, stride: usize) {
                unsafe { avx2::$name::transpose_ptr(rows, to, stride) }
            }
        }
    };
    (@operator $name:ident, $trait:ident, $method:ident, $intrinsic:ident) => {
        impl $trait for $name {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                unsafe { Self($intrinsic(self.0, other.0)) }
            }
        }
    };
}

avx512_vector!(
    F32,
    f32,
    __m512,
    __mmask16,
    16,
    _mm512_add_ps,
    _mm512_sub_ps,
    _mm512_mul_ps,
    _mm512_div_ps,
    _mm512_xor_ps,
    _mm512_and_ps,
    _mm512_andnot_ps,
    _mm512_or_ps,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_maskz_loadu_ps,
    _mm512_storeu_ps,
    _mm512_mask_storeu_ps,
    _mm512_fmadd_ps,
    _mm512_mask3_fmadd_ps,
    _mm512_max_ps,
    _mm512_min_ps,
    _mm512_sqrt_ps,
    _mm512_roundscale_ps,
    _mm512_scalef_ps,
    _mm512_getexp_ps,
    _mm512_getmant_ps,
    _mm512_cmp_ps_mask,
    _mm512_mask_blend_ps,
    _mm512_castps512_ps256,
    _mm512_extractf32x8_ps,
    __m256,
    |from: *const u32| _mm512_cvtepi32_ps(_mm512_loadu_si512(from.cast())),
    |x| _mm512_castsi512_ps(_mm512_sub_epi32(
        _mm512_set1_epi32(RECIPROCAL_BITS_F32.cast_signed()),
        _mm512_castps_si512(x)
    ))
);

avx512_vector!(
    F64,
    f64,
    __m512d,
    __mmask8,
    8,
    _mm512_add_pd,
    _mm512_sub_pd,
    _mm512_mul_pd,
    _mm512_div_pd,
    _mm512_xor_pd,
    _mm512_and_pd,
    _mm512_andnot_pd,
    _mm512_or_pd,
    _mm512_set1_pd,
    _mm512_loadu_pd,
    _mm512_maskz_loadu_pd,
    _mm512_storeu_pd,
    _mm512_mask_storeu_pd,
    _mm512_fmadd_pd,
    _mm512_mask3_fmadd_pd,
    _mm512_max_pd,
    _mm512_min_pd,
    _mm512_sqrt_pd,
    _mm512_roundscale_pd,
    _mm512_scalef_pd,
    _mm512_getexp_pd,
    _mm512_getmant_pd,
    _mm512_cmp_pd_mask,
    _mm512_mask_blend_pd,
    _mm512_castpd512_pd256,
    _mm512_extractf64x4_pd,
    __m256d,
    |from: *const u32| _mm512_cvtepi32_pd(_mm256_loadu_si256(from.cast())),
    |x| _mm512_castsi512_pd(_mm512_sub_epi64(
        _mm512_set1_epi64(RECIPROCAL_BITS_F64.cast_signed()),
        _mm512_castpd_si512(x)
    ))
);
