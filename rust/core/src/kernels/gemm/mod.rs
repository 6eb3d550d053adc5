//! Matrix product `C = f(start + A B)`.
//!
//! Shapes: A `(m, k)`, B `(k, n)`, C `(m, n)`. A and B are row-major or transposed (see [`Matrix`]); C is
//! row-major. The blocking follows Goto and van de Geijn, "Anatomy of High-Performance Matrix
//! Multiplication" (ACM TOMS 34, 2008), with A and B read in place where packing does not pay.
//!
//! | file     | what                                                     |
//! | -------- | -------------------------------------------------------- |
//! | `matrix` | views of A and B                                         |
//! | `ends`   | where sums start, and what becomes of them               |
//! | `tile`   | the innermost product, in registers                      |
//! | `pack`   | operands copied into the order in which tiles read them  |
//! | `thin`   | shapes for which a tile is waste                         |
//!
//! Invariants: nothing is allocated. Every element of C is one chain of fused multiply-adds over k in
//! rising order from its start, except where `n <= 4` and rows of A are contiguous:
//! there k runs over the lanes (see [`thin`]). Bits depend on the values, on n, k and the layout of
//! A, never on m, the blocking or packing. So rows of C may be computed in any split.

mod ends;
mod matrix;
mod pack;
#[cfg(test)]
mod tests;
mod thin;
mod tile;

use std::ops::Range;

pub(crate) use ends::{Finish, Start};
pub(crate) use matrix::Matrix;
use matrix::pieces;
use pack::{K_BLOCK, pack_b, pack_panel};
use tile::{FEW_ROWS, Operands, TileShape, tile_shape, wide_tile_shape};

use crate::scalar::Scalar;

/// Most bytes in a row of a block of B that is packed into scratch: it stays in a level-3 cache, and A,
/// packed once for each such block, in level 2.
const N_BLOCK_BYTES: usize = 4096;
/// Most tiles in a column of tiles: the block of A shares the level-2 cache with that of B.
const TILES_IN_BLOCK: usize = 12;
/// Tiles in a column from which on a contiguous B is packed rather than read in place.
const TILES_TO_PACK_B: usize = 13;
/// Columns of C from which on A is packed whatever its layout.
const COLS_TO_PACK_A: usize = 512;

/// Elements of scratch that [`gemm`] needs at most for these shapes, whatever the layouts.
pub(crate) fn scratch_len<T: Scalar>(m: usize, n: usize, k: usize) -> usize {
    blocks_len::<T>(m, n, k).max(thin::scratch_len::<T>(m, n, k))
}

/// Elements of the packed blocks of A and B.
fn blocks_len<T: Scalar>(m: usize, n: usize, k: usize) -> usize {
    let tile = tile_shape::<T>();
    let depth = k.min(K_BLOCK);
    let a = a_panels(m, tile) * a_width(tile) * depth;
    let b = n.min(N_BLOCK_BYTES / size_of::<T>()).next_multiple_of(T::LANES) * depth;
    a + b
}

/// `C = f(start + A B)`.
///
/// C fills the front of `c`. `scratch` holds [`scratch_len`] elements; its contents do not matter.
///
/// # Panics
/// If the shapes of A, B, C, of the start and of the finish do not fit together, or `scratch` is too short.
pub(crate) fn gemm<T: Scalar>(
    a: &Matrix<'_, T>,
    b: &Matrix<'_, T>,
    c: &mut [T],
    start: Start<'_, T>,
    finish: Finish<'_, T>,
    scratch: &mut [T],
) {
    let (m, k, n) = (a.rows(), a.cols(), b.cols());
    assert_eq!(k, b.rows(), "columns of A and rows of B");
    if m == 0 || n == 0 {
        return;
    }
    assert!(m * n <= c.len(), "C is too short for {m} x {n}");
    assert!(scratch_len::<T>(m, n, k) <= scratch.len(), "scratch is too short for {m} x {n} x {k}");
    if let Start::Rows(row) = start {
        assert_eq!(row.len(), n, "the row that sums start from, and columns of C");
    }
    if let Finish::Chain(_, outputs, _) = finish {
        assert_eq!(outputs.len(), m * n, "outputs of the activation, and elements of C");
    }

    let c = &mut c[..m * n];
    if k == 0 || thin::is_thin(a, n) {
        start.write(c, n);
        if k > 0 {
            thin::multiply_add(a, b, c, scratch);
        }
        finish.apply(c, n, 0..m, 0..n);
    } else {
        blocked(a, b, c, start, finish, scratch);
    }
}

fn blocked<T: Scalar>(
    a: &Matrix<'_, T>,
    b: &Matrix<'_, T>,
    c: &mut [T],
    start: Start<'_, T>,
    finish: Finish<'_, T>,
    scratch: &mut [T],
) {
    let (m, k, n) = (a.rows(), a.cols(), b.cols());
    let mut tile = tile_shape::<T>();
    let b_in_place = stride_in_place(b, m, tile);
    if m <= FEW_ROWS && b_in_place.is_some() {
        tile = wide_tile_shape::<T>(m);
    }
    let a_in_place = !packs_a(a, n, tile);
    let (a_scratch, b_scratch) = scratch.split_at_mut(a_panels(m, tile) * a_width(tile) * k.min(K_BLOCK));

    let n_block = if b_in_place.is_none() { N_BLOCK_BYTES / size_of::<T>() } else { n };
    for cols in (0..n).step_by(n_block).map(|j| j..n.min(j + n_block)) {
        for p in pieces(0..k, K_BLOCK) {
            let start = if p.start == 0 { start } else { Start::Given };
            let finish = if p.end == k { finish } else { Finish::Nothing };
            let b_block = BlockOfB::new(b, &p, &cols, b_in_place, b_scratch);
            for rows in pieces(0..m, TILES_IN_BLOCK * tile.rows) {
                if !a_in_place {
                    pack_a(a, &rows, &p, tile, a_scratch);
                }
                for j in cols.clone().step_by(tile.cols) {
                    let width = tile.cols.min(cols.end - j);
                    let (b, b_stride, b_padded) = b_block.panel(j, width);
                    for (i, tile_rows) in pieces(rows.clone(), tile.rows).enumerate() {
                        let (a, a_strides) = if a_in_place {
                            (a.at(tile_rows.start, p.start), a.strides())
                        } else {
                            let width = a_width(tile);
                            (a_scratch[i * width * p.len()..].as_ptr(), (1, width))
                        };
                        let at = tile_rows.start * n + j;
                        let on = Operands {
                            k: p.len(),
                            a,
                            a_strides,
                            b,
                            b_stride,
                            b_padded,
                            c: c.as_mut_ptr().wrapping_add(at),
                            c_stride: n,
                            cols: width,
                            start: match start {
                                Start::Zero => None,
                                Start::Given => Some((c.as_ptr().wrapping_add(at), n)),
                                Start::Rows(row) => Some((row[j..].as_ptr(), 0)),
                            },
                        };
                        // SAFETY: the tile lies inside C, whose size `gemm` checked, and C is borrowed
                        // alone. Views of A and B are inside their slices; panels were filled for
                        // exactly these ranges.
                        unsafe { tile::multiply(tile_rows.len(), &on) }
                        finish.apply(c, n, tile_rows, j..j + width);
                    }
                }
            }
        }
    }
}

/// A block of B, `(p, cols)`: in panels, or where it is.
enum BlockOfB<'a, T> {
    Panels { panels: &'a [T], first_col: usize, depth: usize },
    InPlace { matrix: &'a Matrix<'a, T>, first_row: usize, stride: usize },
}

impl<'a, T: Scalar> BlockOfB<'a, T> {
    fn new(
        b: &'a Matrix<'a, T>,
        p: &Range<usize>,
        cols: &Range<usize>,
        in_place: Option<usize>,
        scratch: &'a mut [T],
    ) -> Self {
        if let Some(stride) = in_place {
            return Self::InPlace { matrix: b, first_row: p.start, stride };
        }
        pack_b(b, p.clone(), cols.clone(), scratch);
        Self::Panels { panels: scratch, first_col: cols.start, depth: p.len() }
    }

    /// Address and row stride of the `width` columns from `j` on, and whether they are padded.
    fn panel(&self, j: usize, width: usize) -> (*const T, usize, bool) {
        match *self {
            Self::Panels { panels, first_col, depth } => {
                let width = width.next_multiple_of(T::LANES);
                (panels[(j - first_col) * depth..][..width * depth].as_ptr(), width, true)
            }
            Self::InPlace { matrix, first_row, stride } => (matrix.at(first_row, j), stride, false),
        }
    }
}

/// The row stride of B if it is read where it is: neighbours in a row are neighbours in memory, and too
/// few tiles would share a panel to pay for copying it.
fn stride_in_place<T: Scalar>(b: &Matrix<'_, T>, m: usize, tile: TileShape) -> Option<usize> {
    match b.strides() {
        (stride, 1) if m < TILES_TO_PACK_B * tile.rows => Some(stride),
        _ => None,
    }
}

/// Whether A is copied into panels first.
///
/// In place costs nothing where a tile's rows of A stay in the level-1 cache. They do not where their
/// distance is a multiple of half a page, for then they fall into the same few sets.
fn packs_a<T: Scalar>(a: &Matrix<'_, T>, n: usize, tile: TileShape) -> bool {
    let aliased = (a.strides().0 * size_of::<T>()).is_multiple_of(2048);
    n >= COLS_TO_PACK_A || (n > tile.cols && aliased)
}

/// Copies a block of A into panels, one for each tile.
fn pack_a<T: Scalar>(
    a: &Matrix<'_, T>,
    rows: &Range<usize>,
    p: &Range<usize>,
    tile: TileShape,
    out: &mut [T],
) {
    let width = a_width(tile);
    let panels = out.chunks_exact_mut(width * p.len());
    for (lanes, panel) in pieces(rows.clone(), tile.rows).zip(panels) {
        pack_panel(a, lanes, p.clone(), width, panel);
    }
}

/// Width of a panel of A: the rows of a tile, rounded up to the squares that packing turns.
fn a_width(tile: TileShape) -> usize {
    tile.rows.next_multiple_of(8)
}

/// Panels in the largest block of A.
fn a_panels(m: usize, tile: TileShape) -> usize {
    m.div_ceil(tile.rows).min(TILES_IN_BLOCK)
}
