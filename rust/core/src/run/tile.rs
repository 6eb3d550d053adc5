//! One tile: some rows that go forward through all layers and back while they are in cache.

use ndarray::ArrayView2;

use crate::arch::Layer;
use crate::arch::Masks;
use crate::data::Examples;
use crate::data::Inputs;
use crate::data::Rows;
use crate::error::Result;
use crate::kernels::Activation;
use crate::kernels::Element;
use crate::kernels::Tally;
use crate::kernels::{Batch, Finish, Start, TinyNet};
use crate::loss::Objective;
use crate::memory::Buffer;
use crate::plan::{Piece, Plan, ROW_GROUP};
use crate::run::dense::{
    dense_backward_input, dense_backward_parameters, dense_forward, dense_scratch_len,
    sparse_backward_parameters, sparse_forward,
};
use crate::run::interrupt::Interrupt;
use crate::run::targets::TileTargets;

/// What a pass works with.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a, T: Element> {
    pub(crate) plan: &'a Plan,
    pub(crate) parameters: &'a [T],
    pub(crate) objective: Objective,
    pub(crate) interrupt: &'a dyn Interrupt,
}

impl<'a, T: Element> Pass<'a, T> {
    pub(crate) fn on(self, thread: usize) -> Task<'a, T> {
        let Self { plan, parameters, objective, interrupt } = self;
        Task { plan, parameters, objective, interrupt, thread }
    }
}

/// What a thread needs to know to work on a tile.
#[derive(Clone, Copy)]
pub(crate) struct Task<'a, T: Element> {
    pub(crate) plan: &'a Plan,
    pub(crate) parameters: &'a [T],
    pub(crate) objective: Objective,
    pub(crate) interrupt: &'a dyn Interrupt,
    pub(crate) thread: usize,
}

impl<T: Element> Task<'_, T> {
    /// Accounts for a product with the weights of a layer.
    pub(crate) fn spend(&self, layer: &Layer, n: usize) -> Result<()> {
        self.interrupt.spend(self.thread, 2 * n * layer.d_in * layer.d_out)
    }
}

/// The buffers of a tile, made once and used for every tile.
#[derive(Debug)]
pub(crate) struct Tile<T: Element> {
    /// Rows it has room for.
    rows: usize,
    /// Inputs that are not read where they lie; empty if it gathers none.
    input: Buffer<T>,
    targets: TileTargets<T>,
    /// One a layer: activations, and at the end logits, in whose place their derivative comes.
    outputs: Vec<Buffer<T>>,
    /// One per hidden layer: slopes of its activation, if it keeps them; else empty.
    kept: Vec<Buffer<T>>,
    /// One a hidden layer: derivatives with respect to its sums.
    deltas: Vec<Buffer<T>>,
    /// What groups of rows cost.
    tallies: Vec<Tally>,
}

impl<T: Element> Tile<T> {
    /// Room for `rows`, and for their inputs if it gathers these.
    pub(crate) fn new(plan: &Plan, rows: usize, gathers: bool) -> Result<Self> {
        let layers = plan.layout().layers();
        let hidden = layers.iter().skip(1);
        let slopes =
            |(layer, f): (&Layer, &Activation)| matrix(if f.keeps_slope() { rows } else { 0 }, layer.d_out);
        Ok(Self {
            rows,
            input: matrix(if gathers { rows } else { 0 }, plan.layout().d_in())?,
            targets: TileTargets::new(plan.network(), rows)?,
            outputs: layers.iter().map(|layer| matrix(rows, layer.d_out)).collect::<Result<_>>()?,
            kept: layers.iter().zip(plan.network().activations()).map(slopes).collect::<Result<_>>()?,
            deltas: hidden.map(|layer| matrix(rows, layer.d_in)).collect::<Result<_>>()?,
            tallies: Vec::with_capacity(rows.div_ceil(ROW_GROUP)),
        })
    }

    /// Rows it has room for.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Whether it has room for their inputs.
    pub(crate) fn gathers(&self) -> bool {
        !self.input.is_empty()
    }

    /// Numbers of scratch that any of its passes needs.
    pub(crate) fn scratch_len(plan: &Plan, rows: usize) -> usize {
        let of_layer = |layer| dense_scratch_len::<T>(layer, rows);
        let of_layers = plan.layout().layers().iter().map(of_layer).max().unwrap_or(0);
        let of_tiny = plan.tiny_with_gradient().map_or(0, |tiny| T::tiny_scratch_len(tiny, rows));
        of_layers.max(of_tiny)
    }

    /// Logits of `rows`, (n, `d_out`), with the masks of dropout on the way; the first row is row `first` of a batch.
    pub(crate) fn forward(
        &mut self,
        task: Task<'_, T>,
        x: &Inputs<'_, T>,
        rows: Rows<'_>,
        (masks, first): (Masks<'_>, usize),
        scratch: &mut [T],
    ) -> Result<&mut [T]> {
        let sparse = x.sparse();
        if sparse.is_none() && x.in_place(rows).is_none() {
            x.gather(rows, &mut self.input);
        }
        let n = rows.len();
        let activations = task.plan.network().activations();
        for (l, layer) in task.plan.layout().layers().iter().enumerate() {
            let (before, from_here) = self.outputs.split_at_mut(l);
            let z = &mut from_here[0][..n * layer.d_out];
            let keeping = activations.get(l).filter(|f| f.keeps_slope());
            let activation = activations.get(l).copied().filter(|_| keeping.is_none());
            match (before.last(), sparse) {
                (None, Some(x)) => sparse_forward(layer, task.parameters, (x, rows), z, activation),
                (before, _) => {
                    let a = before.map_or_else(|| read(x, rows, &self.input), |a| &a[..n * layer.d_in]);
                    let finish = activation.map_or(Finish::Nothing, Finish::Activate);
                    dense_forward(layer, task.parameters, a, z, finish, scratch);
                }
            }
            if let Some(&f) = keeping {
                T::activate_keeping(f, z, &mut self.kept[l][..n * layer.d_out]);
            }
            if let Some(mask) = masks.of_layer(l) {
                T::dropout(z, layer.d_out, &mask, first);
            }
            task.spend(layer, n)?;
        }
        let logits = self.outputs.last_mut().expect("a network has at least one layer");
        Ok(&mut logits[..n * task.plan.layout().d_out()])
    }

    /// Weighted losses, in sums over `tally_rows` rows each. The derivative with respect to the logits takes their place.
    pub(crate) fn tally(
        &mut self,
        task: Task<'_, T>,
        examples: Examples<'_, '_, T>,
        tally_rows: usize,
        scratch: &mut [T],
    ) -> Result<()> {
        let masks = (examples.masks, examples.first);
        self.forward(task, &examples.data.x(), examples.rows, masks, scratch)?;
        let logits = self.outputs.last_mut().expect("a network has at least one layer");
        let (d_out, output) = (task.plan.layout().d_out(), task.plan.network().output());
        let bounds = task.objective.bounds::<T>(output);
        self.tallies.clear();
        for_each_tile(tally_rows, examples.len(), |start, end| {
            self.targets.read(examples.data, examples.slice(start, end).rows, examples.scale);
            self.tallies.push(self.targets.losses(&mut logits[start * d_out..end * d_out], bounds));
            Ok(())
        })
    }

    /// The sums of the last [`tally`](Self::tally).
    pub(crate) fn tallies(&self) -> &[Tally] {
        &self.tallies
    }

    /// The way back from the derivative with respect to the logits of `n` rows, which stands in their place, to those
    /// with respect to every layer's sums, and to the input where that is wanted. The masks are those of the way there.
    ///
    /// `d_x`: (n, `d_in`)
    pub(crate) fn pull_back(
        &mut self,
        task: Task<'_, T>,
        n: usize,
        (masks, first): (Masks<'_>, usize),
        d_x: Option<&mut [T]>,
        scratch: &mut [T],
    ) -> Result<()> {
        let layers = task.plan.layout().layers();
        let (d_logits, hidden) = self.outputs.split_last().expect("a network has at least one layer");
        for (l, layer) in layers.iter().enumerate().skip(1).rev() {
            let (d_a, behind) = self.deltas[l - 1..].split_first_mut().expect("one a hidden layer");
            let (d_z, d_a) = (behind.first().unwrap_or(d_logits), &mut d_a[..n * layer.d_in]);
            let a = &hidden[l - 1][..n * layer.d_in];
            let mask = masks.of_layer(l - 1);
            let keep = T::from_f64(mask.map_or(1.0, |mask| mask.keep()));
            let f = task.plan.network().activations()[l - 1];
            let finish = if f.keeps_slope() { Finish::Nothing } else { Finish::Chain(f, a, keep) };
            dense_backward_input(layer, task.parameters, &d_z[..n * layer.d_out], d_a, finish, scratch);
            if f.keeps_slope() {
                T::times(d_a, &self.kept[l - 1][..n * layer.d_in]);
            }
            if let Some(mask) = mask {
                T::dropout(d_a, layer.d_in, &mask, first);
            }
            task.spend(layer, n)?;
        }
        if let Some(d_x) = d_x {
            let (layer, d_z) = (&layers[0], self.deltas.first().unwrap_or(d_logits));
            dense_backward_input(
                layer,
                task.parameters,
                &d_z[..n * layer.d_out],
                d_x,
                Finish::Nothing,
                scratch,
            );
            task.spend(layer, n)?;
        }
        Ok(())
    }

    /// A piece of the gradient, after [`pull_back`](Self::pull_back): the sum over `rows`, begun or carried on.
    pub(crate) fn gradient_of_piece(
        &self,
        task: Task<'_, T>,
        (x, rows): (&Inputs<'_, T>, Rows<'_>),
        piece: &Piece,
        (gradient, begin): (&mut [T], Start<'_, T>),
        scratch: &mut [T],
    ) -> Result<()> {
        let (n, l) = (rows.len(), piece.layer);
        let layer = &task.plan.layout().layers()[l];
        let d_z = self.deltas.get(l).unwrap_or_else(|| &self.outputs[l]);
        let d_z = &d_z[..n * layer.d_out];
        match (l.checked_sub(1), x) {
            (None, Inputs::Sparse(x)) => {
                sparse_backward_parameters(layer, &piece.rows, (x, rows), d_z, gradient, begin);
            }
            (before, _) => {
                let a =
                    before.map_or_else(|| read(x, rows, &self.input), |l| &self.outputs[l][..n * layer.d_in]);
                dense_backward_parameters(layer, &piece.rows, a, d_z, gradient, begin, scratch);
            }
        }
        task.interrupt.spend(task.thread, 2 * n * piece.len)
    }

    /// What [`tally`](Self::tally), [`pull_back`](Self::pull_back) and all pieces make of these, in one kernel.
    pub(crate) fn tiny_gradient(
        &mut self,
        tiny: &TinyNet,
        task: Task<'_, T>,
        examples: Examples<'_, '_, T>,
        gradient: &mut [T],
        scratch: &mut [T],
    ) -> Result<Tally> {
        let n = examples.len();
        self.targets.read(examples.data, examples.rows, examples.scale);
        examples.data.x().gather_columns(examples.rows, &mut self.input);
        let batch = Batch {
            x: &self.input,
            x_stride: n,
            labels: self.targets.labels(),
            values: self.targets.values(),
            weights: self.targets.weights(),
        };
        let bounds = task.objective.bounds::<T>(task.plan.network().output());
        let tally = T::tiny_gradient(tiny, &batch, task.parameters, gradient, bounds, scratch);
        task.interrupt.spend(task.thread, n * task.plan.workload().flops_per_row())?;
        Ok(tally)
    }

    /// Puts the derivative with respect to the logits in their place.
    pub(crate) fn set_d_logits(&mut self, d_logits: ArrayView2<'_, T>) {
        let logits = self.outputs.last_mut().expect("a network has at least one layer");
        for (to, &from) in logits.iter_mut().zip(d_logits) {
            *to = from;
        }
    }
}

/// Calls `f` with the first row of each tile and the one behind its last.
pub(crate) fn for_each_tile(
    tile_rows: usize,
    n: usize,
    mut f: impl FnMut(usize, usize) -> Result<()>,
) -> Result<()> {
    (0..n).step_by(tile_rows.max(1)).try_for_each(|start| f(start, n.min(start + tile_rows)))
}

/// The input that [`Tile::forward`] worked on.
fn read<'b, T: Element>(x: &'b Inputs<'_, T>, rows: Rows<'_>, gathered: &'b [T]) -> &'b [T] {
    x.in_place(rows).unwrap_or_else(|| &gathered[..rows.len() * x.ncols()])
}

fn matrix<T: Element>(rows: usize, columns: usize) -> Result<Buffer<T>> {
    Buffer::zeros("a tile of rows", rows.saturating_mul(columns))
}
