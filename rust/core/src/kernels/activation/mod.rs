//! Activations, forward and backward, in place.
//!
//! If the derivative follows from the output y, the input need not be kept. For other functions the forward pass keeps
//! the slopes, by which the backward pass multiplies. [`table`] has a row for each function.

mod function;
mod table;
#[cfg(test)]
mod tests;

pub(super) use function::SignSlope;
pub(crate) use function::times;
pub use table::Activation;
pub(crate) use table::Suits;
pub(super) use table::{Identity, LeakyRelu, Relu, Sigmoid, Tanh};

use crate::error::{Error, Result};
use crate::numbers::Scalar;

impl Activation {
    /// The activation with this name.
    pub fn from_name(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|activation| activation.name() == name);
        found.ok_or_else(|| {
            let names = Self::ALL.map(|activation| format!("{:?}", activation.name()));
            Error::value("activation", format_args!("{name:?}"), format!("one of {}", names.join(", ")))
        })
    }
}

/// `z = f(z)`.
pub(crate) fn forward<T: Scalar>(activation: Activation, z: &mut [T]) {
    let len = z.len();
    forward_rows(activation, z, len.max(1), len);
}

/// `z = f(z)` for the first `cols` elements of every `stride`.
///
/// # Panics
/// If `stride` is 0, or the last row has fewer than `cols` elements.
pub(crate) fn forward_rows<T: Scalar>(activation: Activation, z: &mut [T], stride: usize, cols: usize) {
    if activation != Activation::Identity {
        activation.map(z, stride, cols);
    }
}

/// `z = f(z)` and `slopes = f'(z)`, for an activation that [keeps](Activation::keeps_slope) its slopes.
///
/// # Panics
/// If it does not, or the lengths differ.
pub(crate) fn forward_keeping<T: Scalar>(activation: Activation, z: &mut [T], slopes: &mut [T]) {
    assert_eq!(z.len(), slopes.len(), "z and slopes");
    activation.keep_slopes(z, slopes);
}

/// `d = d f'(z)` for the first `cols` elements of every `stride`, where `keep y = f(z)`: y are outputs that dropout
/// divided by the fraction that it keeps.
///
/// # Panics
/// If the activation keeps its slope, the lengths differ, `stride` is 0, or the last row has fewer than `cols` elements.
pub(crate) fn backward_rows<T: Scalar>(
    activation: Activation,
    d: &mut [T],
    y: &[T],
    keep: T,
    stride: usize,
    cols: usize,
) {
    assert_eq!(d.len(), y.len(), "d and y");
    if activation != Activation::Identity {
        activation.chain(d, y, keep, stride, cols);
    }
}
