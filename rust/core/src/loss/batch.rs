//! Losses that are functions of the caller's.

use std::fmt;

use crate::error::Result;
use crate::kernels::Element;

/// The loss of a network whose [`Loss`](crate::Loss) is a function: called once per batch, on the thread that started the
/// work, when all rows are at their sums, and before any goes back.
pub trait BatchLoss<T: Element>: Send + Sync {
    /// Writes the loss of each row, and its derivative with respect to the row's sums: not weighted, not averaged.
    ///
    /// y: (n, `n_targets`), raw: (n, `d_out`), losses: (n,), `d_raw`: (n, `d_out`), all row after row
    fn eval(&self, batch: LossBatch<'_, T>, losses: &mut [T], d_raw: &mut [T]) -> Result<()>;
}

/// What such a loss is called with.
#[derive(Clone, Copy, Debug)]
pub struct LossBatch<'a, T> {
    /// Rows of the batch.
    pub n: usize,
    /// Targets per row; none if the targets of all rows are a vector.
    pub n_targets: Option<usize>,
    /// Targets, row after row.
    pub y: &'a [T],
    /// The last layer's sums, row after row.
    pub raw: &'a [T],
}

impl<T: Element> fmt::Debug for dyn BatchLoss<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BatchLoss")
    }
}
