//! The table of activations: one row defines an activation completely.
//!
//! ```text
//! /// what the documentation says
//! Variant, "name", initial weights that suit it, value and derivative;
//! ```
//! The section of a row says how its derivative is computed:
//!
//! | section | value and derivative | |
//! | --- | --- | --- |
//! | `by_sign` | `\|z\| f`, `\|d, y\| d f'` from the output y, or from z | compiled into the kernels of tiny networks too |
//! | `from_output` | `\|z\| f`, `\|d, y\| d f'` from the output y | |
//! | `keeps_slope` | [whether in pairs](KeepsSlope::IN_PAIRS), `\|z\| (f, f')` | the slope is kept from the forward to the backward pass |

use super::function::{FromOutput, KeepsSlope, SignSlope, chain, keep_slopes};
use crate::numbers::Scalar;
use crate::numbers::math::{
    Map, elu_vector, gelu_vector, map, mish_vector, selu_vector, sigmoid_vector, silu_vector,
    softplus_vector, tanh_vector,
};
use crate::numbers::simd::Simd;

/// Slope of [`Activation::LeakyRelu`] below 0, as in torch.
const LEAKY_SLOPE: f64 = 0.01;

/// Initial weights before an activation that keep the size of sums from layer to layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suits {
    /// Of variance `2 / (d_in + d_out)`.
    Glorot,
    /// Of variance `2 / d_in`: half of the variance is lost to values that become (nearly) 0.
    He,
    /// Of variance `1 / d_in`.
    Lecun,
}

macro_rules! activations {
    (
        by_sign {$(
            $(#[$sign_doc:meta])*
            $sign:ident, $sign_name:literal, $sign_suits:ident,
            |$sign_z:ident| $sign_value:expr, |$sign_d:ident, $sign_y:ident| $sign_chain:expr
            $(, |$of:ident, $by:ident, $sum:ident| $mul_add:expr)?;
        )*}
        from_output {$(
            $(#[$out_doc:meta])*
            $out:ident, $out_name:literal, $out_suits:ident,
            |$out_z:ident| $out_value:expr, |$out_d:ident, $out_y:ident| $out_chain:expr;
        )*}
        keeps_slope {$(
            $(#[$kept_doc:meta])*
            $kept:ident, $kept_name:literal, $kept_suits:ident, $in_pairs:literal, |$kept_z:ident| $kept_value:expr;
        )*}
    ) => {
        /// What a hidden layer does to each of its sums.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Activation {
            $($(#[$sign_doc])* $sign,)*
            $($(#[$out_doc])* $out,)*
            $($(#[$kept_doc])* $kept,)*
        }

        impl Activation {
            /// Every activation, in the order of the documentation.
            pub const ALL: [Self; [$($sign_name,)* $($out_name,)* $($kept_name,)*].len()] =
                [$(Self::$sign,)* $(Self::$out,)* $(Self::$kept,)*];

            /// The name users write.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$sign => $sign_name,)*
                    $(Self::$out => $out_name,)*
                    $(Self::$kept => $kept_name,)*
                }
            }

            /// The initial weights that suit it.
            pub(crate) fn suits(self) -> Suits {
                match self {
                    $(Self::$sign => Suits::$sign_suits,)*
                    $(Self::$out => Suits::$out_suits,)*
                    $(Self::$kept => Suits::$kept_suits,)*
                }
            }

            /// Whether its derivative is computed in the forward pass and kept.
            pub(crate) fn keeps_slope(self) -> bool {
                match self {
                    $(Self::$sign)|* $(| Self::$out)* => false,
                    $(Self::$kept)|* => true,
                }
            }

            /// `z = f(z)` for the first `cols` elements of every `stride`.
            pub(super) fn map<T: Scalar>(self, z: &mut [T], stride: usize, cols: usize) {
                match self {
                    $(Self::$sign => map(z, stride, cols, $sign),)*
                    $(Self::$out => map(z, stride, cols, $out),)*
                    $(Self::$kept => map(z, stride, cols, $kept),)*
                }
            }

            /// `d = d f'(z)` for the first `cols` elements of every `stride`, where `f(z) = keep y`.
            pub(super) fn chain<T: Scalar>(self, d: &mut [T], y: &[T], keep: T, stride: usize, cols: usize) {
                match self {
                    // The sign of y suffices, and the smallest y would lose it by being multiplied.
                    $(Self::$sign => chain(d, y, T::ONE, stride, cols, $sign),)*
                    $(Self::$out => chain(d, y, keep, stride, cols, $out),)*
                    $(Self::$kept)|* => unreachable!("the slope of {self:?} is kept"),
                }
            }

            /// `z = f(z)` and `slopes = f'(z)`.
            pub(super) fn keep_slopes<T: Scalar>(self, z: &mut [T], slopes: &mut [T]) {
                match self {
                    $(Self::$sign)|* $(| Self::$out)* => unreachable!("the slope of {self:?} is not kept"),
                    $(Self::$kept => keep_slopes(z, slopes, $kept),)*
                }
            }
        }

        $(activations! { @map $sign, |$sign_z| $sign_value })*
        $(activations! { @map $out, |$out_z| $out_value })*
        $(activations! { @map $kept, |z| $kept.with_slope::<T, V>(z).0 })*
        $(activations! { @chain $sign, |$sign_d, $sign_y| $sign_chain })*
        $(activations! { @chain $out, |$out_d, $out_y| $out_chain })*
        $(
            impl SignSlope for $sign {
                $(
                    #[inline(always)]
                    fn mul_add<T: Scalar, V: Simd<T>>(&self, $of: V, $by: V, $sum: V) -> V {
                        $mul_add
                    }
                )?
            }
        )*
        $(
            impl KeepsSlope for $kept {
                const IN_PAIRS: bool = $in_pairs;

                #[inline(always)]
                fn with_slope<T: Scalar, V: Simd<T>>(&self, $kept_z: V) -> (V, V) {
                    $kept_value
                }
            }
        )*
    };
    (@map $name:ident, |$z:ident| $value:expr) => {
        /// The function as a type, so that a loop is compiled for it.
        pub(crate) struct $name;

        impl Map for $name {
            #[inline(always)]
            fn apply<T: Scalar, V: Simd<T>>(&self, $z: V) -> V {
                $value
            }
        }
    };
    (@chain $name:ident, |$d:ident, $y:ident| $chain:expr) => {
        impl FromOutput for $name {
            #[inline(always)]
            fn chain<T: Scalar, V: Simd<T>>(&self, $d: V, $y: V) -> V {
                $chain
            }
        }
    };
}

activations! {
    by_sign {
        /// `z`
        Identity, "identity", Glorot, |z| z, |d, _y| d;
        /// `max(0, z)`
        Relu, "relu", He,
            |z| V::zero().max(z),
            |d, y| V::select(y.gt(V::zero()), d, V::zero()),
            |z, d, sum| V::mul_add_where(z.gt(V::zero()), z, d, sum);
        /// `z` above 0, `0.01 z` below
        LeakyRelu, "leaky_relu", He,
            |z| V::select(z.gt(V::zero()), z, V::constant(LEAKY_SLOPE) * z),
            |d, y| V::select(y.gt(V::zero()), d, V::constant(LEAKY_SLOPE) * d);
    }
    from_output {
        /// `1 / (1 + exp(-z))`
        Sigmoid, "sigmoid", Glorot, |z| sigmoid_vector::<T, V>(z), |d, y| d * (-y).mul_add(y, y);
        /// `tanh(z)`
        Tanh, "tanh", Glorot, |z| tanh_vector::<T, V>(z), |d, y| d * (-y).mul_add(y, V::splat(T::ONE));
    }
    keeps_slope {
        /// `z` above 0, `exp(z) - 1` below
        Elu, "elu", He, true, |z| elu_vector::<T, V>(z);
        /// `1.0507 z` above 0, `1.7581 (exp(z) - 1)` below
        Selu, "selu", Lecun, true, |z| selu_vector::<T, V>(z);
        /// `z P(z)`, P the distribution function of the standard normal distribution
        Gelu, "gelu", He, false, |z| gelu_vector::<T, V>(z);
        /// `z / (1 + exp(-z))`
        Silu, "silu", He, true, |z| silu_vector::<T, V>(z);
        /// `z tanh(ln(1 + exp(z)))`
        Mish, "mish", He, true, |z| mish_vector::<T, V>(z);
        /// `ln(1 + exp(z))`
        Softplus, "softplus", He, true, |z| softplus_vector::<T, V>(z);
    }
}
