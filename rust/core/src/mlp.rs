//! The network with its parameters.

use std::sync::{Mutex, PoisonError};

use ndarray::{ArrayView2, ArrayViewMut2, s};

use crate::buffer::Buffer;
use crate::dataset::{Dataset, Examples, Rows, check_columns};
use crate::error::{Error, Result};
use crate::init::Init;
use crate::interrupt::{Interrupt, Never};
use crate::loss::{Tally, argmax};
use crate::network::Network;
use crate::optim::{Rule, State};
use crate::order::Seeds;
use crate::scalar::Scalar;
use crate::team::Team;
use crate::train::{Descent, EpochRecord, Schedule, Trainer, take_step};
use crate::workspace::{Pass, Workspace};

/// A multilayer perceptron that classifies: logits, softmax, cross-entropy.
///
/// All its parameters lie in one flat vector, which never moves; [`Layout`](crate::Layout) says where each layer is.
#[derive(Debug)]
pub struct Mlp<T: Scalar> {
    network: Network,
    parameters: Buffer<T>,
    seeds: Seeds,
    /// Workspaces at rest. A call takes one, or makes one, and puts it back: calls on several threads each have theirs.
    workspaces: Mutex<Vec<Workspace<T>>>,
    /// Of [`step`](Self::step), made when it is first used.
    gradient: Option<Buffer<T>>,
}

impl<T: Scalar> Mlp<T> {
    /// A network with initial weights drawn from `seed`.
    pub fn new(network: Network, init: Init, seed: u64) -> Result<Self> {
        let mut mlp = Self::zeros(network, seed)?;
        let first = mlp.seeds.next_seed();
        init.fill(mlp.network.layout(), mlp.network.activations(), first, &mut mlp.parameters);
        Ok(mlp)
    }

    /// A network whose parameters are all 0, to be filled. `seeds` is the [state](Self::seeds) of its randomness.
    pub fn zeros(network: Network, seeds: u64) -> Result<Self> {
        let parameters = Buffer::zeros("the parameters", network.layout().n_parameters())?;
        let (seeds, workspaces) = (Seeds::new(seeds), Mutex::default());
        Ok(Self { network, parameters, seeds, workspaces, gradient: None })
    }

    /// The architecture.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// All parameters, laid out as [`Layout`](crate::Layout) says.
    pub fn parameters(&self) -> &[T] {
        &self.parameters
    }

    /// All parameters, to be changed.
    pub fn parameters_mut(&mut self) -> &mut [T] {
        &mut self.parameters
    }

    /// The address of the parameters, which is theirs for life.
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

    /// Logits of the rows of `x`.
    ///
    /// x: (n, `d_in`), out: (n, `d_out`)
    pub fn forward(
        &self,
        x: ArrayView2<'_, T>,
        out: ArrayViewMut2<'_, T>,
        interrupt: &dyn Interrupt,
    ) -> Result<()> {
        self.write_logits(x, out, interrupt, |_| ())
    }

    /// Probabilities of the classes for the rows of `x`.
    ///
    /// x: (n, `d_in`), out: (n, `d_out`)
    pub fn predict_proba(
        &self,
        x: ArrayView2<'_, T>,
        out: ArrayViewMut2<'_, T>,
        interrupt: &dyn Interrupt,
    ) -> Result<()> {
        let d_out = self.network.layout().d_out();
        self.write_logits(x, out, interrupt, |logits| T::softmax(logits, d_out))
    }

    /// The likeliest class of each row of `x`; the first of several that are equally likely.
    ///
    /// x: (n, `d_in`), out: (n,)
    #[allow(clippy::cast_possible_wrap, reason = "an index of a class")]
    pub fn predict(&self, x: ArrayView2<'_, T>, out: &mut [i64], interrupt: &dyn Interrupt) -> Result<()> {
        check_columns("X", &x, self.network.layout())?;
        check_len("out", out.len(), x.nrows())?;
        let d_out = self.network.layout().d_out();
        self.with_workspace(x.nrows(), |workspace| {
            workspace.for_each_logits(self.pass(interrupt), x, |first, logits| {
                for (class, logits) in out[first..].iter_mut().zip(logits.chunks_exact(d_out)) {
                    *class = argmax(logits) as i64;
                }
            })
        })
    }

    /// Weighted mean of the losses of all rows.
    pub fn loss(&self, data: &Dataset<'_, T>, interrupt: &dyn Interrupt) -> Result<f64> {
        data.check(self.network.layout())?;
        self.with_workspace(data.n_rows(), |workspace| {
            Ok(workspace.tally(self.pass(interrupt), data, 1.0 / data.total_weight())?.loss)
        })
    }

    /// Weighted mean of the losses of all rows; `gradient`, as long as the parameters, becomes its gradient.
    pub fn loss_and_grad(
        &self,
        data: &Dataset<'_, T>,
        gradient: &mut [T],
        interrupt: &dyn Interrupt,
    ) -> Result<f64> {
        check_len("gradient", gradient.len(), self.parameters.len())?;
        Ok(self.gradient_of(data, gradient, interrupt)?.0.loss)
    }

    /// The way back for a loss of the caller's own: from its derivative with respect to the logits to its gradient
    /// and its derivative with respect to `x`.
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
        check_columns("X", &x, self.network.layout())?;
        self.check_like_logits("d_output", d_logits.shape(), x.nrows())?;
        check_len("gradient", gradient.len(), self.parameters.len())?;
        check_len("d_x", d_x.len(), x.len())?;
        self.with_workspace(0, |workspace| {
            workspace.gradients.reserve(&self.network, x.nrows(), 1)?;
            workspace.gradients.pull_back(self.pass(interrupt), x, d_logits, gradient, d_x)
        })
    }

    /// One update on all rows of `data`; returns the loss before it.
    pub fn step(
        &mut self,
        data: &Dataset<'_, T>,
        rule: &Rule,
        state: &mut State<T>,
        interrupt: &dyn Interrupt,
    ) -> Result<f64> {
        let n_parameters = self.parameters.len();
        state.check(rule, n_parameters)?;
        let mut gradient = match self.gradient.take() {
            Some(gradient) => gradient,
            None => Buffer::zeros("the gradient", n_parameters)?,
        };
        let result = self.gradient_of(data, &mut gradient, interrupt).and_then(|(tally, largest)| {
            let descent = Descent { loss: tally.loss, gradient: &gradient, largest };
            take_step((rule, state), &mut self.parameters, descent, &mut Team::new(1), (1, 1))
                .map(|()| tally.loss)
                .map_err(|diverged| data.check_finite().err().unwrap_or(diverged))
        });
        self.gradient = Some(gradient);
        result
    }

    /// Trains for a number of epochs and returns what each of them showed.
    pub fn fit<'a>(
        &mut self,
        train: Dataset<'a, T>,
        validation: Option<Dataset<'a, T>>,
        rule: &Rule,
        state: &mut State<T>,
        epochs: usize,
        schedule: Schedule,
    ) -> Result<Vec<EpochRecord>> {
        let mut trainer = Trainer::new(self, train, validation, schedule)?;
        (0..epochs).map(|_| trainer.epoch(self, rule, state, &Never)).collect()
    }

    /// Losses of all rows, their gradient, and its largest magnitude.
    fn gradient_of(
        &self,
        data: &Dataset<'_, T>,
        gradient: &mut [T],
        interrupt: &dyn Interrupt,
    ) -> Result<(Tally, f64)> {
        data.check(self.network.layout())?;
        let n = data.n_rows();
        self.with_workspace(0, |workspace| {
            let gradients = &mut workspace.gradients;
            gradients.reserve(&self.network, n, 1)?;
            let examples = Examples { data, rows: Rows::Range(0, n), scale: 1.0 / data.total_weight() };
            gradients.gradient(self.pass(interrupt), examples, gradient, &mut Team::new(1))
        })
    }

    /// [`Error::Shape`] unless an array has the shape of the logits of `n` rows.
    fn check_like_logits(&self, name: &'static str, shape: &[usize], n: usize) -> Result<()> {
        let d_out = self.network.layout().d_out();
        if shape == [n, d_out] {
            return Ok(());
        }
        Err(Error::shape(name, shape, format!("({n}, {d_out})")))
    }

    pub(crate) fn pass<'a>(&'a self, interrupt: &'a dyn Interrupt) -> Pass<'a, T> {
        Pass { network: &self.network, parameters: &self.parameters, interrupt }
    }

    fn write_logits(
        &self,
        x: ArrayView2<'_, T>,
        mut out: ArrayViewMut2<'_, T>,
        interrupt: &dyn Interrupt,
        finish: impl Fn(&mut [T]),
    ) -> Result<()> {
        check_columns("X", &x, self.network.layout())?;
        self.check_like_logits("out", out.shape(), x.nrows())?;
        let d_out = self.network.layout().d_out();
        self.with_workspace(x.nrows(), |workspace| {
            workspace.for_each_logits(self.pass(interrupt), x, |first, logits| {
                finish(logits);
                let n = logits.len() / d_out;
                let logits = ArrayView2::from_shape((n, d_out), logits).expect("whole rows");
                out.slice_mut(s![first..first + n, ..]).assign(&logits);
            })
        })
    }

    /// Lends `f` a workspace for `n` rows that go forward.
    fn with_workspace<R>(&self, n: usize, f: impl FnOnce(&mut Workspace<T>) -> Result<R>) -> Result<R> {
        let at_rest = || self.workspaces.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = at_rest().pop();
        let mut workspace = idle.unwrap_or_else(|| Workspace::new(&self.network));
        workspace.reserve_forward(&self.network, n)?;
        let result = f(&mut workspace);
        at_rest().push(workspace);
        result
    }
}

fn check_len(name: &'static str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::shape(name, &[found], format!("({expected},)")))
}
