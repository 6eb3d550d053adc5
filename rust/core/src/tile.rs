//! One tile: some rows that go forward through all layers and back while they are in cache.

use ndarray::ArrayView2;

use crate::buffer::Buffer;
use crate::dataset::{Dataset, Rows, gather, gather_columns, in_place};
use crate::dense::{dense_backward_input, dense_backward_parameters, dense_forward, dense_scratch_len};
use crate::error::Result;
use crate::interrupt::Interrupt;
use crate::kernels::{Batch, TinyNet};
use crate::layout::Layer;
use crate::loss::Tally;
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
    pub(crate) fn spend(&self, layer: &Layer, n: usize) -> Result<()> {
        self.interrupt.spend(self.thread, 2 * n * layer.d_in * layer.d_out)
    }
}

/// The buffers of a tile, made once and used for every tile.
#[derive(Debug)]
pub(crate) struct Tile<T: Scalar> {
    /// Rows it has room for.
    rows: usize,
    input: Buffer<T>,
    labels: Vec<u32>,
    weights: Buffer<T>,
    layers: Layers<T>,
    /// Set if the network is one of those whose gradient is a kernel of its own.
    tiny: Option<TinyNet>,
}

impl<T: Scalar> Tile<T> {
    pub(crate) fn new(network: &Network, rows: usize) -> Result<Self> {
        Ok(Self {
            rows,
            input: matrix(rows, network.layout().d_in())?,
            labels: vec![0; rows],
            weights: matrix(rows, 1)?,
            layers: Layers::new(network, rows)?,
            tiny: TinyNet::new(network),
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
        self.layers.forward(task, read(x, rows, &self.input), rows.len())
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
        let logits = self.layers.logits(task.network, n);
        Ok(T::softmax_cross_entropy(
            logits,
            task.network.layout().d_out(),
            &self.labels[..n],
            &self.weights[..n],
        ))
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
        if let Some(tiny) = self.tiny {
            return self.tiny_gradient(tiny, task, data, rows, scale, gradient);
        }
        let tally = self.tally(task, data, rows, scale)?;
        let x = data.x();
        self.layers.backward(task, read(&x, rows, &self.input), rows.len(), gradient, None)?;
        Ok(tally)
    }

    fn tiny_gradient(
        &mut self,
        tiny: TinyNet,
        task: Task<'_, T>,
        data: &Dataset<'_, T>,
        rows: Rows<'_>,
        scale: f64,
        gradient: &mut [T],
    ) -> Result<Tally> {
        let n = rows.len();
        let (labels, weights) = (&mut self.labels[..n], &mut self.weights[..n]);
        data.read(rows, scale, labels, weights);
        gather_columns(&data.x(), rows, &mut self.input);
        let batch = Batch { x: &self.input, x_stride: n, labels, weights };
        let tally = T::tiny_gradient(&tiny, &batch, task.parameters, gradient, &mut self.layers.scratch);
        task.network.layout().layers().iter().try_for_each(|layer| task.spend(layer, 2 * n))?;
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
        let logits = self.logits(task, x, rows)?;
        for (to, &from) in logits.iter_mut().zip(d_logits) {
            *to = from;
        }
        self.layers.backward(task, read(x, rows, &self.input), rows.len(), gradient, Some(d_x))
    }
}

/// What the layers make of a tile, on the way forward and on the way back.
#[derive(Debug)]
struct Layers<T: Scalar> {
    /// One a layer: activations, and at the end logits, in whose place their derivative comes.
    outputs: Vec<Buffer<T>>,
    /// Derivatives with respect to the sums of one layer, and of the layer before.
    deltas: [Buffer<T>; 2],
    scratch: Buffer<T>,
}

impl<T: Scalar> Layers<T> {
    fn new(network: &Network, rows: usize) -> Result<Self> {
        let layers = network.layout().layers();
        let widest = layers.iter().skip(1).map(|layer| layer.d_in).max().unwrap_or(0);
        let of_layers = layers.iter().map(|layer| dense_scratch_len::<T>(layer, rows)).max().unwrap_or(0);
        let of_tiny = TinyNet::new(network).map_or(0, |tiny| T::tiny_scratch_len(&tiny, rows));
        Ok(Self {
            outputs: layers.iter().map(|layer| matrix(rows, layer.d_out)).collect::<Result<_>>()?,
            deltas: [matrix(rows, widest)?, matrix(rows, widest)?],
            scratch: Buffer::zeros("the products of a tile", of_layers.max(of_tiny))?,
        })
    }

    /// The last layer's output for `n` rows.
    fn logits(&mut self, network: &Network, n: usize) -> &mut [T] {
        let logits = self.outputs.last_mut().expect("a network has at least one layer");
        &mut logits[..n * network.layout().d_out()]
    }

    /// Logits, and every activation on the way to them.
    ///
    /// input: (n, `d_in`)
    fn forward(&mut self, task: Task<'_, T>, input: &[T], n: usize) -> Result<&mut [T]> {
        let activations = task.network.activations();
        for (l, layer) in task.network.layout().layers().iter().enumerate() {
            let (before, from_here) = self.outputs.split_at_mut(l);
            let x = before.last().map_or(input, |a| &a[..n * layer.d_in]);
            let z = &mut from_here[0][..n * layer.d_out];
            dense_forward(layer, task.parameters, x, z, &mut self.scratch);
            if let Some(activation) = activations.get(l) {
                activation.forward(z);
            }
            task.spend(layer, n)?;
        }
        Ok(self.logits(task.network, n))
    }

    /// The way back from the derivative with respect to the logits, which stands in their place: adds to the flat
    /// `gradient`, and fills `d_x` where it is wanted.
    ///
    /// input, `d_x`: (n, `d_in`)
    fn backward(
        &mut self,
        task: Task<'_, T>,
        input: &[T],
        n: usize,
        gradient: &mut [T],
        d_x: Option<&mut [T]>,
    ) -> Result<()> {
        let Self { outputs, deltas: [first, second], scratch } = self;
        let layers = task.network.layout().layers();
        let (d_logits, hidden) = outputs.split_last_mut().expect("a network has at least one layer");
        let (mut d_z, mut d_a, mut spare) = (&mut **d_logits, &mut **first, Some(&mut **second));
        for (l, layer) in layers.iter().enumerate().rev() {
            let x = l.checked_sub(1).map_or(input, |before| &hidden[before][..n * layer.d_in]);
            let d_sums = &d_z[..n * layer.d_out];
            dense_backward_parameters(layer, x, d_sums, gradient, scratch);
            task.spend(layer, n)?;
            if l > 0 {
                let d_x = &mut d_a[..n * layer.d_in];
                dense_backward_input(layer, task.parameters, d_sums, d_x, scratch);
                task.network.activations()[l - 1].backward(x, d_x);
                task.spend(layer, n)?;
                let used = std::mem::replace(&mut d_z, d_a);
                d_a = spare.take().unwrap_or(used);
            }
        }
        if let Some(d_x) = d_x {
            let layer = &layers[0];
            dense_backward_input(layer, task.parameters, &d_z[..n * layer.d_out], d_x, scratch);
            task.spend(layer, n)?;
        }
        Ok(())
    }
}

/// The input that [`Tile::logits`] worked on.
fn read<'b, T: Scalar>(x: &'b ArrayView2<'_, T>, rows: Rows<'_>, gathered: &'b [T]) -> &'b [T] {
    in_place(x, rows).unwrap_or_else(|| &gathered[..rows.len() * x.ncols()])
}

fn matrix<T: Scalar>(rows: usize, columns: usize) -> Result<Buffer<T>> {
    Buffer::zeros("a tile of rows", rows.saturating_mul(columns))
}
