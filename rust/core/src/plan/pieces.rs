//! The pieces of a gradient that threads share.

use std::ops::Range;

use crate::arch::Layout;

/// Numbers of a gradient that one thread works on at a time.
const SLAB_NUMBERS: usize = 1 << 15;
/// Slabs that a layer is cut into at most.
const MAX_SLABS: usize = 16;

/// Some rows of a layer's weights; the last ones bring the biases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) layer: usize,
    pub(crate) rows: Range<usize>,
    /// Numbers in it.
    pub(crate) len: usize,
}

pub(super) fn pieces_of(layout: &Layout) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (l, layer) in layout.layers().iter().enumerate() {
        let by_size = (layer.d_in * layer.d_out).div_ceil(SLAB_NUMBERS);
        let count = by_size.min(layer.d_in).min(MAX_SLABS);
        for i in 0..count {
            let rows = layer.d_in * i / count..layer.d_in * (i + 1) / count;
            let biases = if i + 1 == count { layer.d_out } else { 0 };
            pieces.push(Piece { layer: l, len: rows.len() * layer.d_out + biases, rows });
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_the_vector_in_order() {
        for sizes in [&[2, 100, 3][..], &[784, 256, 256, 10], &[3, 5000, 2], &[100_000, 2]] {
            let layout = Layout::new(sizes).unwrap();
            let layers = layout.layers();
            let mut end = 0;
            for piece in pieces_of(&layout) {
                let layer = &layers[piece.layer];
                let start = layer.weights().start + piece.rows.start * layer.d_out;
                assert_eq!(start, end, "{sizes:?}");
                end += piece.len;
                let last = piece.rows.end == layer.d_in;
                assert_eq!(
                    end,
                    if last { layer.biases().end } else { start + piece.rows.len() * layer.d_out }
                );
            }
            assert_eq!(end, layout.n_parameters());
        }
    }
}
