//! A network's architecture: the widths of its layers and what stands between them.

use crate::arch::hidden::{HiddenActivation, Normalization};
use crate::arch::layout::{Layout, check_widths};
use crate::arch::stage::{BatchNorm, Dense, InputScale, LayerNorm, Parametric, Periodic, Prelu, Stage};
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
    periodic_inputs: usize,
    parametric_activation: bool,
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
        Self {
            // That of the dense layers alone, until the stages are there.
            layout: Layout::new(layer_sizes)?,
            activations: activations.to_vec(),
            normalization,
            input_scale,
            periodic_inputs: 0,
            parametric_activation: false,
            output: Output::Softmax,
            loss: Loss::canonical(Output::Softmax),
        }
        .with_its_stages()
    }

    /// The same network with periodic features of its first inputs, so many of them, before all other stages.
    pub fn with_periodic_inputs(self, periodic_inputs: usize) -> Result<Self> {
        let d_in = self.layout.d_in();
        if periodic_inputs > d_in {
            let expected = format!("at most the width of the input, {d_in}");
            return Err(Error::value("periodic_inputs", periodic_inputs, expected));
        }
        Self { periodic_inputs, ..self }.with_its_stages()
    }

    /// The same network with a learnable nonlinearity per unit in its fixed activations, or without.
    pub fn with_parametric_activation(self, parametric_activation: bool) -> Result<Self> {
        if parametric_activation && self.activations.contains(&HiddenActivation::Prelu) {
            let expected = r#"False with the activation "prelu", which learns its slopes"#;
            return Err(Error::value("parametric_activation", "True", expected));
        }
        Self { parametric_activation, ..self }.with_its_stages()
    }

    /// The same network with the layout of all of its stages.
    fn with_its_stages(self) -> Result<Self> {
        let layer_sizes: Vec<_> = self.layout.layer_sizes().collect();
        Ok(Self { layout: Layout::of_stages(&layer_sizes, self.stages(&layer_sizes)?)?, ..self })
    }

    /// Its stages, first to last.
    fn stages(&self, layer_sizes: &[usize]) -> Result<Vec<Stage>> {
        let mut stages = Vec::new();
        let mut d_in = layer_sizes[0];
        if self.periodic_inputs > 0 {
            let periodic = Periodic { d_in, inputs: self.periodic_inputs };
            d_in = periodic.checked_width().ok_or_else(|| Layout::too_large(layer_sizes))?;
            stages.push(Stage::Periodic(periodic));
        }
        if self.input_scale {
            stages.push(Stage::InputScale(InputScale { width: d_in }));
        }
        for (l, &width) in layer_sizes[1..].iter().enumerate() {
            stages.push(Stage::Dense(Dense { d_in, d_out: width }));
            d_in = width;
            let Some(activation) = self.activations.get(l) else { continue };
            stages.extend(self.normalization.map(|over| match over {
                Normalization::Layer => Stage::LayerNorm(LayerNorm { width }),
                Normalization::Batch => Stage::BatchNorm(BatchNorm { width }),
            }));
            match *activation {
                HiddenActivation::Prelu => stages.push(Stage::Prelu(Prelu { width })),
                HiddenActivation::Fixed(activation) if self.parametric_activation => {
                    stages.push(Stage::Parametric(Parametric { width, activation }));
                }
                HiddenActivation::Fixed(_) => {}
            }
        }
        Ok(stages)
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

    /// How many of the inputs, from the first on, have periodic features.
    pub fn periodic_inputs(&self) -> usize {
        self.periodic_inputs
    }

    /// Whether its fixed activations have a learnable nonlinearity per unit.
    pub fn parametric_activation(&self) -> bool {
        self.parametric_activation
    }

    /// Whether it has only dense layers and fixed activations.
    pub fn is_plain(&self) -> bool {
        self.layout.stages().iter().all(|stage| matches!(stage, Stage::Dense(_)))
    }

    /// Whether a row's outputs in training depend on the other rows of its batch.
    pub fn needs_batches(&self) -> bool {
        self.layout.stages().iter().any(|stage| matches!(stage, Stage::BatchNorm(_)))
    }

    /// The fewest rows of a batch in training.
    pub(crate) fn least_rows(&self) -> usize {
        if self.needs_batches() { 2 } else { 1 }
    }

    /// Why it may be more than one.
    pub(crate) const WHY_SEVERAL_ROWS: &str = r#"normalization="batch" takes the variance of each batch"#;

    /// The network without its batch normalisations, which are linear in prediction, so that the dense layers before them
    /// can do their work; none if it has no batch normalisation.
    pub(crate) fn folded(&self) -> Option<Self> {
        if !self.needs_batches() {
            return None;
        }
        let folded = Self { normalization: None, ..self.clone() }.with_its_stages();
        Some(folded.expect("a network of fewer stages"))
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

    #[test]
    fn periodic_features_widen_the_first_layer_alone() {
        let plain = Network::with_stages(&[3, 5, 2], &[Activation::Relu.into()], None, true).unwrap();
        assert_eq!(plain.clone().with_periodic_inputs(0).unwrap(), plain);
        let network = plain.clone().with_periodic_inputs(2).unwrap();
        let layout = network.layout();
        let names: Vec<_> = layout.stages().iter().map(Stage::name).collect();
        assert_eq!(names, ["periodic", "input_scale", "dense", "dense"]);
        assert_eq!(layout.layer_sizes().collect::<Vec<_>>(), [3, 5, 2]);
        assert_eq!((layout.d_in(), layout.layers()[0].d_in), (3, 9));
        assert_eq!(layout.n_parameters(), 2 * (16 + 16 + 48 + 3) + 9 + (45 + 5) + (10 + 2));
        let places = [(17, "frequencies[0][1, 1]"), (32, "phases[0][0, 0]"), (112, "projections[0][1, 0]")];
        for (i, place) in places {
            assert_eq!(layout.place(i), place);
        }
        let message = plain.with_periodic_inputs(4).unwrap_err().to_string();
        assert_eq!(message, "periodic_inputs is 4, expected at most the width of the input, 3");
    }

    #[test]
    fn a_parametric_activation_has_a_stage_per_hidden_layer() {
        let activations = [Activation::Mish, Activation::Identity];
        let plain = Network::new(&[2, 5, 4, 3], &activations).unwrap();
        let network = plain.clone().with_parametric_activation(true).unwrap();
        let names: Vec<_> = network.layout().stages().iter().map(Stage::name).collect();
        assert_eq!(names, ["dense", "parametric", "dense", "parametric", "dense"]);
        assert_eq!(network.layout().n_parameters(), plain.layout().n_parameters() + 5 + 4);
        assert_eq!(network.layout().place(15 + 4), "alphas[0][4]");
        assert_eq!(network.with_parametric_activation(false).unwrap(), plain);
        let learns = Network::with_stages(&[2, 5, 3], &[HiddenActivation::Prelu], None, false).unwrap();
        assert_eq!(
            learns.with_parametric_activation(true).unwrap_err().to_string(),
            r#"parametric_activation is True, expected False with the activation "prelu", which learns its slopes"#
        );
    }

    #[test]
    fn a_folded_network_is_the_one_without_batch_normalisation() {
        let activations = [HiddenActivation::Prelu, Activation::Relu.into()];
        let with = |normalization| {
            let network = Network::with_stages(&[2, 5, 4, 3], &activations, normalization, true).unwrap();
            network.with_output(Output::Identity)
        };
        let batch = with(Some(Normalization::Batch));
        assert!(batch.needs_batches());
        assert_eq!(batch.folded(), Some(with(None)));
        for network in [with(None), with(Some(Normalization::Layer))] {
            assert!(!network.needs_batches());
            assert_eq!(network.folded(), None);
        }
        let places: Vec<_> = [27, 32, 36].map(|i| batch.layout().place(i)).to_vec();
        assert_eq!(places, ["means[0][0]", "variances[0][0]", "variances[0][4]"]);
    }
}
