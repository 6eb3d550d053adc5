//! Steps whose parameters training leaves unchanged.

use crate::arch::Network;
use crate::numbers::Number;
use crate::plan::pieces::{Piece, Pieces};

/// The frozen layers of a network, and the steps that belong to them.
#[derive(Clone, Debug)]
pub(crate) struct Frozen {
    /// Numbers of layers, in ascending order.
    layers: Vec<usize>,
    /// One entry per step.
    steps: Vec<bool>,
}

impl Frozen {
    /// These layers of a network, in any order: all steps that belong to them.
    pub(crate) fn new(network: &Network, layers: &[usize]) -> Self {
        let layout = network.layout();
        let steps = (0..layout.stages().len()).map(|step| layers.contains(&layout.layer_of(step))).collect();
        let layers = (0..layout.layers().len()).filter(|layer| layers.contains(layer)).collect();
        Self { layers, steps }
    }

    /// Numbers of the layers, in ascending order.
    pub(crate) fn layers(&self) -> &[usize] {
        &self.layers
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// Whether the parameters of a step are frozen.
    pub(crate) fn has(&self, step: usize) -> bool {
        self.steps[step]
    }

    /// The first step with a gradient, or the last step: no derivatives before its stage are needed.
    pub(crate) fn first_trained(&self) -> usize {
        self.steps.iter().position(|is_frozen| !is_frozen).unwrap_or(self.steps.len() - 1)
    }

    /// Sets the frozen pieces of a gradient to 0.
    pub(crate) fn clear<T: Number>(&self, pieces: &[Piece], gradient: &mut [T]) {
        if !self.is_empty() {
            let frozen = Pieces::of(pieces, gradient).filter(|(piece, _)| self.has(piece.step));
            frozen.for_each(|(_, numbers)| numbers.fill(T::ZERO));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::{HiddenActivation, Normalization};

    #[test]
    fn a_layer_is_frozen_with_all_that_belongs_to_it() {
        let hidden = [HiddenActivation::Prelu; 2];
        let network = Network::with_stages(&[3, 5, 4, 2], &hidden, Some(Normalization::Layer), true).unwrap();
        let frozen = |layers: &[usize]| Frozen::new(&network, layers);
        let steps = |layers: &[usize]| {
            let frozen = frozen(layers);
            (0..8).filter(|&step| frozen.has(step)).collect::<Vec<_>>()
        };
        assert!(steps(&[]).is_empty());
        assert_eq!(steps(&[0]), [0, 1, 2, 3]);
        assert_eq!(steps(&[2, 1]), [4, 5, 6, 7]);
        assert_eq!(frozen(&[2, 0, 2]).layers(), [0, 2]);
        assert!(frozen(&[]).is_empty());
        let first = [(&[][..], 0), (&[1], 0), (&[0], 4), (&[0, 1], 7), (&[0, 1, 2], 7)];
        for (layers, step) in first {
            assert_eq!(frozen(layers).first_trained(), step, "{layers:?}");
        }
    }
}
