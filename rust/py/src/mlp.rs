//! The class `MLP`: signatures and documentation; the work is the engine's.

use std::collections::BTreeMap;

use fastmlp_core::{Error, Init, Layout, Network, NetworkFile, Normalization, Objective, Role};
use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyString, PyTuple};

use crate::architecture::Architecture;
use crate::argument;
use crate::array::dtype_name;
use crate::dropout::{SeededDropout, dropout};
use crate::engine::{Engine, build};
use crate::error::{BindError, BindResult};
use crate::history::History;
use crate::integer::{count, position, random_seed, seed as seed_of};
use crate::network_file::{array, load_alone};
use crate::objective::objective;
use crate::optimizer::Optimizer;
use crate::parameter_block::{blocks_of, part};
use crate::shuffling::Shuffling;
use crate::stream::{Destination, Source, destination, source};
use crate::threads::threads;
use crate::training::{DataArguments, FitArguments};
use crate::transfer;

/// A multilayer perceptron, trained on the CPU.
///
/// Dense layers compute ``z = a @ W + b``, and an activation ``a = f(z)`` follows each but the
/// last. Its sums are logits, whose softmax gives the probabilities of classes, or become another
/// `output`, and training lowers the weighted mean of the loss that belongs to that.
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
/// output : {"softmax", "sigmoid", "identity", "exp"}, default="softmax"
///     What makes predictions ``p`` of the last sums: probabilities of classes that exclude each
///     other, a probability for each output, any numbers, or positive numbers; see Notes for the
///     loss of each, and for what `y` is.
/// init : str, default="auto"
///     How weights are drawn: ``"auto"``, ``"glorot_uniform"``, ``"glorot_normal"``,
///     ``"he_uniform"``, ``"he_normal"``, ``"lecun_normal"`` or ``"normal"``; see Notes. Biases
///     start at 0.
/// init_scale : float, default=None
///     Standard deviation of ``init="normal"``, to which it belongs alone: finite, >= 0; None
///     is 0.01.
/// dtype : str or dtype, default="float32"
///     Type of the parameters, of the inputs and of the results: ``"float32"`` or ``"float64"``,
///     or NumPy's type of that name.
/// seed : int or numpy.random.Generator, default=None
///     From 0 to 2**64 - 1. It fixes the initial weights, and the order of rows in each `fit`
///     that is given no seed of its own. A Generator draws one, and is advanced by that. None asks
///     the operating system for one.
/// normalization : {"layer"}, default=None
///     ``"layer"`` normalises the sums of every hidden layer, row by row, before the activation; see
///     Notes. None does not.
/// input_scale : bool, default=False
///     Whether each input is first multiplied by a learnable number of its own, which is 1 at first.
///
/// Attributes
/// ----------
/// layer_sizes : tuple of int
///     Widths, input first.
/// activation : str or tuple of str
///     The activation of all hidden layers, or of each if they differ.
/// output : str
///     What makes predictions of the last sums.
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
/// frozen : tuple of int
///     Numbers of the layers that training leaves as they are.
///
/// Raises
/// ------
/// TypeError
///     If an argument is of the wrong type.
/// ValueError
///     If a width, a name, a scale or a seed is out of its range, or `activation` is a sequence
///     without exactly one name per hidden layer.
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
///     prelu       f(z) = z if z > 0 else a z, with a learnable slope a per unit, 0.25 at first   [2]
///
/// to two units in the last place.
///
/// With ``normalization="layer"`` an activation takes ``g (z - mean(z)) / sqrt(var(z) + 1e-5) + s``
/// in place of ``z``, with the mean and the (biased) variance of the row's sums [8], and a learnable
/// gain ``g``, 1 at first, and shift ``s``, 0 at first, per unit.
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
/// Weights are drawn in double precision: the same seed gives networks of both types the same
/// start, rounded.
///
/// Outputs, and the losses that belong to them::
///
///     softmax   p = exp(z) / sum(exp(z))   l = log(sum(exp(z))) - z[y]
///     sigmoid   p = 1 / (1 + exp(-z))      l = sum(-y log(p) - (1 - y) log(1 - p))
///     identity  p = z                      l = sum((z - y)**2) / 2
///     exp       p = exp(z)                 l = sum(y log(y / p) - y + p)
///
/// computed so that no exponential overflows that need not; they are the cross-entropy of classes
/// and of yes and no, half the squared error, and half the Poisson deviance. For softmax `y` has
/// shape (n,) and holds class indices, of any integer dtype; for the others it has shape
/// (n, d_out), or (n,) if d_out is 1, and is of the network's dtype: from 0 to 1 for sigmoid, >= 0
/// for exp. The loss of several rows is ``sum(w * l) / sum(w)`` with
/// ``w = sample_weight * class_weight[y]``, where a weight that is not given counts as 1; class
/// weights are for softmax alone.
///
/// `X` may also be a sparse matrix or array of SciPy's in CSR format, of the network's dtype, where
/// no `d_X` is asked for. It is never made dense as a whole.
///
/// Arrays are read where they lie, whatever their strides, and never cast: a wrong dtype is a
/// TypeError that names the cast. While a call works for more than some tens of microseconds,
/// other Python threads run, and signals are looked for about every 20 ms: Ctrl-C ends any call.
/// Calls that read a network may run side by side; a call that comes while the network is trained
/// raises a RuntimeError. Networks can be copied and pickled.
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
}

#[pymethods]
impl MLP {
    #[new]
    #[pyo3(signature = (
        layer_sizes, activation = None, output = "softmax", init = "auto", init_scale = None, dtype = None,
        seed = None, *, normalization = None, input_scale = false
    ), text_signature = "(layer_sizes, activation='relu', output='softmax', init='auto', init_scale=None, \
        dtype='float32', seed=None, *, normalization=None, input_scale=False)")]
    #[allow(clippy::too_many_arguments, reason = "what a network is made of")]
    fn new(
        layer_sizes: &Bound<'_, PyAny>,
        activation: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = argument::output)] output: &str,
        #[pyo3(from_py_with = argument::init)] init: &str,
        #[pyo3(from_py_with = argument::init_scale)] init_scale: Option<f64>,
        dtype: Option<&Bound<'_, PyAny>>,
        seed: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = argument::normalization)] normalization: Option<&str>,
        #[pyo3(from_py_with = argument::input_scale)] input_scale: bool,
    ) -> BindResult<Self> {
        let architecture = Architecture { layer_sizes, activation, output, normalization, input_scale };
        let network = architecture.network()?;
        let init = Init::from_name(init, init_scale)?;
        let dtype = dtype.map_or_else(|| Ok("float32".to_owned()), dtype_name)?;
        let seed = seed_of(seed)?.map_or_else(random_seed, Ok)?;
        Ok(Self { engine: build(&dtype, network.clone(), Some(init), seed)?, network })
    }

    /// Widths of the layers, input first: tuple of int.
    #[getter]
    fn layer_sizes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.layout().layer_sizes().collect::<Vec<_>>())
    }

    /// The activation of all hidden layers: str; tuple of str, one a layer, if they differ; ``()``
    /// without hidden layers.
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
    /// Writing to it changes the network, and training changes what it shows. Its memory never
    /// moves, and lives for as long as a view of it.
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
    /// `parameters`, of which each has a live view.
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

    /// Whether each input is multiplied by a learnable number of its own: bool.
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
    /// A row that is not finite gives NaN, or what the activations make of it; other rows do not
    /// depend on it.
    ///
    /// Parameters
    /// ----------
    /// X : ndarray or CSR matrix of shape (n, d_in)
    ///     Of the network's dtype, an array with any strides.
    /// out : ndarray of shape (n, d_out), default=None
    ///     Where to write the logits: C-contiguous, of the network's dtype, apart from `X` and from
    ///     the network's parameters. None makes a new array.
    /// n_jobs : int, default=None
    ///     Threads that share the rows: None is 1, -1 all cores, -2 all but one. The result has the
    ///     same bits for each number. No more are started than pay: few rows have one thread.
    ///
    /// Returns
    /// -------
    /// ndarray of shape (n, d_out)
    ///     The logits, of the network's dtype; `out` if it was given.
    ///
    /// Raises
    /// ------
    /// TypeError
    ///     If `X` or `out` is not a NumPy array of the network's dtype, or `n_jobs` is no integer.
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

    /// Compute the probabilities of the classes, or for a sigmoid that of each output.
    ///
    /// Rows that are not finite count as in `forward`.
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

    /// Find the likeliest class of each row, or what else the network predicts.
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
    ///     For softmax class indices, int64, of shape (n,): where the largest logit is; the first of
    ///     several equal ones. For sigmoid int64 of shape (n, d_out): 1 where the probability is above
    ///     a half, else 0. For identity and exp the outputs, of the network's dtype and shape
    ///     (n, d_out).
    ///
    /// Raises
    /// ------
    /// TypeError, ValueError, RuntimeError
    ///     As `forward` does; for softmax and sigmoid a ValueError if `X` is not finite, with the
    ///     first row and column that is wrong, or if a logit is NaN: no class follows from it.
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
    ///     Class indices from 0 to d_out - 1, of any integer dtype; or what another output than
    ///     softmax has, see the Notes of `MLP`.
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

    /// Compute the loss, with a penalty if there is one, and its gradient.
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
    /// dropout : float or sequence of floats, default=0.0
    ///     Share of each hidden layer's activations that is left out at random, in [0, 1); a sequence
    ///     has one a hidden layer. The others are divided by the share that is kept, so that sums keep
    ///     their expectation.
    /// seed : int or numpy.random.Generator, default=None
    ///     From 0 to 2**64 - 1: the masks of dropout are a function of it; a Generator draws one. It is
    ///     needed with dropout, and without means nothing.
    /// alpha : float, default=0.0
    ///     Strength of the L2 penalty ``alpha / (2 * sum(w)) * sum(W**2)`` over all weights, without
    ///     the biases: finite, >= 0.
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
        signature = (X, y, sample_weight = None, class_weight = None, dropout = None, seed = None, alpha = 0.0),
        text_signature = "($self, X, y, sample_weight=None, class_weight=None, dropout=0.0, seed=None, alpha=0.0)"
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
    ) -> BindResult<(f64, Bound<'py, PyAny>)> {
        let dropout = self.dropout(dropout, seed)?.seeded()?;
        let objective = Objective { alpha, ..Objective::default() };
        self.engine.loss_and_grad(
            &DataArguments { x: X, y, sample_weight, class_weight },
            objective,
            &dropout,
        )
    }

    /// Pull the derivative of a loss of the caller's own back through the network.
    ///
    /// The forward pass is run again, and nothing of an earlier call is needed.
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

    /// Compute what a hidden layer makes of rows: its activations.
    ///
    /// The network as a feature extractor: the sums of the layer, normalised where the network
    /// normalises them, after the activation, and without dropout. Rows that are not finite count as
    /// in `forward`.
    ///
    /// Parameters
    /// ----------
    /// X : ndarray or CSR matrix of shape (n, d_in)
    ///     Of the network's dtype, an array with any strides.
    /// layer : int, default=-1
    ///     Number of the hidden layer: from 0, the first behind the input, or negative and counted from
    ///     the last one, -1. The width of its output is ``layer_sizes[1:-1][layer]``.
    /// n_jobs : int, default=None
    ///     Threads that share the rows, as in `forward`.
    ///
    /// Returns
    /// -------
    /// ndarray of shape (n, width)
    ///     The activations, of the network's dtype.
    ///
    /// Raises
    /// ------
    /// TypeError
    ///     If `X` is not a NumPy array or CSR matrix of the network's dtype, or `layer` or `n_jobs` is
    ///     no integer.
    /// ValueError
    ///     As `forward` does, or if there is no such hidden layer.
    /// RuntimeError
    ///     If another call is training the network.
    ///
    /// Examples
    /// --------
    /// >>> import numpy as np
    /// >>> import fastmlp
    /// >>> mlp = fastmlp.MLP([3, 8, 4, 2], seed=0)
    /// >>> X = np.ones((5, 3), dtype=np.float32)
    /// >>> mlp.transform(X).shape, mlp.transform(X, layer=0).shape
    /// ((5, 4), (5, 8))
    #[pyo3(
        signature = (X, layer = None, n_jobs = None),
        text_signature = "($self, X, layer=-1, n_jobs=None)"
    )]
    #[allow(non_snake_case, reason = "the name users know")]
    fn transform<'py>(
        &self,
        X: &Bound<'py, PyAny>,
        layer: Option<&Bound<'py, PyAny>>,
        n_jobs: Option<&Bound<'py, PyAny>>,
    ) -> BindResult<Bound<'py, PyAny>> {
        let n_hidden = self.network.activations().len();
        let last = PyInt::new(X.py(), -1);
        let layer = position("layer", layer.unwrap_or(last.as_any()), n_hidden, "hidden layer")?;
        self.engine.transform(X, layer, threads(n_jobs)?)
    }

    /// Compute the derivative of every output with respect to every input, row by row.
    ///
    /// The Jacobian of `forward`: entry ``[i, k, j]`` is the derivative of output ``k`` of row ``i``
    /// with respect to ``X[i, j]``. The rows go forward once, and back once per output. At a corner
    /// of an activation the derivative is that from the left, as in `loss_and_grad`; there is no
    /// dropout.
    ///
    /// Parameters
    /// ----------
    /// X : ndarray or CSR matrix of shape (n, d_in)
    ///     Of the network's dtype, an array with any strides.
    /// of : {"logits", "predictions"}, default="logits"
    ///     What the derivative is of: the last layer's sums, which `forward` returns, or what the
    ///     network's output makes of them: the probabilities that `predict_proba` returns, and for
    ///     the outputs identity and exp what `predict` does.
    /// n_jobs : int, default=None
    ///     Threads that share the rows, as in `forward`.
    ///
    /// Returns
    /// -------
    /// ndarray of shape (n, d_out, d_in)
    ///     The derivatives, of the network's dtype.
    ///
    /// Raises
    /// ------
    /// TypeError, ValueError, RuntimeError
    ///     As `forward` does; a ValueError for another `of`.
    ///
    /// See Also
    /// --------
    /// input_vjp : One sum over the outputs, at the cost of one output.
    ///
    /// Examples
    /// --------
    /// The derivatives of a linear model are its weights:
    ///
    /// >>> import numpy as np
    /// >>> import fastmlp
    /// >>> mlp = fastmlp.MLP([3, 2], dtype="float64", seed=0)
    /// >>> gradients = mlp.input_gradients(np.ones((5, 3)))
    /// >>> gradients.shape
    /// (5, 2, 3)
    /// >>> bool((gradients == mlp.weights[0].T).all())
    /// True
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

    /// Pull the derivative of a loss of the caller's own back to the inputs alone.
    ///
    /// What `backward` returns as ``d_X``, without the gradient of the parameters, which takes about
    /// a third of its time: a vector-Jacobian product, as that of ``torch.func.vjp``. Row ``i`` is
    /// ``d_output[i] @ input_gradients(X)[i]``, for which no Jacobian is made.
    ///
    /// Parameters
    /// ----------
    /// X : ndarray or CSR matrix of shape (n, d_in)
    ///     Of the network's dtype, an array with any strides.
    /// d_output : ndarray of shape (n, d_out)
    ///     Derivative of the loss with respect to the logits, of the network's dtype, with any
    ///     strides.
    /// n_jobs : int, default=None
    ///     Threads that share the rows, as in `forward`.
    ///
    /// Returns
    /// -------
    /// ndarray of shape (n, d_in)
    ///     Derivative of the loss with respect to `X`, of the network's dtype.
    ///
    /// Raises
    /// ------
    /// TypeError, ValueError, RuntimeError
    ///     As `backward` does; a ValueError if `n_jobs` is 0.
    ///
    /// Examples
    /// --------
    /// The derivative of the sum of the squared logits:
    ///
    /// >>> import numpy as np
    /// >>> import fastmlp
    /// >>> mlp = fastmlp.MLP([2, 8, 3], dtype="float64", seed=0)
    /// >>> X = np.ones((5, 2))
    /// >>> mlp.input_vjp(X, 2 * mlp.forward(X)).shape
    /// (5, 2)
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

    /// Make one update on a batch.
    ///
    /// Parameters
    /// ----------
    /// X : ndarray or CSR matrix of shape (n, d_in)
    ///     Of the network's dtype, an array with any strides; n >= 1. All rows are one batch.
    /// y : ndarray of shape (n,) or (n, d_out)
    ///     Class indices from 0 to d_out - 1, of any integer dtype; or what another output than
    ///     softmax has, see the Notes of `MLP`.
    /// optimizer : SGD, Adam or AdamW
    ///     Turns the gradient into a change of the parameters; its state goes on from its last step.
    /// sample_weight : ndarray of shape (n,), default=None
    ///     Weight of each row, as in `loss`.
    /// class_weight : sequence of d_out floats, default=None
    ///     Weight of the rows of each class, as in `loss`.
    /// dropout : float or sequence of floats, default=0.0
    ///     Share of each hidden layer's activations that is left out at random, in [0, 1); a sequence
    ///     has one a hidden layer. The others are divided by the share that is kept, so that sums keep
    ///     their expectation.
    /// seed : int or numpy.random.Generator, default=None
    ///     From 0 to 2**64 - 1: the masks of dropout are a function of it; a Generator draws one. None
    ///     takes the next seed of the network's own stream. Without dropout it means nothing.
    /// alpha : float, default=0.0
    ///     Strength of the L2 penalty ``alpha / (2 * sum(w)) * sum(W**2)`` over all weights, without
    ///     the biases: finite, >= 0.
    ///
    /// Returns
    /// -------
    /// float
    ///     The loss before the update, with the penalty.
    ///
    /// Raises
    /// ------
    /// TypeError
    ///     As `loss` does, or if `optimizer` is no optimizer.
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
            X, y, optimizer, sample_weight = None, class_weight = None, dropout = None, seed = None, alpha = 0.0
        ),
        text_signature = "($self, X, y, optimizer, sample_weight=None, class_weight=None, dropout=0.0, seed=None, \
            alpha=0.0)"
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
    ) -> BindResult<f64> {
        let data = DataArguments { x: X, y, sample_weight, class_weight };
        let dropout = self.dropout(dropout, seed)?;
        let objective = Objective { alpha, ..Objective::default() };
        self.engine.step(&data, objective, Optimizer::extract(optimizer)?, &dropout)
    }

    /// Train for some epochs: go through all rows in batches, with one update each.
    ///
    /// Training goes on from the parameters as they are.
    ///
    /// Parameters
    /// ----------
    /// X : ndarray or CSR matrix of shape (n, d_in)
    ///     Of the network's dtype, an array with any strides; n >= 1. It is read where it lies.
    /// y : ndarray of shape (n,) or (n, d_out)
    ///     Class indices from 0 to d_out - 1, of any integer dtype; or what another output than
    ///     softmax has, see the Notes of `MLP`.
    /// optimizer : SGD, Adam or AdamW, default=None
    ///     Turns gradients into changes of the parameters. Its state goes on from its last step, and
    ///     stays with it after the call. None is a new ``Adam()``.
    /// epochs : int, default=1000
    ///     How often to go through all rows, >= 0.
    /// batch_size : int, default=None
    ///     Rows of an update, >= 1; the last batch of an epoch has what is left. None, or more than
    ///     n, is all rows.
    /// shuffle : bool, default=True
    ///     Draw a new order of rows for each epoch. Where one batch is all rows, there is nothing to
    ///     shuffle.
    /// seed : int, numpy.random.Generator or numpy.random.RandomState, default=None
    ///     From 0 to 2**64 - 1. The order of rows is a function of the seed and the number of the
    ///     epoch alone. None takes the next seed of the network's own stream, which starts at the
    ///     `seed` of the network: ``MLP(..., seed=0).fit(X, y)`` gives the same each time. A
    ///     Generator draws one seed for the whole call. A RandomState gives the orders of
    ///     scikit-learn, each its shuffle of the one before, even where one batch is all rows, and is
    ///     advanced by them when the call ends; the masks of dropout then come from the network's own
    ///     stream.
    /// sample_weight : ndarray of shape (n,), default=None
    ///     Weight of each row, float32 or float64: finite, >= 0. None is 1 for all. The loss of a
    ///     batch is ``sum(w * l) / sum(w)`` over its rows; a batch whose weights are all 0 makes no
    ///     update.
    /// class_weight : sequence of d_out floats, default=None
    ///     Weight of the rows of each class, of the validation set too: finite, >= 0. None is 1 for
    ///     all.
    /// X_val : ndarray or CSR matrix of shape (n_val, d_in), default=None
    ///     A validation set, given with `y_val`, of the network's dtype. Its loss and accuracy are
    ///     taken after each epoch; training does not use them.
    /// y_val : ndarray of shape (n_val,) or (n_val, d_out), default=None
    ///     The targets of `X_val`, as `y` has them.
    /// dropout : float or sequence of floats, default=0.0
    ///     Share of each hidden layer's activations that is left out at random, in [0, 1); a sequence
    ///     has one a hidden layer. The others are divided by the share that is kept, so that sums keep
    ///     their expectation.
    /// n_jobs : int, default=None
    ///     Threads that share a batch, at most: None is 1, -1 all cores, -2 all but one. A batch too
    ///     small to be shared has one thread, and limits that threadpoolctl sets are obeyed. The
    ///     result has the same bits for each number.
    /// callback : callable, default=None
    ///     Called with an `Epoch` after each epoch; training stops if it returns True, and goes on
    ///     if it returns None or False. It may use the network, look at the optimizer's state and
    ///     set its learning rate, but train neither the network nor another one with the optimizer.
    ///     What it raises ends training and passes through.
    /// alpha : float, default=0.0
    ///     Strength of the L2 penalty: ``alpha / (2 * sum(w)) * sum(W**2)`` over all weights, without
    ///     the biases, is added to the loss of a batch: finite, >= 0.
    /// report : {"objective", "scikit-learn"}, default="objective"
    ///     Which training losses the callback and the history get: what training lowers, or what
    ///     scikit-learn's estimators report: probabilities held to between the dtype's epsilon and 1
    ///     less that, squared errors averaged over the outputs, batches averaged by their numbers of
    ///     rows. What training does is the same.
    /// initial_epoch : int, default=0
    ///     Epochs that an earlier fit of the network made: training goes on with the next, up to
    ///     `epochs`. With the same seed, optimizer and arguments the two fits together give what one
    ///     uninterrupted fit does, bit for bit: see `fastmlp.checkpoint`.
    ///
    /// Returns
    /// -------
    /// History
    ///     Loss, accuracy and duration of each epoch. The loss is the weighted mean over the rows of
    ///     the epoch, with the penalty, the accuracy the share of them that was right, each row taken
    ///     before the update of its batch.
    ///
    /// Raises
    /// ------
    /// TypeError
    ///     As `loss` does; if `optimizer` is no optimizer, `callback` not callable, or what it returns
    ///     neither a bool nor None; if a number is not an integer.
    /// ValueError
    ///     As `loss` does, for `X_val` and `y_val` too; if only one of these two is given; if a
    ///     number is out of its range; if the optimizer's state belongs to a network of another size
    ///     or dtype; if `X_val` is not finite, or the loss is not because `X` is not, with the first
    ///     row and column that is wrong.
    /// DivergenceError
    ///     If a loss, a gradient or an update is not finite although `X` is. The network has the
    ///     parameters from before that batch.
    /// KeyboardInterrupt
    ///     On Ctrl-C. The network is at a whole update, as it is after every other error.
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
        alpha = 0.0, report = "objective", initial_epoch = None
    ), text_signature = "($self, X, y, optimizer=None, epochs=1000, batch_size=None, shuffle=True, seed=None, \
        sample_weight=None, class_weight=None, X_val=None, y_val=None, dropout=0.0, n_jobs=None, callback=None, \
        alpha=0.0, report='objective', initial_epoch=0)")]
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
            dropout: self.dropout(dropout, None)?.dropout,
            objective: objective(alpha, report)?,
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

    /// Copy the network.
    ///
    /// Returns
    /// -------
    /// MLP
    ///     A network of its own with the same parameters, frozen layers and state of its randomness:
    ///     a `fit` without a seed goes through the rows in the orders of the original.
    ///
    /// Raises
    /// ------
    /// RuntimeError
    ///     If another call is training the network.
    /// MemoryError
    ///     If the system refuses memory for the parameters.
    ///
    /// See Also
    /// --------
    /// soft_update : Moves a copy towards the original.
    fn copy(&self) -> BindResult<Self> {
        Ok(Self { engine: self.engine.copied()?, network: self.network.clone() })
    }

    fn __copy__(&self) -> BindResult<Self> {
        self.copy()
    }

    #[allow(unused_variables, reason = "the protocol's")]
    fn __deepcopy__(&self, memo: &Bound<'_, PyAny>) -> BindResult<Self> {
        self.copy()
    }

    /// Move the parameters towards those of another network of the same layers.
    ///
    /// They become ``tau * other.parameters + (1 - tau) * parameters``: the update of a target
    /// network, or an average of the weights over training. It is one pass over the parameters.
    ///
    /// Parameters
    /// ----------
    /// other : MLP
    ///     A network of the same dtype with the same layers, of which nothing but the parameters
    ///     counts.
    /// tau : float
    ///     The share of the other network, from 0 to 1: 1 copies its parameters, bit for bit.
    ///
    /// Raises
    /// ------
    /// TypeError
    ///     If `other` is no network or has another dtype, or `tau` is no number.
    /// ValueError
    ///     If `other` has other layers, or `tau` is out of its range.
    /// RuntimeError
    ///     If another call is training one of the two networks.
    ///
    /// Notes
    /// -----
    /// Frozen layers move, too: to be frozen is a matter of training.
    ///
    /// Examples
    /// --------
    /// >>> import fastmlp
    /// >>> online = fastmlp.MLP([4, 32, 2], output="identity", seed=0)
    /// >>> target = online.copy()
    /// >>> online.parameters[:] += 1
    /// >>> target.soft_update(online, tau=0.25)
    /// >>> round(float((online.parameters - target.parameters).mean()), 6)
    /// 0.75
    fn soft_update(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = argument::other)] other: Bound<'_, Self>,
        #[pyo3(from_py_with = argument::tau)] tau: f64,
    ) -> BindResult<()> {
        self.engine.soft_update(py, &*other.get().engine, tau)
    }

    /// Let training leave layers as they are.
    ///
    /// Neither `fit`, `step` nor `Optimizer.step` changes the parameters of a frozen layer, or what an
    /// optimizer keeps for them: they are not part of the norm that `clip_norm` bounds, and do not
    /// decay. `loss_and_grad` and `backward` give 0 for their gradient and do not compute it, nor the
    /// way back through layers before the first that is trained: to train the last layers alone takes
    /// less time.
    ///
    /// Parameters
    /// ----------
    /// layers : int or sequence of int, default=None
    ///     Numbers of dense layers, from 0 to ``len(weights) - 1``, negative ones counted from the
    ///     last: each with its weights, biases, normalisation and slopes, and the first with the scale
    ///     of the inputs. None is all of them. Those that are frozen already stay so.
    ///
    /// Raises
    /// ------
    /// TypeError
    ///     If `layers` is neither None, an integer nor a sequence of these.
    /// ValueError
    ///     If there is no such layer.
    /// RuntimeError
    ///     If another call is training the network. A callback of `fit` may freeze layers of the
    ///     network, from the next epoch on.
    ///
    /// See Also
    /// --------
    /// unfreeze : Lets training change them again.
    ///
    /// Notes
    /// -----
    /// As ``requires_grad_(False)`` of PyTorch's, it holds training back and nothing else: writing to
    /// `parameters` and `soft_update` change frozen layers. The penalty `alpha` still counts their
    /// weights in the loss. Copies, pickles and files of the network keep which layers are frozen.
    ///
    /// `Adam` counts its steps for all parameters together: after `unfreeze` its first steps for a
    /// layer that never moved are up to ``(1 - beta_1) / sqrt(1 - beta_2)`` times as long as those of
    /// a new optimizer.
    ///
    /// Examples
    /// --------
    /// Train the last layer alone:
    ///
    /// >>> import numpy as np
    /// >>> import fastmlp
    /// >>> X, y = np.eye(4, dtype=np.float32), np.array([0, 1, 0, 1])
    /// >>> mlp = fastmlp.MLP([4, 8, 8, 2], seed=0)
    /// >>> first = mlp.weights[0].copy()
    /// >>> mlp.freeze([0, 1])
    /// >>> history = mlp.fit(X, y, epochs=10)
    /// >>> bool((mlp.weights[0] == first).all())
    /// True
    /// >>> mlp.frozen
    /// (0, 1)
    #[pyo3(signature = (layers = None))]
    fn freeze(&self, py: Python<'_>, layers: Option<&Bound<'_, PyAny>>) -> BindResult<()> {
        self.engine.freeze(py, &transfer::layers(layers, self.layout().layers().len())?, true)
    }

    /// Let training change layers again that `freeze` froze.
    ///
    /// Parameters
    /// ----------
    /// layers : int or sequence of int, default=None
    ///     Numbers of layers, as for `freeze`; None is all of them. Those that are not frozen stay so.
    ///
    /// Raises
    /// ------
    /// TypeError, ValueError, RuntimeError
    ///     As `freeze` does.
    ///
    /// See Also
    /// --------
    /// freeze : Lets training leave them as they are.
    #[pyo3(signature = (layers = None))]
    fn unfreeze(&self, py: Python<'_>, layers: Option<&Bound<'_, PyAny>>) -> BindResult<()> {
        self.engine.freeze(py, &transfer::layers(layers, self.layout().layers().len())?, false)
    }

    /// Numbers of the layers that training leaves as they are: tuple of int, in their order.
    #[getter]
    fn frozen<'py>(&self, py: Python<'py>) -> BindResult<Bound<'py, PyTuple>> {
        Ok(PyTuple::new(py, self.engine.frozen()?)?)
    }

    /// Write the network to a file.
    ///
    /// Architecture, parameters, frozen layers and the state of its randomness are saved. The file is
    /// in the safetensors layout, appears whole or not at all, and has a checksum. It holds no code.
    ///
    /// Parameters
    /// ----------
    /// path : str, PathLike or object with write
    ///     The file; its folder exists. A file that is replaced passes on its permissions and, where
    ///     the process may set them, its owner and group. Or an object that writes bytes, such as
    ///     a file opened in binary mode or a BytesIO; it is flushed, and not closed.
    ///
    /// Raises
    /// ------
    /// OSError
    ///     If the file cannot be written; what was there before stays as it was. What an object raises
    ///     passes through, and may have been written in part.
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
    /// All that the file says of itself is checked before it is believed, and nothing in it is
    /// executed. The network goes on as the one that was saved: a `fit` without a seed of its own
    /// goes through the rows in the same orders.
    ///
    /// Parameters
    /// ----------
    /// path : str, PathLike, object with read, or bytes-like
    ///     The file. Or an object that reads bytes, such as a file opened in binary mode, from where
    ///     it stands to the end of what `save` wrote, and no byte more. Or those bytes.
    ///
    /// Returns
    /// -------
    /// MLP
    ///
    /// Raises
    /// ------
    /// ModelFileError
    ///     If the file is damaged or no such file, or holds more than a network.
    /// OSError
    ///     If the file cannot be read; FileNotFoundError if there is none.
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

    /// The network that `__reduce__` took apart.
    #[staticmethod]
    #[pyo3(signature = (
        layer_sizes, activation, output, dtype, seeds, parameters, normalization = None, input_scale = false,
        frozen = Vec::new()
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
        frozen: Vec<usize>,
    ) -> BindResult<Bound<'py, Self>> {
        let activation = Some(activation);
        let architecture = Architecture { layer_sizes, activation, output, normalization, input_scale };
        Self::restored(architecture.network()?, dtype, (seeds, &frozen), parameters)
    }

    #[allow(clippy::type_complexity, reason = "a function and its arguments, for pickle")]
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> BindResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let (py, mlp) = (slf.py(), slf.get());
        let ((parameters, seeds), frozen) = (mlp.engine.snapshot()?, mlp.frozen(py)?);
        let (sizes, activation) = (mlp.layer_sizes(py)?, mlp.activation(py)?);
        let arguments = (sizes, activation, mlp.output(), mlp.dtype(), seeds, array(py, parameters));
        let mut arguments = arguments.into_pyobject(py)?;
        if mlp.normalization().is_some() || mlp.input_scale() || !frozen.is_empty() {
            let stages = (mlp.normalization(), mlp.input_scale()).into_pyobject(py)?;
            arguments = arguments.add(stages)?.cast_into().map_err(PyErr::from)?;
        }
        if !frozen.is_empty() {
            arguments = arguments.add((frozen,))?.cast_into().map_err(PyErr::from)?;
        }
        Ok((slf.get_type().getattr("_restore")?, arguments))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (sizes, activation) = (self.layer_sizes(py)?.to_list().repr()?, self.activation(py)?.repr()?);
        let (output, dtype) = (self.output(), self.dtype());
        let normalization =
            self.normalization().map_or_else(String::new, |name| format!(", normalization='{name}'"));
        let input_scale = if self.input_scale() { ", input_scale=True" } else { "" };
        Ok(format!(
            "MLP({sizes}, activation={activation}, output='{output}', dtype='{dtype}'{normalization}{input_scale})"
        ))
    }
}

impl MLP {
    /// A network with these parameters, this state of its randomness and these frozen layers.
    pub(crate) fn restored<'py>(
        network: Network,
        dtype: &str,
        (seeds, frozen): (u64, &[usize]),
        parameters: &Bound<'py, PyAny>,
    ) -> BindResult<Bound<'py, Self>> {
        let engine = build(dtype, network.clone(), None, seeds)?;
        engine.freeze(parameters.py(), frozen, true)?;
        let mlp = Bound::new(parameters.py(), Self { engine, network })?;
        Self::parameters(&mlp).set_item(parameters.py().Ellipsis(), parameters)?;
        Ok(mlp)
    }

    /// What a file holds of the network.
    pub(crate) fn to_file(&self) -> BindResult<NetworkFile> {
        let ((parameters, seeds), frozen) = (self.engine.snapshot()?, self.engine.frozen()?);
        let (network, tensors, metadata) = (self.network.clone(), BTreeMap::new(), BTreeMap::new());
        Ok(NetworkFile { network, parameters, seeds, frozen, tensors, metadata })
    }

    /// One update along a gradient of the caller's own.
    pub(crate) fn descend(&self, gradient: &Bound<'_, PyAny>, optimizer: &Optimizer) -> BindResult<()> {
        self.engine.descend(gradient, optimizer)
    }

    fn layout(&self) -> &Layout {
        self.network.layout()
    }

    fn dropout(
        &self,
        rates: Option<&Bound<'_, PyAny>>,
        seed: Option<&Bound<'_, PyAny>>,
    ) -> BindResult<SeededDropout> {
        let n_hidden = self.network.activations().len();
        Ok(SeededDropout { dropout: dropout(rates, n_hidden)?, seed: seed_of(seed)? })
    }
}
