//! What a network needs to be computed, worked out once: how batches are cut, which pieces a gradient has, and whether
//! there is a kernel for the network as a whole.

mod cut;
mod pieces;

pub(crate) use cut::{Cut, MAX_CHUNKS, ROW_GROUP, Workload, chunk};
pub(crate) use pieces::Piece;

use crate::arch::{Layout, Network};
use crate::kernels::TinyNet;

/// A network, compiled.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    network: Network,
    pieces: Vec<Piece>,
    tiny: Option<TinyNet>,
    workload: Workload,
}

impl Plan {
    /// The plan of a network.
    pub(crate) fn new(network: Network) -> Self {
        let layout = network.layout();
        let pieces = pieces::pieces_of(layout);
        let tiny = as_tiny(&network);
        let workload = Workload {
            n_parameters: layout.n_parameters(),
            flops: 2 * layout.n_parameters(),
            tile_numbers: layout.layer_sizes().sum(),
            inference_numbers: 2 * layout.layer_sizes().skip(1).max().unwrap_or(0),
            most_weights: layout.layers().iter().map(|layer| layer.d_in * layer.d_out).max().unwrap_or(0),
            n_pieces: pieces.len(),
            has_forward_kernel: tiny.is_some(),
            has_gradient_kernel: tiny.is_some_and(|tiny| tiny.has_gradient()),
        };
        Self { network, pieces, tiny, workload }
    }

    /// The architecture.
    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// Where the parameters lie.
    pub(crate) fn layout(&self) -> &Layout {
        self.network.layout()
    }

    /// The pieces of the flat vector, in its order, that threads share.
    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// What cuts depend on.
    pub(crate) fn workload(&self) -> &Workload {
        &self.workload
    }

    /// The network as one kernel that computes its sums, if there is one.
    pub(crate) fn tiny(&self) -> Option<&TinyNet> {
        self.tiny.as_ref()
    }

    /// The network as one kernel that computes its gradient, if there is one.
    pub(crate) fn tiny_with_gradient(&self) -> Option<&TinyNet> {
        self.tiny.as_ref().filter(|tiny| tiny.has_gradient())
    }
}

fn as_tiny(network: &Network) -> Option<TinyNet> {
    let &[activation] = network.activations() else { return None };
    let layout = network.layout();
    TinyNet::new([layout.d_in(), layout.layers()[0].d_out, layout.d_out()], activation, network.output())
}
