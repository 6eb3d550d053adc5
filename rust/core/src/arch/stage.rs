//! The stages that rows go through one after another, and the parameters that each of them owns.

use crate::arch::block::Role;
use crate::kernels::{Activation, PERIODIC_COSINES, PERIODIC_FEATURES};

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

/// `z = (x, V cos(2 pi (f x + p)) + o)`: the inputs, and behind them features of each of the first ones, which are linear in
/// cosines with learnable frequencies and phases.
///
/// Gorishniy, Rubachev and Babenko, "On embeddings for numerical features in tabular deep learning", 2022; sizes and form
/// as in Holzmueller, Grinsztajn and Steinwart, "Better by default", 2024.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Periodic {
    /// Width of its input.
    pub d_in: usize,
    /// How many of the inputs, from the first on, have features.
    pub inputs: usize,
}

impl Periodic {
    /// Cosines per input.
    pub const COSINES: usize = PERIODIC_COSINES;
    /// Features per input.
    pub const FEATURES: usize = PERIODIC_FEATURES;

    /// Width of its output, if it can be the width of anything.
    pub(super) fn checked_width(&self) -> Option<usize> {
        self.inputs.checked_mul(Self::FEATURES)?.checked_add(self.d_in)
    }
}

/// `z = g (x - mean) / sqrt(variance + epsilon) + s`, with mean and variance over the values of the row.
///
/// Ba, Kiros and Hinton, "Layer normalization", 2016.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerNorm {
    /// Width of input and output.
    pub width: usize,
}

/// `z = g (x - mean) / sqrt(variance + epsilon) + s`, with mean and variance of each column: over the rows of the batch in
/// training, and their running means in prediction.
///
/// Ioffe and Szegedy, "Batch normalization", 2015.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchNorm {
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

/// `z = x + a (f(x) - x)`: a fixed activation, of whose nonlinearity each unit has a part `a`.
///
/// Holzmueller, Grinsztajn and Steinwart, "Better by default", 2024.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parametric {
    /// Width of input and output.
    pub width: usize,
    /// `f`
    pub activation: Activation,
}

/// One stage of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A dense layer.
    Dense(Dense),
    /// Periodic features of inputs.
    Periodic(Periodic),
    /// A scale for each input.
    InputScale(InputScale),
    /// A normalisation of each row.
    LayerNorm(LayerNorm),
    /// A normalisation of each column.
    BatchNorm(BatchNorm),
    /// A rectifier with a learnable slope per unit.
    Prelu(Prelu),
    /// An activation with a learnable nonlinearity per unit.
    Parametric(Parametric),
}

impl Stage {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Dense(_) => "dense",
            Self::Periodic(_) => "periodic",
            Self::InputScale(_) => "input_scale",
            Self::LayerNorm(_) => "layer_norm",
            Self::BatchNorm(_) => "batch_norm",
            Self::Prelu(_) => "prelu",
            Self::Parametric(_) => "parametric",
        }
    }

    /// Role, rows and columns of each of its blocks, in their order in the flat vector.
    pub(super) fn blocks(&self) -> Vec<(Role, usize, usize)> {
        match *self {
            Self::Dense(Dense { d_in, d_out }) => vec![(Role::Weight, d_in, d_out), (Role::Bias, 1, d_out)],
            Self::Periodic(Periodic { inputs, .. }) => vec![
                (Role::Frequency, inputs, Periodic::COSINES),
                (Role::Phase, inputs, Periodic::COSINES),
                (Role::Projection, inputs, Periodic::FEATURES * Periodic::COSINES),
                (Role::Offset, inputs, Periodic::FEATURES),
            ],
            Self::InputScale(InputScale { width }) => vec![(Role::Scale, 1, width)],
            Self::LayerNorm(LayerNorm { width }) => vec![(Role::Gain, 1, width), (Role::Shift, 1, width)],
            Self::BatchNorm(BatchNorm { width }) => {
                [Role::Gain, Role::Shift, Role::Mean, Role::Variance].map(|role| (role, 1, width)).to_vec()
            }
            Self::Prelu(Prelu { width }) => vec![(Role::Slope, 1, width)],
            Self::Parametric(Parametric { width, .. }) => vec![(Role::Alpha, 1, width)],
        }
    }
}
