//! The places of the parameters of each stage in the one flat vector.
//!
//! They are ordered by stage, and in each stage by block: a dense layer has its weights `(d_in, d_out)`, row after row,
//! and then its biases `(d_out,)`. A gradient and an optimizer's state have the same layout.

use std::ops::Range;

use crate::arch::block::Block;
use crate::arch::stage::{Dense, Stage};
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
    /// The range of its weights in the flat vector.
    pub fn weights(&self) -> Range<usize> {
        self.offset..self.offset + self.d_in * self.d_out
    }

    /// The range of its biases in the flat vector.
    pub fn biases(&self) -> Range<usize> {
        let start = self.weights().end;
        start..start + self.d_out
    }
}

/// The places of all parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    d_in: usize,
    stages: Vec<Stage>,
    blocks: Vec<Block>,
    layers: Vec<Layer>,
}

impl Layout {
    /// The layout of a network with only dense layers of these widths, input first.
    pub fn new(layer_sizes: &[usize]) -> Result<Self> {
        check_widths(layer_sizes)?;
        let dense = |pair: &[usize]| Stage::Dense(Dense { d_in: pair[0], d_out: pair[1] });
        Self::of_stages(layer_sizes, layer_sizes.windows(2).map(dense).collect())
    }

    /// The layout of these stages, of a network with these widths.
    pub(super) fn of_stages(layer_sizes: &[usize], stages: Vec<Stage>) -> Result<Self> {
        let mut start = 0_usize;
        let mut blocks: Vec<Block> = Vec::new();
        let mut layers = Vec::new();
        for (stage, of) in stages.iter().enumerate() {
            if let Stage::Dense(Dense { d_in, d_out }) = *of {
                layers.push(Layer { d_in, d_out, offset: start });
            }
            for (role, rows, cols) in of.blocks() {
                let index = blocks.iter().filter(|block| block.role == role).count();
                blocks.push(Block { stage, role, index, rows, cols, start });
                start = rows
                    .checked_mul(cols)
                    .and_then(|n| n.checked_add(start))
                    .filter(|&n| n <= isize::MAX as usize / size_of::<f64>())
                    .ok_or_else(|| Self::too_large(layer_sizes))?;
            }
        }
        Ok(Self { d_in: layer_sizes[0], stages, blocks, layers })
    }

    /// The error for widths that no network can have.
    pub(super) fn too_large(layer_sizes: &[usize]) -> Error {
        let expected = "widths whose parameters fit in memory";
        Error::value("layer_sizes", format_args!("{layer_sizes:?}"), expected)
    }

    /// The stages that rows go through, first to last.
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// Every block, in the order of the flat vector.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// One entry per dense layer, first to last.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The dense layer that a stage belongs to: the one before it, or the first.
    pub(crate) fn layer_of(&self, stage: usize) -> usize {
        let is_dense = |stage: &&Stage| matches!(stage, Stage::Dense(_));
        self.stages[..=stage].iter().filter(is_dense).count().saturating_sub(1)
    }

    /// The range of a stage's parameters in the flat vector.
    pub(crate) fn parameters_of(&self, stage: usize) -> Range<usize> {
        let of_stage = || self.blocks.iter().filter(|block| block.stage == stage).map(Block::range);
        let (start, end) = (of_stage().next(), of_stage().next_back());
        start.map_or(0, |first| first.start)..end.map_or(0, |last| last.end)
    }

    /// The name of a number of the flat vector: `biases[1][0]`.
    pub(crate) fn place(&self, i: usize) -> String {
        let block = self.blocks.iter().find(|block| block.range().contains(&i));
        block.map_or_else(|| format!("parameters[{i}]"), |block| block.place(i - block.range().start))
    }

    /// Length of the flat vector.
    pub fn n_parameters(&self) -> usize {
        self.blocks.last().map_or(0, |last| last.range().end)
    }

    /// Width of the input; that of the first dense layer is another if a stage before it adds features.
    pub fn d_in(&self) -> usize {
        self.d_in
    }

    /// Width of the output.
    pub fn d_out(&self) -> usize {
        self.layers[self.layers.len() - 1].d_out
    }

    /// Widths of the dense layers, input first.
    pub fn layer_sizes(&self) -> impl Iterator<Item = usize> {
        std::iter::once(self.d_in()).chain(self.layers.iter().map(|layer| layer.d_out))
    }
}

/// [`Error::Value`] unless these can be the widths of a network.
pub(super) fn check_widths(layer_sizes: &[usize]) -> Result<()> {
    let invalid =
        |expected: &str| Err(Error::value("layer_sizes", format_args!("{layer_sizes:?}"), expected));
    if layer_sizes.len() < 2 {
        return invalid("at least two widths: of the input and of the output");
    }
    if layer_sizes.contains(&0) {
        return invalid("widths >= 1");
    }
    Ok(())
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
