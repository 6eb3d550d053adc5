//! One tile: some rows that go forward through all layers and back while they are in cache.

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::buffer::Buffer;
use crate::dataset::{Dataset, Rows, gather, in_place};
use crate::dense::{dense_backward_input, dense_backward_parameters, dense_forward};
use crate::error::Result;
use crate::interrupt::Interrupt;
use crate::layout::Layer;
use crate::loss::{Tally, softmax_cross_entropy};
use crate::network::Network;
use crate::scalar::Scalar;

/// What a thread needs to know to work on a tile.
#[derive(Clone, Copy)]
pub(crate) struct Task<'a, T: Scalar> {
    pub(crate) network: &'a Network,
    pub(crate) parameters: &'a [T],
    pub(crate) interrupt: &'a dyn Interrupt,
    pub(crate) thread: usize,
}

impl<T: Scalar> Task<'_, T> {
    /// Accounts for a product with the weights of a layer.
    fn spend(&self, layer: &Layer, n: usize) -> Result<()> {
        self.interrupt.spend(self.thread, 2 * n * layer.d_in * layer.d_out)
    }
}

/// The buffers of a tile, made once and used for every tile.
#[derive(Debug)]
pub(crate) struct Tile<T: Scalar> {
    /// Rows it has room for.
    rows: usize,
    input: Buffer<T>,
    /// One a layer: activations, and at the end logits, in whose place their derivative comes.
    outputs: Vec<Buffer<T>>,
    /// Derivatives with respect to the sums of one layer, and of the layer before.
    deltas: [Buffer<T>; 2],
    labels: Vec<u32>,
    weights: Buffer<T>,
}

impl<T: Scalar> Tile<T> {
    pub(crate) fn new(network: &Network, rows: usize) -> Result<Self> {
        let layers = network.layout().layers();
        let matrix = |width: usize| Buffer::zeros("a tile of rows", rows.saturating_mul(width));
        let widest = layers.iter().skip(1).map(|layer| layer.d_in).max().unwrap_or(0);
        Ok(Self {
            rows,
            input: matrix(network.layout().d_in())?,
            outputs: layers.iter().map(|layer| matrix(layer.d_out)).collect::<Result<_>>()?,
            deltas: [matrix(widest)?, matrix(widest)?],
            labels: vec![0; rows],
            weights: matrix(1)?,
        })
    }

    /// Rows it has room for.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Logits of `rows`, (n, `d_out`).
    pub(crate) fn logits(
        &mut self,
        task: Task<'_, T>,
        x: &ArrayView2<'_, T>,
        rows: Rows<'_>,
    ) -> Result<&mut [T]> {
        if in_place(x, rows).is_none() {
            gather(x, rows, &mut self.input);
        }
        forward(task, read(x, rows, &self.input), rows.len(), &mut self.outputs)?;
        Ok(last(&mut self.outputs, rows.len() * task.network.layout().d_out()))
    }

    /// Weighted losses of `rows`; `scale` multiplies every weight.
    pub(crate) fn tally(
        &mut self,
        task: Task<'_, T>,
        data: &Dataset<'_, T>,
        rows: Rows<'_>,
        scale: f64,
    ) -> Result<Tally> {
        let n = rows.len();
        data.read(rows, scale, &mut self.labels[..n], &mut self.weights[..n]);
        self.logits(task, &data.x(), rows)?;
        let Self { outputs, labels, weights, .. } = self;
        let logits = last(outputs, n * task.network.layout().d_out());
        Ok(softmax_cross_entropy(logits, &labels[..n], &weights[..n]))
    }

    /// As [`tally`](Self::tally), and adds the gradient of the sum of the losses to `gradient`.
    pub(crate) fn gradient(
        &mut self,
        task: Task<'_, T>,
        data: &Dataset<'_, T>,
        rows: Rows<'_>,
        scale: f64,
        gradient: &mut [T],
    ) -> Result<Tally> {
        let tally = self.tally(task, data, rows, scale)?;
        let x = data.x();
        let input = read(&x, rows, &self.input);
        backward(task, input, rows.len(), &mut self.outputs, &mut self.deltas, gradient, None)?;
        Ok(tally)
    }

    /// Adds to `gradient` what `d_logits` makes of `rows`, and writes the derivative with respect to them to `d_x`.
    ///
    /// `d_logits`: (n, `d_out`), `d_x`: (n, `d_in`)
    pub(crate) fn pull_back(
        &mut self,
        task: Task<'_, T>,
        x: &ArrayView2<'_, T>,
        rows: Rows<'_>,
        d_logits: ArrayView2<'_, T>,
        gradient: &mut [T],
        d_x: &mut [T],
    ) -> Result<()> {
        let n = rows.len();
        let d_out = task.network.layout().d_out();
        let logits = self.logits(task, x, rows)?;
        matrix_mut(logits, n, d_out).assign(&d_logits);
        let input = read(x, rows, &self.input);
        backward(task, input, n, &mut self.outputs, &mut self.deltas, gradient, Some(d_x))
    }
}

/// Logits, and every activation on the way to them.
///
/// input: (n, `d_in`), outputs\[l\]: (n, width of layer l)
fn forward<T: Scalar>(task: Task<'_, T>, input: &[T], n: usize, outputs: &mut [Buffer<T>]) -> Result<()> {
    let activations = task.network.activations();
    for (l, layer) in task.network.layout().layers().iter().enumerate() {
        let (before, from_here) = outputs.split_at_mut(l);
        let x = before.last().map_or(input, |a| &a[..n * layer.d_in]);
        let z = &mut from_here[0][..n * layer.d_out];
        dense_forward(layer, task.parameters, matrix(x, n, layer.d_in), matrix_mut(z, n, layer.d_out));
        if let Some(activation) = activations.get(l) {
            activation.forward(z);
        }
        task.spend(layer, n)?;
    }
    Ok(())
}

/// The way back: adds to the flat `gradient`, and fills `d_x` where it is wanted.
///
/// The last of `outputs` holds the derivative with respect to the logits; `d_x`: (n, `d_in`).
fn backward<T: Scalar>(
    task: Task<'_, T>,
    input: &[T],
    n: usize,
    outputs: &mut [Buffer<T>],
    deltas: &mut [Buffer<T>; 2],
    gradient: &mut [T],
    d_x: Option<&mut [T]>,
) -> Result<()> {
    let layers = task.network.layout().layers();
    let (d_logits, hidden) = outputs.split_last_mut().expect("a network has at least one layer");
    let [first, second] = deltas;
    let (mut d_z, mut d_a, mut spare) = (&mut **d_logits, &mut **first, Some(&mut **second));
    for (l, layer) in layers.iter().enumerate().rev() {
        let x = l.checked_sub(1).map_or(input, |before| &hidden[before][..n * layer.d_in]);
        let d_sums = matrix(&d_z[..n * layer.d_out], n, layer.d_out);
        dense_backward_parameters(layer, matrix(x, n, layer.d_in), d_sums, gradient);
        task.spend(layer, n)?;
        if l > 0 {
            let d_x = &mut d_a[..n * layer.d_in];
            dense_backward_input(layer, task.parameters, d_sums, matrix_mut(d_x, n, layer.d_in));
            task.network.activations()[l - 1].backward(x, d_x);
            task.spend(layer, n)?;
            let used = std::mem::replace(&mut d_z, d_a);
            d_a = spare.take().unwrap_or(used);
        }
    }
    if let Some(d_x) = d_x {
        let layer = &layers[0];
        let d_sums = matrix(&d_z[..n * layer.d_out], n, layer.d_out);
        dense_backward_input(layer, task.parameters, d_sums, matrix_mut(d_x, n, layer.d_in));
        task.spend(layer, n)?;
    }
    Ok(())
}

/// The input that [`Tile::logits`] worked on.
fn read<'b, T: Scalar>(x: &'b ArrayView2<'_, T>, rows: Rows<'_>, gathered: &'b [T]) -> &'b [T] {
    in_place(x, rows).unwrap_or_else(|| &gathered[..rows.len() * x.ncols()])
}

fn last<T: Scalar>(outputs: &mut [Buffer<T>], len: usize) -> &mut [T] {
    &mut outputs.last_mut().expect("a network has at least one layer")[..len]
}

fn matrix<T: Scalar>(values: &[T], rows: usize, columns: usize) -> ArrayView2<'_, T> {
    ArrayView2::from_shape((rows, columns), values).expect("the slice has rows * columns elements")
}

fn matrix_mut<T: Scalar>(values: &mut [T], rows: usize, columns: usize) -> ArrayViewMut2<'_, T> {
    ArrayViewMut2::from_shape((rows, columns), values).expect("the slice has rows * columns elements")
}
