//! The operations of a network for Python, independent of its element type, which is chosen here.

use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, TryLockError};

use fastmlp_core::{
    Error, Init, Inputs, Interrupt, Layout, Loss, Mlp, Names, Network, Never, Numbers, Objective, State,
    is_brief,
};
use ndarray::ArrayViewMut2;
use pyo3::prelude::*;

use crate::array::{Matrix, Vector, check_apart, view_of};
use crate::detached::watched;
use crate::dropout::SeededDropout;
use crate::error::{BindError, BindResult};
use crate::history::History;
use crate::inputs::InputArray;
use crate::loss_function::LossFunction;
use crate::network_file::copied;
use crate::optimizer::{Optimizer, Stateful};
use crate::out::{Out, zeros};
use crate::training::{DataArguments, DataArrays, FitArguments, Training};

/// A network of either type.
pub(crate) trait Engine: Send + Sync {
    /// NumPy's name of the type.
    fn dtype(&self) -> &'static str;
    /// The parameters, live; `owner` keeps this engine alive.
    fn parameters<'py>(&self, owner: Bound<'py, PyAny>) -> Bound<'py, PyAny>;
    /// The last layer's sums, or the predictions that the output makes from them.
    fn forward<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
        predicts: bool,
        n_threads: usize,
    ) -> BindResult<Bound<'py, PyAny>>;
    /// Classes.
    fn predict<'py>(&self, x: &Bound<'py, PyAny>, n_threads: usize) -> BindResult<Bound<'py, PyAny>>;
    /// Weighted mean loss.
    fn loss(&self, data: &DataArguments<'_, '_>, n_threads: usize) -> BindResult<f64>;
    /// Weighted mean loss, and the accuracy or R squared.
    fn evaluate(&self, data: &DataArguments<'_, '_>, n_threads: usize) -> BindResult<(f64, f64)>;
    /// The objective and its gradient.
    fn loss_and_grad<'py>(
        &self,
        data: &DataArguments<'_, 'py>,
        objective: Objective,
        dropout: &SeededDropout,
        n_threads: usize,
    ) -> BindResult<(f64, Bound<'py, PyAny>)>;
    /// The gradient and the derivative with respect to X, for a loss of the caller's own.
    fn backward<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        d_output: &Bound<'py, PyAny>,
    ) -> BindResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)>;
    /// One update.
    fn step(
        &self,
        data: &DataArguments<'_, '_>,
        objective: Objective,
        optimizer: &Optimizer,
        dropout: &SeededDropout,
    ) -> BindResult<f64>;
    /// One update along the caller's own gradient.
    fn descend(&self, gradient: &Bound<'_, PyAny>, optimizer: &Optimizer) -> BindResult<()>;
    /// Epochs of updates.
    fn fit(
        &self,
        data: &DataArguments<'_, '_>,
        optimizer: &Optimizer,
        arguments: &FitArguments<'_, '_>,
    ) -> BindResult<History>;
    /// The parameters and the state of the network's random stream, at one moment.
    fn snapshot(&self) -> BindResult<(Numbers, u64)>;
}

/// A new engine, with the one `match` on the type. Without an initialiser all parameters are 0 and
/// `seed` is the state that [`Engine::snapshot`] gave.
pub(crate) fn build(
    dtype: &str,
    network: Network,
    init: Option<Init>,
    seed: u64,
    loss_function: Option<&Arc<LossFunction>>,
) -> BindResult<Box<dyn Engine>> {
    match dtype {
        "float32" => Shared::<f32>::boxed(network, init, seed, loss_function),
        "float64" => Shared::<f64>::boxed(network, init, seed, loss_function),
        _ => {
            let expected = r#""float32" or "float64""#;
            Err(Error::value("dtype", format_args!("{dtype:?}"), expected).into())
        }
    }
}

/// A network that several threads may call.
pub(crate) struct Shared<T: Stateful> {
    mlp: RwLock<Mlp<T>>,
    training: AtomicBool,
    /// Calls that may call a loss of the caller's own.
    evaluating: AtomicUsize,
    network: Network,
    /// Multiplications and additions of a row on its way forward.
    flops: usize,
    /// The fixed address of the parameters: a pointer that threads may share, readable without the
    /// lock.
    parameters: AtomicPtr<T>,
}

const TRAINING: BindError =
    BindError::Busy("the network is being trained by another call: wait for it to return");
const EVALUATING: BindError =
    BindError::Busy("the network's loss function is at work in another call: wait for it to return");

impl<T: Stateful> Shared<T> {
    fn boxed(
        network: Network,
        init: Option<Init>,
        seed: u64,
        loss_function: Option<&Arc<LossFunction>>,
    ) -> BindResult<Box<dyn Engine>> {
        let mlp = match init {
            Some(init) => Mlp::<T>::new(network.clone(), init, seed)?,
            None => Mlp::<T>::zeros(network.clone(), seed)?,
        };
        let mlp = match loss_function {
            Some(function) => mlp.with_loss_function(Arc::<LossFunction>::clone(function)),
            None => mlp,
        };
        let parameters = AtomicPtr::new(mlp.parameters_ptr());
        let (training, evaluating) = (AtomicBool::new(false), AtomicUsize::new(0));
        let flops = mlp.flops();
        Ok(Box::new(Self { mlp: RwLock::new(mlp), training, evaluating, network, flops, parameters }))
    }

    /// Reads the network, detached from the interpreter; fails while it is trained.
    fn read<R: Send>(
        &self,
        py: Python<'_>,
        f: impl FnOnce(&Mlp<T>, &dyn Interrupt) -> fastmlp_core::Result<R> + Send,
    ) -> BindResult<R> {
        watched(py, |interrupt| Ok(f(&*self.mlp()?, interrupt)?))
    }

    /// As [`read`](Self::read), for a pass without a gradient over `n` rows: attached, if detaching
    /// would take longer than the pass.
    fn infer<R: Send>(
        &self,
        py: Python<'_>,
        n: usize,
        f: impl FnOnce(&Mlp<T>, &dyn Interrupt) -> fastmlp_core::Result<R> + Send,
    ) -> BindResult<R> {
        if self.is_brief(n) { Ok(f(&*self.mlp()?, &Never)?) } else { self.read(py, f) }
    }

    /// Whether a pass without a gradient over `n` rows ends before signals would be checked.
    fn is_brief(&self, n: usize) -> bool {
        is_brief(n.saturating_mul(self.flops))
    }

    /// The right to train, which one call has at a time.
    fn claim(&self) -> BindResult<Claim<'_>> {
        if self.training.swap(true, Ordering::SeqCst) {
            return Err(TRAINING);
        }
        let claim = Claim(&self.training);
        if self.evaluating.load(Ordering::SeqCst) > 0 {
            return Err(EVALUATING);
        }
        Ok(claim)
    }

    /// Held while a call may call a loss of the caller's own: if that trained the network, it would wait for itself.
    fn evaluation(&self) -> Option<Evaluation<'_>> {
        (*self.network.loss() == Loss::Function).then(|| {
            self.evaluating.fetch_add(1, Ordering::SeqCst);
            Evaluation(&self.evaluating)
        })
    }

    /// The network, unless it is being trained. Never waits: waiting while attached would keep the
    /// training from attaching.
    fn mlp(&self) -> BindResult<RwLockReadGuard<'_, Mlp<T>>> {
        match self.mlp.try_read() {
            Ok(mlp) => Ok(mlp),
            // A call that panicked left the parameters of a whole step.
            Err(TryLockError::Poisoned(mlp)) => Ok(mlp.into_inner()),
            Err(TryLockError::WouldBlock) => Err(TRAINING),
        }
    }

    /// The addresses of the parameters.
    fn span(&self, start: *const T) -> std::ops::Range<usize> {
        let start = start as usize;
        start..start + self.layout().n_parameters() * size_of::<T>()
    }
}

struct Claim<'a>(&'a AtomicBool);

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

struct Evaluation<'a>(&'a AtomicUsize);

impl Drop for Evaluation<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl<T: Stateful> Engine for Shared<T> {
    fn dtype(&self) -> &'static str {
        T::DTYPE
    }

    fn parameters<'py>(&self, owner: Bound<'py, PyAny>) -> Bound<'py, PyAny> {
        let (start, len) = (self.parameters_ptr(), self.layout().n_parameters());
        // SAFETY: the parameters never move, and the owner keeps this engine, and with it the parameters, alive.
        unsafe { view_of::<T>(owner, start, len) }.into_any()
    }

    fn forward<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
        predicts: bool,
        n_threads: usize,
    ) -> BindResult<Bound<'py, PyAny>> {
        let py = x.py();
        // Inspecting `out` may run Python code.
        let input = InputArray::<T>::attached("X", x, |n| out.is_none() && self.is_brief(n))?;
        let rows = input.view("X")?;
        rows.check_columns("X", self.layout())?;
        let shape = [rows.nrows(), self.layout().d_out()];
        let write = |to: ArrayViewMut2<'_, T>| {
            self.infer(py, shape[0], |mlp, interrupt| {
                if predicts {
                    mlp.predict_proba(rows, to, n_threads, interrupt)
                } else {
                    mlp.forward(rows, to, n_threads, interrupt)
                }
            })
        };
        let Some(out) = out else {
            let mut result = zeros::<T, 2>(py, shape)?;
            write(result.view_mut())?;
            return Ok(result.into_any());
        };
        let (of_x, of_parameters) = (input.spans(), self.span(self.parameters_ptr()));
        let parameters = (&of_parameters, "the network's parameters");
        let inputs: Vec<_> = of_x.iter().map(|span| (span, "X")).chain([parameters]).collect();
        write(Out::<T>::extract(out, shape, &inputs)?.view_mut())?;
        Ok(out.clone())
    }

    fn predict<'py>(&self, x: &Bound<'py, PyAny>, n_threads: usize) -> BindResult<Bound<'py, PyAny>> {
        let py = x.py();
        if !self.network.output().is_probability() {
            return self.forward(x, None, true, n_threads);
        }
        let input = InputArray::<T>::attached("X", x, |n| self.is_brief(n))?;
        let rows = input.view("X")?;
        rows.check_columns("X", self.layout())?;
        let n = rows.nrows();
        let predict =
            |to: &mut [i64]| self.infer(py, n, |mlp, interrupt| mlp.predict(rows, to, n_threads, interrupt));
        if self.network.has_classes() {
            let mut classes = zeros::<i64, 1>(py, [n])?;
            predict(classes.slice_mut())?;
            return Ok(classes.into_any());
        }
        let mut likely = zeros::<i64, 2>(py, [n, self.layout().d_out()])?;
        predict(likely.slice_mut())?;
        Ok(likely.into_any())
    }

    fn loss(&self, data: &DataArguments<'_, '_>, n_threads: usize) -> BindResult<f64> {
        let arrays = data.arrays::<T>(Names::TRAINING, &self.network)?;
        let views = arrays.views()?;
        let _evaluation = self.evaluation();
        self.infer(data.py(), views.n_rows(), |mlp, interrupt| {
            let dataset = views.dataset(mlp.network())?;
            mlp.loss(&dataset, n_threads, interrupt)
        })
    }

    fn evaluate(&self, data: &DataArguments<'_, '_>, n_threads: usize) -> BindResult<(f64, f64)> {
        let arrays = data.arrays::<T>(Names::TRAINING, &self.network)?;
        let views = arrays.views()?;
        self.infer(data.py(), views.n_rows(), |mlp, interrupt| {
            let dataset = views.dataset(mlp.network())?;
            mlp.evaluate(&dataset, n_threads, interrupt)
        })
    }

    fn loss_and_grad<'py>(
        &self,
        data: &DataArguments<'_, 'py>,
        objective: Objective,
        dropout: &SeededDropout,
        n_threads: usize,
    ) -> BindResult<(f64, Bound<'py, PyAny>)> {
        let arrays = data.arrays::<T>(Names::TRAINING, &self.network)?;
        let views = arrays.views()?;
        let mut gradient = zeros::<T, 1>(data.py(), [self.layout().n_parameters()])?;
        let to = gradient.slice_mut();
        let _evaluation = self.evaluation();
        let loss = self.read(data.py(), |mlp, interrupt| {
            let dataset = views.dataset(mlp.network())?;
            mlp.loss_and_grad(&dataset, objective, to, dropout.masks(|| 0), n_threads, interrupt)
        })?;
        Ok((loss, gradient.into_any()))
    }

    fn backward<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        d_output: &Bound<'py, PyAny>,
    ) -> BindResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let py = x.py();
        let (x, d_output) = (Matrix::<T>::extract("X", x)?, Matrix::<T>::extract("d_output", d_output)?);
        let (rows, d_logits) = (x.view(), d_output.view());
        Inputs::from(rows).check_columns("X", self.layout())?;
        let mut gradient = zeros::<T, 1>(py, [self.layout().n_parameters()])?;
        let mut d_x = zeros::<T, 2>(py, [rows.nrows(), rows.ncols()])?;
        let (to, d_to) = (gradient.slice_mut(), d_x.slice_mut());
        self.read(py, |mlp, interrupt| mlp.backward(rows, d_logits, to, d_to, interrupt))?;
        Ok((gradient.into_any(), d_x.into_any()))
    }

    fn step(
        &self,
        data: &DataArguments<'_, '_>,
        objective: Objective,
        optimizer: &Optimizer,
        dropout: &SeededDropout,
    ) -> BindResult<f64> {
        let arrays = data.arrays::<T>(Names::TRAINING, &self.network)?;
        self.check_inputs_apart(&arrays)?;
        let views = arrays.views()?;
        let _claim = self.claim()?;
        let reservation = optimizer.reserve()?;
        let mut loan = reservation.lend::<T>(self.layout().n_parameters())?;
        let (rule, options) = (loan.rule(), reservation.options());
        let state: &mut State<T> = loan.state();
        watched(data.py(), |interrupt| {
            let mut mlp = self.mlp.write().unwrap_or_else(PoisonError::into_inner);
            let dataset = views.dataset(mlp.network())?;
            let masks = dropout.masks(|| mlp.next_seed());
            Ok(mlp.step(&dataset, objective, (&rule, &options, state), masks, interrupt)?)
        })
    }

    fn descend(&self, gradient: &Bound<'_, PyAny>, optimizer: &Optimizer) -> BindResult<()> {
        let vector = Vector::<T>::extract("gradient", gradient, self.layout().n_parameters())?;
        let parameters = self.span(self.parameters_ptr());
        check_apart("gradient", &vector.span(), &parameters, "the network's parameters")?;
        let _claim = self.claim()?;
        let reservation = optimizer.reserve()?;
        let mut loan = reservation.lend::<T>(self.layout().n_parameters())?;
        let (rule, options) = (loan.rule(), reservation.options());
        let (values, state) = (vector.view()?, loan.state());
        Ok(gradient.py().detach(|| {
            let mut mlp = self.mlp.write().unwrap_or_else(PoisonError::into_inner);
            mlp.descend(values, (&rule, &options, state))
        })?)
    }

    fn fit(
        &self,
        data: &DataArguments<'_, '_>,
        optimizer: &Optimizer,
        arguments: &FitArguments<'_, '_>,
    ) -> BindResult<History> {
        let arrays = data.arrays::<T>(Names::TRAINING, &self.network)?;
        self.check_inputs_apart(&arrays)?;
        let validation = arguments.validation.as_ref();
        let validation =
            validation.map(|data| data.arrays::<T>(Names::VALIDATION, &self.network)).transpose()?;
        if let Some(validation) = &validation {
            self.check_inputs_apart(validation)?;
        }
        let _claim = self.claim()?;
        let n_parameters = self.layout().n_parameters();
        let optimizer = optimizer.reserve()?;
        // An optimizer whose state does not fit is refused before the data is read.
        drop(optimizer.lend::<T>(n_parameters)?);
        let has_accuracy = self.network.output().is_probability();
        Training { mlp: &self.mlp, optimizer, n_parameters, has_accuracy, arguments }.run(
            data.py(),
            &arrays,
            validation.as_ref(),
        )
    }

    fn snapshot(&self) -> BindResult<(Numbers, u64)> {
        let mlp = self.mlp()?;
        Ok((T::numbers(copied(mlp.parameters().iter())?), mlp.seeds()))
    }
}

impl<T: Stateful> Shared<T> {
    fn parameters_ptr(&self) -> *mut T {
        self.parameters.load(Ordering::Relaxed)
    }

    fn layout(&self) -> &Layout {
        self.network.layout()
    }

    /// Fails if an input shares memory that training writes to.
    fn check_inputs_apart(&self, arrays: &DataArrays<'_, '_, T>) -> BindResult<()> {
        let parameters = self.span(self.parameters_ptr());
        let check = |(name, span)| check_apart(name, &span, &parameters, "the network's parameters");
        arrays.spans().into_iter().try_for_each(check)
    }
}
