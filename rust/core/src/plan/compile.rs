//! A network, compiled.

use crate::arch::{HiddenActivation, Layout, Network, Stage};
use crate::kernels::TinyNet;
use crate::ops::Operation;
use crate::plan::cut::Workload;
use crate::plan::pieces::{Piece, pieces_of};
use crate::plan::step::{Step, steps_of};

/// A network with everything that its passes need.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    network: Network,
    steps: Vec<Step>,
    pieces: Vec<Piece>,
    tiny: Option<TinyNet>,
    workload: Workload,
}

impl Plan {
    /// The plan of a network.
    pub(crate) fn new(network: Network) -> Self {
        let layout = network.layout();
        let steps = steps_of(&network);
        let pieces = pieces_of(&steps);
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
        };
        Self { network, steps, pieces, tiny, workload }
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

    /// The pieces of the flat vector, in its order, that threads share.
    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The quantities that cuts depend on.
    pub(crate) fn workload(&self) -> &Workload {
        &self.workload
    }

    /// Whether sparse rows are read in place, and not copied into dense ones, if no kernel computes the whole network.
    pub(crate) fn reads_sparse(&self) -> bool {
        self.steps.first().is_some_and(|first| first.stage.takes_sparse())
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

/// The kernels know the losses of which the outputs are canonical links.
fn has_gradient_kernel(tiny: Option<&TinyNet>, network: &Network) -> bool {
    tiny.is_some_and(TinyNet::has_gradient) && network.has_canonical_loss()
}

/// Numbers per row that a tile keeps of a step.
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
