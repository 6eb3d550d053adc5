//! Vectors as plain arrays, for the compiler to vectorise: the baseline of every CPU, NEON on aarch64.

use std::ops::{Add, Div, Mul, Neg, Sub};

use super::vector::{RECIPROCAL_BITS_F32, RECIPROCAL_BITS_F64, Simd};

/// `a * b + c`: fused if that is one instruction, otherwise rounded twice. The library call that emulates a
/// fused operation would be a hundred times slower.
macro_rules! fused {
    ($a:expr, $b:expr, $c:expr) => {
        if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
            $a.mul_add($b, $c)
        } else {
            $a * $b + $c
        }
    };
}

macro_rules! portable_vector {
    ($name:ident, $real:ty, $bits:ty, $lanes:literal, $mantissa_bits:literal, $bias:literal, $reciprocal:expr) => {
        /// A vector as an array.
        #[derive(Clone, Copy)]
        #[repr(align(64))]
        pub struct $name([$real; $lanes]);

        impl $name {
            #[inline(always)]
            fn zip(self, other: Self, f: impl Fn($real, $real) -> $real) -> Self {
                Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
            }
        }

        portable_vector!(@operator $name, Add, add, +);
        portable_vector!(@operator $name, Sub, sub, -);
        portable_vector!(@operator $name, Mul, mul, *);
        portable_vector!(@operator $name, Div, div, /);

        impl Neg for $name {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                Self(self.0.map(|x| -x))
            }
        }

        impl Simd<$real> for $name {
            type Mask = [bool; $lanes];
            const TILE_ROWS: usize = 6;
            const TILE_VECTORS: usize = 1;

            #[inline(always)]
            fn splat(x: $real) -> Self {
                Self([x; $lanes])
            }

            #[inline(always)]
            unsafe fn load_ptr(from: *const $real) -> Self {
                // SAFETY: the caller promises that many readable elements.
                Self(unsafe { from.cast::<[$real; $lanes]>().read_unaligned() })
            }

            #[inline(always)]
            unsafe fn load_part_ptr(from: *const $real, count: usize) -> Self {
                let mut lanes = [0.0; $lanes];
                // SAFETY: the caller promises `count <= LANES` readable elements.
                unsafe { std::ptr::copy_nonoverlapping(from, lanes.as_mut_ptr(), count) };
                Self(lanes)
            }

            #[inline(always)]
            unsafe fn store_ptr(self, to: *mut $real) {
                // SAFETY: the caller promises that many writable elements.
                unsafe { to.cast::<[$real; $lanes]>().write_unaligned(self.0) }
            }

            #[inline(always)]
            unsafe fn store_part_ptr(self, to: *mut $real, count: usize) {
                // SAFETY: the caller promises `count <= LANES` writable elements.
                unsafe { std::ptr::copy_nonoverlapping(self.0.as_ptr(), to, count) }
            }

            #[inline(always)]
            #[allow(clippy::cast_lossless)] // exact below 2^24, for f32 too
            unsafe fn load_u32_ptr(from: *const u32) -> Self {
                // SAFETY: the caller promises that many readable elements.
                let whole = unsafe { from.cast::<[u32; $lanes]>().read_unaligned() };
                Self(whole.map(|x| x as $real))
            }

            #[inline(always)]
            fn prefetch(_at: *const $real) {}

            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self {
                Self(std::array::from_fn(|i| fused!(self.0[i], b.0[i], c.0[i])))
            }

            #[inline(always)]
            fn mul_rest(self, b: Self, product: Self) -> Self {
                if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
                    return self.mul_add(b, -product);
                }
                // Halves of the digits have exact products (T. J. Dekker, 1971).
                let halves = |x: $real| {
                    let spread = x * ((1_u64 << ($mantissa_bits / 2 + 1)) + 1) as $real;
                    let high = spread - (spread - x);
                    (high, x - high)
                };
                Self(std::array::from_fn(|i| {
                    let ((a, a_low), (b, b_low)) = (halves(self.0[i]), halves(b.0[i]));
                    ((a * b - product.0[i]) + a * b_low + a_low * b) + a_low * b_low
                }))
            }

            #[inline(always)]
            fn max(self, other: Self) -> Self {
                self.zip(other, |a, b| if a > b { a } else { b })
            }

            #[inline(always)]
            fn min(self, other: Self) -> Self {
                self.zip(other, |a, b| if a < b { a } else { b })
            }

            #[inline(always)]
            fn sqrt(self) -> Self {
                Self(self.0.map(<$real>::sqrt))
            }

            #[inline(always)]
            fn abs(self) -> Self {
                Self(self.0.map(<$real>::abs))
            }

            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                self.zip(sign, <$real>::copysign)
            }

            #[inline(always)]
            fn round(self) -> Self {
                // Adding 1.5 * 2^mantissa_bits pushes the fraction out; no library call.
                let shift = (3_u64 << ($mantissa_bits - 1)) as $real;
                Self(self.0.map(|x| (x + shift) - shift))
            }

            #[inline(always)]
            fn near_reciprocal(self) -> Self {
                Self(self.0.map(|x| <$real>::from_bits($reciprocal.wrapping_sub(x.to_bits()))))
            }

            #[inline(always)]
            fn scale2(self, n: Self) -> Self {
                // Two factors, since 2^n itself may be out of range. The first product is exact.
                let power = |n: $real| {
                    let shift = (3_u64 << ($mantissa_bits - 1)) as $real;
                    <$real>::from_bits((n + (shift + $bias as $real)).to_bits() << $mantissa_bits)
                };
                self.zip(n, |x, n| {
                    let half = {
                        let shift = (3_u64 << ($mantissa_bits - 1)) as $real;
                        (n * 0.5 + shift) - shift
                    };
                    x * power(half) * power(n - half)
                })
            }

            #[inline(always)]
            #[allow(clippy::cast_lossless)]
            fn split2(self) -> (Self, Self) {
                let one: $bits = $bias << $mantissa_bits;
                let low: $bits = (1 << $mantissa_bits) - 1;
                let mantissa = self.0.map(|x| <$real>::from_bits(x.to_bits() & low | one));
                let exponent = self.0.map(|x| (x.to_bits() >> $mantissa_bits) as $real - $bias as $real);
                (Self(mantissa), Self(exponent))
            }

            #[inline(always)]
            fn gt(self, other: Self) -> Self::Mask {
                std::array::from_fn(|i| self.0[i] > other.0[i])
            }

            #[inline(always)]
            #[allow(clippy::float_cmp)] // exact equality is intended
            fn eq(self, other: Self) -> Self::Mask {
                std::array::from_fn(|i| self.0[i] == other.0[i])
            }

            #[inline(always)]
            fn bits(mask: Self::Mask) -> u64 {
                mask.iter().rev().fold(0, |bits, &is_set| bits << 1 | u64::from(is_set))
            }

            #[inline(always)]
            fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
                Self(std::array::from_fn(|i| if mask[i] { yes.0[i] } else { no.0[i] }))
            }

            #[inline(always)]
            fn sum(self) -> $real {
                let mut lanes = self.0;
                let mut width = $lanes / 2;
                while width > 0 {
                    for i in 0..width {
                        lanes[i] += lanes[i + width];
                    }
                    width /= 2;
                }
                lanes[0]
            }

            #[inline(always)]
            unsafe fn transpose_ptr(rows: [*const $real; 8], to: *mut $real, stride: usize) {
                for j in 0..Self::SQUARE {
                    for (i, row) in rows.iter().take(Self::SQUARE).enumerate() {
                        // SAFETY: `i, j < SQUARE`, which the caller promises to be in range.
                        unsafe { *to.add(j * stride + i) = *row.add(j) };
                    }
                }
            }
        }
    };
    (@operator $name:ident, $trait:ident, $method:ident, $op:tt) => {
        impl $trait for $name {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.zip(other, |a, b| a $op b)
            }
        }
    };
}

portable_vector!(F32, f32, u32, 16, 23, 127, RECIPROCAL_BITS_F32);
portable_vector!(F64, f64, u64, 8, 52, 1023, RECIPROCAL_BITS_F64);
