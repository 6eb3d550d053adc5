//! A network's architecture: the widths of its layers and what stands between them.

use crate::arch::hidden::{HiddenActivation, Normalization};
use crate::arch::layout::{Layout, check_widths};
use crate::arch::stage::{Dense, InputScale, LayerNorm, Prelu, Stage};
use crate::error::{Error, Result};
use crate::kernels::{Activation, Output};
use crate::loss::Loss;

/// Layers of a multilayer perceptron: dense ones with an activation after each but the last, whose
/// sums become the output.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    layout: Layout,
    activations: Vec<HiddenActivation>,
    normalization: Option<Normalization>,
    input_scale: bool,
    output: Output,
    loss: Loss,
}

impl Network {
    /// A network with these widths, input first, and one activation per hidden layer, that classifies by softmax.
    pub fn new(layer_sizes: &[usize], activations: &[Activation]) -> Result<Self> {
        let activations: Vec<_> = activations.iter().map(|&fixed| fixed.into()).collect();
        Self::with_stages(layer_sizes, &activations, None, false)
    }

    /// A network that may have stages beyond dense layers and fixed activations: a scale per input, a normalisation
    /// of the sums of every hidden layer, and activations that learn.
    pub fn with_stages(
        layer_sizes: &[usize],
        activations: &[HiddenActivation],
        normalization: Option<Normalization>,
        input_scale: bool,
    ) -> Result<Self> {
        check_widths(layer_sizes)?;
        let n_hidden = layer_sizes.len() - 2;
        if activations.len() != n_hidden {
            let expected = match n_hidden {
                1 => "one name, or a sequence of 1 name, one per hidden layer".to_owned(),
                _ => format!("one name, or a sequence of {n_hidden} names, one per hidden layer"),
            };
            let found = format_args!("a sequence of {}", activations.len()).to_string();
            return Err(Error::value("activation", found, expected));
        }
        let mut stages = Vec::new();
        if input_scale {
            stages.push(Stage::InputScale(InputScale { width: layer_sizes[0] }));
        }
        for (l, pair) in layer_sizes.windows(2).enumerate() {
            let (d_in, width) = (pair[0], pair[1]);
            stages.push(Stage::Dense(Dense { d_in, d_out: width }));
            let Some(activation) = activations.get(l) else { continue };
            if normalization == Some(Normalization::Layer) {
                stages.push(Stage::LayerNorm(LayerNorm { width }));
            }
            if *activation == HiddenActivation::Prelu {
                stages.push(Stage::Prelu(Prelu { width }));
            }
        }
        Ok(Self {
            layout: Layout::of_stages(layer_sizes, stages)?,
            activations: activations.to_vec(),
            normalization,
            input_scale,
            output: Output::Softmax,
            loss: Loss::canonical(Output::Softmax),
        })
    }

    /// The same network with another output, and the loss of which that is the canonical link.
    #[must_use]
    pub fn with_output(self, output: Output) -> Self {
        Self { output, loss: Loss::canonical(output), ..self }
    }

    /// The same network with another loss, which must be one for its output.
    pub fn with_loss(self, loss: Loss) -> Result<Self> {
        loss.check(self.output, self.layout.d_out())?;
        Ok(Self { loss, ..self })
    }

    /// Where the parameters of each stage lie.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// One entry per hidden layer.
    pub fn activations(&self) -> &[HiddenActivation] {
        &self.activations
    }

    /// What the sums of every hidden layer are normalised over, if they are normalised.
    pub fn normalization(&self) -> Option<Normalization> {
        self.normalization
    }

    /// Whether each input has a learnable scale.
    pub fn input_scale(&self) -> bool {
        self.input_scale
    }

    /// Whether it has only dense layers and fixed activations.
    pub fn is_plain(&self) -> bool {
        self.layout.stages().iter().all(|stage| matches!(stage, Stage::Dense(_)))
    }

    /// What turns the last layer's sums into predictions.
    pub fn output(&self) -> Output {
        self.output
    }

    /// What training lowers, for a row.
    pub fn loss(&self) -> &Loss {
        &self.loss
    }

    /// Whether the loss is the one of which the output is the canonical link.
    pub fn has_canonical_loss(&self) -> bool {
        self.loss == Loss::canonical(self.output)
    }

    /// Whether a row belongs to a class, rather than having numbers for targets.
    pub fn has_classes(&self) -> bool {
        self.output == Output::Softmax
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::block::Role;

    #[test]
    fn wants_one_activation_per_hidden_layer() {
        let two = [Activation::Relu, Activation::Tanh];
        assert!(Network::new(&[2, 4, 5, 3], &two).is_ok());
        for (sizes, expected) in [
            (&[2, 4, 3][..], "one name, or a sequence of 1 name, one per hidden layer"),
            (&[2, 4, 4, 4, 3], "one name, or a sequence of 3 names, one per hidden layer"),
        ] {
            let message = Network::new(sizes, &two).unwrap_err().to_string();
            assert_eq!(message, format!("activation is a sequence of 2, expected {expected}"));
        }
    }

    #[test]
    fn blocks_lie_one_behind_the_other_in_the_order_of_the_stages() {
        let activations = [HiddenActivation::Prelu, Activation::Relu.into()];
        let network =
            Network::with_stages(&[2, 5, 4, 3], &activations, Some(Normalization::Layer), true).unwrap();
        let layout = network.layout();
        let names: Vec<_> = layout.stages().iter().map(Stage::name).collect();
        assert_eq!(names, ["input_scale", "dense", "layer_norm", "prelu", "dense", "layer_norm", "dense"]);
        let mut end = 0;
        for block in layout.blocks() {
            assert_eq!(block.range().start, end);
            end = block.range().end;
        }
        assert_eq!(end, layout.n_parameters());
        assert_eq!(end, 2 + (10 + 5) + (5 + 5) + 5 + (20 + 4) + (4 + 4) + (12 + 3));
        assert_eq!(layout.parameters_of(2), 17..27);
        let places =
            [(0, "scales[0][0]"), (7, "weights[0][1, 0]"), (17, "gains[0][0]"), (22, "shifts[0][0]")];
        for (i, place) in places {
            assert_eq!(layout.place(i), place);
        }
        let slope = layout.blocks().iter().find(|block| block.role == Role::Slope).unwrap();
        assert_eq!((slope.stage, slope.index, slope.range()), (3, 0, 27..32));
        assert!(!network.is_plain());
        assert!(Network::new(&[2, 5, 4, 3], &[Activation::Relu; 2]).unwrap().is_plain());
    }
}
