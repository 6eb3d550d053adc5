//! A network's architecture: the widths of its layers and what lies between them.

use std::ops::Range;

use crate::activation::Activation;
use crate::error::{Error, Result};
use crate::kernels::TinyNet;
use crate::layout::Layout;
use crate::output::Output;

/// Working memory of a tile: about a core's share of the level-2 cache.
const TILE_BYTES: usize = 256 * 1024;
/// Rows below which a tile would read the weights again too often.
const MIN_TILE_ROWS: usize = 256;
/// Rows above which a larger tile gains nothing.
pub(crate) const MAX_TILE_ROWS: usize = 1024;
/// Rows that tiles are rounded to where there are many, so that kernels which take several at a time are left with none.
pub(crate) const TILE_ROW_GROUP: usize = 64;
/// Rows that what a batch is cut into is rounded to: one AVX-512 register of `f32`.
pub(crate) const ROW_GROUP: usize = 16;
/// Rows up to which a tile of a batch that threads share has all that there are for a thread.
const FULL_TILE_ROWS: usize = 512;

/// Parameters up to which a batch is cut into chunks: their gradients stay in a level-2 cache.
const MAX_CHUNKED_PARAMETERS: usize = 1 << 15;
/// Rows of a chunk at least, so that adding its gradient to the others' counts for little; and where products of
/// matrices are to have enough rows to be worth it.
const MIN_CHUNK_ROWS: usize = 32;
const MIN_CHUNK_ROWS_OF_PRODUCTS: usize = 64;
/// Multiplications and additions of a chunk at least: some microseconds, so that handing it to a thread counts for little.
const MIN_CHUNK_FLOPS: usize = 600_000;
/// Multiplications and additions from which on a batch that is not cut into chunks is shared by threads.
const MIN_SHARED_FLOPS: usize = 6_000_000;
/// Numbers that the gradients of all chunks may take together.
const MAX_PARTIAL_NUMBERS: usize = 1 << 24;
/// Chunks a batch is cut into at most.
pub(crate) const MAX_CHUNKS: usize = 64;

/// Bytes from which on weights do not stay in a level-2 cache from one tile to the next.
const LARGE_WEIGHTS: usize = 1 << 20;
/// Numbers of a gradient that one thread works on at a time.
const SLAB_NUMBERS: usize = 1 << 15;
/// Slabs that a layer is cut into at most.
const MAX_SLABS: usize = 16;

/// Layers of a multilayer perceptron: dense ones with an activation after each but the last, whose
/// sums become the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    layout: Layout,
    activations: Vec<Activation>,
    output: Output,
    slabs: Vec<Slab>,
}

/// Some rows of a layer's weights; the last ones bring the biases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slab {
    pub(crate) layer: usize,
    pub(crate) rows: Range<usize>,
    /// Numbers in it.
    pub(crate) len: usize,
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
        let slabs = cut_into_slabs(&layout);
        Ok(Self { layout, activations: activations.to_vec(), output: Output::Softmax, slabs })
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

    /// The pieces of the flat vector, in its order, that threads share.
    pub(crate) fn slabs(&self) -> &[Slab] {
        &self.slabs
    }

    /// Multiplications and additions of forward and backward through all layers, a row.
    pub(crate) fn flops_per_row(&self) -> usize {
        self.layout.n_parameters().saturating_mul(6)
    }

    /// Rows of a chunk that go forward and back through all layers while they are in cache.
    pub(crate) fn chunk_tile_rows<T>(&self) -> usize {
        rows_in_cache::<T>(self.layout.layer_sizes().sum())
    }

    /// Number of chunks that a batch of `n` rows is cut into, a power of two. It depends on the shapes alone, never on the
    /// number of threads, so that sums have the same order whoever computes them.
    pub(crate) fn n_chunks(&self, n: usize) -> usize {
        let n_parameters = self.layout.n_parameters();
        let is_tiny = TinyNet::new(self).is_some();
        if n_parameters > MAX_CHUNKED_PARAMETERS && !is_tiny {
            return 1;
        }
        let min_rows = if is_tiny { MIN_CHUNK_ROWS } else { MIN_CHUNK_ROWS_OF_PRODUCTS };
        let by_work = n.saturating_mul(self.flops_per_row()) / MIN_CHUNK_FLOPS;
        let by_memory = MAX_PARTIAL_NUMBERS / n_parameters;
        let most = by_work.min(n / min_rows).min(by_memory).clamp(1, MAX_CHUNKS);
        1 << most.ilog2()
    }

    /// Threads above which more would find nothing to do, or too little, with a batch of `n` rows.
    pub(crate) fn most_threads(&self, n: usize) -> usize {
        match self.n_chunks(n) {
            1 if n.saturating_mul(self.flops_per_row()) < MIN_SHARED_FLOPS => 1,
            1 => n.div_ceil(self.rows_of_tally(n)).max(self.slabs.len()),
            n_chunks => n_chunks,
        }
    }

    /// Rows whose losses are added up together, of a batch of `n` rows that is not cut into chunks. Tiles are made of
    /// them: two at least, for two threads, and more where the weights stay in cache from one to the next and each has
    /// rows enough to make up for reading them.
    pub(crate) fn rows_of_tally(&self, n: usize) -> usize {
        let widest = self.layout.layers().iter().map(|layer| layer.d_in * layer.d_out).max().unwrap_or(0);
        let large = widest * size_of::<f32>() > LARGE_WEIGHTS;
        let rows = if large { n / 2 } else { (n / 4).max(128).min(n / 2) };
        rows.clamp(ROW_GROUP, MIN_TILE_ROWS).next_multiple_of(ROW_GROUP)
    }

    /// Rows of a tile of such a batch for `n_threads`: fewer threads have larger tiles, and the same bits.
    pub(crate) fn shared_tile_rows(&self, n: usize, n_threads: usize) -> usize {
        let of_tally = self.rows_of_tally(n);
        let count = n.div_ceil(of_tally) / n_threads;
        of_tally * count.min(FULL_TILE_ROWS / of_tally).max(1)
    }

    /// The rows of chunk `i` of `n_chunks`, as equal as whole groups of rows allow.
    pub(crate) fn chunk(n: usize, n_chunks: usize, i: usize) -> (usize, usize) {
        let groups = n.div_ceil(ROW_GROUP);
        let bound = |i: usize| (groups * i / n_chunks * ROW_GROUP).min(n);
        (bound(i), bound(i + 1))
    }
}

/// Rows that stay in cache where each has so many numbers.
pub(crate) fn rows_in_cache<T>(numbers: usize) -> usize {
    let rows = TILE_BYTES / numbers.saturating_mul(size_of::<T>());
    rows.clamp(MIN_TILE_ROWS, MAX_TILE_ROWS) / TILE_ROW_GROUP * TILE_ROW_GROUP
}

fn cut_into_slabs(layout: &Layout) -> Vec<Slab> {
    let mut slabs = Vec::new();
    for (l, layer) in layout.layers().iter().enumerate() {
        let by_size = (layer.d_in * layer.d_out).div_ceil(SLAB_NUMBERS);
        let count = by_size.min(layer.d_in).min(MAX_SLABS);
        for i in 0..count {
            let rows = layer.d_in * i / count..layer.d_in * (i + 1) / count;
            let biases = if i + 1 == count { layer.d_out } else { 0 };
            slabs.push(Slab { layer: l, len: rows.len() * layer.d_out + biases, rows });
        }
    }
    slabs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_every_row_once() {
        for n in [1, 15, 16, 17, 127, 128, 200, 1050, 100_003] {
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
    fn slabs_cover_the_vector_in_order() {
        for sizes in [&[2, 100, 3][..], &[784, 256, 256, 10], &[3, 5000, 2], &[100_000, 2]] {
            let network = Network::new(sizes, &vec![Activation::Relu; sizes.len() - 2]).unwrap();
            let layers = network.layout().layers();
            let mut end = 0;
            for slab in network.slabs() {
                let layer = &layers[slab.layer];
                let start = layer.weights().start + slab.rows.start * layer.d_out;
                assert_eq!(start, end, "{sizes:?}");
                end += slab.len;
                let last = slab.rows.end == layer.d_in;
                assert_eq!(
                    end,
                    if last { layer.biases().end } else { start + slab.rows.len() * layer.d_out }
                );
            }
            assert_eq!(end, network.layout().n_parameters());
        }
    }

    #[test]
    fn tiles_are_whole_groups_and_leave_one_for_each_thread() {
        for sizes in [&[784, 256, 256, 10][..], &[700, 1100, 1000, 9]] {
            let network = Network::new(sizes, &vec![Activation::Relu; sizes.len() - 2]).unwrap();
            for n in [1, 16, 100, 128, 512, 1000, 5000] {
                let group = network.rows_of_tally(n);
                for n_threads in [1, 2, 3, 7] {
                    let rows = network.shared_tile_rows(n, n_threads);
                    assert!(
                        rows.is_multiple_of(group) && rows <= FULL_TILE_ROWS,
                        "{n} rows, {n_threads} threads"
                    );
                    assert!(
                        n.div_ceil(rows) >= n_threads.min(n.div_ceil(group)),
                        "{n} rows, {n_threads} threads"
                    );
                }
            }
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
