"""What all estimators share: parameters of rounds, lazy predictions, the local estimator."""

from copy import copy
from typing import Any, ClassVar, Self
from uuid import uuid4

import dask
import dask.array as da
import numpy as np
from dask.delayed import delayed
from distributed import Client
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils._param_validation import validate_parameter_constraints

from fastmlp._core import MLP
from fastmlp.dask.keys import with_own_keys
from fastmlp.dask.parameters import CONSTRAINTS
from fastmlp.dask.sizes import bytes_of
from fastmlp.dask.table import check_collection, partitions_of, with_names
from fastmlp.estimators.loss import has_several_levels, score_of_quantiles


class BaseDask(BaseEstimator):
    """Base of the estimators; it cannot be used by itself."""

    # The estimator for data in memory.
    _local: ClassVar[Any]
    # Of the parameters that it has not.
    _constraints: ClassVar[dict[str, list[Any]]] = CONSTRAINTS

    sync_every: int | str
    n_shards: int | None
    outer_optimizer: str | None
    outer_lr: float
    outer_momentum: float
    block_size: str | int
    client: Client | None

    estimator_: Any
    n_shards_: int
    n_rounds_: int

    def predict(self, X: Any) -> da.Array:
        """Return what `predict` of the local estimator returns, for each partition when asked for.

        Parameters
        ----------
        X : dask Array or DataFrame of shape (n_samples, n_features)
            One sample per row.

        Returns
        -------
        dask Array of shape (n_samples,) or (n_samples, n_outputs)
            Nothing is computed until it is.
        """
        return self._lazily("predict", X)

    def to_local(self) -> Any:
        """Return the fitted estimator for data in memory.

        Returns
        -------
        object
            A copy, which knows nothing of Dask.
        """
        return copy(self._fitted())

    def _network(self) -> MLP:
        """Return a fitted network."""
        raise NotImplementedError

    def _check_rounds(self) -> None:
        """Raise an error for a parameter of rounds that is out of its range."""
        validate_parameter_constraints(
            self._constraints,
            {name: getattr(self, name) for name in self._constraints},
            type(self).__name__,
        )
        bytes_of(self.block_size)

    def _fitted(self) -> Any:
        if "estimator_" not in self.__dict__:
            raise NotFittedError(
                f"This {type(self).__name__} instance is not fitted yet. Call 'fit' with "
                "appropriate arguments before using this estimator."
            )
        return self.estimator_

    def _local_params(self) -> dict[str, Any]:
        params: dict[str, Any] = self.get_params(deep=False)
        return {name: value for name, value in params.items() if name not in self._constraints}

    def _true_and_predicted(self, X: Any, y: Any, sample_weight: Any) -> dict[str, Any]:
        """Return the arguments of a metric in the memory of this process."""
        run = _new_run()
        predicted = self._lazily("predict", X, run)
        parts = {"y_true": _own_parts(y, run), "y_pred": partitions_of(predicted)}
        if sample_weight is not None:
            parts["sample_weight"] = _own_parts(sample_weight, run)
        (found,) = dask.compute(parts, scheduler=self.client)
        return {name: np.concatenate([*map(np.asarray, each)]) for name, each in found.items()}

    def _lazily(self, method: str, X: Any, run: str | None = None) -> da.Array:
        """Return a prediction of each partition, as one array, with keys of a run."""
        check_collection("X", X)
        local = self.to_local()
        if hasattr(local, "callback"):
            local.callback = None
        # The shape and dtype of a row, of a network that is there.
        names = getattr(local, "feature_names_in_", None)
        row = getattr(local, method)(with_names(names, np.zeros((1, local.n_features_in_))))
        shared = delayed(local, pure=True)
        ask = delayed(_predicted, pure=True)
        lengths = X.chunks[0] if isinstance(X, da.Array) else (np.nan,) * X.npartitions
        parts = [
            da.from_delayed(
                ask(shared, method, part, row[:0]), (n, *row.shape[1:]), dtype=row.dtype
            )
            for part, n in zip(_own_parts(X, run or _new_run()), lengths, strict=True)
        ]
        return da.concatenate(parts, allow_unknown_chunksizes=True)

    def __getattr__(self, name: str) -> Any:
        """Return what the local estimator has learned."""
        if name.endswith("_") and not name.startswith("_") and "estimator_" in self.__dict__:
            return getattr(self.estimator_, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the client, which belongs to this process."""
        state: dict[str, Any] = dict(super().__getstate__())
        return state | {"client": None}

    def __sklearn_clone__(self) -> Self:
        """Return an estimator with the same parameters, which shares the client."""
        params = {name: clone(value, safe=False) for name, value in self._cloned_params().items()}
        return type(self)(**params, client=self.client)

    def _cloned_params(self) -> dict[str, Any]:
        params: dict[str, Any] = self.get_params(deep=False)
        return {name: value for name, value in params.items() if name != "client"}


class LazyClassifier(ClassifierMixin, BaseDask):
    """What classifiers have beside it."""

    def predict_proba(self, X: Any) -> da.Array:
        """Return the probability of each class, or of each label, when asked for.

        Parameters
        ----------
        X : dask Array or DataFrame of shape (n_samples, n_features)
            One sample per row.

        Returns
        -------
        dask Array of shape (n_samples, n_classes)
            What `predict_proba` of the local estimator returns. Nothing is computed until it is.
        """
        return self._lazily("predict_proba", X)

    def predict_log_proba(self, X: Any) -> da.Array:
        """Return the logarithm of each probability, when asked for.

        Parameters
        ----------
        X : dask Array or DataFrame of shape (n_samples, n_features)
            One sample per row.

        Returns
        -------
        dask Array of shape (n_samples, n_classes)
            What `predict_log_proba` of the local estimator returns. Nothing is computed until it
            is.
        """
        return self._lazily("predict_log_proba", X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy of the predictions.

        Parameters
        ----------
        X : dask Array or DataFrame of shape (n_samples, n_features)
            One sample per row.
        y : dask Array, Series or DataFrame
            The true classes or labels.
        sample_weight : dask Array or Series of shape (n_samples,), default=None
            Weight of each sample. None is 1 for all.

        Returns
        -------
        float
            ``sklearn.metrics.accuracy_score``.
        """
        return float(accuracy_score(**self._true_and_predicted(X, y, sample_weight)))


class LazyRegressor(RegressorMixin, BaseDask):
    """What regressors have beside it."""

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R squared of the predictions, or D squared where they are several quantiles.

        Parameters
        ----------
        X : dask Array or DataFrame of shape (n_samples, n_features)
            One sample per row.
        y : dask Array, Series or DataFrame
            The true numbers.
        sample_weight : dask Array or Series of shape (n_samples,), default=None
            Weight of each sample. None is 1 for all.

        Returns
        -------
        float
            ``sklearn.metrics.r2_score``; for quantiles of several levels the mean over these of
            ``sklearn.metrics.d2_pinball_score``.
        """
        asked = self._true_and_predicted(X, y, sample_weight)
        loss: Any = self._network().loss_function
        if has_several_levels(loss):
            return score_of_quantiles(
                asked["y_true"], asked["y_pred"], loss, asked.get("sample_weight")
            )
        return float(r2_score(**asked))


def _predicted(estimator: Any, method: str, X: Any, nothing: NDArray[Any]) -> NDArray[Any]:
    """Return a prediction of a partition, which may have no rows."""
    return getattr(estimator, method)(X) if X.shape[0] else nothing


def _own_parts(values: Any, run: str) -> list[Any]:
    """Return the partitions of a collection, with keys of a run."""
    if isinstance(values, da.Array) and values.ndim == 2:
        values = values.rechunk({1: -1})
    return with_own_keys(partitions_of(values), run)


def _new_run() -> str:
    return uuid4().hex[:8]
