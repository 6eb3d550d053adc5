//! Activations of hidden layers, and derivatives with respect to inputs.

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::data::Inputs;
use crate::error::{Error, Result};
use crate::kernels::Element;
use crate::mlp::model::{Mlp, check_len, check_threads};
use crate::run::{InputGradients, Interrupt, Team, Wanted};

impl<T: Element> Mlp<T> {
    /// The activations of a hidden layer, counted from 0, for the rows of `x`, on `n_threads` or fewer.
    ///
    /// x: (n, `d_in`), out: n * the layer's width, row after row
    pub fn transform<'a>(
        &self,
        x: impl Into<Inputs<'a, T>>,
        layer: usize,
        out: &mut [T],
        n_threads: usize,
        interrupt: &dyn Interrupt,
    ) -> Result<()> {
        let x = x.into();
        x.check_columns("X", self.network().layout())?;
        let step = self.plan().end_of_hidden(layer).ok_or_else(|| {
            let n_hidden = self.network().activations().len();
            Error::value("layer", layer, format!("one of {n_hidden} hidden layers, from 0"))
        })?;
        let (n, width) = (x.nrows(), self.plan().steps()[step].width);
        check_len("out", out.len(), n * width)?;
        self.infer(&x, n_threads, |inference, team| {
            inference.write(self.pass(interrupt), x, rows_of(out, n, width), Wanted::Hidden(layer), team)
        })
    }

    /// The derivative of every sum of the last layer, or of every prediction, with respect to its row, on `n_threads` or
    /// fewer.
    ///
    /// x: (n, `d_in`), out: n * `d_out` * `d_in`, row after row, output after output
    pub fn input_gradients<'a>(
        &self,
        x: impl Into<Inputs<'a, T>>,
        of_predictions: bool,
        out: &mut [T],
        n_threads: usize,
        interrupt: &dyn Interrupt,
    ) -> Result<()> {
        let x = x.into();
        x.check_columns("X", self.network().layout())?;
        let d_out = self.network().layout().d_out();
        check_len("out", out.len(), x.nrows() * d_out * x.ncols())?;
        let wanted = if of_predictions { Wanted::Predictions } else { Wanted::Sums };
        self.back_to_inputs(&x, d_out, n_threads, |buffers, tile_rows, team| {
            buffers.jacobian(self.pass(interrupt), &x, out, (wanted, tile_rows), team)
        })
    }

    /// The derivative of the caller's own loss with respect to `x`, from that with respect to the last layer's sums, on
    /// `n_threads` or fewer: the derivative that [`backward`](Self::backward) gives in addition to the gradient.
    ///
    /// x: (n, `d_in`), `d_logits`: (n, `d_out`), `d_x`: n * `d_in`, row after row
    pub fn input_vjp<'a>(
        &self,
        x: impl Into<Inputs<'a, T>>,
        d_logits: ArrayView2<'_, T>,
        d_x: &mut [T],
        n_threads: usize,
        interrupt: &dyn Interrupt,
    ) -> Result<()> {
        let x = x.into();
        x.check_columns("X", self.network().layout())?;
        self.check_like_logits("d_output", d_logits.shape(), x.nrows())?;
        check_len("d_x", d_x.len(), x.nrows() * x.ncols())?;
        self.back_to_inputs(&x, 1, n_threads, |buffers, tile_rows, team| {
            buffers.pull_back(self.pass(interrupt), &x, d_logits, (d_x, tile_rows), team)
        })
    }

    /// Lends `f` buffers for a pass that takes these rows `n_times` back to the inputs, the rows of a tile, and the
    /// threads.
    fn back_to_inputs<R>(
        &self,
        x: &Inputs<'_, T>,
        n_times: usize,
        n_threads: usize,
        f: impl FnOnce(&InputGradients<T>, usize, &mut Team) -> Result<R>,
    ) -> Result<R> {
        check_threads(n_threads)?;
        let (n_threads, tile_rows) =
            self.plan().workload().threads_to_inputs::<T>(x.nrows(), n_times, n_threads);
        let mut team = Team::new(n_threads);
        self.input_gradients.lend(|buffers| {
            buffers.reserve(self.plan(), x, tile_rows.min(x.nrows()), team.len())?;
            f(buffers, tile_rows, &mut team)
        })
    }
}

fn rows_of<T>(numbers: &mut [T], n: usize, width: usize) -> ArrayViewMut2<'_, T> {
    ArrayViewMut2::from_shape((n, width), numbers).expect("as many numbers")
}
