//! The class `AdamW`.

use std::collections::BTreeMap;

use fastmlp_core::Adam as AdamRule;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::adam::{Adam, rule, settings};
use super::options::{OptionArguments, call, decay_roles, reduced};
use crate::argument;
use crate::error::BindResult;

/// Adam with decoupled weight decay, which pulls parameters towards 0 besides Adam's step.
///
/// As in PyTorch all parameters decay, biases included, unless `decay_roles` says which. With
/// ``weight_decay=0`` it is `Adam`.
///
/// The state is that of `Adam`; each can continue from the other's.
///
/// Parameters
/// ----------
/// learning_rate : float, default=0.001
///     Length of a step: finite, > 0.
/// beta_1 : float, default=0.9
///     Decay rate of the mean of the gradient, in [0, 1).
/// beta_2 : float, default=0.999
///     Decay rate of the mean of its square, in [0, 1).
/// epsilon : float, default=1e-8
///     Added to the divisor, which keeps the quotient finite: finite, > 0.
/// weight_decay : float, default=0.01
///     Weight decay coefficient: a step subtracts ``learning_rate * weight_decay * p`` from every
///     parameter ``p`` that decays. Finite, >= 0.
/// clip_norm : float, default=None
///     The largest norm of a gradient: a gradient with a larger norm is scaled down to it before
///     the step. Finite, > 0; None clips nothing.
/// schedule : {"constant", "cosine", "linear", "one_cycle"}, default=None
///     How the learning rate changes from step to step of a fit; see `Optimizer`. None leaves it as
///     it is.
/// warmup : float, default=None
///     Fraction of the steps of a fit during which the learning rate rises, in [0, 1). None is 0.3
///     for ``"one_cycle"`` and 0 for the other schedules.
/// lr_factors : dict of str to float, default=None
///     Factors of the learning rate for the parameters of a role: ``"weight"``, ``"bias"``,
///     ``"gain"``, ``"shift"``, ``"scale"`` or ``"slope"``. Finite, > 0, and 1 for roles that are
///     not named; roles that a network does not have are ignored.
/// decay_roles : sequence of str, default=None
///     The roles whose parameters decay, named as in `lr_factors`: ``("weight",)`` excludes biases,
///     gains, shifts, scales and slopes. None means all, as in PyTorch.
///
/// Attributes
/// ----------
/// learning_rate : float
///     Length of a step; it can be set.
/// beta_1 : float
///     Decay rate of the mean of the gradient.
/// beta_2 : float
///     Decay rate of the mean of its square.
/// epsilon : float
///     Added to the divisor, which keeps the quotient finite.
/// weight_decay : float
///     Weight decay coefficient.
/// clip_norm, schedule, warmup, lr_factors : object
///     As given.
/// decay_roles : tuple of str or None
///     The roles whose parameters decay; None if all do.
///
/// Raises
/// ------
/// TypeError
///     If an argument is of the wrong type.
/// ValueError
///     If an argument is out of its range, or names no schedule or role.
///
/// See Also
/// --------
/// Adam : The same without weight decay.
///
/// Notes
/// -----
/// A step on the parameters ``p`` is ::
///
///     p = p - learning_rate * weight_decay * p
///
/// and then that of `Adam`, whose moments do not include the decay. This is PyTorch's form of
/// algorithm 2 of [1]; a new learning rate changes the decay too, and so do a schedule and
/// `lr_factors`.
///
/// References
/// ----------
/// .. [1] I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR 2019.
///
/// Examples
/// --------
/// If the gradient is 0, only the decay is left:
///
/// >>> import numpy as np
/// >>> import fastmlp
/// >>> mlp = fastmlp.MLP([1, 2], dtype="float64", seed=0)
/// >>> mlp.parameters[:] = 1.0
/// >>> X, y = np.zeros((2, 1)), np.array([0, 1])
/// >>> mlp.step(X, y, fastmlp.AdamW(learning_rate=0.5, weight_decay=0.5))
/// 0.6931471805599453
/// >>> mlp.parameters
/// array([0.75, 0.75, 0.75, 0.75])
#[pyclass(frozen, extends = Adam, module = "fastmlp")]
pub(crate) struct AdamW;

#[pymethods]
impl AdamW {
    #[new]
    #[allow(clippy::too_many_arguments, reason = "those of the class")]
    #[pyo3(signature = (
        learning_rate = 0.001, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-8, weight_decay = 0.01, *, clip_norm = None, schedule = None, warmup = None,
        lr_factors = None, decay_roles = None
    ))]
    fn new(
        #[pyo3(from_py_with = argument::learning_rate)] learning_rate: f64,
        #[pyo3(from_py_with = argument::beta_1)] beta_1: f64,
        #[pyo3(from_py_with = argument::beta_2)] beta_2: f64,
        #[pyo3(from_py_with = argument::epsilon)] epsilon: f64,
        #[pyo3(from_py_with = argument::weight_decay)] weight_decay: f64,
        #[pyo3(from_py_with = argument::clip_norm)] clip_norm: Option<f64>,
        #[pyo3(from_py_with = argument::schedule)] schedule: Option<&str>,
        #[pyo3(from_py_with = argument::warmup)] warmup: Option<f64>,
        #[pyo3(from_py_with = argument::lr_factors)] lr_factors: Option<BTreeMap<String, f64>>,
        #[pyo3(from_py_with = argument::decay_roles)] decay_roles: Option<Vec<String>>,
    ) -> BindResult<PyClassInitializer<Self>> {
        let rule = AdamRule::new(learning_rate, beta_1, beta_2, epsilon)?.with_weight_decay(weight_decay)?;
        let given = OptionArguments { clip_norm, schedule, warmup, lr_factors, decay_roles };
        Ok(Adam::of(rule, given.options()?).add_subclass(Self))
    }

    /// Weight decay coefficient: float >= 0.
    #[getter]
    fn weight_decay(slf: &Bound<'_, Self>) -> f64 {
        rule(slf.as_super()).weight_decay()
    }

    /// Roles whose parameters decay: tuple of str; None if all do.
    #[getter]
    fn decay_roles<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        decay_roles(&slf.as_super().as_super().get().options, slf.py())
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> BindResult<Bound<'py, PyTuple>> {
        let adam = slf.as_super();
        let rule = rule(adam);
        let (rate, epsilon) = (rule.learning_rate(), rule.epsilon());
        let settings = (rate, rule.beta_1(), rule.beta_2(), epsilon, rule.weight_decay());
        reduced(adam.as_super(), slf.get_type(), settings)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> BindResult<String> {
        let rule = rule(slf.as_super());
        let settings = format!("{}, weight_decay={:?}", settings(rule), rule.weight_decay());
        call(slf.as_super().as_super(), "AdamW", &settings)
    }
}
