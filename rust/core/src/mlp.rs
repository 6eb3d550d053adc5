//! The network with its parameters.

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::buffer::Buffer;
use crate::dataset::{Dataset, Examples};
use crate::dropout::{Dropout, Key, Masks};
use crate::error::{Error, Result};
use crate::gradient::Gradients;
use crate::inference::{Inference, Stage, useful_threads};
use crate::init::Init;
use crate::inputs::Inputs;
use crate::interrupt::{Interrupt, Never};
use crate::loss::{Objective, Tally};
use crate::network::Network;
use crate::optim::{Rule, State};
use crate::order::Seeds;
use crate::output::Output;
use crate::pool::Pool;
use crate::rows::Rows;
use crate::scalar::Scalar;
use crate::team::Team;
use crate::tile::Pass;
use crate::train::{Descent, EpochRecord, Schedule, Trainer, take_step};

/// A multilayer perceptron.
///
/// All its parameters lie in one flat vector, which never moves; [`Layout`](crate::Layout) says where each layer is.
#[derive(Debug)]
pub struct Mlp<T: Scalar> {
    network: Network,
    parameters: Buffer<T>,
    seeds: Seeds,
    gradients: Pool<Gradients<T>>,
    inferences: Pool<Inference<T>>,
    /// Of [`step`](Self::step), made when it is first used.
    gradient: Option<Buffer<T>>,
}

impl<T: Scalar> Mlp<T> {
    /// A network with initial weights drawn from `seed`.
    pub fn new(network: Network, init: Init, seed: u64) -> Result<Self> {
        let mut mlp = Self::zeros(network, seed)?;
        let first = mlp.seeds.next_seed();
        init.fill(mlp.network.layout(), mlp.network.activations(), first, &mut mlp.parameters)?;
        Ok(mlp)
    }

    /// A network whose parameters are all 0, to be filled. `seeds` is the [state](Self::seeds) of its randomness.
    pub fn zeros(network: Network, seeds: u64) -> Result<Self> {
        let parameters = Buffer::zeros("the parameters", network.layout().n_parameters())?;
        let (gradients, inferences) = (Pool::default(), Pool::default());
        Ok(Self { network, parameters, seeds: Seeds::new(seeds), gradients, inferences, gradient: None })
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
        self.write(Stage::Sums, x.into(), out, n_threads, interrupt)
    }

    /// What the network's output makes of the sums for the rows of `x`, on `n_threads` or fewer: probabilities of the
    /// classes of a softmax.
    ///
    /// x: (n, `d_in`), out: (n, `d_out`)
    pub fn predict_proba<'a>(
        &self,
        x: impl Into<Inputs<'a, T>>,
        out: ArrayViewMut2<'_, T>,
        n_threads: usize,
        interrupt: &dyn Interrupt,
    ) -> Result<()> {
        self.write(Stage::Predictions, x.into(), out, n_threads, interrupt)
    }

    /// The likeliest class of each row of `x`, on `n_threads` or fewer; the first of several that are equally likely. For
    /// a network that ends in [`Output::Sigmoid`]: 1 for each output above a half, 0 for the others.
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
        x.check_columns("X", self.network.layout())?;
        let width = match self.network.output() {
            Output::Softmax => 1,
            Output::Sigmoid => self.network.layout().d_out(),
            output => return Err(Error::value("output", format!("{:?}", output.name()), "one with classes")),
        };
        check_len("out", out.len(), x.nrows() * width)?;
        self.infer(&x, n_threads, |inference, team| inference.classify(self.pass(interrupt), x, out, team))
    }

    /// Weighted mean of the losses of all rows, on `n_threads` or fewer.
    pub fn loss(&self, data: &Dataset<'_, T>, n_threads: usize, interrupt: &dyn Interrupt) -> Result<f64> {
        data.check(&self.network)?;
        self.infer(&data.x(), n_threads, |inference, team| {
            Ok(inference.tally(self.pass(interrupt), data, 1.0 / data.total_weight(), team)?.loss)
        })
    }

    /// Weighted mean of the losses of all rows, and the objective's penalty; `gradient`, as long as the parameters,
    /// becomes its gradient. The masks of dropout are a pure function of its seed.
    pub fn loss_and_grad(
        &self,
        data: &Dataset<'_, T>,
        objective: Objective,
        gradient: &mut [T],
        dropout: Option<(&Dropout, u64)>,
        interrupt: &dyn Interrupt,
    ) -> Result<f64> {
        check_len("gradient", gradient.len(), self.parameters.len())?;
        let (tally, _) = self.gradient_of(data, objective, gradient, dropout, interrupt)?;
        Ok(tally.loss + tally.penalty)
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
        Inputs::from(x).check_columns("X", self.network.layout())?;
        self.check_like_logits("d_output", d_logits.shape(), x.nrows())?;
        check_len("gradient", gradient.len(), self.parameters.len())?;
        check_len("d_x", d_x.len(), x.len())?;
        self.gradients.lend(|gradients| {
            gradients.reserve(&self.network, &x.into(), x.nrows(), 1)?;
            gradients.pull_back(self.pass(interrupt), x, d_logits, gradient, d_x)
        })
    }

    /// One update on all rows of `data`; returns the objective before it. Dropout as for
    /// [`loss_and_grad`](Self::loss_and_grad).
    pub fn step(
        &mut self,
        data: &Dataset<'_, T>,
        objective: Objective,
        (rule, state): (&Rule, &mut State<T>),
        dropout: Option<(&Dropout, u64)>,
        interrupt: &dyn Interrupt,
    ) -> Result<f64> {
        let n_parameters = self.parameters.len();
        state.check(rule, n_parameters)?;
        let mut gradient = match self.gradient.take() {
            Some(gradient) => gradient,
            None => Buffer::zeros("the gradient", n_parameters)?,
        };
        let result = self.gradient_of(data, objective, &mut gradient, dropout, interrupt).and_then(
            |(tally, largest)| {
                let loss = tally.loss + tally.penalty;
                let descent = Descent { loss, gradient: &gradient, largest };
                take_step((rule, state), &mut self.parameters, descent, &mut Team::new(1), (1, 1))
                    .map(|()| loss)
                    .map_err(|diverged| data.check_finite().err().unwrap_or(diverged))
            },
        );
        self.gradient = Some(gradient);
        result
    }

    /// One update along a gradient of the caller's own, as long as the parameters.
    pub fn descend(&mut self, gradient: &[T], (rule, state): (&Rule, &mut State<T>)) -> Result<()> {
        state.check(rule, self.parameters.len())?;
        check_len("gradient", gradient.len(), self.parameters.len())?;
        let descent = Descent { loss: 0.0, gradient, largest: T::largest_magnitude(gradient).into() };
        take_step((rule, state), &mut self.parameters, descent, &mut Team::new(1), (1, 1))
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
        objective: Objective,
        gradient: &mut [T],
        dropout: Option<(&Dropout, u64)>,
        interrupt: &dyn Interrupt,
    ) -> Result<(Tally, f64)> {
        objective.check()?;
        data.check(&self.network)?;
        let n = data.n_rows();
        self.gradients.lend(|gradients| {
            gradients.reserve(&self.network, &data.x(), n, 1)?;
            let (rows, scale) = (Rows::Range(0, n), 1.0 / data.total_weight());
            let masks = dropout.map_or(Masks::NONE, |(dropout, seed)| dropout.masks(Key::new(seed)));
            let examples = Examples::batch(data, rows, scale, masks);
            let pass = Pass { objective, ..self.pass(interrupt) };
            gradients.gradient(pass, examples, gradient, &mut Team::new(1))
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
        Pass {
            network: &self.network,
            parameters: &self.parameters,
            objective: Objective::default(),
            interrupt,
        }
    }

    fn write(
        &self,
        stage: Stage,
        x: Inputs<'_, T>,
        out: ArrayViewMut2<'_, T>,
        n_threads: usize,
        interrupt: &dyn Interrupt,
    ) -> Result<()> {
        x.check_columns("X", self.network.layout())?;
        self.check_like_logits("out", out.shape(), x.nrows())?;
        self.infer(&x, n_threads, |inference, team| {
            inference.write(self.pass(interrupt), x, out, stage, team)
        })
    }

    /// Lends `f` buffers for a pass without a gradient over these rows, and the threads for it.
    fn infer<R>(
        &self,
        x: &Inputs<'_, T>,
        n_threads: usize,
        f: impl FnOnce(&Inference<T>, &mut Team) -> Result<R>,
    ) -> Result<R> {
        if n_threads == 0 {
            return Err(Error::value("n_threads", 0, "a number >= 1"));
        }
        let mut team = Team::new(useful_threads::<T>(&self.network, x.nrows(), n_threads));
        self.inferences.lend(|inference| {
            inference.reserve(&self.network, x, team.len())?;
            f(inference, &mut team)
        })
    }
}

fn check_len(name: &'static str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::shape(name, &[found], format!("({expected},)")))
}
