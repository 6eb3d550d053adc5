"""The estimators for tables as they are: columns learned over all partitions."""

from typing import Any, ClassVar, Self

import dask.array as da

from fastmlp._core import MLP
from fastmlp.dask.base import BaseDask, LazyClassifier, LazyRegressor
from fastmlp.dask.cluster import Cluster
from fastmlp.dask.parameters import extends
from fastmlp.dask.table import Table, validation_table
from fastmlp.dask.tabular_fit import TabularFit
from fastmlp.tabular import TabularClassifier, TabularRegressor

_BUT = """\
`scoring` is None or 'loss', and
    after `max_time` training ends with the epoch, whatever the schedule has left."""


class BaseDaskTabular(BaseDask):
    """Base of `DaskTabularClassifier` and `DaskTabularRegressor`; it cannot be used by itself."""

    scoring: Any

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
        """Learn how columns become inputs, and train the networks, on a cluster.

        Parameters
        ----------
        X : dask DataFrame or Array of shape (n_samples, n_features)
            The table. Rows should be in random order over the partitions.
        y : dask Series, DataFrame or Array of shape (n_samples,) or (n_samples, n_outputs)
            Class labels; for a regressor numbers, of one output or of several; with the partitions
            of `X`.
        sample_weight : dask Series or Array of shape (n_samples,), default=None
            Weight of each row: finite, >= 0. None is 1 for all.
        X_val, y_val, sample_weight_val : dask collections, default=None
            Rows that choose the epoch of each network in place of some of `X`.

        Returns
        -------
        object
            The estimator itself.

        Raises
        ------
        TypeError
            If data is no Dask collection, or if a column has values that cannot be read.
        ValueError
            If an argument or a parameter is out of its range, if a column has numbers in some
            partitions and text in others, or if training diverges.
        ClusterError
            If the cluster fails.
        Exception
            Any other that a task raises, such as an error in reading a file. After this and every
            other error the estimator is as it was before the call.

        Warns
        -----
        UserWarning
            If columns of text are left out, because they do not name categories.
        SmallFitWarning
            If one machine is likely to be faster.
        SortedRowsWarning
            If the shards differ in their targets.
        """
        self._check_rounds()
        draft = self._local(**self._local_params())
        draft._validate_params()
        if self.scoring not in (None, "loss"):
            raise ValueError(
                "scoring must be None or 'loss', which add up over partitions, got "
                f"{self.scoring!r}"
            )
        table = Table.of(X, y, sample_weight)
        given = validation_table(X_val, y_val, sample_weight_val)
        name = None if isinstance(y, da.Array) else getattr(y, "name", None)
        draft.target_name_ = name if isinstance(name, str) else None
        fit = TabularFit(self, draft, Cluster(self.client), table, given)
        fit.run()
        self.estimator_, self.n_shards_ = draft, len(fit.plan.shards)
        self.n_rounds_ = fit.plan.n_rounds
        return self

    def _network(self) -> MLP:
        return self._fitted().networks_[0]


@extends(TabularClassifier, _BUT)
class DaskTabularClassifier(BaseDaskTabular, LazyClassifier):
    """Classifier for tables as they are, trained on a Dask cluster by local SGD in rounds.

    Categories are counted in all rows. The medians, quantiles and bins of a column of numbers are
    those of a uniform sample of 131,072 rows, drawn by `random_state`, with fewer for more than 32
    columns, and of all rows if there are no more than that.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    fastmlp.TabularClassifier : The same in one process.

    Notes
    -----
    docs/9_more_than_one_machine.md says when more machines pay, and what happens if one fails.
    """

    _local: ClassVar[Any] = TabularClassifier


@extends(TabularRegressor, _BUT)
class DaskTabularRegressor(BaseDaskTabular, LazyRegressor):
    """Regressor for tables as they are, trained on a Dask cluster by local SGD in rounds.

    Columns are learned as those of `DaskTabularClassifier`.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    %(attributes)s

    See Also
    --------
    fastmlp.TabularRegressor : The same in one process.

    Notes
    -----
    docs/9_more_than_one_machine.md says when more machines pay, and what happens if one fails.
    """

    _local: ClassVar[Any] = TabularRegressor
