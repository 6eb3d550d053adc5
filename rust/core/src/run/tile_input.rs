//! What the first step reads of the rows of a tile.

use crate::data::Inputs;
use crate::error::Result;
use crate::kernels::{Element, SparseRows};
use crate::memory::Buffer;
use crate::ops::Source;
use crate::run::pass::TileRows;

/// Rows that are not read in place: copied one after another, or without their zeros.
#[derive(Debug, Default)]
pub(super) struct TileInput<T: Element> {
    dense: Buffer<T>,
    sparse: SparseRows<T>,
    is_sparse: bool,
    /// Whether a gradient will be computed from them.
    has_gradient: bool,
}

impl<T: Element> TileInput<T> {
    /// No room yet.
    pub(super) fn new(has_gradient: bool) -> Self {
        Self { has_gradient, ..Self::default() }
    }

    /// Makes room for so many rows of `x`, of which sparse ones are given to a step that reads them.
    pub(super) fn reserve(&mut self, x: &Inputs<'_, T>, rows: usize, is_sparse: bool) -> Result<()> {
        self.is_sparse = is_sparse;
        let numbers = rows.saturating_mul(x.ncols());
        if is_sparse {
            self.sparse.reserve(rows, x.most_numbers(rows), self.has_gradient.then(|| x.ncols()))
        } else {
            if self.dense.len() < numbers {
                self.dense = Buffer::zeros("a tile of rows", numbers)?;
            }
            Ok(())
        }
    }

    /// What the first step reads of `rows`, which are copied unless they are read in place.
    pub(super) fn gather<'a>(&'a mut self, rows: TileRows<'a, '_, T>) -> Result<Source<'a, T>> {
        let TileRows { x, masks, .. } = rows;
        if self.is_sparse {
            x.compress(rows.rows, &mut self.sparse)?;
            if let Some(mask) = masks.of_input() {
                self.sparse.drop_out(&mask, masks.first);
            }
            if self.has_gradient {
                self.sparse.transpose(x.ncols())?;
            }
        } else if rows.in_place().is_none() {
            x.gather(rows.rows, &mut self.dense);
            if let Some(mask) = masks.of_input() {
                T::dropout(&mut self.dense[..rows.len() * x.ncols()], x.ncols(), &mask, masks.first);
            }
        }
        Ok(self.source(rows))
    }

    /// The same, after they were copied.
    pub(super) fn source<'a>(&'a self, rows: TileRows<'a, '_, T>) -> Source<'a, T> {
        if self.is_sparse {
            return Source::Sparse(&self.sparse);
        }
        Source::Dense(rows.in_place().unwrap_or_else(|| &self.dense[..rows.len() * rows.x.ncols()]))
    }

    /// Room for rows that a kernel of its own reads.
    pub(super) fn dense_mut(&mut self) -> &mut [T] {
        &mut self.dense
    }
}
