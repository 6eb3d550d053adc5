//! How a batch is cut, depending on the shapes of batch and network.

use crate::numbers::Number;

/// Working memory of a tile: about a core's share of the level-2 cache.
const TILE_BYTES: usize = 256 * 1024;
/// Rows below which a tile would read the weights again too often.
const MIN_TILE_ROWS: usize = 256;
/// Rows above which a larger tile gains nothing.
const MAX_TILE_ROWS: usize = 1024;
/// Multiple that the rows of large tiles are rounded to, so that kernels which process several rows at a time have none
/// left over.
const TILE_ROW_GROUP: usize = 64;
/// Multiple that the rows of all parts of a batch are rounded to: one AVX-512 register of `f32`.
pub(crate) const ROW_GROUP: usize = 16;
/// A tile of a shared batch takes all rows that fall to its thread, up to this many.
const FULL_TILE_ROWS: usize = 512;

/// Most parameters for which a batch is cut into chunks: their gradients stay in a level-2 cache.
const MAX_CHUNKED_PARAMETERS: usize = 1 << 15;
/// Fewest rows of a chunk: adding up its gradient must be cheap beside computing it; with matrix products it takes more
/// rows, or they would be inefficient.
const MIN_CHUNK_ROWS: usize = 32;
const MIN_CHUNK_ROWS_OF_PRODUCTS: usize = 64;
/// Fewest multiplications and additions of a chunk: some microseconds of work, so that handing it to a thread is cheap
/// in comparison.
const MIN_CHUNK_FLOPS: usize = 600_000;
/// Fewest multiplications and additions for which threads share a batch that is not cut into chunks.
const MIN_SHARED_FLOPS: usize = 6_000_000;
/// Most numbers in the gradients of all chunks together.
const MAX_PARTIAL_NUMBERS: usize = 1 << 24;
/// Most chunks that a batch is cut into.
pub(crate) const MAX_CHUNKS: usize = 64;

/// Size in bytes from which on weights do not stay in a level-2 cache from one tile to the next.
const LARGE_WEIGHTS: usize = 1 << 20;

/// Memory of the tiles of a block, and limits of their rows.
const BLOCK_BYTES: usize = 64 << 20;
const MIN_BLOCK_ROWS: usize = 1024;
const MAX_BLOCK_ROWS: usize = 4096;

/// Multiplications and additions for which it pays off to start a thread, in a pass without a gradient.
const FLOPS_PER_THREAD: usize = 10_000_000;
/// The same for a single gradient, whose products take longer.
const FLOPS_PER_GRADIENT_THREAD: usize = 5_000_000;

/// How a batch is cut.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    /// `count` chunks, each of which goes through the network tile by tile.
    Chunks { count: usize, tile_rows: usize },
    /// Blocks of `tiles` tiles of `tile_rows` rows each, whose losses are added up in groups of `tally_rows` rows.
    /// Tiles and blocks depend on the number of threads, but the order of a sum never does.
    Blocks { tiles: usize, tile_rows: usize, tally_rows: usize },
}

impl Cut {
    /// Rows of a tile.
    pub(crate) fn tile_rows(self) -> usize {
        match self {
            Self::Chunks { tile_rows, .. } | Self::Blocks { tile_rows, .. } => tile_rows,
        }
    }

    /// Whether there is a tile for all `n` rows of a batch that is cut so.
    pub(crate) fn has_a_tile_for_all(self, n: usize) -> bool {
        match self {
            Self::Chunks { count, tile_rows } => count == 1 && n <= tile_rows,
            Self::Blocks { tiles, tile_rows, .. } => n <= tiles * tile_rows,
        }
    }
}

/// The work and memory per row: everything that cuts depend on besides the number of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Workload {
    pub(super) n_parameters: usize,
    /// Multiplications and additions of a row from inputs to logits.
    pub(super) flops: usize,
    /// Numbers of a row in a tile that goes forward and backward.
    pub(super) tile_numbers: usize,
    /// Numbers of a row in a tile that goes forward only.
    pub(super) inference_numbers: usize,
    /// Weights of the largest layer.
    pub(super) most_weights: usize,
    /// Pieces that the gradient is cut into.
    pub(super) n_pieces: usize,
    /// Whether one kernel computes all sums, and whether one computes the gradient.
    pub(super) has_forward_kernel: bool,
    pub(super) has_gradient_kernel: bool,
    /// Whether the tiles of a batch wait for each other, so that all of them are in memory together.
    pub(super) needs_batches: bool,
}

impl Workload {
    /// How a batch of `n` rows is cut for `n_threads`.
    pub(crate) fn cut<T: Number>(&self, n: usize, n_threads: usize) -> Cut {
        let count = self.n_chunks(n);
        if count > 1 || self.has_gradient_kernel {
            let (start, end) = chunk(n, count, count - 1);
            let tile_rows = rows_in_cache::<T>(self.tile_numbers);
            return Cut::Chunks {
                count,
                tile_rows: tile_rows.min((end - start).next_multiple_of(ROW_GROUP)),
            };
        }
        let tally_rows = self.rows_of_tally(n);
        let tile_rows = self.shared_tile_rows(n, n_threads).min(n);
        if self.needs_batches {
            return Cut::Blocks { tiles: n.div_ceil(tile_rows), tile_rows, tally_rows };
        }
        let rows = BLOCK_BYTES / (2 * self.tile_numbers * size_of::<T>());
        let of_block = rows.clamp(MIN_BLOCK_ROWS, MAX_BLOCK_ROWS).div_ceil(tile_rows).max(n_threads);
        Cut::Blocks { tiles: of_block.min(n.div_ceil(tile_rows)), tile_rows, tally_rows }
    }

    /// Multiplications and additions of a row from inputs to the last layer's sums.
    pub(crate) fn flops(&self) -> usize {
        self.flops
    }

    /// Multiplications and additions per row, forward and backward through all layers.
    pub(crate) fn flops_per_row(&self) -> usize {
        self.flops.saturating_mul(3)
    }

    /// Number of chunks that a batch of `n` rows is cut into, a power of two. It depends on the shapes alone, never on the
    /// number of threads, so sums have the same order whichever thread computes them.
    fn n_chunks(&self, n: usize) -> usize {
        if self.needs_batches || self.n_parameters > MAX_CHUNKED_PARAMETERS && !self.has_gradient_kernel {
            return 1;
        }
        let min_rows = if self.has_gradient_kernel { MIN_CHUNK_ROWS } else { MIN_CHUNK_ROWS_OF_PRODUCTS };
        let by_work = n.saturating_mul(self.flops_per_row()) / MIN_CHUNK_FLOPS;
        let by_memory = MAX_PARTIAL_NUMBERS / self.n_parameters;
        let most = by_work.min(n / min_rows).min(by_memory).clamp(1, MAX_CHUNKS);
        1 << most.ilog2()
    }

    /// The most threads that have enough to do with a batch of `n` rows.
    pub(crate) fn most_threads(&self, n: usize) -> usize {
        match self.n_chunks(n) {
            1 if n.saturating_mul(self.flops_per_row()) < MIN_SHARED_FLOPS => 1,
            1 => n.div_ceil(self.rows_of_tally(n)).max(self.n_pieces),
            n_chunks => n_chunks,
        }
    }

    /// Rows whose losses are added up together, in a batch of `n` rows that is not cut into chunks. Tiles consist of
    /// such groups: there are at least two groups, for two threads, and more if the weights stay in cache from one to
    /// the next and each has enough rows to make up for reading them.
    fn rows_of_tally(&self, n: usize) -> usize {
        let large = self.most_weights * size_of::<f32>() > LARGE_WEIGHTS;
        let rows = if large { n / 2 } else { (n / 4).max(128).min(n / 2) };
        rows.clamp(ROW_GROUP, MIN_TILE_ROWS).next_multiple_of(ROW_GROUP)
    }

    /// Rows of a tile of such a batch for `n_threads`: fewer threads have larger tiles, and the same bits.
    fn shared_tile_rows(&self, n: usize, n_threads: usize) -> usize {
        let of_tally = self.rows_of_tally(n);
        let count = n.div_ceil(of_tally) / n_threads;
        of_tally * count.min(FULL_TILE_ROWS / of_tally).max(1)
    }

    /// Threads that share a pass without a gradient over `n` rows: at most `n_threads`, and only as many as it pays
    /// off to start.
    pub(crate) fn inference_threads<T: Number>(&self, n: usize, n_threads: usize) -> usize {
        if n_threads == 1 {
            return 1;
        }
        let n_tiles = n.div_ceil(self.inference_tile_rows::<T>(n));
        n_threads.min(n_tiles).min(n.saturating_mul(self.flops) / FLOPS_PER_THREAD).max(1)
    }

    /// Threads that share a single gradient of `n` rows, for which they are started.
    pub(crate) fn gradient_threads(&self, n: usize, n_threads: usize) -> usize {
        let by_work = n.saturating_mul(self.flops_per_row()) / FLOPS_PER_GRADIENT_THREAD;
        n_threads.min(self.most_threads(n)).min(by_work).max(1)
    }

    /// Threads that share a pass that takes `n` rows forward and `n_times` back to the inputs, and the rows of a tile:
    /// with fewer threads tiles are larger, and the bits are the same.
    pub(crate) fn threads_to_inputs<T: Number>(
        &self,
        n: usize,
        n_times: usize,
        n_threads: usize,
    ) -> (usize, usize) {
        let flops = n.saturating_mul(self.flops).saturating_mul(n_times.saturating_add(1));
        let n_threads = n_threads.min(n.div_ceil(ROW_GROUP)).min(flops / FLOPS_PER_THREAD).max(1);
        let share = n.div_ceil(n_threads).next_multiple_of(ROW_GROUP);
        (n_threads, share.clamp(ROW_GROUP, rows_in_cache::<T>(self.tile_numbers)))
    }

    /// Rows of each tile of a pass without a gradient over `n` rows, except the last tile, which has the rest.
    pub(crate) fn inference_tile_rows<T: Number>(&self, n: usize) -> usize {
        let most = if self.has_forward_kernel {
            // Its activations stay in registers.
            MAX_TILE_ROWS
        } else {
            rows_in_cache::<T>(self.inference_numbers)
        };
        let n_tiles = n.div_ceil(most).max(1);
        n.div_ceil(n_tiles).max(1).next_multiple_of(TILE_ROW_GROUP)
    }
}

/// The rows of chunk `i` of `n_chunks`, as equal as whole groups of rows allow.
pub(crate) fn chunk(n: usize, n_chunks: usize, i: usize) -> (usize, usize) {
    let groups = n.div_ceil(ROW_GROUP);
    let bound = |i: usize| (groups * i / n_chunks * ROW_GROUP).min(n);
    (bound(i), bound(i + 1))
}

/// Rows that stay in cache if each has so many numbers.
fn rows_in_cache<T>(numbers: usize) -> usize {
    let rows = TILE_BYTES / numbers.saturating_mul(size_of::<T>());
    rows.clamp(MIN_TILE_ROWS, MAX_TILE_ROWS) / TILE_ROW_GROUP * TILE_ROW_GROUP
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::Network;
    use crate::kernels::Activation;
    use crate::plan::compile::Plan;

    fn workload(sizes: &[usize]) -> Workload {
        *Plan::new(Network::new(sizes, &vec![Activation::Relu; sizes.len() - 2]).unwrap()).workload()
    }

    #[test]
    fn chunks_cover_every_row_once() {
        for n in [1, 15, 16, 17, 127, 128, 200, 1050, 100_003] {
            let n_chunks = workload(&[2, 100, 3]).n_chunks(n);
            let bounds: Vec<_> = (0..n_chunks).map(|i| chunk(n, n_chunks, i)).collect();
            assert_eq!(bounds[0].0, 0);
            assert_eq!(bounds[n_chunks - 1].1, n);
            assert!(bounds.windows(2).all(|pair| pair[0].1 == pair[1].0));
            assert!(bounds.iter().all(|(start, end)| start < end), "{n}: {bounds:?}");
        }
    }

    #[test]
    fn a_single_gradient_starts_threads_only_for_enough_work() {
        for sizes in [&[1, 50, 50, 1][..], &[784, 256, 256, 10]] {
            let workload = workload(sizes);
            assert_eq!(workload.gradient_threads(0, 8), 1);
            for n in [1, 16, 100, 1000, 10_000] {
                let most = workload.most_threads(n).min(8);
                let n_threads = workload.gradient_threads(n, 8);
                let enough =
                    |n_threads| n * workload.flops_per_row() >= n_threads * FLOPS_PER_GRADIENT_THREAD;
                assert!((1..=most).contains(&n_threads), "{n} rows");
                assert!(n_threads == 1 || enough(n_threads), "{n} rows");
                assert!(n_threads == most || !enough(n_threads + 1), "{n} rows");
            }
            assert_eq!(workload.gradient_threads(100_000, 3), 3);
        }
    }

    #[test]
    fn tiles_are_whole_groups_and_leave_one_for_each_thread() {
        for sizes in [&[784, 256, 256, 10][..], &[700, 1100, 1000, 9]] {
            let workload = workload(sizes);
            for n in [1, 16, 100, 128, 512, 1000, 5000] {
                let group = workload.rows_of_tally(n);
                for n_threads in [1, 2, 3, 7] {
                    let rows = workload.shared_tile_rows(n, n_threads);
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
}
