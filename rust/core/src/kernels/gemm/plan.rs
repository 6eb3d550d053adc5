//! How a product is cut into blocks, and which operands are packed. The choice changes the time, not the
//! bits.
//!
//! For each piece of k, A is read in place or packed, then B is taken in blocks that stay in the level-2
//! cache while all tiles of C that need them are computed, row after row.

use super::matrix::Matrix;
use super::tile::{FEW_ROWS, TileShape, tile_shape, wide_tile_shape};
use crate::numbers::Scalar;

/// Most bytes in a row of a panel of A, whose columns are the steps of k between loading and storing C.
const K_BLOCK_BYTES: usize = 2048;
/// Bytes in a row of a block of B; such a block leaves half of the level-2 cache to other data.
const N_BLOCK_BYTES: usize = 1024;
/// Most panels of A that are packed at once, so that they stay in a level-3 cache.
const A_PANELS: usize = 74;
/// Assumed sizes of a core's level-1 and level-2 caches, in bytes.
const LEVEL_1: usize = 32 << 10;
const LEVEL_2: usize = 1 << 20;
/// Tiles in a column from which on it pays off to pack B if it cannot stay in the caches unpacked.
const TILES_TO_PACK_B: usize = 6;
/// The same if it cannot stay in the level-1 cache.
const TILES_TO_PACK_B_FOR_LEVEL_1: usize = 16;
/// Columns of C from which on it pays off to pack an A that cannot stay in the caches unpacked.
const COLS_TO_PACK_A: usize = 512;

/// Where tiles read an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Unpacked, in a cache.
    InPlace,
    /// Unpacked, beyond the level-2 cache.
    Far,
    /// In panels.
    Packed,
}

/// What to do with the operands of a product.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) tile: TileShape,
    pub(super) packs_a: bool,
    pub(super) b: Source,
    /// Whether C will have left the level-2 cache before it is needed again.
    pub(super) c_is_far: bool,
}

impl Plan {
    pub(super) fn new<T: Scalar>(a: &Matrix<'_, T>, b: &Matrix<'_, T>) -> Self {
        let (m, k, n) = (a.rows(), a.cols(), b.cols());
        let tile = tile_shape::<T>();
        let bytes = |elements: usize| elements * size_of::<T>();
        let depth = k.min(Self::k_block::<T>());

        let is_crowded = match a.strides() {
            (1, step) => crowds(depth, bytes(step), LEVEL_2),
            (row, _) => crowds(tile.rows, bytes(row), LEVEL_1),
        };
        let is_large = bytes(m * k) > LEVEL_2;
        let packs_a = (is_crowded && n > tile.cols) || (is_large && n >= COLS_TO_PACK_A);

        let is_large = bytes(k * n) > 2 * LEVEL_2;
        let b = match b.strides() {
            (step, 1) => {
                let is_crowded = crowds(depth, bytes(step), LEVEL_2);
                let tiles = m / tile.rows;
                let pays = tiles >= TILES_TO_PACK_B && (is_large || is_crowded)
                    || tiles >= TILES_TO_PACK_B_FOR_LEVEL_1 && crowds(depth, bytes(step), LEVEL_1);
                if pays {
                    Source::Packed
                } else if is_large {
                    Source::Far
                } else {
                    Source::InPlace
                }
            }
            _ => Source::Packed,
        };
        let has_few_rows = m <= FEW_ROWS && b != Source::Packed;
        let tile = if has_few_rows { wide_tile_shape::<T>(m) } else { tile };
        let c_is_far = bytes(m * k + k * n + m * n) > 2 * LEVEL_2;
        Self { tile, packs_a, b, c_is_far }
    }

    /// Most rows of A that are packed at once.
    pub(super) fn m_block(&self) -> usize {
        A_PANELS * self.tile.rows
    }

    /// Most steps of k at once.
    pub(super) fn k_block<T>() -> usize {
        K_BLOCK_BYTES / size_of::<T>()
    }

    /// Columns of a block of B.
    pub(super) fn n_block<T>() -> usize {
        N_BLOCK_BYTES / size_of::<T>()
    }

    /// Elements of the packed blocks of A and of B of a product, whatever the layouts.
    pub(super) fn scratch_lens<T: Scalar>(m: usize, n: usize, k: usize) -> [usize; 2] {
        let (tile, depth) = (tile_shape::<T>(), k.min(Self::k_block::<T>()));
        let a = m.div_ceil(tile.rows).min(A_PANELS) * tile.panel_of_a();
        let b = n.min(Self::n_block::<T>()).next_multiple_of(tile.cols);
        [a * depth, b * depth]
    }
}

/// Whether so many lines, `step` bytes apart, fall into so few sets of a cache that they evict each other.
/// Lines a page apart fall into the same set of level 1, and into few sets of level 2.
fn crowds(lines: usize, step: usize, cache: usize) -> bool {
    let spacing = 1 << step.trailing_zeros().min(12);
    lines * spacing > cache
}
