//! Vectors of 64 bytes, whatever the instruction set.
//!
//! A kernel is written once, against [`Simd`], inside [`simd_fn!`], which compiles its body for every
//! instruction set and picks one at each call. The logical width is the same everywhere (16 `f32` or
//! 8 `f64`; two registers with AVX2), so sums over lanes have one order and AVX-512 and AVX2 give the
//! same bits.
//!
//! Soundness: a vector can be made only through [`Simd`], which no other crate can name, and [`simd_fn!`]
//! provides vectors only where [`Isa`] proves that the CPU has the instruction set. A type parameter
//! `V: Simd<T>` is therefore itself the proof, and arithmetic on it is safe.

mod isa;
#[cfg(test)]
mod agreement;
mod vector;
pub(crate) mod portable;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use agreement::assert_fusing_agree;
pub use isa::check_environment;
#[cfg(test)]
pub(crate) use isa::with_isa;
pub(crate) use isa::{Isa, Kind};
pub(crate) use vector::Simd;

/// Asks for the cache line at an address, which need not be valid.
#[inline(always)]
pub(crate) fn prefetch<T>(at: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every such processor has the instruction, which reads nothing that the program sees.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(at.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}
