"""What both estimators share: parameters, the course of a fit, lazy predictions."""

from copy import copy
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import dask.array as da
import numpy as np
from dask.delayed import delayed
from distributed import Client
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import (
    Interval,
    StrOptions,
    validate_parameter_constraints,
)

from fastmlp.dask.cluster import Cluster
from fastmlp.dask.fit import Fit, bytes_of
from fastmlp.dask.table import (
    Table,
    check_collection,
    partitions_of,
    validation_table,
    with_names,
)
from fastmlp.estimators.parameters import check_parameters

_COUNT = Interval(Integral, 1, None, closed="left")
_CONSTRAINTS: dict[str, list[Any]] = {
    "sync_every": [StrOptions({"auto"}), _COUNT],
    "n_shards": [_COUNT, None],
    "outer_optimizer": [StrOptions({"nesterov"}), None],
    "outer_lr": [Interval(Real, 0, None, closed="neither")],
    "outer_momentum": [Interval(Real, 0, 1, closed="left")],
    "standardize": ["boolean"],
    "block_size": [str, _COUNT],
    "client": [Client, None],
}


class BaseDaskMLP(BaseEstimator):
    """Base of `DaskMLPClassifier` and `DaskMLPRegressor`; it cannot be used by itself."""

    # `MLPClassifier` or `MLPRegressor`.
    _local: ClassVar[Any]

    sync_every: int | str
    n_shards: int | None
    outer_optimizer: str | None
    outer_lr: float
    outer_momentum: float
    standardize: bool
    block_size: str | int
    client: Client | None

    warm_start: bool

    estimator_: Any
    n_shards_: int
    n_rounds_: int

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train the network on a cluster.

        Parameters
        ----------
        X : dask Array or DataFrame of shape (n_samples, n_features)
            One sample per row. Unless `dtype` says otherwise, float32 is trained in float32, all
            else in float64. Rows should be in random order over the partitions.
        y : dask Array, Series or DataFrame of shape (n_samples,) or (n_samples, n_outputs)
            Class labels, an indicator of several labels, or numbers; with the partitions of `X`.
        sample_weight : dask Array or Series of shape (n_samples,), default=None
            Weight of each sample: finite, >= 0. None is 1 for all.
        X_val, y_val, sample_weight_val : dask collections, default=None
            Rows for validation, as in `MLPClassifier.fit`.

        Returns
        -------
        object
            The estimator itself.

        Raises
        ------
        TypeError
            If data is no Dask collection.
        ValueError
            If an argument or a parameter is out of its range, or if training diverges.
        ClusterError
            If the cluster fails.
        Exception
            Any other that a task raises, such as an error in reading a file. After this and every
            other error in the first epoch the estimator is as it was before the call; later it has
            the parameters after the last whole epoch, and a note of the error says so.

        Warns
        -----
        SmallFitWarning
            If one machine is likely to be faster.
        SortedRowsWarning
            If the shards differ in their targets.
        FeatureScaleWarning, ConvergenceWarning
            As those of `MLPClassifier.fit`.
        """
        validate_parameter_constraints(
            _CONSTRAINTS, {name: getattr(self, name) for name in _CONSTRAINTS}, type(self).__name__
        )
        bytes_of(self.block_size)
        goes_on = bool(self.warm_start) and hasattr(self, "estimator_")
        estimator = self.estimator_ if goes_on else self._local()
        draft = estimator._draft()
        draft.set_params(**self._local_params())
        draft._validate_params()
        check_parameters(draft)
        if draft.solver == "lbfgs":
            raise ValueError("solver must be 'sgd', 'adam' or 'adamw' for rounds, got 'lbfgs'")
        table = Table.of(X, y, sample_weight)
        given = validation_table(X_val, y_val, sample_weight_val)
        cluster = Cluster(self.client)
        fit = Fit(self, draft, cluster, table, given, fresh=not goes_on)
        course = fit.run()
        self.estimator_, self.n_shards_ = estimator, len(fit.plan.shards)
        self.n_rounds_ = fit.plan.n_rounds
        estimator._become(draft, course)
        return self

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
        MLPClassifier or MLPRegressor
            A copy, which knows nothing of Dask.
        """
        return copy(self._fitted())

    def _fitted(self) -> Any:
        if "estimator_" not in self.__dict__:
            raise NotFittedError(
                f"This {type(self).__name__} instance is not fitted yet. Call 'fit' with "
                "appropriate arguments before using this estimator."
            )
        return self.estimator_

    def _local_params(self) -> dict[str, Any]:
        params: dict[str, Any] = self.get_params(deep=False)
        return {name: value for name, value in params.items() if name not in _CONSTRAINTS}

    def _lazily(self, method: str, X: Any) -> da.Array:
        """Return a prediction of each partition, as one array."""
        check_collection("X", X)
        local = self.to_local()
        local.callback = None
        # The shape and dtype of a row, of a network that is there.
        names = getattr(local, "feature_names_in_", None)
        row = getattr(local, method)(with_names(names, np.zeros((1, local.n_features_in_))))
        shared = delayed(local, pure=True)
        ask = delayed(_predicted, pure=True)
        if isinstance(X, da.Array):
            X = X.rechunk({1: -1})
            lengths = X.chunks[0]
        else:
            lengths = (np.nan,) * X.npartitions
        parts = [
            da.from_delayed(
                ask(shared, method, part, row[:0]), (n, *row.shape[1:]), dtype=row.dtype
            )
            for part, n in zip(partitions_of(X), lengths, strict=True)
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


def _predicted(estimator: Any, method: str, X: Any, nothing: NDArray[Any]) -> NDArray[Any]:
    """Return a prediction of a partition, which may have no rows."""
    return getattr(estimator, method)(X) if len(X) else nothing
