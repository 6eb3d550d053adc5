//! The optimizer classes: a rule, and the state that it keeps for the network it was used with.

mod adam;
mod adamw;
mod loan;
mod options;
mod sgd;
mod state;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fastmlp_core::{Adam as AdamRule, Error, Options, RateSchedule, Rule, State};
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::argument;
use crate::array::PyScalar;
use crate::error::{BindError, BindResult};
use crate::integer::{count, integer};
use crate::mlp::MLP;
use crate::out::zeros;

pub(crate) use adam::Adam;
pub(crate) use adamw::AdamW;
pub(crate) use loan::Reservation;
pub(crate) use sgd::SGD;
pub(crate) use state::Stateful;
use state::{AnyState, counted, loaded};

/// Base class of the optimizers: a learning rate, options, and a state for the network it trains.
///
/// `SGD`, `Adam` and `AdamW` are optimizers; this class has no constructor of its own.
///
/// Attributes
/// ----------
/// learning_rate : float
///     Length of a step; it can be set.
/// clip_norm : float or None
///     The largest norm of a gradient.
/// schedule : str or None
///     How the learning rate changes from step to step of a fit.
/// warmup : float or None
///     Fraction of the steps of a fit during which the learning rate rises.
/// lr_factors : dict or None
///     Factors of the learning rate by role, for the roles whose factor is not 1.
///
/// Notes ----- A step with a `clip_norm` uses the gradient of the objective, penalty included,
/// times ``min(1, clip_norm / (norm + 1e-6))``, where ``norm`` is the Euclidean norm of the whole
/// gradient, as ``torch.nn.utils.clip_grad_norm_`` does [1].
///
/// A `schedule` multiplies `learning_rate` by a factor in each step of `MLP.fit`. In a fit of ``S``
/// steps, its epochs times the batches per epoch, with ``W = ceil(warmup * S)``, step ``t``, from
/// 0, has the factor ::
///
///     (t + 1) / (W + 1)                      while t < W, and then
///     1                                      "constant"
///     (1 + cos(pi * u)) / 2                  "cosine" [2]
///     1 - u                                  "linear", where u = (t - W) / max(S - W, 1)
///
/// The warm-up is PyTorch's ``LinearLR(start_factor=1 / (W + 1), total_iters=W)``, which
/// ``CosineAnnealingLR(T_max=S - W)`` or ``LinearLR(1, 0, total_iters=S - W)`` follow.
/// ``"one_cycle"`` is its ``OneCycleLR(max_lr=learning_rate, total_steps=S, pct_start=warmup)``
/// without a cycle of the momentum [3]: from 1/25 the factor rises to 1 at step
/// ``warmup * S - 1`` and falls to 1/250000 in the last step, both along half a cosine.
///
/// The steps of earlier epochs count: a fit that starts at an `initial_epoch`, as that of a
/// `Checkpoint` does, continues the schedule of all its `epochs`. `MLP.step` and `Optimizer.step`
/// belong to no fit and use the learning rate as it is.
///
/// References
/// ----------
/// .. [1] R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural
///    networks", ICML 2013.
/// .. [2] I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts",
///    ICLR 2017.
/// .. [3] L. N. Smith and N. Topin, "Super-convergence: very fast training of neural networks using
///    large learning rates", 2018.
#[pyclass(frozen, subclass, module = "fastmlp")]
pub(crate) struct Optimizer {
    rule: Mutex<Rule>,
    options: Options,
    state: Mutex<AnyState>,
    /// Whether a call trains with the optimizer; changed only while `state` is locked.
    is_reserved: AtomicBool,
}

const IN_USE: BindError =
    BindError::Busy("the optimizer is training a network: wait for that call to return");

impl Default for Optimizer {
    /// Adam, the optimizer of a fit to which none is given.
    fn default() -> Self {
        Self::new(Rule::Adam(AdamRule::default()), Options::default())
    }
}

impl Optimizer {
    pub(crate) fn new(rule: Rule, options: Options) -> Self {
        let (rule, state) = (Mutex::new(rule), Mutex::new(AnyState::New));
        Self { rule, options, state, is_reserved: AtomicBool::new(false) }
    }

    /// The rule as it is now.
    pub(crate) fn rule(&self) -> Rule {
        *self.rule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The argument as an optimizer.
    pub(crate) fn extract<'a>(object: &'a Bound<'_, PyAny>) -> BindResult<&'a Self> {
        match object.cast::<Self>() {
            Ok(optimizer) => Ok(optimizer.get()),
            Err(_) => Err(BindError::type_error("optimizer", object, "fastmlp.SGD, Adam or AdamW")),
        }
    }

    fn state(&self) -> MutexGuard<'_, AnyState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state for changes, unless a call trains with the optimizer.
    fn free_state(&self) -> BindResult<MutexGuard<'_, AnyState>> {
        let state = self.state();
        if self.is_reserved.load(Ordering::Relaxed) { Err(IN_USE) } else { Ok(state) }
    }
}

#[pymethods]
impl Optimizer {
    /// Length of a step: float, finite, > 0; a new value takes effect from the next epoch or step
    /// on.
    #[getter]
    fn learning_rate(&self) -> f64 {
        self.rule().learning_rate()
    }

    #[setter]
    fn set_learning_rate(&self, value: &Bound<'_, PyAny>) -> BindResult<()> {
        let value = argument::learning_rate(value)?;
        let mut rule = self.rule.lock().unwrap_or_else(PoisonError::into_inner);
        *rule = rule.with_learning_rate(value)?;
        Ok(())
    }

    /// The largest norm of a gradient: float > 0, or None.
    #[getter]
    fn clip_norm(&self) -> Option<f64> {
        self.options.clip_norm()
    }

    /// How the learning rate changes from step to step of a fit: str, or None.
    #[getter]
    fn schedule(&self) -> Option<&'static str> {
        self.options.schedule().map(RateSchedule::name)
    }

    /// Fraction of the steps of a fit during which the learning rate rises: float in [0, 1), or
    /// None.
    #[getter]
    fn warmup(&self) -> Option<f64> {
        self.options.schedule().and_then(RateSchedule::warmup)
    }

    /// Factors of the learning rate by role, for those that are not 1: dict, or None.
    #[getter]
    fn lr_factors<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        options::lr_factors(&self.options, py)
    }

    /// The learning rates of the steps of a fit.
    ///
    /// Parameters
    /// ----------
    /// n_steps : int
    ///     Steps of the whole fit, >= 0: its epochs times the batches per epoch.
    ///
    /// Returns
    /// -------
    /// ndarray of shape (n_steps,)
    ///     `learning_rate` times the factor of the schedule in each step, in float64; without a
    ///     schedule all are the same.
    ///
    /// Raises
    /// ------
    /// TypeError
    ///     If `n_steps` is not an integer.
    /// ValueError
    ///     If it is negative.
    /// MemoryError
    ///     If there is no memory for so many numbers.
    ///
    /// Examples
    /// --------
    /// >>> import fastmlp
    /// >>> fastmlp.SGD(learning_rate=0.8, schedule="linear", warmup=0.5).learning_rates(6)
    /// array([0.2       , 0.4       , 0.6       , 0.8       , 0.53333333,
    ///        0.26666667])
    fn learning_rates<'py>(
        &self,
        py: Python<'py>,
        n_steps: &Bound<'py, PyAny>,
    ) -> BindResult<Bound<'py, PyAny>> {
        let n = count("n_steps", n_steps, 0)?;
        let (rate, steps) = (self.learning_rate(), n as u64);
        let mut rates = zeros::<f64, 1>(py, [n])?;
        for (to, step) in rates.slice_mut().iter_mut().zip(0..) {
            *to = rate * self.options.rate_factor(step, steps);
        }
        Ok(rates.into_any())
    }

    /// Make one update of a network along a given gradient.
    ///
    /// If the gradient is that of `MLP.step`, the update has the same bits, and so has the state
    /// afterwards.
    ///
    /// Parameters
    /// ----------
    /// mlp : MLP
    ///     The network whose parameters are updated.
    /// gradient : ndarray of shape (n_parameters,)
    ///     Derivative of the loss with respect to `MLP.parameters`, laid out like them (see
    ///     `MLP.unflatten`), of the network's dtype and contiguous: what `MLP.backward` returns, or
    ///     a sum of such vectors.
    ///
    /// Raises
    /// ------
    /// TypeError
    ///     If `mlp` is not a network, or `gradient` not a NumPy array of its dtype.
    /// ValueError
    ///     If `gradient` has another shape, is not contiguous, misaligned in memory, or in the same
    ///     memory as the network's parameters; if the optimizer's state belongs to a network of
    ///     another size or dtype.
    /// DivergenceError
    ///     If the gradient or the update is not finite. The network and the optimizer stay as they
    ///     were.
    /// RuntimeError
    ///     If another call is training the network, or training with the optimizer.
    ///
    /// Examples
    /// --------
    /// A loss of your own, half the sum of the squared logits:
    ///
    /// >>> import numpy as np
    /// >>> import fastmlp
    /// >>> mlp, adam = fastmlp.MLP([2, 8, 3], dtype="float64", seed=0), fastmlp.Adam()
    /// >>> X = np.ones((5, 2))
    /// >>> before = np.square(mlp.forward(X)).sum()
    /// >>> gradient, _ = mlp.backward(X, mlp.forward(X))
    /// >>> adam.step(mlp, gradient)
    /// >>> bool(np.square(mlp.forward(X)).sum() < before)
    /// True
    fn step(
        &self,
        #[pyo3(from_py_with = argument::mlp)] mlp: Bound<'_, MLP>,
        gradient: &Bound<'_, PyAny>,
    ) -> BindResult<()> {
        mlp.get().descend(gradient, self)
    }

    /// Reset the state, as if no step had been made; any network can then be trained.
    ///
    /// Raises
    /// ------
    /// RuntimeError
    ///     If the optimizer is training a network.
    fn reset(&self) -> BindResult<()> {
        *self.free_state()? = AnyState::New;
        Ok(())
    }

    /// Copy the state.
    ///
    /// Returns
    /// -------
    /// dict
    ///     ``"step"``, the number of steps made, and after the first of them the vectors of the
    ///     state, arrays of shape (n_parameters,) laid out like `MLP.parameters`: ``"velocity"`` of
    ///     `SGD` with momentum, ``"m"`` and ``"v"``, the moments, of `Adam` and `AdamW`.
    ///
    /// Raises
    /// ------
    /// RuntimeError
    ///     If the optimizer is training a network.
    fn state_dict<'py>(&self, py: Python<'py>) -> BindResult<Bound<'py, PyDict>> {
        fn fill<T: PyScalar>(dict: &Bound<'_, PyDict>, rule: &Rule, state: &State<T>) -> PyResult<()> {
            dict.set_item("step", state.steps())?;
            for (name, slot) in rule.slots().iter().zip(state.slots()) {
                dict.set_item(name, PyArray1::from_slice(dict.py(), slot))?;
            }
            Ok(())
        }
        let (dict, rule) = (PyDict::new(py), self.rule());
        match &*self.state() {
            AnyState::New => dict.set_item("step", 0)?,
            AnyState::F32(state) => fill(&dict, &rule, state)?,
            AnyState::F64(state) => fill(&dict, &rule, state)?,
            AnyState::InUse => return Err(IN_USE),
        }
        Ok(dict)
    }

    /// Continue from a state that `state_dict` returned.
    ///
    /// Parameters
    /// ----------
    /// state : dict
    ///     ``"step"`` and, unless no step was made, the vectors of the state; they are copied. The
    ///     settings, such as the learning rate, are not part of it.
    ///
    /// Raises
    /// ------
    /// TypeError
    ///     If `state` is not a dict, or ``"step"`` not an integer.
    /// ValueError
    ///     If a key is missing, ``"step"`` is negative, or the arrays are not float32 or float64
    ///     of one dimension, one length and one type. The state stays as it was.
    /// RuntimeError
    ///     If the optimizer is training a network.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in the range of u64")]
    fn load_state_dict(
        &self,
        #[pyo3(from_py_with = argument::state)] state: Bound<'_, PyDict>,
    ) -> BindResult<()> {
        let (rule, dict) = (self.rule(), state);
        let missing =
            |key: &str| Error::value("state", format!("without {key:?}"), "what state_dict() returns");
        let step = dict.get_item("step")?.ok_or_else(|| missing("step"))?;
        let steps = integer("step", &step, 0..=i128::from(i64::MAX), "an integer >= 0")? as u64;
        if steps == 0 && dict.len() == 1 {
            return self.reset();
        }
        let arrays = rule.slots().iter().map(|name| dict.get_item(name)?.ok_or_else(|| missing(name).into()));
        let arrays: Vec<_> = arrays.collect::<BindResult<_>>()?;
        let state = if arrays.is_empty() {
            Some(AnyState::F64(counted(&rule, 0, steps)?))
        } else if let Some(state) = loaded::<f32>(&rule, steps, &arrays)? {
            Some(AnyState::F32(state))
        } else {
            loaded::<f64>(&rule, steps, &arrays)?.map(AnyState::F64)
        };
        let expected = "one-dimensional float32 or float64 arrays of one length and type";
        let state = state.ok_or_else(|| Error::value("state", "of other arrays", expected))?;
        *self.free_state()? = state;
        Ok(())
    }

    fn __setstate__(&self, state: Bound<'_, PyDict>) -> BindResult<()> {
        self.load_state_dict(state)
    }
}
