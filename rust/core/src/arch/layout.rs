//! Where each layer's numbers lie in the one flat vector of parameters.
//!
//! Layer by layer: the weights `(d_in, d_out)`, row after row, then the biases `(d_out,)`. A gradient and an
//! optimizer's state have the same layout.

use std::ops::Range;

use crate::error::{Error, Result};

/// One dense layer's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Width of its input.
    pub d_in: usize,
    /// Width of its output.
    pub d_out: usize,
    offset: usize,
}

impl Layer {
    /// Where its weights lie in the flat vector.
    pub fn weights(&self) -> Range<usize> {
        self.offset..self.offset + self.d_in * self.d_out
    }

    /// Where its biases lie in the flat vector.
    pub fn biases(&self) -> Range<usize> {
        let start = self.weights().end;
        start..start + self.d_out
    }
}

/// The places of all layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    layers: Vec<Layer>,
}

impl Layout {
    /// The layout of a network with these widths, input first.
    pub fn new(layer_sizes: &[usize]) -> Result<Self> {
        let invalid = |expected: &str| Error::value("layer_sizes", format_args!("{layer_sizes:?}"), expected);
        if layer_sizes.len() < 2 {
            return Err(invalid("at least two widths: of the input and of the output"));
        }
        if layer_sizes.contains(&0) {
            return Err(invalid("widths >= 1"));
        }
        let mut offset = 0_usize;
        let mut layers = Vec::with_capacity(layer_sizes.len() - 1);
        for pair in layer_sizes.windows(2) {
            let (d_in, d_out) = (pair[0], pair[1]);
            layers.push(Layer { d_in, d_out, offset });
            offset = d_in
                .checked_add(1)
                .and_then(|rows| rows.checked_mul(d_out))
                .and_then(|n| n.checked_add(offset))
                .filter(|&n| n <= isize::MAX as usize / size_of::<f64>())
                .ok_or_else(|| invalid("widths whose parameters fit in memory"))?;
        }
        Ok(Self { layers })
    }

    /// One entry a layer of weights, first to last.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Length of the flat vector.
    pub fn n_parameters(&self) -> usize {
        self.last().biases().end
    }

    /// Floating-point operations that take `n` rows from inputs to logits.
    pub fn flops(&self, n: usize) -> usize {
        n.saturating_mul(2 * self.n_parameters())
    }

    /// Width of the input.
    pub fn d_in(&self) -> usize {
        self.layers[0].d_in
    }

    /// Width of the output.
    pub fn d_out(&self) -> usize {
        self.last().d_out
    }

    /// Widths, input first.
    pub fn layer_sizes(&self) -> impl Iterator<Item = usize> {
        std::iter::once(self.d_in()).chain(self.layers.iter().map(|layer| layer.d_out))
    }

    fn last(&self) -> &Layer {
        self.layers.last().expect("a layout has at least one layer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_tile_the_vector() {
        let layout = Layout::new(&[2, 100, 3]).unwrap();
        let ranges: Vec<_> = layout.layers().iter().flat_map(|l| [l.weights(), l.biases()]).collect();
        assert_eq!(ranges, [0..200, 200..300, 300..600, 600..603]);
        assert_eq!(layout.n_parameters(), 603);
        assert_eq!(layout.layer_sizes().collect::<Vec<_>>(), [2, 100, 3]);
    }

    #[test]
    fn refuses_what_is_no_network() {
        for (sizes, expected) in [
            (&[][..], "layer_sizes is [], expected at least two widths: of the input and of the output"),
            (&[3], "layer_sizes is [3], expected at least two widths: of the input and of the output"),
            (&[3, 0, 2], "layer_sizes is [3, 0, 2], expected widths >= 1"),
            (
                &[1 << 40, 1 << 40],
                "layer_sizes is [1099511627776, 1099511627776], expected widths whose parameters fit in memory",
            ),
        ] {
            assert_eq!(Layout::new(sizes).unwrap_err().to_string(), expected);
        }
    }
}
