"""What both estimators share: parameters, the course of a fit, reading input."""

from copy import copy
from numbers import Integral, Real
from operator import index
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, _fit_context, is_regressor
from sklearn.utils import assert_all_finite, check_random_state, column_or_1d
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.validation import _check_sample_weight, validate_data

from fastmlp._core import MLP
from fastmlp.estimators.course import NOT_FINITE, Course
from fastmlp.estimators.draft import Drafts
from fastmlp.estimators.inputs import refuse_sparse_targets, refuse_times
from fastmlp.estimators.lbfgs import LBFGS
from fastmlp.estimators.live import ACTIVATIONS, draw_parameters, make_network
from fastmlp.estimators.mlp_file import MLPInFile
from fastmlp.estimators.stochastic import Stochastic


class BaseMLP(MLPInFile, Drafts, Stochastic, LBFGS, BaseEstimator):
    """Base of `MLPClassifier` and `MLPRegressor`; it cannot be used by itself."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state", np.random.Generator],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
    }

    hidden_layer_sizes: Any
    random_state: int | np.random.RandomState | np.random.Generator | None
    warm_start: bool

    n_features_in_: int
    n_layers_: int
    n_outputs_: int

    def __init__(self, **parameters: Any) -> None:
        self.__dict__.update(parameters)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train the network on data.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample a row. float32 is trained in float32, all else in float64; sparse data is
            read as CSR and never made dense.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels, an indicator of several labels, or numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample: finite, >= 0. None is 1 for all.

        Returns
        -------
        object
            The estimator itself.

        Raises
        ------
        ValueError
            If an argument or a parameter is out of its range, or if training diverges. After this
            and every other error the estimator is as it was before the call.
        """
        draft = self._draft()
        return self._become(draft, draft._train(X, y, sample_weight, incremental=False))

    def _train(self, X: Any, y: Any, sample_weight: Any, *, incremental: bool) -> Course:
        """Train this draft."""
        hidden_layer_sizes = _as_list(self.hidden_layer_sizes)
        if incremental and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        for name, values in (("X", X), ("y", y)):
            refuse_times(name, values)
        if is_regressor(self):
            refuse_sparse_targets(y)
        fresh = not hasattr(self, "coefs_") or not (self.warm_start or incremental)

        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            multi_output=True,
            y_numeric=is_regressor(self),
            dtype=(np.float64, np.float32),
            reset=fresh,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        y = self._encode(y, fresh=fresh, incremental=incremental)

        layer_sizes = [X.shape[1], *hidden_layer_sizes, self.n_outputs_]
        self._random_state = _legacy_random_state(self.random_state)
        if fresh:
            network = make_network(layer_sizes, self.activation, self.out_activation_, X.dtype)
            draw_parameters(network, self.activation, self._random_state)
            self._set_network(network)
            self.n_layers_ = len(layer_sizes)
        else:
            network = copy(self._network_of_sizes(layer_sizes))
            self._set_network(network)
        X = readable(X, network.dtype)
        if self.out_activation_ != "softmax":
            with np.errstate(over="ignore"):  # the network refuses what became infinite
                y = y.astype(network.dtype)

        self._begin_record(fresh)
        if self.solver == "lbfgs":
            course = self._fit_lbfgs(network, X, y, sample_weight)
        else:
            course = self._fit_stochastic(network, X, y, sample_weight, incremental)
        if not np.isfinite(network.parameters).all():
            raise ValueError(NOT_FINITE)
        return course

    @classmethod
    def _of_network(cls, network: MLP, out_activation: str, parameters: dict[str, Any]) -> Any:
        """Make an estimator that has the network, but not yet what is special to its kind."""
        if network.normalization is not None or network.input_scale:
            raise ValueError(
                "the network must have dense layers and activations alone, got "
                f"normalization={network.normalization!r}, input_scale={network.input_scale}"
            )
        names = {name: ours for ours, name in ACTIVATIONS.items()}
        if network.activation in names:
            parameters["activation"] = names[network.activation]
        elif network.activation != ():  # which a network without hidden layers has
            raise ValueError(
                "the network must have one activation for all hidden layers, one of "
                f"{sorted(names)}, got {network.activation!r}"
            )
        estimator = cls(hidden_layer_sizes=tuple(network.layer_sizes[1:-1]), **parameters)
        estimator.out_activation_ = out_activation
        estimator.n_features_in_, *_, estimator.n_outputs_ = network.layer_sizes
        estimator.n_layers_ = len(network.layer_sizes)
        estimator._set_network(network)
        estimator._begin_record(fresh=True)
        return estimator

    def _network_of_sizes(self, layer_sizes: list[int]) -> MLP:
        network = self.network_
        if list(network.layer_sizes) != layer_sizes:
            raise ValueError(
                "warm_start and partial_fit go on with the network that is there, whose layers "
                f"have sizes {list(network.layer_sizes)}; the parameters and data ask for "
                f"{layer_sizes}"
            )
        return network

    def _encode(self, y: NDArray[Any], *, fresh: bool, incremental: bool) -> NDArray[Any]:
        """Turn `y` into what the network is trained on, and set what follows from it."""
        raise NotImplementedError

    def _checked(self, X: Any, network: MLP) -> Any:
        """Return `X` as the network reads it, after the checks that scikit-learn makes.

        They take tens of microseconds. An array that is plainly right is spared them: a program
        that predicts row by row would wait for little else.
        """
        if (
            type(X) is np.ndarray
            and X.ndim == 2
            and X.dtype == network.dtype
            and X.dtype.isnative
            and X.flags.aligned
            and X.shape[0] > 0
            and X.shape[1] == self.n_features_in_
            and "feature_names_in_" not in self.__dict__
            and np.isfinite(X).all()
        ):
            return X
        refuse_times("X", X)
        X = validate_data(self, X, accept_sparse="csr", dtype=(np.float64, np.float32), reset=False)
        return readable(X, network.dtype)

    def __sklearn_tags__(self) -> Any:
        """Say what the estimator can do."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def goes_on_by_epochs(estimator: BaseMLP) -> bool:
    """Say whether the solver has epochs, of which `partial_fit` makes one."""
    if estimator.solver == "lbfgs":
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. "
            f"{estimator.solver} is not stochastic."
        )
    return True


def readable(X: Any, dtype: str) -> Any:
    """Return `X` in the network's dtype and on aligned addresses; the same object if it is so."""
    if X.dtype != dtype:
        with np.errstate(over="ignore"):
            X = X.astype(dtype)
        # What is finite in float64 may be infinite in float32.
        assert_all_finite(X, input_name="X")
    if isinstance(X, np.ndarray) and not X.flags.aligned:
        return X.copy()
    return X


def _legacy_random_state(random_state: Any) -> np.random.RandomState:
    """Return scikit-learn's choice; it takes no Generator, which seeds a RandomState."""
    if isinstance(random_state, np.random.Generator):
        return np.random.RandomState(random_state.integers(2**32, size=4, dtype=np.uint32))
    return check_random_state(random_state)


def _as_list(hidden_layer_sizes: Any) -> list[int]:
    one = not hasattr(hidden_layer_sizes, "__iter__")
    sizes = [hidden_layer_sizes] if one else list(hidden_layer_sizes)
    if any(size <= 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return [index(size) for size in sizes]
