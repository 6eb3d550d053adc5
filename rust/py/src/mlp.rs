//! The class `MLP`: signatures and documentation; the work is the engine's.

use std::collections::BTreeMap;
use std::sync::Arc;

use fastmlp_core::{Error, Init, Layout, Network, NetworkFile, Normalization, Objective, Role};
use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::architecture::Architecture;
use crate::argument;
use crate::array::dtype_name;
use crate::dropout::{SeededDropout, dropout};
use crate::engine::{Engine, build};
use crate::error::{BindError, BindResult};
use crate::history::History;
use crate::integer::{count, random_seed, seed as seed_of};
use crate::loss::as_object;
use crate::loss_function::LossFunction;
use crate::network_file::{array, load_alone};
use crate::objective::objective;
use crate::optimizer::Optimizer;
use crate::parameter_block::{blocks_of, part};
use crate::shuffling::Shuffling;
use crate::stream::{Destination, Source, destination, source};
use crate::threads::threads;
use crate::training::{DataArguments, FitArguments};

/// A multilayer perceptron, trained on the CPU.
///
/// Dense layers compute ``z = a @ W + b``, and an activation ``a = f(z)`` follows each but the
/// last. Its sums are logits, whose softmax gives the probabilities of classes, or become another
/// `output`, and training lowers the weighted mean of a loss.
///
/// All parameters lie in one vector: layer by layer the weights ``(d_in, d_out)``, row after
/// row, then the biases ``(d_out,)``, then those of the layer's normalisation and activation, where
/// these learn. `parameters`, `weights`, `biases` and `parameter_blocks` are live views of it.
///
/// Parameters
/// ----------
/// layer_sizes : sequence of int
///     Widths, input first: ``[2, 100, 3]`` takes 2 features through 100 hidden units to the
///     logits of 3 classes, ``[2, 3]`` is a linear model. At least two, each >= 1.
/// activation : str or sequence of str, default="relu"
///     The name of an activation, see Notes: one for all hidden layers, or a sequence with one per
///     hidden layer.
/// output : {"softmax", "sigmoid", "identity", "exp"}, default=None
///     What makes predictions ``p`` of the last sums: probabilities of classes that exclude each
///     other, a probability for each output, any numbers, or positive numbers; see Notes for the
///     loss of each, and for what `y` is. None is what goes with the loss, ``"softmax"`` without
///     one.
/// init : str, default="auto"
///     How weights are drawn: ``"auto"``, ``"glorot_uniform"``, ``"glorot_normal"``,
///     ``"he_uniform"``, ``"he_normal"``, ``"lecun_normal"`` or ``"normal"``; see Notes. Biases
///     start at 0.
/// init_scale : float, default=None
///     Standard deviation of ``init="normal"``, the only one that has it: finite, >= 0; None means
///     0.01.
/// dtype : str or dtype, default="float32"
///     Type of the parameters, of the inputs and of the results: ``"float32"`` or ``"float64"``,
///     or NumPy's type of that name.
/// seed : int or numpy.random.Generator, default=None
///     From 0 to 2**64 - 1. It determines the initial weights, and the order of rows in each `fit`
///     without a seed of its own. A seed is drawn from a Generator, which advances it. None takes a
///     seed from the operating system.
/// normalization : {"layer"}, default=None
///     ``"layer"`` normalises the sums of every hidden layer, row by row, before the activation; see
///     Notes. None does not.
/// input_scale : bool, default=False
///     Whether each input is first multiplied by a learnable number of its own, which is 1 at first.
/// loss : str, Loss or callable, default=None
///     What training lowers: an object of `fastmlp.losses`, its name, such as ``"huber"``, or a
///     function of your own, see Notes. None is the loss that belongs to the output.
///
/// Attributes
/// ----------
/// layer_sizes : tuple of int
///     Widths, input first.
/// activation : str or tuple of str
///     The activation of all hidden layers, or of each if they differ.
/// output : str
///     What makes predictions of the last sums.
/// loss_function : Loss or callable
///     What training lowers: an object of `fastmlp.losses`, or the function that was given.
/// dtype : str
///     ``"float32"`` or ``"float64"``.
/// n_parameters : int
///     Number of weights and biases.
/// parameters : ndarray of shape (n_parameters,)
///     All parameters, a live view.
/// weights : tuple of ndarray of shape (d_in, d_out)
///     The weights of each layer, live views.
/// biases : tuple of ndarray of shape (d_out,)
///     The biases of each layer, live views.
/// parameter_blocks : tuple of ParameterBlock
///     Every block of parameters with its stage, role, shape and live view.
/// normalization : str or None
///     What the sums of every hidden layer are normalised over.
/// input_scale : bool
///     Whether each input is multiplied by a learnable number.
///
/// Raises
/// ------
/// TypeError
///     If an argument is of the wrong type.
/// ValueError
///     If a width, a name, a scale or a seed is out of its range, `activation` is a sequence without
///     exactly one name per hidden layer, or the loss does not go with the output.
/// MemoryError
///     If the system refuses memory for the parameters.
///
/// See Also
/// --------
/// SGD : Stochastic gradient descent, with momentum.
/// Adam : Steps scaled by running means of the gradient and of its square.
/// AdamW : Adam with decoupled weight decay.
///
/// Notes
/// -----
/// Activations::
///
///     identity    f(z) = z
///     relu        f(z) = max(0, z)
///     leaky_relu  f(z) = z if z > 0 else 0.01 z
///     sigmoid     f(z) = 1 / (1 + exp(-z))
///     tanh        f(z) = tanh(z)
///     elu         f(z) = z if z > 0 else exp(z) - 1                            [3]
///     selu        f(z) = 1.0507 z if z > 0 else 1.7581 (exp(z) - 1)            [4]
///     gelu        f(z) = z P(z), P the standard normal distribution function   [5]
///     silu        f(z) = z / (1 + exp(-z))                                     [5]
///     mish        f(z) = z tanh(log(1 + exp(z)))                               [6]
///     softplus    f(z) = log(1 + exp(z))
///     prelu       f(z) = z if z > 0 else a z, with a learnable slope a per unit, initially 0.25  [2]
///
/// All are exact to two units in the last place.
///
/// With ``normalization="layer"`` an activation is applied to
/// ``g (z - mean(z)) / sqrt(var(z) + 1e-5) + s`` instead of ``z``, with the mean and the (biased)
/// variance of the row's sums [8], and a learnable gain ``g``, initially 1, and shift ``s``,
/// initially 0, per unit.
///
/// Initialisers, for weights ``(d_in, d_out)``::
///
///     glorot_uniform  uniform in ±sqrt(6 / (d_in + d_out))                 [1]
///     glorot_normal   normal, standard deviation sqrt(2 / (d_in + d_out))  [1]
///     he_uniform      uniform in ±sqrt(6 / d_in)                           [2]
///     he_normal       normal, standard deviation sqrt(2 / d_in)            [2]
///     lecun_normal    normal, standard deviation sqrt(1 / d_in)            [7]
///     normal          normal, standard deviation init_scale
///     auto            glorot_uniform before identity, sigmoid, tanh and the output,
///                     lecun_normal before selu, he_uniform before all others
///
/// Weights are drawn in double precision: with the same seed networks of both types start from the
/// same weights, rounded.
///
/// Outputs, and the losses that belong to them::
///
///     softmax   p = exp(z) / sum(exp(z))   l = log(sum(exp(z))) - z[y]
///     sigmoid   p = 1 / (1 + exp(-z))      l = sum(-y log(p) - (1 - y) log(1 - p))
///     identity  p = z                      l = sum((z - y)**2) / 2
///     exp       p = exp(z)                 l = sum(y log(y / p) - y + p)
///
/// computed so that no exponential overflows that need not; they are the cross-entropy of classes
/// and of yes and no, half the squared error, and half the Poisson deviance. `fastmlp.losses` has
/// others: cross-entropy with smoothed labels and the focal loss for softmax and sigmoid; absolute
/// error, Huber's loss and quantiles for identity; gamma and Tweedie deviances for exp.
///
/// For softmax `y` has shape (n,) and holds class indices, of any integer dtype; for the others it
/// has shape (n, d_out), or (n,) if d_out is 1, and is of the network's dtype: from 0 to 1 for
/// sigmoid, >= 0 for exp, or what another loss says. The loss of several rows is
/// ``sum(w * l) / sum(w)`` with ``w = sample_weight * class_weight[y]``, where a weight that is not
/// given counts as 1; class weights are for softmax alone.
///
/// A function ``loss(y, raw)`` is called once per batch, for all of its rows in their order, with `y`
/// as it was given, of any number of columns and the network's dtype, and the last layer's sums
/// `raw`, of shape (n, d_out): copies. It returns the tuple ``(losses, d_raw)``: the loss of each
/// row, of shape (n,), and its derivative with respect to the row's sums, of shape (n, d_out), both
/// finite, of the network's dtype, and without the weights, which come afterwards. What it raises
/// ends the call and passes through; training stops at the last whole update. It goes with the
/// output identity. While a network is trained its loss function cannot use it: that is a
/// RuntimeError. A network with such a loss is pickled with its function, and has no file.
///
/// `X` may also be a SciPy sparse matrix or array in CSR format, of the network's dtype, except in
/// `backward`. It is never made dense as a whole.
///
/// Arrays are read in place, whatever their strides, and never cast: a wrong dtype raises a
/// TypeError that names the cast. During a call that takes more than some tens of microseconds,
/// other Python threads run, and signals are checked about every 20 ms: Ctrl-C ends any call. Calls
/// that read a network may run side by side; a call that starts while the network is trained raises
/// a RuntimeError. Networks can be copied and pickled.
///
/// References
/// ----------
/// .. [1] X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward
///    neural networks", AISTATS 2010.
/// .. [2] K. He, X. Zhang, S. Ren and J. Sun, "Delving deep into rectifiers: surpassing
///    human-level performance on ImageNet classification", ICCV 2015.
/// .. [3] D.-A. Clevert, T. Unterthiner and S. Hochreiter, "Fast and accurate deep network
///    learning by exponential linear units (ELUs)", ICLR 2016.
/// .. [4] G. Klambauer, T. Unterthiner, A. Mayr and S. Hochreiter, "Self-normalizing neural
///    networks", NIPS 2017.
/// .. [5] D. Hendrycks and K. Gimpel, "Gaussian error linear units (GELUs)", arXiv:1606.08415,
///    2016.
/// .. [6] D. Misra, "Mish: a self regularized non-monotonic activation function", BMVC 2020.
/// .. [7] Y. LeCun, L. Bottou, G. B. Orr and K.-R. Müller, "Efficient backprop", 1998.
/// .. [8] J. L. Ba, J. R. Kiros and G. E. Hinton, "Layer normalization", 2016.
///
/// Examples
/// --------
/// >>> import numpy as np
/// >>> import fastmlp
/// >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float32)
/// >>> y = np.array([0, 1, 1, 0])
/// >>> mlp = fastmlp.MLP([2, 16, 2], activation="tanh", seed=0)
/// >>> history = mlp.fit(X, y, fastmlp.Adam(learning_rate=0.05), epochs=200)
/// >>> mlp.predict(X)
/// array([0, 1, 1, 0])
/// >>> bool(history.loss[-1] < history.loss[0])
/// True
#[pyclass(frozen, weakref, module = "fastmlp")]
#[allow(clippy::upper_case_acronyms, reason = "the name users know")]
pub(crate) struct MLP {
    engine: Box<dyn Engine>,
    network: Network,
    /// The engine has it too; counted once, so that the garbage collector sees all that holds the callable.
    loss_function: Option<Arc<LossFunction>>,
}

#[pymethods]
impl MLP {
    #[new]
    #[pyo3(signature = (
        layer_sizes, activation = None, output = None, init = "auto", init_scale = None, dtype = None,
        seed = None, *, normalization = None, input_scale = false, loss = None
    ), text_signature = "(layer_sizes, activation='relu', output=None, init='auto', init_scale=None, \
        dtype='float32', seed=None, *, normalization=None, input_scale=False, loss=None)")]
    #[allow(clippy::too_many_arguments, reason = "what a network is made of")]
    fn new(
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
    ) -> BindResult<Self> {
        let architecture = Architecture { layer_sizes, activation, output, normalization, input_scale, loss };
        let network = architecture.network()?;
        let init = Init::from_name(init, init_scale)?;
        let dtype = dtype.map_or_else(|| Ok("float32".to_owned()), dtype_name)?;
        let seed = seed_of(seed)?.map_or_else(random_seed, Ok)?;
        let loss_function = architecture.loss_function(&network);
        let engine = build(&dtype, network.clone(), Some(init), seed, loss_function.as_ref())?;
        Ok(Self { engine, network, loss_function })
    }

    /// Widths of the layers, input first: tuple of int.
    #[getter]
    fn layer_sizes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.layout().layer_sizes().collect::<Vec<_>>())
    }

    /// The activation of all hidden layers: str; tuple of str, one per layer, if they differ;
    /// ``()`` without hidden layers.
    #[getter]
    fn activation<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let names: Vec<_> = self.network.activations().iter().map(|activation| activation.name()).collect();
        match names.first() {
            Some(first) if names.iter().all(|name| name == first) => Ok(PyString::new(py, first).into_any()),
            _ => Ok(PyTuple::new(py, names)?.into_any()),
        }
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
        match &self.loss_function {
            Some(function) => Ok(function.callable(py).clone()),
            None => as_object(py, self.network.loss()),
        }
    }

    /// Type of the parameters, of the inputs and of the results: ``"float32"`` or ``"float64"``.
    #[getter]
    fn dtype(&self) -> &'static str {
        self.engine.dtype()
    }

    /// Number of weights and biases: int, ``sum((d_in + 1) * d_out)`` over the layers.
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
        slf.get().engine.parameters(slf.clone().into_any())
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
    /// or None.
    #[getter]
    fn normalization(&self) -> Option<&'static str> {
        self.network.normalization().map(Normalization::name)
    }

    /// Whether each input is multiplied by a learnable number: bool.
    #[getter]
    fn input_scale(&self) -> bool {
        self.network.input_scale()
    }

    /// Views of a vector that is laid out like `parameters`, layer by layer.
    ///
    /// Parameters
    /// ----------
    /// flat : ndarray of shape (n_parameters,)
    ///     A gradient, an optimizer's moment, or any other vector; of any dtype.
    ///
    /// Returns
    /// -------
    /// weights : tuple of ndarray of shape (d_in, d_out)
    ///     Views of the weights of each layer, copies where `flat` is not contiguous.
    /// biases : tuple of ndarray of shape (d_out,)
    ///     Views of the biases of each layer.
    ///
    /// Raises
    /// ------
    /// TypeError
    ///     If `flat` is not a NumPy array.
    /// ValueError
    ///     If it has another shape.
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
        let of = |role: Role| {
            let blocks = self.layout().blocks().iter().filter(|block| block.role == role);
            blocks.map(|block| part(flat, block)).collect::<PyResult<Vec<_>>>()
        };
        let (weights, biases) = (of(Role::Weight)?, of(Role::Bias)?);
        Ok((PyTuple::new(py, weights)?, PyTuple::new(py, biases)?))
    }

    /// Compute the last layer's sums: the logits of rows.
    ///
    /// A row that is not finite gives NaN, or whatever the activations turn it into; other rows are
    /// not affected.
    ///
    /// Parameters
    /// ----------
    /// X : ndarray or CSR matrix of shape (n, d_in)
    ///     Of the network's dtype, an array with any strides.
    /// out : ndarray of shape (n, d_out), default=None
    ///     Where to write the logits: C-contiguous, of the network's dtype, in memory shared
    ///     neither with `X` nor with the network's parameters. None makes a new array.
    /// n_jobs : int, default=None
    ///     Number of threads that share the rows, at most: None means 1, -1 all cores, -2 all but
    ///     one. The result has the same bits for any number. Few rows are computed on one thread.
    ///
    /// Returns
    /// -------
    /// ndarray of shape (n, d_out)
    ///     The logits, of the network's dtype; `out` if it was given.
    ///
    /// Raises
    /// ------
    /// TypeError
    ///     If `X` or `out` is not a NumPy array of the network's dtype, or `n_jobs` is not an
    ///     integer.
    /// ValueError
    ///     If a shape does not fit, `X` is misaligned in memory or a sparse matrix that is damaged or
    ///     of another format than CSR, `out` is read-only, not
    ///     C-contiguous or shares memory with `X` or the parameters, or `n_jobs` is 0.
    /// RuntimeError
    ///     If another call is training the network.
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

    /// Compute the probabilities of the classes, or for a sigmoid the probability of each output.
    ///
    /// Rows that are not finite are treated as in `forward`.
    ///
    /// Parameters
    /// ----------
    /// X : ndarray or CSR matrix of shape (n, d_in)
    ///     Of the network's dtype, an array with any strides.
    /// out : ndarray of shape (n, d_out), default=None
    ///     Where to write the probabilities, as in `forward`.
    /// n_jobs : int, default=None
    ///     Threads that share the rows, as in `forward`.
    ///
    /// Returns
    /// -------
    /// ndarray of shape (n, d_out)
    ///     The softmax of the logits, of the network's dtype: rows are >= 0 and sum to 1; or their
    ///     sigmoid; `out` if it was given.
    ///
    /// Raises
    /// ------
    /// TypeError, ValueError, RuntimeError
    ///     As `forward` does; a ValueError for a network that does not classify.
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

    /// Predict the most probable class of each row, or the outputs of a network without classes.
    ///
    /// Parameters
    /// ----------
    /// X : ndarray or CSR matrix of shape (n, d_in)
    ///     Of the network's dtype, an array with any strides.
    /// n_jobs : int, default=None
    ///     Threads that share the rows, as in `forward`.
    ///
    /// Returns
    /// -------
    /// ndarray of shape (n,) or (n, d_out)
    ///     For softmax the index of the largest logit, the first of several equal ones: int64, of
    ///     shape (n,). For sigmoid 1 where the probability is above 1/2, else 0: int64, of shape
    ///     (n, d_out). For identity and exp the outputs, of the network's dtype and shape
    ///     (n, d_out).
    ///
    /// Raises
    /// ------
    /// TypeError, ValueError, RuntimeError
    ///     As `forward` does; for softmax and sigmoid a ValueError if `X` is not finite, with the
    ///     first row and column that is wrong, or if a logit is NaN, which determines no class.
    #[pyo3(signature = (X, n_jobs = None))]
    #[allow(non_snake_case, reason = "the name users know")]
    fn predict<'py>(
        &self,
        X: &Bound<'py, PyAny>,
        n_jobs: Option<&Bound<'py, PyAny>>,
    ) -> BindResult<Bound<'py, PyAny>> {
        self.engine.predict(X, threads(n_jobs)?)
    }

    /// Compute the weighted mean of the loss, ``sum(w * l) / sum(w)``.
    ///
    /// Parameters
    /// ----------
    /// X : ndarray or CSR matrix of shape (n, d_in)
    ///     Of the network's dtype, an array with any strides; n >= 1.
    /// y : ndarray of shape (n,) or (n, d_out)
    ///     Class indices from 0 to d_out - 1, of any integer dtype; for other outputs than softmax
    ///     see the Notes of `MLP`.
    /// sample_weight : ndarray of shape (n,), default=None
    ///     Weight of each row, float32 or float64: finite, >= 0. None is 1 for all.
    /// class_weight : sequence of d_out floats, default=None
    ///     Weight of the rows of each class, multiplied with `sample_weight`: finite, >= 0. None is
    ///     1 for all.
    /// n_jobs : int, default=None
    ///     Threads that share the rows, as in `forward`.
    ///
    /// Returns
    /// -------
    /// float
    ///     The loss.
    ///
    /// Raises
    /// ------
    /// TypeError
    ///     If an argument is not an array of the dtype named above, or `class_weight` is a mapping.
    /// ValueError
    ///     If a shape does not fit, an array is misaligned in memory, a label is not a class index or
    ///     a target out of its range,
    ///     a weight is out of its range, all weights are 0, or `n_jobs` is 0.
    /// RuntimeError
    ///     If another call is training the network.
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

    /// Compute the loss, and how well the network predicts, in one pass over the rows.
    ///
    /// Parameters
    /// ----------
    /// X : ndarray or CSR matrix of shape (n, d_in)
    ///     Of the network's dtype, an array with any strides; n >= 1.
    /// y : ndarray of shape (n,) or (n, d_out)
    ///     Class indices from 0 to d_out - 1, of any integer dtype; or what another output than
    ///     softmax has, see the Notes of `MLP`.
    /// sample_weight : ndarray of shape (n,), default=None
    ///     Weight of each row, as in `loss`.
    /// class_weight : sequence of d_out floats, default=None
    ///     Weight of the rows of each class, as in `loss`.
    /// n_jobs : int, default=None
    ///     Threads that share the rows, as in `forward`.
    ///
    /// Returns
    /// -------
    /// loss : float
    ///     The loss, as of `loss`.
    /// score : float
    ///     Where predictions are probabilities, the weighted share of rows that are right: those whose
    ///     class is the likeliest, or whose outputs are all on the right side of a half. Else R
    ///     squared, ``1 - sum(w * (y - p)**2) / sum(w * (y - mean(y))**2)``, averaged over the
    ///     outputs; an output whose targets are all the same counts 1 if it has no error, else 0.
    ///
    /// Raises
    /// ------
    /// TypeError, ValueError, RuntimeError
    ///     As `loss` does.
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

    /// Compute the loss, with a penalty if there is one, and its gradient.
    ///
    /// Parameters
    /// ----------
    /// X : ndarray or CSR matrix of shape (n, d_in)
    ///     Of the network's dtype, an array with any strides; n >= 1.
    /// y : ndarray of shape (n,) or (n, d_out)
    ///     Class indices from 0 to d_out - 1, of any integer dtype; for other outputs than softmax
    ///     see the Notes of `MLP`.
    /// sample_weight : ndarray of shape (n,), default=None
    ///     Weight of each row, as in `loss`.
    /// class_weight : sequence of d_out floats, default=None
    ///     Weight of the rows of each class, as in `loss`.
    /// dropout : float or sequence of floats, default=0.0
    ///     Share of each hidden layer's activations that is left out at random, in [0, 1); a sequence
    ///     has one per hidden layer. The others are divided by the share that is kept, so that sums
    ///     keep their expectation.
    /// seed : int or numpy.random.Generator, default=None
    ///     From 0 to 2**64 - 1: the masks of dropout are a function of it; a seed can be drawn from
    ///     a Generator. It is required with dropout, and ignored without.
    /// alpha : float, default=0.0
    ///     Strength of the L2 penalty ``alpha / (2 * sum(w)) * sum(W**2)`` over all weights, without
    ///     the biases: finite, >= 0.
    /// input_dropout : float, default=0.0
    ///     Share of the inputs that is left out at random, in [0, 1), as `dropout` leaves out
    ///     activations.
    /// n_jobs : int, default=None
    ///     Threads that share the rows, at most: None is 1, -1 all cores, -2 all but one. Few rows have
    ///     one thread, and limits that threadpoolctl sets are obeyed. The result has the same bits for
    ///     each number.
    ///
    /// Returns
    /// -------
    /// loss : float
    ///     The weighted mean of the loss, and the penalty.
    /// gradient : ndarray of shape (n_parameters,)
    ///     Its derivative with respect to `parameters`, laid out like them (see `unflatten`), of
    ///     the network's dtype.
    ///
    /// Raises
    /// ------
    /// TypeError, ValueError, RuntimeError
    ///     As `loss` does.
    ///
    /// Examples
    /// --------
    /// Gradient descent by hand:
    ///
    /// >>> import numpy as np
    /// >>> import fastmlp
    /// >>> mlp = fastmlp.MLP([2, 8, 3], dtype="float64", seed=0)
    /// >>> X, y = np.eye(3)[:, :2].copy(), np.arange(3)
    /// >>> before, gradient = mlp.loss_and_grad(X, y)
    /// >>> mlp.parameters[:] -= 0.1 * gradient
    /// >>> mlp.loss(X, y) < before
    /// True
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
        let dropout = self.dropout((dropout, input_dropout), seed)?.seeded()?;
        let objective = Objective { alpha, ..Objective::default() };
        self.engine.loss_and_grad(
            &DataArguments { x: X, y, sample_weight, class_weight },
            objective,
            &dropout,
            threads(n_jobs)?,
        )
    }

    /// Backpropagate the derivative of a custom loss through the network.
    ///
    /// The forward pass is run again; no earlier call is needed.
    ///
    /// Parameters
    /// ----------
    /// X : ndarray of shape (n, d_in)
    ///     Of the network's dtype, with any strides.
    /// d_output : ndarray of shape (n, d_out)
    ///     Derivative of the loss with respect to the logits, of the network's dtype, with any
    ///     strides.
    ///
    /// Returns
    /// -------
    /// gradient : ndarray of shape (n_parameters,)
    ///     Derivative of the loss with respect to `parameters`, laid out like them, of the
    ///     network's dtype.
    /// d_X : ndarray of shape (n, d_in)
    ///     Derivative of the loss with respect to `X`, of the network's dtype.
    ///
    /// Raises
    /// ------
    /// TypeError
    ///     If an argument is not a NumPy array of the network's dtype.
    /// ValueError
    ///     If a shape does not fit, or an array is misaligned in memory.
    /// RuntimeError
    ///     If another call is training the network.
    ///
    /// Examples
    /// --------
    /// The derivative of the sum of the squared logits:
    ///
    /// >>> import numpy as np
    /// >>> import fastmlp
    /// >>> mlp = fastmlp.MLP([2, 8, 3], dtype="float64", seed=0)
    /// >>> X = np.ones((5, 2))
    /// >>> gradient, d_X = mlp.backward(X, 2 * mlp.forward(X))
    /// >>> gradient.shape, d_X.shape
    /// ((51,), (5, 2))
    #[allow(non_snake_case, reason = "the name users know")]
    fn backward<'py>(
        &self,
        X: &Bound<'py, PyAny>,
        d_output: &Bound<'py, PyAny>,
    ) -> BindResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        self.engine.backward(X, d_output)
    }

    /// Make one update on a batch.
    ///
    /// Parameters
    /// ----------
    /// X : ndarray or CSR matrix of shape (n, d_in)
    ///     Of the network's dtype, an array with any strides; n >= 1. All rows are one batch.
    /// y : ndarray of shape (n,) or (n, d_out)
    ///     Class indices from 0 to d_out - 1, of any integer dtype; for other outputs than softmax
    ///     see the Notes of `MLP`.
    /// optimizer : SGD, Adam or AdamW
    ///     Turns the gradient into a change of the parameters; its state continues from its last
    ///     step.
    /// sample_weight : ndarray of shape (n,), default=None
    ///     Weight of each row, as in `loss`.
    /// class_weight : sequence of d_out floats, default=None
    ///     Weight of the rows of each class, as in `loss`.
    /// dropout : float or sequence of floats, default=0.0
    ///     Share of each hidden layer's activations that is left out at random, in [0, 1); a sequence
    ///     has one per hidden layer. The others are divided by the share that is kept, so that sums
    ///     keep their expectation.
    /// seed : int or numpy.random.Generator, default=None
    ///     From 0 to 2**64 - 1: the masks of dropout are a function of it; a seed can be drawn from
    ///     a Generator. None takes the next seed of the network's own stream. It is ignored without
    ///     dropout.
    /// alpha : float, default=0.0
    ///     Strength of the L2 penalty ``alpha / (2 * sum(w)) * sum(W**2)`` over all weights, without
    ///     the biases: finite, >= 0.
    /// input_dropout : float, default=0.0
    ///     Share of the inputs that is left out at random, in [0, 1), as `dropout` leaves out
    ///     activations.
    ///
    /// Returns
    /// -------
    /// float
    ///     The loss before the update, with the penalty.
    ///
    /// Raises
    /// ------
    /// TypeError
    ///     As `loss` does, or if `optimizer` is not an optimizer.
    /// ValueError
    ///     As `loss` does; if the optimizer's state belongs to a network of another size or dtype;
    ///     if the loss is not finite because `X` is not, with the first row and column that is wrong.
    /// DivergenceError
    ///     If the loss, the gradient or the update is not finite although `X` is. The network and the
    ///     optimizer stay as they were.
    /// RuntimeError
    ///     If another call is training the network, or training with the optimizer.
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
        let dropout = self.dropout((dropout, input_dropout), seed)?;
        let objective = Objective { alpha, ..Objective::default() };
        self.engine.step(&data, objective, Optimizer::extract(optimizer)?, &dropout)
    }

    /// Train for some epochs: go through all rows in batches, with one update per batch.
    ///
    /// Training starts from the current parameters.
    ///
    /// Parameters
    /// ----------
    /// X : ndarray or CSR matrix of shape (n, d_in)
    ///     Of the network's dtype, an array with any strides; n >= 1. It is read in place.
    /// y : ndarray of shape (n,) or (n, d_out)
    ///     Class indices from 0 to d_out - 1, of any integer dtype; for other outputs than softmax
    ///     see the Notes of `MLP`.
    /// optimizer : SGD, Adam or AdamW, default=None
    ///     Turns gradients into changes of the parameters. Its state continues from its last step,
    ///     and stays with it after the call. None means a new ``Adam()``.
    /// epochs : int, default=1000
    ///     Number of passes through all rows, >= 0.
    /// batch_size : int, default=None
    ///     Rows per update, >= 1; the last batch of an epoch has the rest. None, or more than n,
    ///     means all rows.
    /// shuffle : bool, default=True
    ///     Whether to draw a new order of rows for each epoch. If one batch has all rows, there is
    ///     nothing to shuffle.
    /// seed : int, numpy.random.Generator or numpy.random.RandomState, default=None
    ///     From 0 to 2**64 - 1. The order of rows is a function of the seed and the number of the
    ///     epoch alone. None takes the next seed of the network's own stream, which starts at the
    ///     `seed` of the network: ``MLP(..., seed=0).fit(X, y)`` gives the same each time. From a
    ///     Generator one seed is drawn for the whole call. A RandomState gives the orders of
    ///     scikit-learn, each a shuffle of the one before, even if one batch has all rows, and is
    ///     advanced by them when the call ends; the masks of dropout then come from the network's
    ///     own stream.
    /// sample_weight : ndarray of shape (n,), default=None
    ///     Weight of each row, float32 or float64: finite, >= 0. None is 1 for all. The loss of a
    ///     batch is ``sum(w * l) / sum(w)`` over its rows; a batch whose weights are all 0 makes no
    ///     update.
    /// class_weight : sequence of d_out floats, default=None
    ///     Weight of the rows of each class, also in the validation set: finite, >= 0. None means 1
    ///     for all.
    /// X_val : ndarray or CSR matrix of shape (n_val, d_in), default=None
    ///     A validation set, given with `y_val`, of the network's dtype. Its loss and accuracy are
    ///     computed after each epoch; training does not use them.
    /// y_val : ndarray of shape (n_val,) or (n_val, d_out), default=None
    ///     The targets of `X_val`, in the form of `y`.
    /// dropout : float or sequence of floats, default=0.0
    ///     Share of each hidden layer's activations that is left out at random, in [0, 1); a sequence
    ///     has one per hidden layer. The others are divided by the share that is kept, so that sums
    ///     keep their expectation.
    /// n_jobs : int, default=None
    ///     Number of threads that share a batch, at most: None means 1, -1 all cores, -2 all but
    ///     one. A batch too small to be shared is computed on one thread, and limits that
    ///     threadpoolctl sets are obeyed. The result has the same bits for any number.
    /// callback : callable, default=None
    ///     Called with an `Epoch` after each epoch; training stops if it returns True, and
    ///     continues if it returns None or False. It may use the network, read the optimizer's
    ///     state and set its learning rate, but must train neither the network nor another one with
    ///     the optimizer. An exception ends training and passes through.
    /// alpha : float, default=0.0
    ///     Strength of the L2 penalty: ``alpha / (2 * sum(w)) * sum(W**2)`` over all weights, without
    ///     the biases, is added to the loss of a batch: finite, >= 0.
    /// report : {"objective", "scikit-learn"}, default="objective"
    ///     Which training losses the callback and the history get: those that training minimises,
    ///     or those that scikit-learn's estimators report: probabilities clipped to between the
    ///     dtype's epsilon and 1 - epsilon, squared errors averaged over the outputs, batches
    ///     averaged by their numbers of rows. Training itself is the same.
    /// initial_epoch : int, default=0
    ///     Epochs that an earlier fit of the network made: training goes on with the next, up to
    ///     `epochs`. With the same seed, optimizer and arguments the two fits together give what one
    ///     uninterrupted fit does, bit for bit: see `fastmlp.checkpoint`.
    /// input_dropout : float, default=0.0
    ///     Share of the inputs that is left out at random, in [0, 1), as `dropout` leaves out
    ///     activations.
    ///
    /// Returns
    /// -------
    /// History
    ///     Loss, accuracy and duration of each epoch. The loss is the weighted mean over the rows
    ///     of the epoch, with the penalty, and the accuracy the fraction of correct rows, each row
    ///     taken before the update of its batch.
    ///
    /// Raises
    /// ------
    /// TypeError
    ///     As `loss` does; if `optimizer` is not an optimizer, `callback` is not callable or
    ///     returns neither a bool nor None; if a number is not an integer.
    /// ValueError
    ///     As `loss` does, for `X_val` and `y_val` too; if only one of these two is given; if a
    ///     number is out of its range; if the optimizer's state belongs to a network of another size
    ///     or dtype; if `X_val` is not finite, or the loss is not because `X` is not, with the first
    ///     row and column that is wrong.
    /// DivergenceError
    ///     If a loss, a gradient or an update is not finite although `X` is. The network has the
    ///     parameters from before that batch.
    /// KeyboardInterrupt
    ///     On Ctrl-C. The network is left after a complete update, as after every other error.
    /// RuntimeError
    ///     If another call is training the network, or training with the optimizer.
    /// MemoryError
    ///     If the system refuses memory for the buffers.
    ///
    /// Examples
    /// --------
    /// Stop when the validation loss has not fallen for ten epochs:
    ///
    /// >>> import numpy as np
    /// >>> import fastmlp
    /// >>> rng = np.random.default_rng(0)
    /// >>> X = rng.standard_normal((120, 4))
    /// >>> y = (X[:, 0] > 0).astype(int)
    /// >>> mlp = fastmlp.MLP([4, 32, 2], dtype="float64", seed=0)
    /// >>> val_losses = []
    /// >>> def patience(epoch):
    /// ...     val_losses.append(epoch.val_loss)
    /// ...     return min(val_losses[-10:]) > min(val_losses)
    /// >>> history = mlp.fit(
    /// ...     X[:80], y[:80], epochs=500, batch_size=16, X_val=X[80:], y_val=y[80:], callback=patience
    /// ... )
    /// >>> len(history) == len(val_losses) < 500
    /// True
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
        let epochs = epochs.map_or(Ok(1000), |epochs| count("epochs", epochs, 0))?;
        let initial_epoch = initial_epoch.map_or(Ok(0), |initial| count("initial_epoch", initial, 0))?;
        if initial_epoch > epochs {
            let expected = format!("at most {epochs}, the number of epochs");
            return Err(Error::value("initial_epoch", initial_epoch, expected).into());
        }
        let arguments = FitArguments {
            validation,
            epochs,
            initial_epoch,
            batch_size: batch_size.map(|size| count("batch_size", size, 1)).transpose()?,
            shuffle,
            dropout: self.dropout((dropout, input_dropout), None)?.dropout,
            objective: objective(alpha, report, &self.network)?,
            n_threads: threads(n_jobs)?,
            callback,
            // Last: a Generator is advanced by it.
            shuffling: Shuffling::extract(seed)?,
        };
        let data = DataArguments { x: X, y, sample_weight, class_weight };
        match optimizer {
            Some(optimizer) => self.engine.fit(&data, Optimizer::extract(optimizer)?, &arguments),
            None => self.engine.fit(&data, &Optimizer::default(), &arguments),
        }
    }

    /// Write the network to a file: architecture, parameters and random state.
    ///
    /// The file is in the safetensors layout, is written completely or not at all, and has a
    /// checksum. It contains no code.
    ///
    /// Parameters
    /// ----------
    /// path : str, PathLike or object with write
    ///     The file, in an existing folder. It gets the permissions of a file that it replaces and,
    ///     where the process may set them, its owner and group. Or an object that writes bytes,
    ///     such as a file opened in binary mode or a BytesIO; it is flushed, but not closed.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     If the file cannot be written; an existing file stays as it was. Exceptions of an object
    ///     pass through, and it may have received a part of the file.
    /// ValueError
    ///     If a parameter is not finite.
    /// RuntimeError
    ///     If another call is training the network.
    ///
    /// See Also
    /// --------
    /// load : Reads it back.
    fn save(&self, py: Python<'_>, #[pyo3(from_py_with = destination)] path: Destination) -> BindResult<()> {
        path.save(py, self.to_file()?)
    }

    /// Read a network that `save` wrote.
    ///
    /// Everything in the file is checked before it is used, and nothing in it is executed. The
    /// network behaves like the one that was saved: a `fit` without a seed of its own goes through
    /// the rows in the same orders.
    ///
    /// Parameters
    /// ----------
    /// path : str, PathLike, object with read, or bytes-like
    ///     The file. Or an object that reads bytes, such as a file opened in binary mode; it is
    ///     read from its position to the end of what `save` wrote, and not further. Or those bytes.
    ///
    /// Returns
    /// -------
    /// MLP
    ///
    /// Raises
    /// ------
    /// ModelFileError
    ///     If the file is damaged, is not a model file, or holds more than a network.
    /// OSError
    ///     If the file cannot be read; FileNotFoundError if it does not exist.
    /// MemoryError
    ///     If the system refuses memory for what the file holds.
    ///
    /// See Also
    /// --------
    /// save : Writes it.
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
        loss = None
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
    ) -> BindResult<Bound<'py, Self>> {
        let (activation, output) = (Some(activation), Some(output));
        let architecture = Architecture { layer_sizes, activation, output, normalization, input_scale, loss };
        let network = architecture.network()?;
        let loss_function = architecture.loss_function(&network);
        Self::restored(network, dtype, seeds, parameters, loss_function)
    }

    #[allow(clippy::type_complexity, reason = "a function and its arguments, for pickle")]
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> BindResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let (py, mlp) = (slf.py(), slf.get());
        let (parameters, seeds) = mlp.engine.snapshot()?;
        let (sizes, activation) = (mlp.layer_sizes(py)?, mlp.activation(py)?);
        let arguments = (sizes, activation, mlp.output(), mlp.dtype(), seeds, array(py, parameters));
        let mut arguments = arguments.into_pyobject(py)?;
        let has_loss = !mlp.network.has_canonical_loss();
        if mlp.normalization().is_some() || mlp.input_scale() || has_loss {
            let stages = (mlp.normalization(), mlp.input_scale()).into_pyobject(py)?;
            arguments = arguments.add(stages)?.cast_into().map_err(PyErr::from)?;
        }
        if has_loss {
            let loss = (mlp.loss_function(py)?,).into_pyobject(py)?;
            arguments = arguments.add(loss)?.cast_into().map_err(PyErr::from)?;
        }
        Ok((slf.get_type().getattr("_restore")?, arguments))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.loss_function.as_ref().map_or(Ok(()), |function| function.traverse(&visit))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (sizes, activation) = (self.layer_sizes(py)?.to_list().repr()?, self.activation(py)?.repr()?);
        let (output, dtype) = (self.output(), self.dtype());
        let normalization =
            self.normalization().map_or_else(String::new, |name| format!(", normalization='{name}'"));
        let input_scale = if self.input_scale() { ", input_scale=True" } else { "" };
        let loss = if self.network.has_canonical_loss() {
            String::new()
        } else {
            format!(", loss={}", self.loss_function(py)?.repr()?)
        };
        Ok(format!(
            "MLP({sizes}, activation={activation}, output='{output}', dtype='{dtype}'{normalization}{input_scale}{loss})"
        ))
    }
}

impl MLP {
    /// A network with these parameters and this random state.
    pub(crate) fn restored<'py>(
        network: Network,
        dtype: &str,
        seeds: u64,
        parameters: &Bound<'py, PyAny>,
        loss_function: Option<Arc<LossFunction>>,
    ) -> BindResult<Bound<'py, Self>> {
        let engine = build(dtype, network.clone(), None, seeds, loss_function.as_ref())?;
        let mlp = Bound::new(parameters.py(), Self { engine, network, loss_function })?;
        Self::parameters(&mlp).set_item(parameters.py().Ellipsis(), parameters)?;
        Ok(mlp)
    }

    /// The content of a file of the network.
    pub(crate) fn to_file(&self) -> BindResult<NetworkFile> {
        let (parameters, seeds) = self.engine.snapshot()?;
        let (tensors, metadata) = (BTreeMap::new(), BTreeMap::new());
        Ok(NetworkFile { network: self.network.clone(), parameters, seeds, tensors, metadata })
    }

    /// One update along the caller's own gradient.
    pub(crate) fn descend(&self, gradient: &Bound<'_, PyAny>, optimizer: &Optimizer) -> BindResult<()> {
        self.engine.descend(gradient, optimizer)
    }

    fn layout(&self) -> &Layout {
        self.network.layout()
    }

    fn dropout(
        &self,
        (hidden, input): (Option<&Bound<'_, PyAny>>, f64),
        seed: Option<&Bound<'_, PyAny>>,
    ) -> BindResult<SeededDropout> {
        let n_hidden = self.network.activations().len();
        Ok(SeededDropout { dropout: dropout(hidden, input, n_hidden)?, seed: seed_of(seed)? })
    }
}
