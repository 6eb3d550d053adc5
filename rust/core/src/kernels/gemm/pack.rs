//! Panels: operands copied into the order in which tiles read them.
//!
//! A panel holds `width` lanes (rows of A, columns of B) for a range of k, element `(lane, p)` at
//! `p * width + lane`. Lanes beyond those of the matrix hold arbitrary values: no tile stores their results.
//!
//! What is copied next is prefetched meanwhile: the rows of a wide matrix lie on different pages, where the
//! processor's own prefetching stops.

use std::ops::Range;

use super::matrix::{Matrix, Pieces};
use crate::numbers::Scalar;
use crate::numbers::simd_fn;

/// Steps of k that are copied at once into all panels: memory is read along the rows of the matrix, and
/// whole lines are written.
const STEPS: usize = 8;

/// Copies lanes (rows of `from`) for a range of k (columns of `from`) into panels, one for each piece.
pub(super) fn pack<T: Scalar>(
    from: &Matrix<'_, T>,
    lanes: &Pieces,
    p: Range<usize>,
    width: usize,
    panels: &mut [T],
) {
    assert!(lanes.end() <= from.rows() && p.end <= from.cols());
    assert!(lanes.longest() <= width && lanes.len() * width * p.len() <= panels.len());
    if from.is_col_contiguous() {
        copy_lanes(from, lanes, p, width, panels);
    } else {
        transpose_lanes(from, lanes, p, width, panels);
    }
}

simd_fn! {
    /// Copies vectors, if lanes are contiguous in memory.
    fn copy_lanes<T as V>(from: &Matrix<'_, T>, lanes: &Pieces, p: Range<usize>, width: usize, out: &mut [T]) {
        let next_steps = STEPS * from.strides().1;
        for steps in p.clone().step_by(STEPS).map(|q| q..p.end.min(q + STEPS)) {
            for (panel, lanes) in out.chunks_exact_mut(width * p.len()).zip(lanes.clone()) {
                let out = &mut panel[(steps.start - p.start) * width..];
                for (q, out) in steps.clone().zip(out.chunks_exact_mut(width)) {
                    let mut source = from.at(lanes.start, q);
                    for out in out[..lanes.len()].chunks_mut(T::LANES) {
                        V::prefetch(source.wrapping_add(next_steps));
                        // SAFETY: so many lanes exist and are contiguous.
                        unsafe {
                            if out.len() == T::LANES {
                                V::load_ptr(source).store(out);
                            } else {
                                V::load_part_ptr(source, out.len()).store_part(out);
                            }
                        }
                        source = source.wrapping_add(T::LANES);
                    }
                }
            }
        }
    }
}

simd_fn! {
    /// Transposes squares, if steps of k are contiguous in memory.
    fn transpose_lanes<T as V>(from: &Matrix<'_, T>, lanes: &Pieces, p: Range<usize>, width: usize, out: &mut [T]) {
        assert!(width.is_multiple_of(V::SQUARE));
        let squares = if from.is_row_contiguous() { p.len() / V::SQUARE } else { 0 };
        let next_lanes = V::SQUARE * from.strides().0;
        for (panel, lanes) in out.chunks_exact_mut(width * p.len()).zip(lanes.clone()) {
            for lane in lanes.clone().step_by(V::SQUARE) {
                // Lanes beyond the last repeat it.
                let mut rows = [from.at(lane, p.start); 8];
                for (i, row) in rows.iter_mut().enumerate() {
                    *row = from.at((lane + i).min(lanes.end - 1), p.start);
                }
                for square in 0..squares {
                    let to = square * V::SQUARE * width + lane - lanes.start;
                    // SAFETY: each row has `SQUARE` elements from here on, and the square lies inside the
                    // panel, whose width is a whole number of squares.
                    unsafe { V::transpose_ptr(rows, panel.as_mut_ptr().add(to), width) }
                    for row in &mut rows {
                        V::prefetch(row.wrapping_add(next_lanes));
                        *row = row.wrapping_add(V::SQUARE);
                    }
                }
            }
            for (q, out) in panel.chunks_exact_mut(width).enumerate().skip(squares * V::SQUARE) {
                for (x, lane) in out.iter_mut().zip(lanes.clone()) {
                    // SAFETY: the caller checked that these elements exist.
                    *x = unsafe { *from.at(lane, p.start + q) };
                }
            }
        }
    }
}
