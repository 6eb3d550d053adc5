//! One body of a kernel, compiled for each instruction set.

/// Defines a function whose body is compiled for every instruction set and chosen at each call.
///
/// `fn name<T as V>(…)` is generic over the element `T: Scalar`; inside the body `V: Simd<T>` is the
/// vector. Whatever the body calls with a `V` must be `#[inline(always)]` too: a function or a closure that is not
/// inlined is compiled without the instruction set. Further parameters follow as `, const N: usize` and `; F: Bound`.
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
        $($head)* $($unsafety)? fn $name<$t: $crate::numbers::scalar::Scalar $(, const $n: $nt)* $(, $g: $bound)*>(
            $($arg: $ty),*
        ) $(-> $out)? {
            use $crate::numbers::scalar::Scalar;
            use $crate::numbers::simd::{Isa, Kind, Simd};

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
                // SAFETY: `Isa` proves that the CPU has the instruction set; the caller of the function
                // promises its other conditions.
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
