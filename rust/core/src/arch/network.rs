//! A network's architecture: the widths of its layers and what lies between them.

use crate::arch::layout::Layout;
use crate::error::{Error, Result};
use crate::kernels::{Activation, Output};

/// Layers of a multilayer perceptron: dense ones with an activation after each but the last, whose
/// sums become the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    layout: Layout,
    activations: Vec<Activation>,
    output: Output,
}

impl Network {
    /// A network with these widths, input first, and one activation a hidden layer, that classifies by softmax.
    pub fn new(layer_sizes: &[usize], activations: &[Activation]) -> Result<Self> {
        let layout = Layout::new(layer_sizes)?;
        let n_hidden = layer_sizes.len() - 2;
        if activations.len() != n_hidden {
            let found = format_args!("a sequence of {}", activations.len()).to_string();
            let expected = format!("one name, or a sequence of {n_hidden}: one a hidden layer");
            return Err(Error::value("activation", found, expected));
        }
        Ok(Self { layout, activations: activations.to_vec(), output: Output::Softmax })
    }

    /// The same network with another output.
    #[must_use]
    pub fn with_output(self, output: Output) -> Self {
        Self { output, ..self }
    }

    /// Where each layer's parameters lie.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// One entry a hidden layer.
    pub fn activations(&self) -> &[Activation] {
        &self.activations
    }

    /// What becomes of the last layer's sums.
    pub fn output(&self) -> Output {
        self.output
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wants_one_activation_a_hidden_layer() {
        let two = [Activation::Relu, Activation::Tanh];
        assert!(Network::new(&[2, 4, 5, 3], &two).is_ok());
        assert_eq!(
            Network::new(&[2, 4, 3], &two).unwrap_err().to_string(),
            "activation is a sequence of 2, expected one name, or a sequence of 1: one a hidden layer"
        );
    }
}
