//! A network, compiled.

use std::ops::Range;

use crate::arch::{HiddenActivation, Layout, Network, Stage};
use crate::data::Inputs;
use crate::kernels::{Element, TinyNet};
use crate::ops::Operation;
use crate::plan::cut::Workload;
use crate::plan::frozen::Frozen;
use crate::plan::pieces::{Piece, pieces_of};
use crate::plan::step::{Step, steps_of};

/// A network with everything that its passes need.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    network: Network,
    steps: Vec<Step>,
    /// Runs of steps that a tile goes through without waiting for the others.
    segments: Vec<Range<usize>>,
    pieces: Vec<Piece>,
    /// The plan for predictions, if they are computed with the folded network.
    folded: Option<Box<Plan>>,
    frozen: Frozen,
    tiny: Option<TinyNet>,
    workload: Workload,
}

impl Plan {
    /// The plan of a network.
    pub(crate) fn new(network: Network) -> Self {
        let layout = network.layout();
        let steps = steps_of(&network);
        let (segments, pieces) = (segments_of(&steps), pieces_of(&steps));
        // Each call folds anew, which reads and writes all weights: it pays off only where one kernel then computes the
        // network.
        let folded = network.folded().map(Self::new).filter(|plan| plan.tiny.is_some()).map(Box::new);
        let frozen = Frozen::new(&network, &[]);
        let tiny = as_tiny(&network);
        let workload = Workload {
            n_parameters: layout.n_parameters(),
            flops: steps.iter().map(|step| step.stage.flops()).sum(),
            tile_numbers: layout.d_in() + steps.iter().map(tile_numbers).sum::<usize>(),
            inference_numbers: 2 * steps.iter().map(|step| step.width).max().unwrap_or(0),
            most_weights: layout.layers().iter().map(|layer| layer.d_in * layer.d_out).max().unwrap_or(0),
            n_pieces: pieces.len(),
            has_forward_kernel: tiny.is_some(),
            has_gradient_kernel: has_gradient_kernel(tiny.as_ref(), &network),
            needs_batches: segments.len() > 1,
        };
        Self { network, steps, segments, pieces, folded, frozen, tiny, workload }
    }

    /// The architecture.
    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// Where the parameters lie.
    pub(crate) fn layout(&self) -> &Layout {
        self.network.layout()
    }

    /// The steps that rows go through, first to last.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The numbers of all steps.
    pub(crate) fn all_steps(&self) -> Range<usize> {
        0..self.steps.len()
    }

    /// Consecutive runs of steps. Each but the first begins with a step that needs statistics of all rows of a batch.
    pub(crate) fn segments(&self) -> &[Range<usize>] {
        &self.segments
    }

    /// The number of the step that ends a hidden layer.
    pub(crate) fn end_of_hidden(&self, layer: usize) -> Option<usize> {
        self.steps.iter().position(|step| step.dropout == Some(layer))
    }

    /// The layers that training leaves unchanged.
    pub(crate) fn frozen(&self) -> &Frozen {
        &self.frozen
    }

    /// Makes training leave these layers unchanged, and no others.
    pub(crate) fn freeze(&mut self, layers: &[usize]) {
        self.frozen = Frozen::new(&self.network, layers);
    }

    /// The pieces of the flat vector, in its order, that threads share.
    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The range of the parameters of some steps, at least one.
    pub(crate) fn parameters_of(&self, steps: &Range<usize>) -> Range<usize> {
        self.steps[steps.start].parameters.start..self.steps[steps.end - 1].parameters.end
    }

    /// The plan of the [folded](Network::folded) network, if there is one.
    pub(crate) fn folded(&self) -> Option<&Self> {
        self.folded.as_deref()
    }

    /// The plan for predictions.
    pub(crate) fn inference(&self) -> &Self {
        self.folded().unwrap_or(self)
    }

    /// The quantities that cuts depend on.
    pub(crate) fn workload(&self) -> &Workload {
        &self.workload
    }

    /// Whether the first step reads rows of `x` without their zeros, if no kernel computes the whole network: those of a
    /// sparse matrix, and those of a dense one that are mostly zeros if that is faster. The sums have the same order.
    pub(crate) fn reads_sparse<T: Element>(&self, x: &Inputs<'_, T>) -> bool {
        let Stage::Dense(first) = self.steps[0].stage else { return false };
        match x {
            Inputs::Sparse(_) => true,
            Inputs::Dense(_) => most_numbers::<T>(first.d_out).is_some_and(|share| x.is_sparse(share)),
        }
    }

    /// The network for the one kernel that computes its sums, if there is one.
    pub(crate) fn tiny(&self) -> Option<&TinyNet> {
        self.tiny.as_ref()
    }

    /// The network for the one kernel that computes its gradient, if there is one.
    pub(crate) fn tiny_with_gradient(&self) -> Option<&TinyNet> {
        self.tiny.as_ref().filter(|_| self.workload.has_gradient_kernel)
    }
}

/// The largest share of numbers other than 0 for which it pays off to leave out the zeros before a layer of so many units;
/// none if it never does. What a number costs besides its multiplications is that of some vectors of units.
fn most_numbers<T: Element>(width: usize) -> Option<f64> {
    let vectors = width as f64 / T::LANES as f64;
    // Layers of up to 4 units, less than a vector, may add up products in another order.
    (vectors > 1.0).then(|| 0.4 * (vectors - 1.0) / (vectors + 1.0))
}

/// The steps, cut before each that needs statistics of a batch.
fn segments_of(steps: &[Step]) -> Vec<Range<usize>> {
    let needs_statistics = |step: &Step| matches!(step.stage, Stage::BatchNorm(_));
    let starts = (1..steps.len()).filter(|&i| needs_statistics(&steps[i]));
    let mut bounds: Vec<_> = std::iter::once(0).chain(starts).collect();
    bounds.push(steps.len());
    bounds.windows(2).map(|pair| pair[0]..pair[1]).collect()
}

/// The kernels know the losses of which the outputs are canonical links.
fn has_gradient_kernel(tiny: Option<&TinyNet>, network: &Network) -> bool {
    tiny.is_some_and(TinyNet::has_gradient) && network.has_canonical_loss()
}

/// Numbers per row that a tile keeps for a step.
fn tile_numbers(step: &Step) -> usize {
    step.width + step.kept + if step.keeps_slopes() { step.width } else { 0 }
}

fn as_tiny(network: &Network) -> Option<TinyNet> {
    let (&[Stage::Dense(first), Stage::Dense(last)], &[HiddenActivation::Fixed(activation)]) =
        (network.layout().stages(), network.activations())
    else {
        return None;
    };
    TinyNet::new([first.d_in, first.d_out, last.d_out], activation, network.output())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::Normalization;
    use crate::kernels::Activation;

    #[test]
    fn a_segment_begins_with_each_batch_normalisation() {
        let activations = [HiddenActivation::Prelu, Activation::Relu.into()];
        let plan = |normalization| {
            let network = Network::with_stages(&[2, 5, 4, 3], &activations, normalization, true).unwrap();
            Plan::new(network)
        };
        let batch = plan(Some(Normalization::Batch));
        assert_eq!(batch.segments(), [0..2, 2..5, 5..7]);
        let layer = plan(Some(Normalization::Layer));
        assert_eq!(layer.segments(), std::slice::from_ref(&layer.all_steps()));
    }

    #[test]
    fn a_network_is_folded_if_one_kernel_then_computes_it() {
        let folded = |layer_sizes: &[usize], normalization| {
            let activations = vec![Activation::Tanh.into(); layer_sizes.len() - 2];
            let network =
                Network::with_stages(layer_sizes, &activations, Some(normalization), false).unwrap();
            Plan::new(network).folded().map(|folded| folded.steps().len())
        };
        assert_eq!(folded(&[2, 100, 3], Normalization::Batch), Some(2));
        assert_eq!(folded(&[2, 100, 3], Normalization::Layer), None);
        assert_eq!(folded(&[2, 100, 100, 3], Normalization::Batch), None);
        assert_eq!(folded(&[300, 100, 3], Normalization::Batch), None);
    }
}
