//! Activation functions, applied in place, and their derivatives, taken from the output.
//!
//! A derivative that needs the output alone lets the forward pass overwrite its input, and nothing else is kept for
//! the backward pass.

use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// Slope of [`Activation::LeakyRelu`] below 0, as in torch.
pub(crate) const LEAKY_SLOPE: f64 = 0.01;

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
        T::activate(self, z);
    }

    /// `d_z = d_a * f'(z)`, in place in `d`; `a = f(z)` is the output of [`forward`](Self::forward).
    pub fn backward<T: Scalar>(self, a: &[T], d: &mut [T]) {
        T::activate_backward(self, d, a);
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
