//! Panels: operands copied into the order in which tiles read them.
//!
//! A panel holds `width` lanes (rows of A, columns of B) for a range of k, element `(lane, p)` at
//! `p * width + lane`. Lanes that the matrix does not have are 0.

use std::ops::Range;

use super::matrix::Matrix;
use super::tile::tile_shape;
use crate::kernels::simd::simd_fn;
use crate::scalar::Scalar;

/// Most steps of k between loading and storing a tile of C: a tile's rows of A stay in a level-1 cache
/// while panels of B stream from level 2.
pub(super) const K_BLOCK: usize = 400;

/// Copies a block of B into panels of a tile's width, the last one cut to whole vectors.
pub(super) fn pack_b<T: Scalar>(b: &Matrix<'_, T>, p: Range<usize>, cols: Range<usize>, out: &mut [T]) {
    let tile = tile_shape::<T>();
    let depth = p.len();
    let mut rest = out;
    for j in cols.clone().step_by(tile.cols) {
        let lanes = j..cols.end.min(j + tile.cols);
        let width = lanes.len().next_multiple_of(T::LANES);
        let (panel, behind) = rest.split_at_mut(width * depth);
        pack_panel(&b.t(), lanes, p.clone(), width, panel);
        rest = behind;
    }
}

/// Copies `lanes` (rows of `from`) for a range of k (columns of `from`) into one panel.
pub(super) fn pack_panel<T: Scalar>(
    from: &Matrix<'_, T>,
    lanes: Range<usize>,
    p: Range<usize>,
    width: usize,
    panel: &mut [T],
) {
    assert!(lanes.end <= from.rows() && p.end <= from.cols());
    assert!(lanes.len() <= width && width <= 4 * T::LANES && panel.len() == width * p.len());
    if from.is_col_contiguous() {
        copy_lanes(from, lanes, p, width, panel);
    } else {
        turn_lanes(from, lanes, p, width, panel);
    }
}

simd_fn! {
    /// Lanes are neighbours in memory: copies vectors.
    fn copy_lanes<T as V>(
        from: &Matrix<'_, T>,
        lanes: Range<usize>,
        p: Range<usize>,
        width: usize,
        panel: &mut [T],
    ) {
        for (q, out) in p.zip(panel.chunks_exact_mut(width)) {
            let source = from.at(lanes.start, q);
            let mut done = 0;
            while done < width {
                let count = (width - done).min(T::LANES);
                let filled = lanes.len().saturating_sub(done).min(count);
                let from = source.wrapping_add(done);
                // SAFETY: `filled` lanes from `done` on exist and lie side by side.
                let x = unsafe {
                    if filled == T::LANES { V::load_ptr(from) } else { V::load_part_ptr(from, filled) }
                };
                x.store_part(&mut out[done..done + count]);
                done += count;
            }
        }
    }
}

simd_fn! {
    /// Steps of k are neighbours in memory: turns squares.
    fn turn_lanes<T as V>(
        from: &Matrix<'_, T>,
        lanes: Range<usize>,
        p: Range<usize>,
        width: usize,
        panel: &mut [T],
    ) {
        let squares = if from.is_row_contiguous() { p.len() / V::SQUARE } else { 0 };
        let turned = squares * V::SQUARE;
        for lane in (0..width).step_by(V::SQUARE) {
            if squares == 0 || lane >= lanes.len() || lane + V::SQUARE > width {
                continue;
            }
            // Lanes beyond the last repeat it; they are cleared below.
            let mut rows: [*const T; 8] = std::array::from_fn(|i| {
                from.at((lanes.start + lane + i).min(lanes.end - 1), p.start)
            });
            for square in 0..squares {
                let to = square * V::SQUARE * width + lane;
                // SAFETY: each row has `SQUARE` elements from here on, since `turned <= p.len()`, and
                // the square lies inside the panel, whose length was checked.
                unsafe { V::transpose_ptr(rows, panel.as_mut_ptr().add(to), width) }
                for row in &mut rows {
                    *row = row.wrapping_add(V::SQUARE);
                }
            }
        }
        let whole_squares = width.is_multiple_of(V::SQUARE);
        for (q, out) in panel.chunks_exact_mut(width).enumerate() {
            if q >= turned || !whole_squares {
                for (lane, x) in out.iter_mut().take(lanes.len()).enumerate() {
                    // SAFETY: `lane` and `p.start + q` are within the ranges checked by the caller.
                    *x = unsafe { *from.at(lanes.start + lane, p.start + q) };
                }
            }
            out[lanes.len()..].fill(T::ZERO);
        }
    }
}
