//! A network's architecture: the widths of its layers and what lies between them.

use crate::activation::Activation;
use crate::error::{Error, Result};
use crate::layout::Layout;

/// Working memory of a tile: about a core's share of the level-2 cache.
const TILE_BYTES: usize = 256 * 1024;
/// Rows below which a tile would read the weights again too often.
const MIN_TILE_ROWS: usize = 256;
/// Rows above which a larger tile gains nothing.
const MAX_TILE_ROWS: usize = 1024;
/// Rows of a chunk, the piece of a batch that one thread works on, where the batch is large enough.
const CHUNK_ROWS: usize = 128;
/// Chunks a batch is cut into at most.
const MAX_CHUNKS: usize = 64;
/// Numbers that the gradients of all chunks may take together.
const MAX_PARTIAL_NUMBERS: usize = 1 << 24;
/// Rows that pieces are rounded to: one AVX-512 register of `f32`.
const ROW_GROUP: usize = 16;

/// Layers of a multilayer perceptron: dense ones with an activation after each but the last, whose sums are logits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    layout: Layout,
    activations: Vec<Activation>,
}

impl Network {
    /// A network with these widths, input first, and one activation a hidden layer.
    pub fn new(layer_sizes: &[usize], activations: &[Activation]) -> Result<Self> {
        let layout = Layout::new(layer_sizes)?;
        let n_hidden = layer_sizes.len() - 2;
        if activations.len() != n_hidden {
            let found = format_args!("a sequence of {}", activations.len()).to_string();
            let expected = format!("one name, or a sequence of {n_hidden}: one a hidden layer");
            return Err(Error::value("activation", found, expected));
        }
        Ok(Self { layout, activations: activations.to_vec() })
    }

    /// Where each layer's parameters lie.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// One entry a hidden layer.
    pub fn activations(&self) -> &[Activation] {
        &self.activations
    }

    /// Rows that go through all layers, forward and backward, while they are in cache.
    pub(crate) fn tile_rows(&self) -> usize {
        let numbers: usize = self.layout.layer_sizes().sum();
        let rows = TILE_BYTES / (numbers.saturating_mul(size_of::<f32>()));
        rows.clamp(MIN_TILE_ROWS, MAX_TILE_ROWS) / ROW_GROUP * ROW_GROUP
    }

    /// Number of chunks that a batch of `n` rows is cut into. It depends on the shapes alone, never on the number of
    /// threads, so that the chunks' gradients are the same and are added in the same order whoever computes them.
    pub(crate) fn n_chunks(&self, n: usize) -> usize {
        let by_memory = (MAX_PARTIAL_NUMBERS / self.layout.n_parameters()).max(1);
        (n / CHUNK_ROWS).clamp(1, MAX_CHUNKS).min(by_memory)
    }

    /// The rows of chunk `i` of `n_chunks`, as equal as whole groups of rows allow.
    pub(crate) fn chunk(n: usize, n_chunks: usize, i: usize) -> (usize, usize) {
        let groups = n.div_ceil(ROW_GROUP);
        let bound = |i: usize| (groups * i / n_chunks * ROW_GROUP).min(n);
        (bound(i), bound(i + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_every_row_once() {
        for n in [1, 15, 16, 17, 127, 128, 1050, 100_003] {
            let network = Network::new(&[2, 100, 3], &[Activation::Relu]).unwrap();
            let n_chunks = network.n_chunks(n);
            let bounds: Vec<_> = (0..n_chunks).map(|i| Network::chunk(n, n_chunks, i)).collect();
            assert_eq!(bounds[0].0, 0);
            assert_eq!(bounds[n_chunks - 1].1, n);
            assert!(bounds.windows(2).all(|pair| pair[0].1 == pair[1].0));
            assert!(bounds.iter().all(|(start, end)| start < end), "{n}: {bounds:?}");
        }
    }

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
