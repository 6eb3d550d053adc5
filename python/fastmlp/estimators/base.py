"""What both estimators share: parameters, the course of a fit, reading input."""

from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, _fit_context

from fastmlp._core import MLP
from fastmlp.estimators.architecture import hidden_sizes
from fastmlp.estimators.company import Company
from fastmlp.estimators.course import Course
from fastmlp.estimators.divergence import not_finite
from fastmlp.estimators.inputs import (
    Examples,
    as_targets,
    read_examples,
    read_inputs,
    readable,
)
from fastmlp.estimators.inside import Inside
from fastmlp.estimators.lbfgs import LBFGS
from fastmlp.estimators.listeners import Listeners
from fastmlp.estimators.live import layer_sizes_of
from fastmlp.estimators.mlp_file import MLPInFile
from fastmlp.estimators.parameters import CONSTRAINTS, check_parameters
from fastmlp.estimators.random_state import legacy_random_state, seed_ahead
from fastmlp.estimators.scale import spread_of, warn_of_scales
from fastmlp.estimators.stages import Staged
from fastmlp.estimators.stochastic import Stochastic
from fastmlp.estimators.tasks import CallbackSupportMixin, FitTasks
from fastmlp.estimators.validation import Rows, ValidationData, checked

if TYPE_CHECKING:
    from fastmlp._core import Normalization


class BaseMLP(MLPInFile, Staged, Stochastic, LBFGS, Inside, CallbackSupportMixin, BaseEstimator):
    """Base of `MLPClassifier` and `MLPRegressor`; it cannot be used by itself."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = CONSTRAINTS

    hidden_layer_sizes: Any
    normalization: "Normalization | None"
    random_state: int | np.random.RandomState | np.random.Generator | None
    warm_start: bool
    dtype: "Literal['float32', 'float64'] | None"

    n_features_in_: int
    n_layers_: int
    n_outputs_: int

    def __init__(self, **parameters: Any) -> None:
        self.__dict__.update(parameters)

    @classmethod
    def _get_param_names(cls) -> list[str]:
        """Return them from a cache: scikit-learn reads them off the signature at every call."""
        return list(cls._parameter_names())

    @classmethod
    @cache
    def _parameter_names(cls) -> tuple[str, ...]:
        return tuple(super()._get_param_names())

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Any:
        """Train the network on data.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample per row. Unless `dtype` says otherwise, float32 is trained in float32, all
            else in float64; sparse data is read as CSR and never made dense.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels, an indicator of several labels, or numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample: finite, >= 0. None is 1 for all.
        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Rows for validation. After each epoch score and loss on them are recorded; with
            `early_stopping` they take the place of rows that are kept back. A pipeline scales them
            as it does `X` with ``Pipeline(..., transform_input=["X_val"])``.
        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            The targets of these rows, as `y`; no classes that `y` lacks.
        sample_weight_val : array-like of shape (n_val,), default=None
            The weights of these rows. `class_weight` has no part in them.

        Returns
        -------
        object
            The estimator itself.

        Raises
        ------
        ValueError
            If an argument or a parameter is out of its range, or if training diverges. After this
            and every other error the estimator is as it was before the call; but a training that
            diverges after its first epoch leaves the last finite parameters, and the message says
            so.

        Warns
        -----
        FeatureScaleWarning
            If features differ in scale by a factor of more than 10,000.
        ConvergenceWarning
            If `max_iter` came before the end.
        """
        tasks = FitTasks.of(self, X, y, sample_weight)
        validation = ValidationData(X_val, y_val, sample_weight_val)
        draft = self._draft()
        self._become(draft, draft._train(X, y, sample_weight, validation, tasks))
        if tasks is not None:
            tasks.end()
        return self

    def _train_incrementally(self, X: Any, y: Any, sample_weight: Any) -> Course:
        """Train this draft for an epoch."""
        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        none = ValidationData(None, None, None)
        return self._train(X, y, sample_weight, none, None, incremental=True)

    def _train(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        given: ValidationData,
        tasks: FitTasks | None,
        *,
        incremental: bool = False,
    ) -> Course:
        """Train this draft."""
        check_parameters(self)
        fresh = self._is_fresh(incremental)
        examples = self._read(X, y, sample_weight, reset=fresh)
        return self._train_on(examples, given, tasks, fresh=fresh, incremental=incremental)

    def _is_fresh(self, incremental: bool = False) -> bool:
        """Say whether training begins with new parameters."""
        return not hasattr(self, "coefs_") or not (self.warm_start or incremental)

    def _read(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> Examples:
        """Check what the caller trains on, and with `reset` learn the features from it."""
        return read_examples(self, X, y, sample_weight, dtype=self.dtype, reset=reset)

    def _train_on(
        self,
        examples: Examples,
        given: ValidationData,
        tasks: FitTasks | None,
        *,
        fresh: bool,
        incremental: bool = False,
        company: Company | None = None,
    ) -> Course:
        """Train this draft, whose parameters are checked, on what it has read."""
        X, labels, sample_weight, y, spread = examples
        if y is None:
            y = self._encode(labels, fresh=fresh, incremental=incremental)
        sample_weight = self._weigh(labels, sample_weight, incremental=incremental)
        validates = given.is_given or (self.early_stopping and self.solver != "lbfgs")

        network = self._begin_network(X.shape[1], X.dtype.name, fresh=fresh, company=company)
        data = Rows(readable(X, network.dtype), as_targets(y, network), labels, sample_weight)
        held = checked(self, given, network) if given.is_given else None

        self._begin_record(fresh, validates=validates)
        if not incremental:
            if spread is None:
                spread = spread_of(data.X, getattr(self, "feature_names_in_", None))
            warn_of_scales(self, data.X, spread)
        epochs = 1 if incremental else self.max_iter
        with Listeners(self, epochs, tasks, company) as listeners:
            if self.solver == "lbfgs":
                course = self._fit_lbfgs(network, data, held, listeners)
            else:
                course = self._fit_stochastic(network, data, held, listeners, incremental)
        if not np.isfinite(network.parameters).all():
            raise ValueError(not_finite(self, data, self.n_iter_))
        return course

    def _begin_network(
        self, n_features: int, dtype: str, *, fresh: bool, company: Company | None = None
    ) -> MLP:
        """Set and return the network that training starts from; its outputs are known."""
        self._normalization = self.normalization
        layer_sizes = [n_features, *hidden_sizes(self.hidden_layer_sizes), self.n_outputs_]
        self._random_state = (
            legacy_random_state(self.random_state) if company is None else company.random_state
        )
        if fresh:
            architecture = self._architecture(layer_sizes, dtype)
            ahead = (
                seed_ahead(self._random_state, self.random_state)
                if company is None
                else company.seed_ahead
            )
            network = architecture.draw(self.activation, self._random_state, ahead)
            self.n_layers_ = len(layer_sizes)
        else:
            network = copy(self._network_of_sizes(layer_sizes))
        self._set_network(network)
        return network

    @classmethod
    def _of_network(cls, network: MLP, out_activation: str, parameters: dict[str, Any]) -> Any:
        """Make an estimator that has the network, but not yet what is special to its kind."""
        if network.input_scale:
            raise ValueError("the network must have input_scale=False, got True")
        if network.periodic_inputs:
            count = network.periodic_inputs
            raise ValueError(f"the network must have periodic_inputs=0, got {count}")
        if network.parametric_activation:
            raise ValueError("the network must have parametric_activation=False, got True")
        if network.activation != ():  # which a network without hidden layers has
            logistic = network.activation == "sigmoid"
            parameters["activation"] = "logistic" if logistic else network.activation
        parameters["normalization"] = network.normalization
        estimator = cls(hidden_layer_sizes=tuple(network.layer_sizes[1:-1]), **parameters)
        estimator.out_activation_, estimator._loss = out_activation, network.loss_function
        estimator._normalization = network.normalization
        estimator.n_features_in_, *_, estimator.n_outputs_ = network.layer_sizes
        estimator.n_layers_ = len(network.layer_sizes)
        estimator._set_network(network)
        estimator._begin_record(fresh=True)
        return estimator

    def _network_of_sizes(self, layer_sizes: list[int]) -> MLP:
        goes_on = "warm_start and partial_fit go on with the network that is there"
        found = list(layer_sizes_of(self.coefs_, self.intercepts_))
        if found != layer_sizes:
            raise ValueError(
                f"{goes_on}, whose layers have sizes {found}; the parameters and data ask for "
                f"{layer_sizes}"
            )
        network = self.network_
        if self.dtype not in (None, network.dtype):
            raise ValueError(
                f"{goes_on}, whose dtype is {network.dtype!r}; the parameters ask for "
                f"{self.dtype!r}"
            )
        return network

    def _encode(self, y: NDArray[Any], *, fresh: bool, incremental: bool) -> NDArray[Any]:
        """Turn `y` into what the network is trained on, and set what follows from it."""
        raise NotImplementedError

    def _encode_validation(self, y: NDArray[Any]) -> NDArray[Any]:
        """Turn targets for validation into the same; they must be such as training has."""
        raise NotImplementedError

    def _weigh(
        self,
        y: NDArray[Any],
        sample_weight: NDArray[Any] | None,
        *,
        incremental: bool,
    ) -> NDArray[Any] | None:
        """Return the weights of samples that training takes."""
        return sample_weight

    def _checked(self, X: Any, network: MLP) -> Any:
        """Return `X` as the network reads it, after the checks that scikit-learn makes."""
        return read_inputs(self, X, network.dtype)

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
