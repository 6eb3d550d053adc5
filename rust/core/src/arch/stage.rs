//! The stages that rows go through one after another, and the parameters that each of them owns.

use crate::arch::block::Role;

/// `z = x W + b`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dense {
    /// Width of its input.
    pub d_in: usize,
    /// Width of its output.
    pub d_out: usize,
}

/// `z = x s`: each input times a scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputScale {
    /// Width of input and output.
    pub width: usize,
}

/// `z = g (x - mean) / sqrt(variance + epsilon) + s`, with mean and variance over the values of the row.
///
/// Ba, Kiros and Hinton, "Layer normalization", 2016.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerNorm {
    /// Width of input and output.
    pub width: usize,
}

/// `z = max(x, 0) + a min(x, 0)`, with a slope `a` per unit.
///
/// He et al., "Delving deep into rectifiers", 2015.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prelu {
    /// Width of input and output.
    pub width: usize,
}

/// One stage of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A dense layer.
    Dense(Dense),
    /// A scale for each input.
    InputScale(InputScale),
    /// A normalisation of each row.
    LayerNorm(LayerNorm),
    /// A rectifier with a learnable slope per unit.
    Prelu(Prelu),
}

impl Stage {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Dense(_) => "dense",
            Self::InputScale(_) => "input_scale",
            Self::LayerNorm(_) => "layer_norm",
            Self::Prelu(_) => "prelu",
        }
    }

    /// Role, rows and columns of each of its blocks, in their order in the flat vector.
    pub(super) fn blocks(&self) -> Vec<(Role, usize, usize)> {
        match *self {
            Self::Dense(Dense { d_in, d_out }) => vec![(Role::Weight, d_in, d_out), (Role::Bias, 1, d_out)],
            Self::InputScale(InputScale { width }) => vec![(Role::Scale, 1, width)],
            Self::LayerNorm(LayerNorm { width }) => vec![(Role::Gain, 1, width), (Role::Shift, 1, width)],
            Self::Prelu(Prelu { width }) => vec![(Role::Slope, 1, width)],
        }
    }
}
