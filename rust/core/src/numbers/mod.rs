//! Numbers, and vectors of them.

mod limits;
pub(crate) mod number;
pub(crate) mod simd;
pub(crate) mod scalar;
mod simd_fn;
pub(crate) mod math;

pub use number::Number;
pub(crate) use scalar::Scalar;
pub(crate) use simd::prefetch;
pub(crate) use simd_fn::simd_fn;
