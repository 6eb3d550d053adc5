//! The steps of a tile: stages, each with the activation and the dropout that follow it.

use std::ops::Range;

use crate::arch::{HiddenActivation, Network, Stage};
use crate::kernels::Activation;
use crate::ops::Operation;

/// A stage and what follows it before the next one.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) stage: Stage,
    /// Where its parameters lie in the flat vector.
    pub(crate) parameters: Range<usize>,
    /// Width of its output.
    pub(crate) width: usize,
    /// Numbers that are kept per row for the backward pass.
    pub(crate) kept: usize,
    /// The activation of its output, if that is a function of the output alone.
    pub(crate) then: Option<Activation>,
    /// The hidden layer whose dropout follows.
    pub(crate) dropout: Option<usize>,
}

impl Step {
    /// Whether the derivative of its activation is computed in the forward pass and kept.
    pub(crate) fn keeps_slopes(&self) -> bool {
        self.then.is_some_and(Activation::keeps_slope)
    }
}

/// The steps of a network. The activation and dropout of a hidden layer follow the last of its stages.
pub(super) fn steps_of(network: &Network) -> Vec<Step> {
    let layout = network.layout();
    let stages = layout.stages();
    let mut n_dense = 0;
    let step = |(i, stage): (usize, &Stage)| {
        n_dense += usize::from(matches!(stage, Stage::Dense(_)));
        let ends_layer = n_dense > 0 && matches!(stages.get(i + 1), Some(Stage::Dense(_)));
        let hidden = ends_layer.then(|| n_dense - 1);
        let then = hidden.and_then(|l| match network.activations()[l] {
            HiddenActivation::Fixed(Activation::Identity) | HiddenActivation::Prelu => None,
            HiddenActivation::Fixed(_) if network.parametric_activation() => None,
            HiddenActivation::Fixed(fixed) => Some(fixed),
        });
        Step {
            stage: *stage,
            parameters: layout.parameters_of(i),
            width: stage.width(),
            kept: stage.kept(),
            then,
            dropout: hidden,
        }
    };
    stages.iter().enumerate().map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::Normalization;

    #[test]
    fn what_follows_a_hidden_layer_follows_its_last_stage() {
        let activations = [HiddenActivation::Prelu, Activation::Tanh.into(), Activation::Identity.into()];
        let normalization = Some(Normalization::Layer);
        let network = Network::with_stages(&[3, 4, 5, 6, 2], &activations, normalization, true).unwrap();
        let steps = steps_of(&network);
        let found: Vec<_> =
            steps.iter().map(|step| (step.stage.name(), step.width, step.then, step.dropout)).collect();
        assert_eq!(
            found,
            [
                ("input_scale", 3, None, None),
                ("dense", 4, None, None),
                ("layer_norm", 4, None, None),
                ("prelu", 4, None, Some(0)),
                ("dense", 5, None, None),
                ("layer_norm", 5, Some(Activation::Tanh), Some(1)),
                ("dense", 6, None, None),
                ("layer_norm", 6, None, Some(2)),
                ("dense", 2, None, None),
            ]
        );
        let mut end = 0;
        for step in steps {
            assert_eq!(step.parameters.start, end);
            end = step.parameters.end;
        }
        assert_eq!(end, network.layout().n_parameters());
    }
}
