//! Activation functions, applied in place, and their derivatives, taken from the output.
//!
//! A derivative that needs the output alone lets the forward pass overwrite its input, and nothing else is kept for
//! the backward pass.

use crate::error::{Error, Result};
use crate::scalar::Scalar;

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

    /// `a = f(z)`, in place.
    pub fn forward<T: Scalar>(self, z: &mut [T]) {
        match self {
            Self::Identity => {}
            Self::Relu => map(z, |z| if z > T::ZERO { z } else { T::ZERO }),
            Self::LeakyRelu => {
                let slope = T::from_f64(LEAKY_SLOPE);
                map(z, |z| if z > T::ZERO { z } else { slope * z });
            }
            Self::Sigmoid => map(z, |z| T::ONE / (T::ONE + (-z).exp())),
            Self::Tanh => map(z, T::tanh),
        }
    }

    /// `d_z = d_a * f'(z)`, in place in `d`; `a = f(z)` is the output of [`forward`](Self::forward).
    pub fn backward<T: Scalar>(self, a: &[T], d: &mut [T]) {
        match self {
            Self::Identity => {}
            Self::Relu => zip(a, d, |a, d| if a > T::ZERO { d } else { T::ZERO }),
            Self::LeakyRelu => {
                let slope = T::from_f64(LEAKY_SLOPE);
                zip(a, d, |a, d| if a > T::ZERO { d } else { slope * d });
            }
            Self::Sigmoid => zip(a, d, |a, d| d * a * (T::ONE - a)),
            Self::Tanh => zip(a, d, |a, d| d * (T::ONE - a * a)),
        }
    }
}

fn map<T: Scalar>(values: &mut [T], f: impl Fn(T) -> T) {
    for value in values {
        *value = f(*value);
    }
}

fn zip<T: Scalar>(a: &[T], d: &mut [T], f: impl Fn(T, T) -> T) {
    for (d, &a) in d.iter_mut().zip(a) {
        *d = f(a, *d);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn the_derivative_is_the_slope() {
        let step = 1e-6;
        for activation in Activation::ALL {
            for z in [-3.0, -0.5, 0.25, 2.0_f64] {
                let mut around = [z - step, z + step];
                activation.forward(&mut around);
                let (mut a, mut d) = ([z], [1.0]);
                activation.forward(&mut a);
                activation.backward(&a, &mut d);
                let slope = (around[1] - around[0]) / (2.0 * step);
                assert!((d[0] - slope).abs() < 1e-9, "{activation:?} at {z}: {} {slope}", d[0]);
            }
        }
    }

    #[test]
    fn far_out_every_value_stays_finite() {
        for activation in Activation::ALL {
            let mut a = [-1e4_f32, 1e4];
            activation.forward(&mut a);
            let mut d = [1.0; 2];
            activation.backward(&a, &mut d);
            assert!(a.iter().chain(&d).all(|value| value.is_finite()), "{activation:?}");
        }
    }
}
