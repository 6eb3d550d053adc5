//! Which networks there are kernels for, and the arguments of these kernels.

use crate::kernels::activation::Activation;
use crate::kernels::output::Output;

/// Calls a sweep compiled for the smallest shape that holds so many inputs and sums.
macro_rules! by_shape {
    ($inputs:expr, $sums:expr, $sweep:ident::<$t:ty, $f:ty>$arguments:tt) => {
        by_shape!(@match $inputs, $sums, $sweep, $t, $f, $arguments, 2: 1 2 3 8; 4: 1 2 3 8; 8: 1 2 3 8;)
    };
    (@match $inputs:expr, $sums:expr, $sweep:ident, $t:ty, $f:ty, $arguments:tt,
     $($least:literal: $one:literal $two:literal $three:literal $eight:literal;)*) => {
        match ($inputs, $sums) {
            $(
                (..=$least, ..=$one) => $sweep::<$t, $least, $one, $f>$arguments,
                (..=$least, ..=$two) => $sweep::<$t, $least, $two, $f>$arguments,
                (..=$least, ..=$three) => $sweep::<$t, $least, $three, $f>$arguments,
                (..=$least, ..=$eight) => $sweep::<$t, $least, $eight, $f>$arguments,
            )*
            _ => unreachable!("the constructor limits the shape"),
        }
    };
}

pub(super) use by_shape;

/// Most inputs.
const MOST_INPUTS: usize = 8;
/// Most classes.
pub(super) const MOST_CLASSES: usize = 8;

/// Activations that the sweeps are compiled for: each costs compile time and space in the binary.
pub(super) const MADE_FOR: [Activation; 5] =
    [Activation::Identity, Activation::Relu, Activation::LeakyRelu, Activation::Sigmoid, Activation::Tanh];

/// The architecture of a net for which these kernels are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TinyNet {
    pub(super) inputs: usize,
    pub(super) hidden: usize,
    pub(super) classes: usize,
    pub(super) activation: Activation,
    pub(super) output: Output,
}

/// A batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch<'a, T> {
    /// X: feature i of row q is `x[i * x_stride + q]`.
    pub(crate) x: &'a [T],
    /// Distance of features, at least the number of rows.
    pub(crate) x_stride: usize,
    /// Classes, one per row, of a net that ends in a softmax.
    pub(crate) labels: &'a [u32],
    /// Targets, one per row, of another net.
    pub(crate) values: &'a [T],
    /// Weights of the losses, one per row.
    pub(crate) weights: &'a [T],
}

/// The inputs of some rows, feature-major.
#[derive(Clone, Copy, Debug)]
pub(super) struct Features<'a, T> {
    /// Feature i of row q is `values[i * stride + q]`.
    pub(super) values: &'a [T],
    pub(super) stride: usize,
    /// Number of rows, at most `stride`.
    pub(super) rows: usize,
}

impl TinyNet {
    /// The net with so many inputs, hidden units and classes, if there are kernels for its [`forward`](Self::forward).
    pub(crate) fn new(
        [inputs, hidden, classes]: [usize; 3],
        activation: Activation,
        output: Output,
    ) -> Option<Self> {
        // Losses of independent outputs take them in rows; a single output has the same layout as a column.
        let fits =
            if output == Output::Softmax { (2..=MOST_CLASSES).contains(&classes) } else { classes == 1 };
        (inputs <= MOST_INPUTS && fits && MADE_FOR.contains(&activation)).then_some(Self {
            inputs,
            hidden,
            classes,
            activation,
            output,
        })
    }

    /// Whether there are kernels for its [`gradient`](Self::gradient) too.
    pub(crate) fn has_gradient(&self) -> bool {
        matches!(self.activation, Activation::Identity | Activation::Relu | Activation::LeakyRelu)
    }

    /// Number of parameters.
    pub(super) fn parameters(&self) -> usize {
        self.hidden * (self.inputs + 1 + self.classes) + self.classes
    }

    /// Sums of a row whose gradients determine those of all classes.
    pub(super) fn free_sums(&self) -> usize {
        if self.output == Output::Softmax { self.classes - 1 } else { self.classes }
    }
}
