//! The methods of `MLP`: their signatures; the work is the engine's, and their docstrings are in `doc/`. PyO3 takes one
//! block of methods per class, so that the file is longer than others.

use std::sync::Arc;

use fastmlp_core::{Error, Init, Normalization, Objective};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyTuple};

use crate::architecture::{self, Architecture};
use crate::argument::{self, arguments, given};
use crate::array::dtype_name;
use crate::data::DataArguments;
use crate::dropout::SeededDropout;
use crate::error::BindResult;
use crate::history::{History, LastHistory};
use crate::integer::{count, position, positions, random_seed, seed as seed_of};
use crate::listener::callable;
use crate::loss_function::LossFunction;
use crate::minimization::{MinimizeArguments, limits_of};
use crate::minimum::Minimum;
use crate::mlp::MLP;
use crate::network_file::load_alone;
use crate::objective::objective;
use crate::optimizer::Optimizer;
use crate::parameter_block::{blocks_of, weights_and_biases};
use crate::shuffling::Shuffling;
use crate::stream::{Destination, Source, destination, source};
use crate::tensor::array;
use crate::threads::threads;
use crate::training::{FitArguments, epochs_of};

arguments! {
    other: Bound<'py, MLP>, "an MLP";
}

#[pymethods]
impl MLP {
    #[new]
    #[pyo3(signature = (
        layer_sizes, activation = None, output = None, init = "auto", init_scale = None, dtype = None,
        seed = None, *, normalization = None, input_scale = false, loss = None, periodic_inputs = None,
        parametric_activation = false
    ), text_signature = "(layer_sizes, activation='relu', output=None, init='auto', init_scale=None, \
        dtype='float32', seed=None, *, normalization=None, input_scale=False, loss=None, \
        periodic_inputs=0, parametric_activation=False)")]
    #[allow(clippy::too_many_arguments, reason = "what a network is made of")]
    fn made(
        layer_sizes: &Bound<'_, PyAny>,
        activation: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = argument::output)] output: Option<&str>,
        #[pyo3(from_py_with = argument::init)] init: &str,
        #[pyo3(from_py_with = argument::init_scale)] init_scale: Option<f64>,
        dtype: Option<&Bound<'_, PyAny>>,
        seed: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = argument::normalization)] normalization: Option<&str>,
        #[pyo3(from_py_with = argument::input_scale)] input_scale: bool,
        loss: Option<&Bound<'_, PyAny>>,
        periodic_inputs: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = argument::parametric_activation)] parametric_activation: bool,
    ) -> BindResult<Self> {
        let architecture = Architecture {
            layer_sizes,
            activation,
            output,
            normalization,
            input_scale,
            periodic_inputs,
            parametric_activation,
            loss,
        };
        let network = architecture.network()?;
        let init = Init::from_name(init, init_scale)?;
        let dtype = dtype.map_or_else(|| Ok("float32".to_owned()), dtype_name)?;
        let seed = seed_of(seed)?.map_or_else(random_seed, Ok)?;
        let loss_function = architecture.loss_function(&network);
        Self::new(network, loss_function, &dtype, Some(init), seed)
    }

    /// Widths of the layers, input first: tuple of int.
    #[getter]
    fn layer_sizes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        architecture::layer_sizes(&self.network, py)
    }

    /// The activation of all hidden layers: str; tuple of str, one per layer, if they differ;
    /// ``()`` without hidden layers.
    #[getter]
    fn activation<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        architecture::activation(&self.network, py)
    }

    /// What makes predictions of the last sums: ``"softmax"``, ``"sigmoid"``, ``"identity"`` or
    /// ``"exp"``.
    #[getter]
    fn output(&self) -> &'static str {
        self.network.output().name()
    }

    /// What training lowers: an object of `fastmlp.losses`, or the function that was given.
    #[getter]
    fn loss_function<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.loss_object(py)
    }

    /// Type of the parameters, of the inputs and of the results: ``"float32"`` or ``"float64"``.
    #[getter]
    fn dtype(&self) -> &'static str {
        self.engine.dtype()
    }

    /// Number of parameters, the length of `parameters`: int. A dense layer has ``(d_in + 1) * d_out``;
    /// a normalisation, prelu and `input_scale` add theirs.
    #[getter]
    fn n_parameters(&self) -> usize {
        self.layout().n_parameters()
    }

    /// All parameters: ndarray of shape (n_parameters,), a live view.
    ///
    /// Writing to it changes the network, and training changes its values. Its memory never moves,
    /// and lives as long as any view of it.
    #[getter]
    fn parameters<'py>(slf: &Bound<'py, Self>) -> Bound<'py, PyAny> {
        Self::live_parameters(slf)
    }

    /// The weights of each layer: tuple of ndarray of shape (d_in, d_out), live views of
    /// `parameters`.
    #[getter]
    fn weights<'py>(slf: &Bound<'py, Self>) -> BindResult<Bound<'py, PyTuple>> {
        Ok(slf.get().unflatten(&Self::parameters(slf))?.0)
    }

    /// The biases of each layer: tuple of ndarray of shape (d_out,), live views of `parameters`.
    #[getter]
    fn biases<'py>(slf: &Bound<'py, Self>) -> BindResult<Bound<'py, PyTuple>> {
        Ok(slf.get().unflatten(&Self::parameters(slf))?.1)
    }

    /// Every block of parameters with its stage and role: tuple of ParameterBlock, in the order of
    /// `parameters`; each has a live view of its part.
    #[getter]
    fn parameter_blocks<'py>(slf: &Bound<'py, Self>) -> BindResult<Bound<'py, PyTuple>> {
        blocks_of(slf.get().layout(), &Self::parameters(slf))
    }

    /// What the sums of every hidden layer are normalised over: ``"layer"``, the values of each row;
    /// ``"batch"``, the rows of a batch; or None.
    #[getter]
    fn normalization(&self) -> Option<&'static str> {
        self.network.normalization().map(Normalization::name)
    }

    /// What the last call of `fit` or `minimize` recorded: History; None before the first. It has
    /// every complete epoch even if that call ended with an error, such as a KeyboardInterrupt. Copies
    /// and files of the network have none.
    #[getter]
    fn history(&self, py: Python<'_>) -> Option<Py<History>> {
        self.history.get(py)
    }

    /// Whether each input is multiplied by a learnable number: bool.
    #[getter]
    fn input_scale(&self) -> bool {
        self.network.input_scale()
    }

    /// How many of the inputs, from the first on, have periodic features: int.
    #[getter]
    fn periodic_inputs(&self) -> usize {
        self.network.periodic_inputs()
    }

    /// Whether each unit learns how much of the nonlinearity of its activation it has: bool.
    #[getter]
    fn parametric_activation(&self) -> bool {
        self.network.parametric_activation()
    }

    #[doc = docstring!("MLP.unflatten")]
    fn unflatten<'py>(
        &self,
        flat: &Bound<'py, PyAny>,
    ) -> BindResult<(Bound<'py, PyTuple>, Bound<'py, PyTuple>)> {
        weights_and_biases(self.layout(), flat)
    }

    #[doc = docstring!("MLP.forward")]
    #[pyo3(signature = (X, out = None, n_jobs = None))]
    #[allow(non_snake_case, reason = "the name users know")]
    fn forward<'py>(
        &self,
        X: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
        n_jobs: Option<&Bound<'py, PyAny>>,
    ) -> BindResult<Bound<'py, PyAny>> {
        self.engine.forward(X, out, false, threads(n_jobs)?)
    }

    #[doc = docstring!("MLP.predict_proba")]
    #[pyo3(signature = (X, out = None, n_jobs = None))]
    #[allow(non_snake_case, reason = "the name users know")]
    fn predict_proba<'py>(
        &self,
        X: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
        n_jobs: Option<&Bound<'py, PyAny>>,
    ) -> BindResult<Bound<'py, PyAny>> {
        let output = self.network.output();
        if !output.is_probability() {
            let found = format!("{:?}", output.name());
            return Err(Error::value("output", found, "\"softmax\" or \"sigmoid\": use predict").into());
        }
        self.engine.forward(X, out, true, threads(n_jobs)?)
    }

    #[doc = docstring!("MLP.predict")]
    #[pyo3(signature = (X, n_jobs = None))]
    #[allow(non_snake_case, reason = "the name users know")]
    fn predict<'py>(
        &self,
        X: &Bound<'py, PyAny>,
        n_jobs: Option<&Bound<'py, PyAny>>,
    ) -> BindResult<Bound<'py, PyAny>> {
        self.engine.predict(X, threads(n_jobs)?)
    }

    #[doc = docstring!("MLP.loss")]
    #[pyo3(signature = (X, y, sample_weight = None, class_weight = None, n_jobs = None))]
    #[allow(non_snake_case, reason = "the name users know")]
    fn loss<'py>(
        &self,
        X: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        class_weight: Option<&Bound<'py, PyAny>>,
        n_jobs: Option<&Bound<'py, PyAny>>,
    ) -> BindResult<f64> {
        self.engine.loss(&DataArguments { x: X, y, sample_weight, class_weight }, threads(n_jobs)?)
    }

    #[doc = docstring!("MLP.evaluate")]
    #[pyo3(signature = (X, y, sample_weight = None, class_weight = None, n_jobs = None))]
    #[allow(non_snake_case, reason = "the name users know")]
    fn evaluate<'py>(
        &self,
        X: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        class_weight: Option<&Bound<'py, PyAny>>,
        n_jobs: Option<&Bound<'py, PyAny>>,
    ) -> BindResult<(f64, f64)> {
        self.engine.evaluate(&DataArguments { x: X, y, sample_weight, class_weight }, threads(n_jobs)?)
    }

    #[doc = docstring!("MLP.loss_and_grad")]
    #[pyo3(
        signature = (
            X, y, sample_weight = None, class_weight = None, dropout = None, seed = None, alpha = 0.0,
            input_dropout = 0.0, n_jobs = None
        ),
        text_signature = "($self, X, y, sample_weight=None, class_weight=None, dropout=0.0, seed=None, alpha=0.0, \
            input_dropout=0.0, n_jobs=None)"
    )]
    #[allow(non_snake_case, clippy::too_many_arguments, reason = "the names users know")]
    fn loss_and_grad<'py>(
        &self,
        X: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        class_weight: Option<&Bound<'py, PyAny>>,
        dropout: Option<&Bound<'py, PyAny>>,
        seed: Option<&Bound<'py, PyAny>>,
        #[pyo3(from_py_with = argument::alpha)] alpha: f64,
        #[pyo3(from_py_with = argument::input_dropout)] input_dropout: f64,
        n_jobs: Option<&Bound<'py, PyAny>>,
    ) -> BindResult<(f64, Bound<'py, PyAny>)> {
        let data = DataArguments { x: X, y, sample_weight, class_weight };
        let dropout = SeededDropout::extract((dropout, input_dropout), seed, &self.network)?.seeded()?;
        let objective = Objective { alpha, ..Objective::default() };
        self.engine.loss_and_grad(&data, objective, &dropout, threads(n_jobs)?)
    }

    #[doc = docstring!("MLP.backward")]
    #[allow(non_snake_case, reason = "the name users know")]
    fn backward<'py>(
        &self,
        X: &Bound<'py, PyAny>,
        d_output: &Bound<'py, PyAny>,
    ) -> BindResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        self.engine.backward(X, d_output)
    }

    #[doc = docstring!("MLP.transform")]
    #[pyo3(
        signature = (X, layer = None, n_jobs = None),
        text_signature = "($self, X, layer=-1, n_jobs=None)"
    )]
    #[allow(non_snake_case, reason = "the name users know")]
    fn transform<'py>(
        &self,
        X: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = given)] layer: Option<Bound<'py, PyAny>>,
        n_jobs: Option<&Bound<'py, PyAny>>,
    ) -> BindResult<Bound<'py, PyAny>> {
        let n_hidden = self.network.activations().len();
        let layer = layer.unwrap_or_else(|| PyInt::new(X.py(), -1).into_any());
        let layer = position("layer", &layer, n_hidden, "hidden layer")?;
        self.engine.transform(X, layer, threads(n_jobs)?)
    }

    #[doc = docstring!("MLP.input_gradients")]
    #[pyo3(signature = (X, of = "logits", n_jobs = None))]
    #[allow(non_snake_case, reason = "the name users know")]
    fn input_gradients<'py>(
        &self,
        X: &Bound<'py, PyAny>,
        #[pyo3(from_py_with = argument::of)] of: &str,
        n_jobs: Option<&Bound<'py, PyAny>>,
    ) -> BindResult<Bound<'py, PyAny>> {
        let of_predictions = match of {
            "logits" => false,
            "predictions" => true,
            _ => {
                let expected = r#""logits" or "predictions""#;
                return Err(Error::value("of", format_args!("{of:?}"), expected).into());
            }
        };
        self.engine.input_gradients(X, of_predictions, threads(n_jobs)?)
    }

    #[doc = docstring!("MLP.input_vjp")]
    #[pyo3(signature = (X, d_output, n_jobs = None))]
    #[allow(non_snake_case, reason = "the name users know")]
    fn input_vjp<'py>(
        &self,
        X: &Bound<'py, PyAny>,
        d_output: &Bound<'py, PyAny>,
        n_jobs: Option<&Bound<'py, PyAny>>,
    ) -> BindResult<Bound<'py, PyAny>> {
        self.engine.input_vjp(X, d_output, threads(n_jobs)?)
    }

    #[doc = docstring!("MLP.step")]
    #[pyo3(
        signature = (
            X, y, optimizer, sample_weight = None, class_weight = None, dropout = None, seed = None, alpha = 0.0,
            input_dropout = 0.0
        ),
        text_signature = "($self, X, y, optimizer, sample_weight=None, class_weight=None, dropout=0.0, seed=None, \
            alpha=0.0, input_dropout=0.0)"
    )]
    #[allow(non_snake_case, clippy::too_many_arguments, reason = "the names users know")]
    fn step<'py>(
        &self,
        X: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        optimizer: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        class_weight: Option<&Bound<'py, PyAny>>,
        dropout: Option<&Bound<'py, PyAny>>,
        seed: Option<&Bound<'py, PyAny>>,
        #[pyo3(from_py_with = argument::alpha)] alpha: f64,
        #[pyo3(from_py_with = argument::input_dropout)] input_dropout: f64,
    ) -> BindResult<f64> {
        let data = DataArguments { x: X, y, sample_weight, class_weight };
        let dropout = SeededDropout::extract((dropout, input_dropout), seed, &self.network)?;
        let objective = Objective { alpha, ..Objective::default() };
        self.engine.step(&data, objective, Optimizer::extract(optimizer)?, &dropout)
    }

    #[doc = docstring!("MLP.fit")]
    #[pyo3(signature = (
        X, y, optimizer = None, epochs = None, batch_size = None, shuffle = true, seed = None, sample_weight = None,
        class_weight = None, X_val = None, y_val = None, dropout = None, n_jobs = None, callback = None,
        alpha = 0.0, report = "objective", initial_epoch = None, input_dropout = 0.0
    ), text_signature = "($self, X, y, optimizer=None, epochs=1000, batch_size=None, shuffle=True, seed=None, \
        sample_weight=None, class_weight=None, X_val=None, y_val=None, dropout=0.0, n_jobs=None, callback=None, \
        alpha=0.0, report='objective', initial_epoch=0, input_dropout=0.0)")]
    #[allow(non_snake_case, clippy::too_many_arguments, reason = "the names users know")]
    fn fit<'py>(
        &self,
        X: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        optimizer: Option<&Bound<'py, PyAny>>,
        epochs: Option<&Bound<'py, PyAny>>,
        batch_size: Option<&Bound<'py, PyAny>>,
        #[pyo3(from_py_with = argument::shuffle)] shuffle: bool,
        seed: Option<&Bound<'py, PyAny>>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        class_weight: Option<&Bound<'py, PyAny>>,
        X_val: Option<&Bound<'py, PyAny>>,
        y_val: Option<&Bound<'py, PyAny>>,
        dropout: Option<&Bound<'py, PyAny>>,
        n_jobs: Option<&Bound<'py, PyAny>>,
        callback: Option<&Bound<'py, PyAny>>,
        #[pyo3(from_py_with = argument::alpha)] alpha: f64,
        #[pyo3(from_py_with = argument::report)] report: &str,
        initial_epoch: Option<&Bound<'py, PyAny>>,
        #[pyo3(from_py_with = argument::input_dropout)] input_dropout: f64,
    ) -> BindResult<Py<History>> {
        let validation = DataArguments::validation(X_val, y_val, class_weight)?;
        let callback = callable(callback)?;
        let (epochs, initial_epoch) = epochs_of(epochs, initial_epoch)?;
        let dropout = SeededDropout::extract((dropout, input_dropout), None, &self.network)?.dropout;
        let arguments = FitArguments {
            validation,
            epochs,
            initial_epoch,
            batch_size: batch_size.map(|size| count("batch_size", size, 1)).transpose()?,
            shuffle,
            dropout,
            objective: objective(alpha, report, &self.network)?,
            n_threads: threads(n_jobs)?,
            callback,
            history: &self.history,
            // Last: a Generator is advanced by it.
            shuffling: Shuffling::extract(seed)?,
        };
        let data = DataArguments { x: X, y, sample_weight, class_weight };
        match optimizer {
            Some(optimizer) => self.engine.fit(&data, Optimizer::extract(optimizer)?, &arguments),
            None => self.engine.fit(&data, &Optimizer::default(), &arguments),
        }
    }

    #[doc = docstring!("MLP.minimize")]
    #[pyo3(signature = (
        X, y, sample_weight = None, class_weight = None, alpha = 0.0, max_iter = None, max_fun = None, tol = 1e-4,
        n_jobs = None, callback = None
    ), text_signature = "($self, X, y, sample_weight=None, class_weight=None, alpha=0.0, max_iter=200, \
        max_fun=15000, tol=1e-4, n_jobs=None, callback=None)")]
    #[allow(non_snake_case, clippy::too_many_arguments, reason = "the names users know")]
    fn minimize<'py>(
        &self,
        X: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        class_weight: Option<&Bound<'py, PyAny>>,
        #[pyo3(from_py_with = argument::alpha)] alpha: f64,
        max_iter: Option<&Bound<'py, PyAny>>,
        max_fun: Option<&Bound<'py, PyAny>>,
        #[pyo3(from_py_with = argument::tol)] tol: f64,
        n_jobs: Option<&Bound<'py, PyAny>>,
        callback: Option<&Bound<'py, PyAny>>,
    ) -> BindResult<Minimum> {
        let arguments = MinimizeArguments {
            objective: Objective { alpha, ..Objective::default() },
            limits: limits_of(max_iter, max_fun, tol)?,
            n_threads: threads(n_jobs)?,
            callback: callable(callback)?,
            history: &self.history,
        };
        self.engine.minimize(&DataArguments { x: X, y, sample_weight, class_weight }, &arguments)
    }

    #[doc = docstring!("MLP.copy")]
    fn copy(&self, py: Python<'_>) -> BindResult<Self> {
        // An object of its own, so that the garbage collector sees the callable once per network.
        let own = |function: &Arc<LossFunction>| Arc::new(LossFunction::new(function.callable(py)));
        let loss_function = self.loss_function.as_ref().map(own);
        let engine = self.engine.copied(loss_function.as_ref())?;
        Ok(Self { engine, network: self.network.clone(), loss_function, history: LastHistory::default() })
    }

    #[doc = docstring!("MLP.soft_update")]
    fn soft_update(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = other)] other: Bound<'_, Self>,
        #[pyo3(from_py_with = argument::tau)] tau: f64,
    ) -> BindResult<()> {
        self.engine.soft_update(py, &*other.get().engine, tau)
    }

    #[doc = docstring!("MLP.freeze")]
    #[pyo3(signature = (layers = None))]
    fn freeze(&self, py: Python<'_>, layers: Option<&Bound<'_, PyAny>>) -> BindResult<()> {
        self.engine.freeze(py, &positions("layers", layers, self.layout().layers().len(), "layer")?, true)
    }

    #[doc = docstring!("MLP.unfreeze")]
    #[pyo3(signature = (layers = None))]
    fn unfreeze(&self, py: Python<'_>, layers: Option<&Bound<'_, PyAny>>) -> BindResult<()> {
        self.engine.freeze(py, &positions("layers", layers, self.layout().layers().len(), "layer")?, false)
    }

    /// Numbers of the layers that training leaves unchanged: tuple of int, in ascending order.
    #[getter]
    fn frozen<'py>(&self, py: Python<'py>) -> BindResult<Bound<'py, PyTuple>> {
        Ok(PyTuple::new(py, self.engine.frozen()?)?)
    }

    #[doc = docstring!("MLP.save")]
    fn save(&self, py: Python<'_>, #[pyo3(from_py_with = destination)] path: Destination) -> BindResult<()> {
        path.save(py, self.to_file()?)
    }

    #[doc = docstring!("MLP.load")]
    #[staticmethod]
    fn load<'py>(
        py: Python<'py>,
        #[pyo3(from_py_with = source)] path: Source<'py>,
    ) -> BindResult<Bound<'py, Self>> {
        load_alone(py, path)
    }

    /// The network from the arguments of `__reduce__`.
    #[staticmethod]
    #[pyo3(signature = (
        layer_sizes, activation, output, dtype, seeds, parameters, normalization = None, input_scale = false,
        loss = None, frozen = Vec::new(), periodic_inputs = None, parametric_activation = false
    ))]
    #[allow(clippy::too_many_arguments, reason = "what a network is made of")]
    fn _restore<'py>(
        layer_sizes: &Bound<'py, PyAny>,
        activation: &Bound<'py, PyAny>,
        output: &str,
        dtype: &str,
        seeds: u64,
        parameters: &Bound<'py, PyAny>,
        normalization: Option<&str>,
        input_scale: bool,
        loss: Option<&Bound<'py, PyAny>>,
        frozen: Vec<usize>,
        periodic_inputs: Option<&Bound<'py, PyAny>>,
        parametric_activation: bool,
    ) -> BindResult<Bound<'py, Self>> {
        let (activation, output) = (Some(activation), Some(output));
        let architecture = Architecture {
            layer_sizes,
            activation,
            output,
            normalization,
            input_scale,
            periodic_inputs,
            parametric_activation,
            loss,
        };
        let network = architecture.network()?;
        let loss_function = architecture.loss_function(&network);
        Self::restored(network, loss_function, dtype, (seeds, &frozen), parameters)
    }

    #[allow(clippy::type_complexity, reason = "a function and its arguments, for pickle")]
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> BindResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let (py, mlp) = (slf.py(), slf.get());
        let ((parameters, seeds), frozen) = (mlp.engine.snapshot()?, mlp.frozen(py)?);
        let (sizes, activation) = (mlp.layer_sizes(py)?, mlp.activation(py)?);
        let (has_loss, normalization) = (!mlp.network.has_canonical_loss(), mlp.normalization());
        let given = [
            normalization.is_some(),
            mlp.input_scale(),
            has_loss,
            !frozen.is_empty(),
            mlp.periodic_inputs() > 0,
            mlp.parametric_activation(),
        ];
        let loss = if has_loss { Some(mlp.loss_object(py)?) } else { None };
        let always = (sizes, activation, mlp.output(), mlp.dtype(), seeds, array(py, parameters));
        let further = (
            normalization,
            mlp.input_scale(),
            loss,
            frozen,
            mlp.periodic_inputs(),
            mlp.parametric_activation(),
        );
        let (always, further) = (always.into_pyobject(py)?, further.into_pyobject(py)?);
        // Those at the end that have their default are left out.
        let n_further = given.iter().rposition(|&is_given| is_given).map_or(0, |last| last + 1);
        let arguments = always.add(further.get_slice(0, n_further))?.cast_into().map_err(PyErr::from)?;
        Ok((slf.get_type().getattr("_restore")?, arguments))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.loss_function.as_ref().map_or(Ok(()), |function| function.traverse(&visit))
    }

    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("fastmlp._html")?.call_method1("of_network", (slf,))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        architecture::shown(&self.network, self.dtype(), &self.loss_object(py)?)
    }
}
