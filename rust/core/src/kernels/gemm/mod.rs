//! Matrix product `C = f(start + A B)`.
//!
//! Shapes: A `(m, k)`, B `(k, n)`, C `(m, n)`. A and B are row-major or transposed (see [`Matrix`]); C is
//! row-major. The blocking follows Goto and van de Geijn, "Anatomy of High-Performance Matrix
//! Multiplication" (ACM TOMS 34, 2008), with A and B read in place where packing does not pay off.
//!
//! | file       | what                                                     |
//! | ---------- | -------------------------------------------------------- |
//! | `matrix`   | views of A and B, and how they are cut                   |
//! | `epilogue` | what sums start from, and what is done with them         |
//! | `blocked`  | the product, in rows of tiles and blocks that fit caches |
//! | `plan`     | how large blocks are, and which operands are packed      |
//! | `pack`     | operands copied into the order in which tiles read them  |
//! | `tile`     | the innermost product, a row of tiles in registers       |
//! | `thin`     | shapes for which a tile would be wasteful                |
//! | `outer`    | the product of a column and a row                        |
//! | `sums`     | sums of columns, as a product                            |
//!
//! Invariants: nothing is allocated. Every element of C is one chain of fused multiply-adds over k in
//! rising order from its start, except where `n <= 4`, `k > 4 n` and A is row-major: there k runs
//! over the lanes (see [`thin`]). Bits depend on the values, on n, k and the layout of
//! A, never on m, the blocking or packing. Hence the rows of C may be split in any way.

mod matrix;
mod epilogue;
mod tile;
mod pack;
mod plan;
mod blocked;
mod thin;
mod outer;
mod sums;
#[cfg(test)]
mod tests;

pub(crate) use epilogue::{Epilogue, Start};
pub(crate) use matrix::Matrix;
pub(crate) use sums::add_rows;

use crate::numbers::Scalar;

/// Elements of scratch that [`gemm`] needs at most for these shapes, whatever the layouts.
pub(crate) fn scratch_len<T: Scalar>(m: usize, n: usize, k: usize) -> usize {
    blocked::scratch_len::<T>(m, n, k).max(thin::scratch_len::<T>(m, n, k))
}

/// `C = f(start + A B)`.
///
/// C fills the front of `c`. `scratch` holds [`scratch_len`] elements; its contents do not matter.
///
/// # Panics
/// If the shapes of A, B, C, of the start and of the epilogue do not fit together, or `scratch` is too short.
pub(crate) fn gemm<T: Scalar>(
    a: &Matrix<'_, T>,
    b: &Matrix<'_, T>,
    c: &mut [T],
    start: Start<'_, T>,
    epilogue: Epilogue<'_, T>,
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
    if let Epilogue::Chain(_, outputs, _) = epilogue {
        assert_eq!(outputs.len(), m * n, "outputs of the activation, and elements of C");
    }

    let c = &mut c[..m * n];
    if outer::is_outer(a, b, start) {
        return outer::multiply(a, b, c, epilogue);
    }
    if k > 0 && !thin::is_thin(a, n) {
        return blocked::multiply(a, b, c, start, epilogue, scratch);
    }
    if k > 0 {
        thin::multiply(a, b, c, start, scratch);
    } else {
        start.write(c, n);
    }
    epilogue.apply(c, n, 0..m, 0..n);
}
