//! The network with its parameters: predictions, losses and gradients.

use std::sync::Arc;

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::arch::Init;
use crate::arch::Network;
use crate::arch::{Dropout, Masks};
use crate::data::Inputs;
use crate::data::Rows;
use crate::data::Seeds;
use crate::data::{Dataset, Examples};
use crate::error::{Error, Result};
use crate::kernels::Element;
use crate::kernels::Key;
use crate::kernels::Output;
use crate::kernels::Tally;
use crate::loss::{BatchLoss, Loss, Objective};
use crate::memory::Buffer;
use crate::memory::Pool;
use crate::plan::Plan;
use crate::run::BatchWorkspace;
use crate::run::InputGradients;
use crate::run::Interrupt;
use crate::run::Pass;
use crate::run::Team;
use crate::run::{Inference, Wanted};

/// A multilayer perceptron.
///
/// All its parameters are in one flat vector, which never moves; [`Layout`](crate::Layout) says where each layer is.
#[derive(Debug)]
pub struct Mlp<T: Element> {
    pub(super) plan: Plan,
    pub(super) parameters: Buffer<T>,
    pub(super) seeds: Seeds,
    workspaces: Pool<BatchWorkspace<T>>,
    inferences: Pool<Inference<T>>,
    pub(super) input_gradients: Pool<InputGradients<T>>,
    /// The gradient buffer of [`step`](Self::step), allocated on first use.
    pub(super) gradient: Option<Buffer<T>>,
    pub(super) loss_function: Option<Arc<dyn BatchLoss<T>>>,
}

impl<T: Element> Mlp<T> {
    /// A network with initial weights drawn from `seed`.
    pub fn new(network: Network, init: Init, seed: u64) -> Result<Self> {
        let mut mlp = Self::zeros(network, seed)?;
        let first = mlp.seeds.next_seed();
        let network = mlp.plan.network();
        init.fill(network.layout(), network.activations(), first, &mut mlp.parameters)?;
        Ok(mlp)
    }

    /// A network whose parameters are all 0, to be filled. `seeds` is the [state](Self::seeds) of its randomness.
    pub fn zeros(network: Network, seeds: u64) -> Result<Self> {
        let parameters = Buffer::zeros("the parameters", network.layout().n_parameters())?;
        Ok(Self {
            plan: Plan::new(network),
            parameters,
            seeds: Seeds::new(seeds),
            workspaces: Pool::default(),
            inferences: Pool::default(),
            input_gradients: Pool::default(),
            gradient: None,
            loss_function: None,
        })
    }

    /// The same network with a function for its loss, if that is [one](crate::Loss::Function).
    #[must_use]
    pub fn with_loss_function(self, function: Arc<dyn BatchLoss<T>>) -> Self {
        Self { loss_function: Some(function), ..self }
    }

    /// The architecture.
    pub fn network(&self) -> &Network {
        self.plan.network()
    }

    /// Multiplications and additions that take a row from inputs to the last layer's sums.
    pub fn flops(&self) -> usize {
        self.plan.inference().workload().flops()
    }

    /// The network, compiled.
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// All parameters, laid out as [`Layout`](crate::Layout) says.
    pub fn parameters(&self) -> &[T] {
        &self.parameters
    }

    /// All parameters, to be changed.
    pub fn parameters_mut(&mut self) -> &mut [T] {
        &mut self.parameters
    }

    /// The network, compiled, and all parameters, to be changed.
    pub(crate) fn parts_mut(&mut self) -> (&Plan, &mut [T]) {
        (&self.plan, &mut self.parameters)
    }

    /// Moves the running statistics towards those of the batch of `n` rows that a workspace computed last.
    pub(crate) fn move_running_statistics(&mut self, workspace: &BatchWorkspace<T>, n: usize) {
        workspace.statistics().move_running(&self.plan, &mut self.parameters, n);
    }

    /// The address of the parameters, which never changes.
    pub fn parameters_ptr(&self) -> *mut T {
        self.parameters.as_ptr()
    }

    /// A seed from the network's own stream: the seed of a fit that is given none.
    pub fn next_seed(&mut self) -> u64 {
        self.seeds.next_seed()
    }

    /// The state of the network's own stream of seeds.
    pub fn seeds(&self) -> u64 {
        self.seeds.state()
    }

    /// The last layer's sums for the rows of `x`, on `n_threads` or fewer.
    ///
    /// x: (n, `d_in`), out: (n, `d_out`)
    pub fn forward<'a>(
        &self,
        x: impl Into<Inputs<'a, T>>,
        out: ArrayViewMut2<'_, T>,
        n_threads: usize,
        interrupt: &dyn Interrupt,
    ) -> Result<()> {
        self.write(Wanted::Sums, x.into(), out, n_threads, interrupt)
    }

    /// The predictions of the network's output for the rows of `x`, on `n_threads` or fewer: for a softmax,
    /// probabilities of the classes.
    ///
    /// x: (n, `d_in`), out: (n, `d_out`)
    pub fn predict_proba<'a>(
        &self,
        x: impl Into<Inputs<'a, T>>,
        out: ArrayViewMut2<'_, T>,
        n_threads: usize,
        interrupt: &dyn Interrupt,
    ) -> Result<()> {
        self.write(Wanted::Predictions, x.into(), out, n_threads, interrupt)
    }

    /// The most probable class of each row of `x`, on `n_threads` or fewer; the first of several that are equally
    /// probable. For a network that ends in [`Output::Sigmoid`]: 1 for each output above 1/2, 0 for the others.
    ///
    /// x: (n, `d_in`), out: n, or n * `d_out` for a sigmoid
    pub fn predict<'a>(
        &self,
        x: impl Into<Inputs<'a, T>>,
        out: &mut [i64],
        n_threads: usize,
        interrupt: &dyn Interrupt,
    ) -> Result<()> {
        let x = x.into();
        x.check_columns("X", self.plan.layout())?;
        let width = match self.plan.network().output() {
            Output::Softmax => 1,
            Output::Sigmoid => self.plan.layout().d_out(),
            output => return Err(Error::value("output", format!("{:?}", output.name()), "one with classes")),
        };
        check_len("out", out.len(), x.nrows() * width)?;
        self.infer(&x, n_threads, |inference, team| inference.classify(self.pass(interrupt), x, out, team))
    }

    /// Weighted mean of the losses of all rows, on `n_threads` or fewer.
    pub fn loss(&self, data: &Dataset<'_, T>, n_threads: usize, interrupt: &dyn Interrupt) -> Result<f64> {
        data.check(self.plan.network())?;
        self.infer(&data.x(), n_threads, |inference, team| {
            Ok(inference.tally(self.pass(interrupt), data, 1.0 / data.total_weight(), team)?.loss)
        })
    }

    /// [`loss`](Self::loss), and from the same pass the score: weighted accuracy where predictions are probabilities, else
    /// R squared, averaged over the outputs.
    pub fn evaluate(
        &self,
        data: &Dataset<'_, T>,
        n_threads: usize,
        interrupt: &dyn Interrupt,
    ) -> Result<(f64, f64)> {
        if *self.plan.network().loss() == Loss::Function {
            return Err(Error::value("loss", "a function", "a loss of fastmlp.losses, which has a score"));
        }
        data.check(self.plan.network())?;
        self.infer(&data.x(), n_threads, |inference, team| {
            let scale = 1.0 / data.total_weight();
            let (tally, score) = inference.evaluate(self.pass(interrupt), data, scale, team)?;
            Ok((tally.loss, score))
        })
    }

    /// Weighted mean of the losses of all rows, and the objective's penalty, on `n_threads` or fewer; `gradient`, as long
    /// as the parameters, becomes its gradient. The masks of dropout are a pure function of its seed.
    pub fn loss_and_grad(
        &self,
        data: &Dataset<'_, T>,
        objective: Objective,
        gradient: &mut [T],
        dropout: Option<(&Dropout, u64)>,
        n_threads: usize,
        interrupt: &dyn Interrupt,
    ) -> Result<f64> {
        check_len("gradient", gradient.len(), self.parameters.len())?;
        check_threads(n_threads)?;
        let pass = Pass { objective, ..self.pass(interrupt) };
        let with_buffers =
            |workspace: &mut _| gradient_of(workspace, pass, data, gradient, dropout, n_threads);
        let (tally, _) = self.workspaces.lend(with_buffers)?;
        Ok(tally.loss + tally.penalty)
    }

    /// The backward pass for a loss of the caller's own: from its derivative with respect to the logits to its
    /// gradient and its derivative with respect to `x`.
    ///
    /// x: (n, `d_in`), `d_logits`: (n, `d_out`), gradient: as long as the parameters, `d_x`: n * `d_in`, row after row
    pub fn backward(
        &self,
        x: ArrayView2<'_, T>,
        d_logits: ArrayView2<'_, T>,
        gradient: &mut [T],
        d_x: &mut [T],
        interrupt: &dyn Interrupt,
    ) -> Result<()> {
        Inputs::from(x).check_columns("X", self.plan.layout())?;
        self.check_like_logits("d_output", d_logits.shape(), x.nrows())?;
        check_len("gradient", gradient.len(), self.parameters.len())?;
        check_len("d_x", d_x.len(), x.len())?;
        self.workspaces.lend(|workspace| {
            workspace.reserve(&self.plan, &x.into(), x.nrows(), 1)?;
            workspace.pull_back(self.pass(interrupt), x, d_logits, gradient, d_x)
        })
    }

    /// Computes the gradient of the objective on all rows of `data`, and hands parameters, gradient, losses and the
    /// gradient's largest magnitude to `f`.
    pub(crate) fn with_gradient<R>(
        &mut self,
        data: &Dataset<'_, T>,
        objective: Objective,
        dropout: Option<(&Dropout, u64)>,
        interrupt: &dyn Interrupt,
        f: impl FnOnce((&Plan, &mut [T]), &[T], Tally, f64) -> Result<R>,
    ) -> Result<R> {
        let mut gradient = self.take_gradient()?;
        let workspaces = std::mem::take(&mut self.workspaces);
        let result = workspaces.lend(|workspace| {
            let pass = Pass { objective, ..self.pass(interrupt) };
            let (tally, largest) = gradient_of(workspace, pass, data, &mut gradient, dropout, 1)?;
            let done = f(self.parts_mut(), &gradient, tally, largest)?;
            self.move_running_statistics(workspace, data.n_rows());
            Ok(done)
        });
        (self.workspaces, self.gradient) = (workspaces, Some(gradient));
        result
    }

    /// The vector for gradients, made when it is first used; who takes it puts it back.
    pub(super) fn take_gradient(&mut self) -> Result<Buffer<T>> {
        self.gradient.take().map_or_else(|| Buffer::zeros("the gradient", self.parameters.len()), Ok)
    }

    /// [`Error::Shape`] unless an array has the shape of the logits of `n` rows.
    pub(super) fn check_like_logits(&self, name: &'static str, shape: &[usize], n: usize) -> Result<()> {
        let d_out = self.plan.layout().d_out();
        if shape == [n, d_out] {
            return Ok(());
        }
        Err(Error::shape(name, shape, format!("({n}, {d_out})")))
    }

    pub(crate) fn pass<'a>(&'a self, interrupt: &'a dyn Interrupt) -> Pass<'a, T> {
        let function = self.loss_function.as_deref();
        Pass::new(&self.plan, &self.parameters, function, interrupt)
    }

    fn write(
        &self,
        wanted: Wanted,
        x: Inputs<'_, T>,
        out: ArrayViewMut2<'_, T>,
        n_threads: usize,
        interrupt: &dyn Interrupt,
    ) -> Result<()> {
        x.check_columns("X", self.plan.layout())?;
        self.check_like_logits("out", out.shape(), x.nrows())?;
        self.infer(&x, n_threads, |inference, team| {
            inference.write(self.pass(interrupt), x, out, wanted, team)
        })
    }

    /// Lends `f` buffers for a pass without a gradient over these rows, and the threads for it.
    pub(super) fn infer<R>(
        &self,
        x: &Inputs<'_, T>,
        n_threads: usize,
        f: impl FnOnce(&Inference<T>, &mut Team) -> Result<R>,
    ) -> Result<R> {
        check_threads(n_threads)?;
        let workload = self.plan.inference().workload();
        let mut team = Team::new(workload.inference_threads::<T>(x.nrows(), n_threads));
        self.inferences.lend(|inference| {
            inference.reserve(&self.plan, x, team.len())?;
            f(inference, &mut team)
        })
    }
}

/// Losses of all rows, their gradient, and its largest magnitude.
fn gradient_of<T: Element>(
    workspace: &mut BatchWorkspace<T>,
    pass: Pass<'_, T>,
    data: &Dataset<'_, T>,
    gradient: &mut [T],
    dropout: Option<(&Dropout, u64)>,
    n_threads: usize,
) -> Result<(Tally, f64)> {
    pass.objective.check()?;
    data.check(pass.plan.network())?;
    data.check_batch(pass.plan.network())?;
    let n = data.n_rows();
    let mut team = Team::new(pass.plan.workload().gradient_threads(n, n_threads));
    workspace.reserve(pass.plan, &data.x(), n, team.len())?;
    let (rows, scale) = (Rows::Range(0, n), 1.0 / data.total_weight());
    let masks = dropout.map_or(Masks::NONE, |(dropout, seed)| dropout.masks(Key::new(seed)));
    let examples = Examples::batch(data, rows, scale, masks);
    workspace.gradient(pass, examples, gradient, &mut team)
}

pub(crate) fn check_threads(n_threads: usize) -> Result<()> {
    if n_threads == 0 {
        return Err(Error::value("n_threads", 0, "a number >= 1"));
    }
    Ok(())
}

pub(crate) fn check_len(name: &'static str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::shape(name, &[found], format!("({expected},)")))
}
