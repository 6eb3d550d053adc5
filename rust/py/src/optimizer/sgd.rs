//! The class `SGD`.

use std::collections::BTreeMap;

use fastmlp_core::{Rule, Sgd as SgdRule};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::Optimizer;
use super::options::{OptionArguments, call, reduced};
use crate::argument;
use crate::error::BindResult;

/// Stochastic gradient descent, with momentum and Nesterov's lookahead.
///
/// The state, which continues from call to call of `MLP.step` and `MLP.fit`, belongs to networks of
/// one size and dtype. An optimizer can be copied and pickled together with its state.
///
/// Parameters
/// ----------
/// learning_rate : float, default=0.01
///     Length of a step: finite, > 0.
/// momentum : float, default=0.0
///     Fraction of the velocity that each step keeps, in [0, 1].
/// nesterov : bool, default=False
///     Nesterov's lookahead; it needs a momentum > 0.
/// scaled_velocity : bool, default=False
///     Whether the velocity sums steps, as in scikit-learn, instead of gradients; this makes a
///     difference when the learning rate changes.
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
///
/// Attributes
/// ----------
/// learning_rate : float
///     Length of a step; it can be set.
/// momentum : float
///     Fraction of the velocity that each step keeps.
/// nesterov : bool
///     Whether steps look ahead.
/// scaled_velocity : bool
///     Whether the velocity sums steps.
/// clip_norm, schedule, warmup, lr_factors : object
///     As given.
///
/// Raises
/// ------
/// TypeError
///     If an argument is of the wrong type.
/// ValueError
///     If an argument is out of its range, or names no schedule or role.
///
/// Notes
/// -----
/// With the gradient ``g`` and the velocity ``v``, which starts at 0, a step on the parameters
/// ``p`` is ::
///
///     v = momentum * v + g
///     p = p - learning_rate * v                      without lookahead
///     p = p - learning_rate * (g + momentum * v)     with lookahead
///
/// as in PyTorch [1]. With a scaled velocity it is ::
///
///     v = momentum * v + learning_rate * g
///     p = p - v                                      without lookahead
///     p = p - (learning_rate * g + momentum * v)     with lookahead
///
/// References
/// ----------
/// .. [1] I. Sutskever, J. Martens, G. Dahl and G. Hinton, "On the importance of initialization
///    and momentum in deep learning", ICML 2013.
///
/// Examples
/// --------
/// >>> import fastmlp
/// >>> fastmlp.SGD(learning_rate=0.1, momentum=0.9, nesterov=True)
/// SGD(learning_rate=0.1, momentum=0.9, nesterov=True)
#[pyclass(frozen, extends = Optimizer, module = "fastmlp")]
#[allow(clippy::upper_case_acronyms, reason = "the name users know")]
pub(crate) struct SGD;

#[pymethods]
impl SGD {
    #[new]
    #[allow(clippy::too_many_arguments, reason = "those of the class")]
    #[pyo3(signature = (
        learning_rate = 0.01, momentum = 0.0, nesterov = false, scaled_velocity = false, *, clip_norm = None, schedule = None, warmup = None,
        lr_factors = None
    ))]
    fn new(
        #[pyo3(from_py_with = argument::learning_rate)] learning_rate: f64,
        #[pyo3(from_py_with = argument::momentum)] momentum: f64,
        #[pyo3(from_py_with = argument::nesterov)] nesterov: bool,
        #[pyo3(from_py_with = argument::scaled_velocity)] scaled_velocity: bool,
        #[pyo3(from_py_with = argument::clip_norm)] clip_norm: Option<f64>,
        #[pyo3(from_py_with = argument::schedule)] schedule: Option<&str>,
        #[pyo3(from_py_with = argument::warmup)] warmup: Option<f64>,
        #[pyo3(from_py_with = argument::lr_factors)] lr_factors: Option<BTreeMap<String, f64>>,
    ) -> BindResult<PyClassInitializer<Self>> {
        let rule = SgdRule::new(learning_rate, momentum, nesterov)?.with_scaled_velocity(scaled_velocity);
        let given = OptionArguments { clip_norm, schedule, warmup, lr_factors, decay_roles: None };
        let optimizer = Optimizer::new(Rule::Sgd(rule), given.options()?);
        Ok(PyClassInitializer::from(optimizer).add_subclass(Self))
    }

    /// Fraction of the velocity that each step keeps: float in [0, 1].
    #[getter]
    fn momentum(slf: &Bound<'_, Self>) -> f64 {
        rule(slf).momentum()
    }

    /// Whether steps look ahead: bool.
    #[getter]
    fn nesterov(slf: &Bound<'_, Self>) -> bool {
        rule(slf).nesterov()
    }

    /// Whether the velocity sums steps: bool.
    #[getter]
    fn scaled_velocity(slf: &Bound<'_, Self>) -> bool {
        rule(slf).scaled_velocity()
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> BindResult<Bound<'py, PyTuple>> {
        let rule = rule(slf);
        let settings = (rule.learning_rate(), rule.momentum(), rule.nesterov(), rule.scaled_velocity());
        reduced(slf.as_super(), slf.get_type(), settings)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> BindResult<String> {
        let rule = rule(slf);
        let nesterov = if rule.nesterov() { "True" } else { "False" };
        let scaled_velocity = if rule.scaled_velocity() { ", scaled_velocity=True" } else { "" };
        let (rate, momentum) = (rule.learning_rate(), rule.momentum());
        let settings =
            format!("learning_rate={rate:?}, momentum={momentum:?}, nesterov={nesterov}{scaled_velocity}");
        call(slf.as_super(), "SGD", &settings)
    }
}

fn rule(optimizer: &Bound<'_, SGD>) -> SgdRule {
    match optimizer.as_super().get().rule() {
        Rule::Sgd(rule) => rule,
        Rule::Adam(_) => unreachable!("the rule was made with the class"),
    }
}
