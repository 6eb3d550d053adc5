//! Functions on vectors, to 2 units in the last place or better.
//!
//! | module | what |
//! | --- | --- |
//! | [`elementary`] | exp, ln, tanh, the logistic function, reciprocals; `exp(x) - 1` and `ln(1 + x)`, to 4 units |
//! | [`pair`] | sums of two numbers, for results that are rounded about once |
//! | [`smooth`] | elu, selu, softplus, silu, mish, with their slopes |
//! | [`gelu`] | gelu, with its slope |
//! | [`turns`] | cosine and sine of turns |

mod elementary;
mod pair;
mod smooth;
mod gelu;
mod turns;
#[cfg(test)]
mod tests;

use crate::numbers::Scalar;
use crate::numbers::simd::Simd;
use crate::numbers::simd_fn;

pub(crate) use elementary::{
    ample_or_zero, exp_m1_vector, exp_vector, ln_1p_vector, ln_vector, normal_or_zero, reciprocal_vector,
    sigmoid_vector, tanh_vector,
};
pub(crate) use gelu::gelu_vector;
pub(crate) use smooth::{elu_vector, mish_vector, selu_vector, silu_vector, softplus_vector};
pub(crate) use turns::cosine_and_sine;

/// A function of one element, to be applied to all of a slice.
pub(crate) trait Map {
    fn apply<T: Scalar, V: Simd<T>>(&self, x: V) -> V;
}

simd_fn! {
    /// `x = f(x)` for the first `cols` elements of every `stride`.
    ///
    /// # Panics
    /// If `stride` is 0, or the last row has fewer than `cols` elements.
    pub(crate) fn map<T as V; F: Map>(x: &mut [T], stride: usize, cols: usize, f: F) {
        for row in x.chunks_mut(stride) {
            for chunk in row[..cols].chunks_mut(T::LANES) {
                f.apply::<T, V>(V::load_front(chunk)).store_front(chunk);
            }
        }
    }
}
