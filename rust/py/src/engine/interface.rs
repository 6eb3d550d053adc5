//! The operations of a network for Python, independent of its element type.

use std::any::Any;
use std::sync::Arc;

use fastmlp_core::{Numbers, Objective};
use pyo3::prelude::*;

use crate::data::DataArguments;
use crate::dropout::SeededDropout;
use crate::error::BindResult;
use crate::history::History;
use crate::loss_function::LossFunction;
use crate::minimization::MinimizeArguments;
use crate::minimum::Minimum;
use crate::optimizer::Optimizer;
use crate::training::FitArguments;

/// A network of either type.
pub(crate) trait Engine: Inside + Transfer + Send + Sync {
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
    ) -> BindResult<Py<History>>;
    /// Iterations of L-BFGS.
    fn minimize(
        &self,
        data: &DataArguments<'_, '_>,
        arguments: &MinimizeArguments<'_, '_>,
    ) -> BindResult<Minimum>;
    /// The parameters and the state of the network's random stream, at one moment.
    fn snapshot(&self) -> BindResult<(Numbers, u64)>;
}

/// What a network of either type shows of its hidden layers and its inputs.
pub(crate) trait Inside {
    /// The activations of a hidden layer.
    fn transform<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        layer: usize,
        n_threads: usize,
    ) -> BindResult<Bound<'py, PyAny>>;
    /// The derivative of every output with respect to its row.
    fn input_gradients<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        of_predictions: bool,
        n_threads: usize,
    ) -> BindResult<Bound<'py, PyAny>>;
    /// The derivative with respect to X of a loss of the caller's own.
    fn input_vjp<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        d_output: &Bound<'py, PyAny>,
        n_threads: usize,
    ) -> BindResult<Bound<'py, PyAny>>;
}

/// What a network of either type gives to another, takes from it, or protects from training.
pub(crate) trait Transfer: Any {
    /// A separate network with the same parameters, random state and frozen layers, and with this function for its
    /// loss, if that is one.
    fn copied(&self, loss_function: Option<&Arc<LossFunction>>) -> BindResult<Box<dyn Engine>>;
    /// Moves the parameters towards those of another network.
    fn soft_update(&self, py: Python<'_>, other: &dyn Engine, tau: f64) -> BindResult<()>;
    /// The layers that training leaves unchanged, in ascending order.
    fn frozen(&self) -> BindResult<Vec<usize>>;
    /// Adds these layers to the frozen ones, or removes them.
    fn freeze(&self, py: Python<'_>, layers: &[usize], is_frozen: bool) -> BindResult<()>;
}
