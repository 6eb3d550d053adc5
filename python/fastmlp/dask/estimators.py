"""The estimators for numbers: a network trained in rounds."""

from typing import Any, ClassVar, Self

from fastmlp._core import MLP
from fastmlp.dask.base import BaseDask, LazyClassifier, LazyRegressor
from fastmlp.dask.cluster import Cluster
from fastmlp.dask.fit import Fit
from fastmlp.dask.parameters import CONSTRAINTS, extends
from fastmlp.dask.table import Table, validation_table
from fastmlp.estimators import MLPClassifier, MLPRegressor
from fastmlp.estimators.inputs import refuse_times
from fastmlp.estimators.parameters import check_parameters

_BUT = "`solver` cannot be 'lbfgs',\n    and `scoring` is None, {!r} or 'loss'."
_FURTHER: dict[str, tuple[Any, str]] = {
    "standardize": (
        False,
        """\
standardize : bool, default=False
    Whether features are trained on with mean 0 and deviation 1 over all rows. The first layer of
    the fitted network makes up for it, so that predictions take features as they are.
""",
    )
}


class BaseDaskMLP(BaseDask):
    """Base of `DaskMLPClassifier` and `DaskMLPRegressor`; it cannot be used by itself."""

    _constraints: ClassVar[dict[str, list[Any]]] = {**CONSTRAINTS, "standardize": ["boolean"]}

    standardize: bool
    warm_start: bool

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
            else in float64. Chunks may be sparse matrices of SciPy, which are never made dense.
            Rows should be in random order over the partitions.
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
        self._check_rounds()
        goes_on = bool(self.warm_start) and hasattr(self, "estimator_")
        estimator = self.estimator_ if goes_on else self._local()
        draft = estimator._draft()
        draft.set_params(**self._local_params())
        draft._validate_params()
        check_parameters(draft)
        if draft.solver == "lbfgs":
            raise ValueError("solver must be 'sgd', 'adam' or 'adamw' for rounds, got 'lbfgs'")
        for name, values in {"X": X, "y": y, "X_val": X_val, "y_val": y_val}.items():
            refuse_times(name, values)
        table = Table.of(X, y, sample_weight)
        given = validation_table(X_val, y_val, sample_weight_val)
        cluster = Cluster(self.client)
        fit = Fit(self, draft, cluster, table, given, fresh=not goes_on)
        course = fit.run()
        self.estimator_, self.n_shards_ = estimator, len(fit.plan.shards)
        self.n_rounds_ = fit.plan.n_rounds
        estimator._become(draft, course)
        return self

    def _network(self) -> MLP:
        return self._fitted().network_


@extends(MLPClassifier, _BUT.format("accuracy"), _FURTHER)
class DaskMLPClassifier(BaseDaskMLP, LazyClassifier):
    """Multilayer perceptron for classes, trained on a Dask cluster by local SGD in rounds.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    fastmlp.MLPClassifier : The same in one process.

    Notes
    -----
    docs/9_more_than_one_machine.md says when more machines pay, and what happens if one fails.
    """

    _local: ClassVar[Any] = MLPClassifier


@extends(MLPRegressor, _BUT.format("r2"), _FURTHER)
class DaskMLPRegressor(BaseDaskMLP, LazyRegressor):
    """Multilayer perceptron for numbers, trained on a Dask cluster by local SGD in rounds.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    fastmlp.MLPRegressor : The same in one process.

    Notes
    -----
    docs/9_more_than_one_machine.md says when more machines pay, and what happens if one fails.
    """

    _local: ClassVar[Any] = MLPRegressor
