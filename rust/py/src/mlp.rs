//! The class `MLP`: signatures and documentation; the work is the engine's.

use fastmlp_core::{Activation, Error, Init, Layout, Network};
use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PySlice, PyString, PyTuple};

use crate::engine::{Engine, build};
use crate::error::{BindError, BindResult};
use crate::history::History;
use crate::integer::{count, integer, random_seed, seed as seed_of, threads};
use crate::optimizer::Optimizer;
use crate::training::{DataArguments, FitArguments};

/// A multilayer perceptron that classifies, trained on the CPU.
#[pyclass(frozen, weakref, module = "fastmlp")]
#[allow(clippy::upper_case_acronyms, reason = "the name users know")]
pub(crate) struct MLP {
    engine: Box<dyn Engine>,
    network: Network,
}

const OUTPUT: &str = "softmax";

#[pymethods]
impl MLP {
    #[new]
    #[pyo3(signature = (
        layer_sizes, activation = None, output = OUTPUT, init = "auto", init_scale = None, dtype = "float32",
        seed = None
    ))]
    fn new(
        layer_sizes: &Bound<'_, PyAny>,
        activation: Option<&Bound<'_, PyAny>>,
        output: &str,
        init: &str,
        init_scale: Option<f64>,
        dtype: &str,
        seed: Option<&Bound<'_, PyAny>>,
    ) -> BindResult<Self> {
        let network = network(layer_sizes, activation, output)?;
        let init = Init::from_name(init, init_scale)?;
        let seed = seed_of(seed)?.map_or_else(random_seed, Ok)?;
        Ok(Self { engine: build(dtype, network.clone(), Some(init), seed)?, network })
    }

    #[getter]
    fn layer_sizes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.layout().layer_sizes().collect::<Vec<_>>())
    }

    #[getter]
    fn activation<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let names: Vec<_> = self.network.activations().iter().map(|activation| activation.name()).collect();
        match names.first() {
            Some(first) if names.iter().all(|name| name == first) => Ok(PyString::new(py, first).into_any()),
            _ => Ok(PyTuple::new(py, names)?.into_any()),
        }
    }

    #[getter]
    #[allow(clippy::unused_self, reason = "there is one output so far")]
    fn output(&self) -> &'static str {
        OUTPUT
    }

    #[getter]
    fn dtype(&self) -> &'static str {
        self.engine.dtype()
    }

    #[getter]
    fn n_parameters(&self) -> usize {
        self.layout().n_parameters()
    }

    #[getter]
    fn parameters<'py>(slf: &Bound<'py, Self>) -> Bound<'py, PyAny> {
        slf.get().engine.parameters(slf.clone().into_any())
    }

    #[getter]
    fn weights<'py>(slf: &Bound<'py, Self>) -> BindResult<Bound<'py, PyTuple>> {
        Ok(slf.get().unflatten(&Self::parameters(slf))?.0)
    }

    #[getter]
    fn biases<'py>(slf: &Bound<'py, Self>) -> BindResult<Bound<'py, PyTuple>> {
        Ok(slf.get().unflatten(&Self::parameters(slf))?.1)
    }

    fn unflatten<'py>(
        &self,
        flat: &Bound<'py, PyAny>,
    ) -> BindResult<(Bound<'py, PyTuple>, Bound<'py, PyTuple>)> {
        let py = flat.py();
        let array = flat
            .cast::<PyUntypedArray>()
            .map_err(|_| BindError::type_error("flat", flat, "a NumPy array"))?;
        if array.shape() != [self.n_parameters()] {
            return Err(Error::shape("flat", array.shape(), format!("({},)", self.n_parameters())).into());
        }
        let part = |range: std::ops::Range<usize>| {
            flat.get_item(PySlice::new(py, range.start.cast_signed(), range.end.cast_signed(), 1))
        };
        let (mut weights, mut biases) = (Vec::new(), Vec::new());
        for layer in self.layout().layers() {
            weights.push(part(layer.weights())?.call_method1("reshape", (layer.d_in, layer.d_out))?);
            biases.push(part(layer.biases())?);
        }
        Ok((PyTuple::new(py, weights)?, PyTuple::new(py, biases)?))
    }

    #[pyo3(signature = (X, out = None))]
    #[allow(non_snake_case, reason = "the name users know")]
    fn forward<'py>(
        &self,
        X: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> BindResult<Bound<'py, PyAny>> {
        self.engine.forward(X, out, false)
    }

    #[pyo3(signature = (X, out = None))]
    #[allow(non_snake_case, reason = "the name users know")]
    fn predict_proba<'py>(
        &self,
        X: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
    ) -> BindResult<Bound<'py, PyAny>> {
        self.engine.forward(X, out, true)
    }

    #[allow(non_snake_case, reason = "the name users know")]
    fn predict<'py>(&self, X: &Bound<'py, PyAny>) -> BindResult<Bound<'py, PyAny>> {
        self.engine.predict(X)
    }

    #[pyo3(signature = (X, y, sample_weight = None, class_weight = None))]
    #[allow(non_snake_case, reason = "the name users know")]
    fn loss<'py>(
        &self,
        X: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        class_weight: Option<&Bound<'py, PyAny>>,
    ) -> BindResult<f64> {
        self.engine.loss(&DataArguments { x: X, y, sample_weight, class_weight })
    }

    #[pyo3(signature = (X, y, sample_weight = None, class_weight = None))]
    #[allow(non_snake_case, reason = "the name users know")]
    fn loss_and_grad<'py>(
        &self,
        X: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        class_weight: Option<&Bound<'py, PyAny>>,
    ) -> BindResult<(f64, Bound<'py, PyAny>)> {
        self.engine.loss_and_grad(&DataArguments { x: X, y, sample_weight, class_weight })
    }

    #[allow(non_snake_case, reason = "the name users know")]
    fn backward<'py>(
        &self,
        X: &Bound<'py, PyAny>,
        d_output: &Bound<'py, PyAny>,
    ) -> BindResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        self.engine.backward(X, d_output)
    }

    #[pyo3(signature = (X, y, optimizer, sample_weight = None, class_weight = None))]
    #[allow(non_snake_case, reason = "the name users know")]
    fn step<'py>(
        &self,
        X: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        optimizer: &Bound<'py, PyAny>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        class_weight: Option<&Bound<'py, PyAny>>,
    ) -> BindResult<f64> {
        let data = DataArguments { x: X, y, sample_weight, class_weight };
        self.engine.step(&data, Optimizer::extract(optimizer)?)
    }

    #[pyo3(signature = (
        X, y, optimizer = None, epochs = None, batch_size = None, shuffle = true, seed = None, sample_weight = None,
        class_weight = None, X_val = None, y_val = None, n_jobs = None, callback = None
    ))]
    #[allow(non_snake_case, clippy::too_many_arguments, reason = "the names users know")]
    fn fit<'py>(
        &self,
        X: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        optimizer: Option<&Bound<'py, PyAny>>,
        epochs: Option<&Bound<'py, PyAny>>,
        batch_size: Option<&Bound<'py, PyAny>>,
        shuffle: bool,
        seed: Option<&Bound<'py, PyAny>>,
        sample_weight: Option<&Bound<'py, PyAny>>,
        class_weight: Option<&Bound<'py, PyAny>>,
        X_val: Option<&Bound<'py, PyAny>>,
        y_val: Option<&Bound<'py, PyAny>>,
        n_jobs: Option<&Bound<'py, PyAny>>,
        callback: Option<&Bound<'py, PyAny>>,
    ) -> BindResult<History> {
        let validation = match (X_val, y_val) {
            (Some(x), Some(y)) => Some(DataArguments { x, y, sample_weight: None, class_weight }),
            (None, None) => None,
            (Some(_), None) => return Err(Error::value("y_val", "None", "the labels of X_val").into()),
            (None, Some(_)) => return Err(Error::value("X_val", "None", "the inputs of y_val").into()),
        };
        if let Some(callback) = callback.filter(|callback| !callback.is_callable()) {
            return Err(BindError::type_error("callback", callback, "a function of one argument"));
        }
        let arguments = FitArguments {
            validation,
            epochs: epochs.map_or(Ok(1000), |epochs| count("epochs", epochs, 0))?,
            batch_size: batch_size.map(|size| count("batch_size", size, 1)).transpose()?,
            shuffle,
            seed: seed_of(seed)?,
            n_threads: threads(n_jobs)?,
            callback,
        };
        let data = DataArguments { x: X, y, sample_weight, class_weight };
        match optimizer {
            Some(optimizer) => self.engine.fit(&data, Optimizer::extract(optimizer)?, &arguments),
            None => self.engine.fit(&data, &Optimizer::default(), &arguments),
        }
    }

    /// The network that `__reduce__` took apart.
    #[staticmethod]
    fn _restore<'py>(
        layer_sizes: &Bound<'py, PyAny>,
        activation: &Bound<'py, PyAny>,
        output: &str,
        dtype: &str,
        seeds: u64,
        parameters: &Bound<'py, PyAny>,
    ) -> BindResult<Bound<'py, Self>> {
        let network = network(layer_sizes, Some(activation), output)?;
        let engine = build(dtype, network.clone(), None, seeds)?;
        let mlp = Bound::new(parameters.py(), Self { engine, network })?;
        Self::parameters(&mlp).set_item(PySlice::full(parameters.py()), parameters)?;
        Ok(mlp)
    }

    #[allow(clippy::type_complexity, reason = "a function and its arguments, for pickle")]
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> BindResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let (py, mlp) = (slf.py(), slf.get());
        let parameters = Self::parameters(slf).call_method0("copy")?;
        let (sizes, activation) = (mlp.layer_sizes(py)?, mlp.activation(py)?);
        let arguments = (sizes, activation, OUTPUT, mlp.dtype(), mlp.engine.seeds(), parameters);
        Ok((slf.get_type().getattr("_restore")?, arguments.into_pyobject(py)?))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (sizes, activation) = (self.layer_sizes(py)?.to_list(), self.activation(py)?.repr()?);
        let (sizes, dtype) = (sizes.repr()?, self.dtype());
        Ok(format!("MLP({sizes}, activation={activation}, output={OUTPUT:?}, dtype={dtype:?})"))
    }
}

impl MLP {
    fn layout(&self) -> &Layout {
        self.network.layout()
    }
}

fn network(
    layer_sizes: &Bound<'_, PyAny>,
    activation: Option<&Bound<'_, PyAny>>,
    output: &str,
) -> BindResult<Network> {
    let sizes = layer_sizes
        .try_iter()
        .map_err(|_| BindError::type_error("layer_sizes", layer_sizes, "a sequence of integers"))?;
    let widths = 0..=isize::MAX as i128;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in the range of usize")]
    let sizes = sizes.map(|size| Ok(integer("layer_sizes", &size?, widths.clone(), "widths >= 1")? as usize));
    let sizes = sizes.collect::<BindResult<Vec<_>>>()?;
    if output != OUTPUT {
        return Err(Error::value("output", format_args!("{output:?}"), format!("{OUTPUT:?}")).into());
    }
    let n_hidden = sizes.len().saturating_sub(2);
    let activations = match activation {
        None => vec![Activation::Relu; n_hidden],
        Some(one) if one.is_instance_of::<PyString>() => {
            vec![Activation::from_name(&one.extract::<String>()?)?; n_hidden]
        }
        Some(several) => several
            .extract::<Vec<String>>()
            .map_err(|_| BindError::type_error("activation", several, "a name, or a sequence of names"))?
            .iter()
            .map(|name| Activation::from_name(name))
            .collect::<Result<_, _>>()?,
    };
    Ok(Network::new(&sizes, &activations)?)
}
