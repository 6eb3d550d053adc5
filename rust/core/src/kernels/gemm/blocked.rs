//! The product in blocks that fit into the caches, tile by tile.

use super::epilogue::{Epilogue, InRegisters, Start};
use super::matrix::{Matrix, Pieces};
use super::pack::pack;
use super::plan::{Plan, Source};
use super::tile::{self, Operands};
use crate::numbers::Scalar;

/// Elements of scratch that [`multiply`] needs at most for these shapes, whatever the layouts.
pub(super) fn scratch_len<T: Scalar>(m: usize, n: usize, k: usize) -> usize {
    Plan::scratch_lens::<T>(m, n, k).iter().sum()
}

/// `C = f(start + A B)`, `k > 0`. `scratch` holds [`scratch_len`] elements.
pub(super) fn multiply<T: Scalar>(
    a: &Matrix<'_, T>,
    b: &Matrix<'_, T>,
    c: &mut [T],
    start: Start<'_, T>,
    epilogue: Epilogue<'_, T>,
    scratch: &mut [T],
) {
    let (m, k, n) = (a.rows(), a.cols(), b.cols());
    let plan = Plan::new(a, b);
    let (tile, packs_b) = (plan.tile, plan.b == Source::Packed);
    let (a_scratch, b_scratch) = scratch.split_at_mut(Plan::scratch_lens::<T>(m, n, k)[0]);

    for p in Pieces::new(0..k, Plan::k_block::<T>(), 1) {
        let depth = p.len();
        let start = if p.start == 0 { start } else { Start::Given };
        let epilogue = if p.end == k { epilogue } else { Epilogue::Nothing };
        for rows in Pieces::new(0..m, plan.m_block(), 1) {
            let panels_of_a = Pieces::new(rows, tile.rows, 1);
            let a_width = tile.panel_of_a();
            if plan.packs_a {
                pack(a, &panels_of_a, p.clone(), a_width, a_scratch);
            }
            for cols in Pieces::new(0..n, Plan::n_block::<T>(), T::LANES) {
                if packs_b {
                    let panels = Pieces::new(cols.clone(), tile.cols, tile.cols);
                    pack(&b.t(), &panels, p.clone(), tile.cols, b_scratch);
                }
                let (b, b_stride, b_step) = if packs_b {
                    (b_scratch.as_ptr(), tile.cols, tile.cols * depth)
                } else {
                    (b.at(p.start, cols.start), b.strides().0, tile.cols)
                };
                for (i, rows) in panels_of_a.clone().enumerate() {
                    let (a, a_strides) = if plan.packs_a {
                        (a_scratch[i * a_width * depth..].as_ptr(), (1, a_width))
                    } else {
                        (a.at(rows.start, p.start), a.strides())
                    };
                    let at = rows.start * n + cols.start;
                    let in_registers = epilogue.in_registers(at);
                    let on = Operands {
                        k: depth,
                        a,
                        a_strides,
                        b,
                        b_stride,
                        b_step,
                        b_is_padded: packs_b,
                        c: c.as_mut_ptr().wrapping_add(at),
                        c_stride: n,
                        cols: cols.len(),
                        start: match start {
                            Start::Zero => None,
                            Start::Given => Some((c.as_ptr().wrapping_add(at), n)),
                            Start::Rows(row) => Some((row[cols.start..].as_ptr(), 0)),
                        },
                        epilogue: in_registers.unwrap_or(InRegisters::Nothing),
                        b_is_far: plan.b == Source::Far,
                        c_is_far: plan.c_is_far,
                    };
                    // SAFETY: the tiles are inside C, whose size the caller checked, and C is borrowed
                    // exclusively and as long as the outputs of the epilogue. Views of A and B are inside
                    // their slices; panels were filled for exactly these ranges.
                    unsafe { tile::multiply(rows.len(), tile.cols / T::LANES, &on) }
                    if in_registers.is_none() {
                        epilogue.apply(c, n, rows, cols.clone());
                    }
                }
            }
        }
    }
}
