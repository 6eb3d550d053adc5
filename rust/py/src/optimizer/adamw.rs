//! `AdamW`, as Python sees it.

use fastmlp_core::Adam as AdamRule;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::adam::{Adam, rule, settings};
use crate::argument;
use crate::error::BindResult;

/// Adam with decoupled weight decay, which pulls every parameter towards 0 beside Adam's step.
///
/// As in PyTorch all parameters decay, the biases too. With ``weight_decay=0`` it is `Adam`.
///
/// The state is that of `Adam`; each goes on from the other's.
///
/// Parameters
/// ----------
/// learning_rate : float, default=0.001
///     Length of a step: finite, > 0.
/// beta_1 : float, default=0.9
///     Memory of the gradient's mean, in [0, 1).
/// beta_2 : float, default=0.999
///     Memory of the mean of its square, in [0, 1).
/// epsilon : float, default=1e-8
///     Keeps the quotient finite: finite, > 0.
/// weight_decay : float, default=0.01
///     A step takes this times the learning rate from every parameter: finite, >= 0.
///
/// Attributes
/// ----------
/// learning_rate : float
///     Length of a step; it can be set.
/// beta_1 : float
///     Memory of the gradient's mean.
/// beta_2 : float
///     Memory of the mean of its square.
/// epsilon : float
///     Keeps the quotient finite.
/// weight_decay : float
///     What a step takes from every parameter, times the learning rate.
///
/// Raises
/// ------
/// TypeError
///     If an argument is not a number.
/// ValueError
///     If an argument is out of its range.
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
/// and then that of `Adam`, whose moments know nothing of the decay. This is PyTorch's form of
/// algorithm 2 of [1]; a new learning rate changes the decay too.
///
/// References
/// ----------
/// .. [1] I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR 2019.
///
/// Examples
/// --------
/// Where the gradient is 0, nothing but the decay is left:
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
    #[pyo3(signature = (
        learning_rate = 0.001, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-8, weight_decay = 0.01
    ))]
    fn new(
        #[pyo3(from_py_with = argument::learning_rate)] learning_rate: f64,
        #[pyo3(from_py_with = argument::beta_1)] beta_1: f64,
        #[pyo3(from_py_with = argument::beta_2)] beta_2: f64,
        #[pyo3(from_py_with = argument::epsilon)] epsilon: f64,
        #[pyo3(from_py_with = argument::weight_decay)] weight_decay: f64,
    ) -> BindResult<PyClassInitializer<Self>> {
        let adam = AdamRule::new(learning_rate, beta_1, beta_2, epsilon)?;
        Ok(Adam::of(adam.with_weight_decay(weight_decay)?).add_subclass(Self))
    }

    /// What a step takes from every parameter, times the learning rate: float >= 0.
    #[getter]
    fn weight_decay(slf: &Bound<'_, Self>) -> f64 {
        rule(slf.as_super()).weight_decay()
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> BindResult<Bound<'py, PyTuple>> {
        let (adam, py) = (slf.as_super(), slf.py());
        let rule = rule(adam);
        let (rate, epsilon) = (rule.learning_rate(), rule.epsilon());
        let arguments = (rate, rule.beta_1(), rule.beta_2(), epsilon, rule.weight_decay());
        Ok((slf.get_type(), arguments, adam.as_super().get().state_dict(py)?).into_pyobject(py)?)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        let rule = rule(slf.as_super());
        format!("AdamW({}, weight_decay={:?})", settings(rule), rule.weight_decay())
    }
}
