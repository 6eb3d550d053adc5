//! Activations, forward and backward, in place.
//!
//! Derivatives are computed from the activation's output y, so the input need not be kept.

use crate::error::{Error, Result};
use crate::numbers::Scalar;
use crate::numbers::math::{Map, map, sigmoid_vector, tanh_vector};
use crate::numbers::simd::Simd;
use crate::numbers::simd_fn;

/// Slope of [`Activation::LeakyRelu`] below 0, as in torch.
const LEAKY_SLOPE: f64 = 0.01;

/// What a hidden layer does to each of its sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `z`
    Identity,
    /// `max(0, z)`
    Relu,
    /// `z` above 0, `0.01 z` below
    LeakyRelu,
    /// `1 / (1 + exp(-z))`
    Sigmoid,
    /// `tanh(z)`
    Tanh,
}

impl Activation {
    /// Every activation, in the order of the documentation.
    pub const ALL: [Self; 5] = [Self::Identity, Self::Relu, Self::LeakyRelu, Self::Sigmoid, Self::Tanh];

    /// The name users write.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Relu => "relu",
            Self::LeakyRelu => "leaky_relu",
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
        }
    }

    /// The activation of that name.
    pub fn from_name(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|activation| activation.name() == name);
        found.ok_or_else(|| {
            let names = Self::ALL.map(|activation| format!("{:?}", activation.name()));
            Error::value("activation", format_args!("{name:?}"), format!("one of {}", names.join(", ")))
        })
    }
}

/// One activation as a type, so that a loop is compiled for it. `Map::apply` is the function.
pub(super) trait Function: Map {
    /// `d f'(x)` where the output is y.
    fn chain<T: Scalar, V: Simd<T>>(&self, d: V, y: V) -> V;

    /// `f(x) d + sum` for a finite d.
    #[inline(always)]
    fn mul_add<T: Scalar, V: Simd<T>>(&self, x: V, d: V, sum: V) -> V {
        self.apply::<T, V>(x).mul_add(d, sum)
    }
}

pub(super) struct Identity;
pub(super) struct Relu;
pub(super) struct LeakyRelu;
pub(super) struct Tanh;
pub(super) struct Sigmoid;

macro_rules! functions {
    ($($name:ident, |$self:ident, $x:ident| $value:expr, |$d:ident, $y:ident| $chain:expr
       $(, |$of:ident, $by:ident, $sum:ident| $mul_add:expr)?;)*) => {
        $(
            impl Map for $name {
                #[inline(always)]
                fn apply<T: Scalar, V: Simd<T>>(&$self, $x: V) -> V {
                    $value
                }
            }

            impl Function for $name {
                #[inline(always)]
                fn chain<T: Scalar, V: Simd<T>>(&$self, $d: V, $y: V) -> V {
                    $chain
                }

                $(
                    #[inline(always)]
                    fn mul_add<T: Scalar, V: Simd<T>>(&$self, $of: V, $by: V, $sum: V) -> V {
                        $mul_add
                    }
                )?
            }
        )*
    };
}

functions! {
    Identity, |self, x| x, |d, _y| d;
    Relu,
        |self, x| V::zero().max(x),
        |d, y| V::select(y.gt(V::zero()), d, V::zero()),
        |x, d, sum| V::mul_add_where(x.gt(V::zero()), x, d, sum);
    LeakyRelu,
        |self, x| V::select(x.gt(V::zero()), x, V::constant(LEAKY_SLOPE) * x),
        |d, y| V::select(y.gt(V::zero()), d, V::constant(LEAKY_SLOPE) * d);
    Tanh, |self, x| tanh_vector::<T, V>(x), |d, y| d * (-y).mul_add(y, V::splat(T::ONE));
    Sigmoid, |self, x| sigmoid_vector::<T, V>(x), |d, y| d * (-y).mul_add(y, y);
}

/// `x = f(x)`.
pub(crate) fn forward<T: Scalar>(activation: Activation, x: &mut [T]) {
    let len = x.len();
    forward_rows(activation, x, len.max(1), len);
}

/// `x = f(x)` for the first `cols` elements of every `stride`.
///
/// # Panics
/// If `stride` is 0, or the last row has fewer than `cols` elements.
pub(crate) fn forward_rows<T: Scalar>(activation: Activation, x: &mut [T], stride: usize, cols: usize) {
    match activation {
        Activation::Identity => {}
        Activation::Relu => map(x, stride, cols, Relu),
        Activation::LeakyRelu => map(x, stride, cols, LeakyRelu),
        Activation::Sigmoid => map(x, stride, cols, Sigmoid),
        Activation::Tanh => map(x, stride, cols, Tanh),
    }
}

/// `d = d f'(x)`, where `y = f(x)`.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn backward<T: Scalar>(activation: Activation, d: &mut [T], y: &[T]) {
    let len = d.len();
    backward_rows(activation, d, y, T::ONE, len.max(1), len);
}

/// `d = d f'(x)` for the first `cols` elements of every `stride`, where `keep y = f(x)`: y is what dropout, which kept
/// a share of that size, made larger.
///
/// # Panics
/// If the lengths differ, `stride` is 0, or the last row has fewer than `cols` elements.
pub(crate) fn backward_rows<T: Scalar>(
    activation: Activation,
    d: &mut [T],
    y: &[T],
    keep: T,
    stride: usize,
    cols: usize,
) {
    assert_eq!(d.len(), y.len(), "d and y");
    match activation {
        Activation::Identity => {}
        // The sign of y says it all, and a y as small as can be has none once it is multiplied.
        Activation::Relu => chain(d, y, T::ONE, stride, cols, Relu),
        Activation::LeakyRelu => chain(d, y, T::ONE, stride, cols, LeakyRelu),
        Activation::Sigmoid => chain(d, y, keep, stride, cols, Sigmoid),
        Activation::Tanh => chain(d, y, keep, stride, cols, Tanh),
    }
}

simd_fn! {
    fn chain<T as V; F: Function>(d: &mut [T], y: &[T], keep: T, stride: usize, cols: usize, f: F) {
        let keep = V::splat(keep);
        for (d, y) in d.chunks_mut(stride).zip(y.chunks(stride)) {
            for (d, y) in d[..cols].chunks_mut(T::LANES).zip(y[..cols].chunks(T::LANES)) {
                f.chain::<T, V>(V::load_front(d), keep * V::load_front(y)).store_front(d);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Activation, LEAKY_SLOPE, backward, backward_rows, forward};
    use crate::numbers::simd::{Isa, with_isa};

    fn value(activation: Activation, x: f64) -> f64 {
        match activation {
            Activation::Identity => x,
            Activation::Relu => x.max(0.0),
            Activation::LeakyRelu => {
                if x > 0.0 {
                    x
                } else {
                    LEAKY_SLOPE * x
                }
            }
            Activation::Tanh => x.tanh(),
            Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        }
    }

    /// Away from the kink at 0, a difference quotient is the derivative.
    fn slope(activation: Activation, x: f64) -> f64 {
        (value(activation, x + 1e-6) - value(activation, x - 1e-6)) / 2e-6
    }

    fn inputs(count: usize) -> Vec<f64> {
        (0..count).map(|i| (i as f64 - 10.3) * 0.37).collect()
    }

    #[test]
    fn values_and_derivatives() {
        for isa in Isa::available() {
            for activation in Activation::ALL {
                for count in [0, 1, 7, 8, 9, 33] {
                    let x = inputs(count);
                    let (mut y, mut d) = (x.clone(), vec![2.0; count]);
                    with_isa(isa, || {
                        forward(activation, &mut y);
                        backward(activation, &mut d, &y);
                    });
                    for i in 0..count {
                        assert!((y[i] - value(activation, x[i])).abs() < 1e-15 + 1e-15 * x[i].abs());
                        assert!((d[i] - 2.0 * slope(activation, x[i])).abs() < 1e-8);
                    }
                }
            }
        }
    }

    #[test]
    fn derivatives_behind_dropout_are_those_of_the_output_before() {
        for isa in Isa::available() {
            for activation in Activation::ALL {
                let x = inputs(33);
                let mut y = x.clone();
                forward(activation, &mut y);
                // Every third value is left out, on the way back too.
                let scale = |i: usize| if i.is_multiple_of(3) { 0.0 } else { 4.0 };
                y.iter_mut().enumerate().for_each(|(i, y)| *y *= scale(i));
                let mut d: Vec<f64> = (0..33).map(|i| 0.5 * scale(i)).collect();
                with_isa(isa, || backward_rows(activation, &mut d, &y, 0.25, 33, 33));
                for i in 0..33 {
                    let expected = 0.5 * scale(i) * slope(activation, x[i]);
                    assert!((d[i] - expected).abs() < 1e-8, "{activation:?} {isa:?} {i}");
                }
            }
        }
    }

    #[test]
    fn a_value_as_small_as_can_be_is_still_above_0() {
        for isa in Isa::available() {
            for activation in [Activation::Relu, Activation::LeakyRelu] {
                let mut d = [1.0_f32];
                with_isa(isa, || backward_rows(activation, &mut d, &[f32::from_bits(1)], 0.25, 1, 1));
                assert_eq!(d, [1.0], "{activation:?} {isa:?}");
            }
        }
    }

    #[test]
    fn nan_stays_nan() {
        for isa in Isa::available() {
            for activation in Activation::ALL {
                let mut x = [f32::NAN; 3];
                with_isa(isa, || forward(activation, &mut x));
                assert!(x.iter().all(|x| x.is_nan()), "{activation:?} {isa:?}");
            }
        }
    }

    #[test]
    fn a_name_leads_back_to_its_activation() {
        for activation in Activation::ALL {
            assert_eq!(Activation::from_name(activation.name()).unwrap(), activation);
        }
        let unknown = Activation::from_name("gelu").unwrap_err().to_string();
        assert_eq!(
            unknown,
            r#"activation is "gelu", expected one of "identity", "relu", "leaky_relu", "sigmoid", "tanh""#
        );
    }

    #[test]
    fn far_out_every_value_stays_finite() {
        for activation in Activation::ALL {
            let mut a = [-1e4_f32, 1e4];
            forward(activation, &mut a);
            let mut d = [1.0; 2];
            backward(activation, &mut d, &a);
            assert!(a.iter().chain(&d).all(|value| value.is_finite()), "{activation:?}");
        }
    }
}
