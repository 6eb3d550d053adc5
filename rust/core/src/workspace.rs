//! Passes over rows, with buffers that are made once.

use ndarray::ArrayView2;

use crate::buffer::Buffer;
use crate::dataset::{Dataset, Examples, Rows};
use crate::error::Result;
use crate::gradient::{Gradients, for_each_tile};
use crate::interrupt::Interrupt;
use crate::loss::Tally;
use crate::network::Network;
use crate::scalar::Scalar;
use crate::tile::{Task, Tile};

/// What a pass works with.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a, T: Scalar> {
    pub(crate) network: &'a Network,
    pub(crate) parameters: &'a [T],
    pub(crate) interrupt: &'a dyn Interrupt,
}

impl<'a, T: Scalar> Pass<'a, T> {
    pub(crate) fn on(self, thread: usize) -> Task<'a, T> {
        Task { network: self.network, parameters: self.parameters, interrupt: self.interrupt, thread }
    }
}

/// Buffers for passes over batches up to a size.
#[derive(Debug)]
pub(crate) struct Workspace<T: Scalar> {
    forward: Option<(Tile<T>, Buffer<T>)>,
    pub(crate) gradients: Gradients<T>,
}

impl<T: Scalar> Workspace<T> {
    /// Without buffers.
    pub(crate) fn new(network: &Network) -> Self {
        Self { forward: None, gradients: Gradients::new(network) }
    }

    /// Makes room for batches of `n` rows that go forward.
    pub(crate) fn reserve_forward(&mut self, network: &Network, n: usize) -> Result<()> {
        let rows = network.tile_rows().min(n);
        if self.forward.as_ref().is_none_or(|(tile, _)| tile.rows() < rows) {
            let scratch = Buffer::zeros("the products of a tile", Tile::<T>::scratch_len(network, rows))?;
            self.forward = Some((Tile::forward_only(network, rows)?, scratch));
        }
        Ok(())
    }

    /// Calls `f` with the rows and the logits of each tile of `x`.
    pub(crate) fn for_each_logits(
        &mut self,
        pass: Pass<'_, T>,
        x: ArrayView2<'_, T>,
        mut f: impl FnMut(usize, &mut [T]),
    ) -> Result<()> {
        let Some((tile, scratch)) = &mut self.forward else { return Ok(()) };
        for_each_tile(tile.rows(), x.nrows(), |start, end| {
            f(start, tile.logits(pass.on(0), &x, Rows::Range(start, end), scratch)?);
            Ok(())
        })
    }

    /// Weighted losses of all rows, each weight multiplied by `scale`.
    pub(crate) fn tally(&mut self, pass: Pass<'_, T>, data: &Dataset<'_, T>, scale: f64) -> Result<Tally> {
        let mut tally = Tally::default();
        let Some((tile, scratch)) = &mut self.forward else { return Ok(tally) };
        for_each_tile(tile.rows(), data.n_rows(), |start, end| {
            let examples = Examples { data, rows: Rows::Range(start, end), scale };
            tally.add(tile.tally(pass.on(0), examples, scratch)?);
            Ok(())
        })?;
        Ok(tally)
    }
}
