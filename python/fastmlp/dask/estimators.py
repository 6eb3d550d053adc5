"""The estimators: those for data in memory, with parameters of rounds."""

from collections.abc import Callable
from inspect import Parameter, cleandoc, signature
from typing import Any, ClassVar, TypeVar

import dask.array as da
import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score

from fastmlp.dask.base import BaseDaskMLP
from fastmlp.estimators import MLPClassifier, MLPRegressor

_Estimator = TypeVar("_Estimator", bound=type)

# Parameters beside those of the estimators for data in memory.
_OWN: dict[str, Any] = {
    "sync_every": "auto",
    "n_shards": None,
    "outer_optimizer": "nesterov",
    "outer_lr": 1.0,
    "outer_momentum": 0.6,
    "standardize": False,
    "block_size": "128 MiB",
    "client": None,
}

_PARAMETERS = """\
**parameters : object
    Those of `{local}`, with the same names and defaults. `solver` cannot be 'lbfgs', and `scoring`
    is None, {score!r} or 'loss'. `n_jobs` is the number of threads of one task.
sync_every : int or 'auto', default='auto'
    Most steps that a shard trains before the copies are averaged, which is one round. 'auto' is
    what is estimated to take a second, or a hundredth of the training if that is less. It depends
    on shapes alone. A round never goes beyond a block.
n_shards : int, default=None
    Copies of the network that are trained at a time. The result depends on it, and not on the
    number of workers: fix it for the same result on every cluster. None is the number of threads
    of the cluster, or of the partitions if there are fewer.
outer_optimizer : {{'nesterov'}} or None, default='nesterov'
    How a round goes on from the average of the copies: with Nesterov's momentum, or not at all.
    Momentum pays with many steps per round.
outer_lr : float, default=1.0
    Learning rate of the outer step, > 0.
outer_momentum : float, default=0.6
    Momentum of the outer step, in [0, 1).
standardize : bool, default=False
    Whether features are trained on with mean 0 and deviation 1 over all rows. The first layer of
    the fitted network makes up for it, so that predictions take features as they are.
block_size : str or int, default='128 MiB'
    Bytes of features that a task has in memory at once, but at least one partition. Rows are
    shuffled within blocks.
client : distributed.Client, default=None
    The client of the cluster. None is the current one.

    .. note:: A pickle has no client."""

_ATTRIBUTES = """\
estimator_ : {local}
    The fitted estimator for data in memory. Its attributes, such as `loss_curve_`, can be read from
    this one too.
n_shards_ : int
    Number of shards of the last fit.
n_rounds_ : int
    Rounds per epoch of the last fit."""


def _extends(local: Any, score: str) -> Callable[[_Estimator], _Estimator]:
    """Make a decorator that gives a class the parameters of an estimator and those of rounds."""

    def decorate(estimator: _Estimator) -> _Estimator:
        theirs = signature(local.__init__)
        own = [
            Parameter(name, Parameter.KEYWORD_ONLY, default=default)
            for name, default in _OWN.items()
        ]
        whole = theirs.replace(parameters=[*theirs.parameters.values(), *own])

        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
            bound = whole.bind(self, *args, **kwargs)
            bound.apply_defaults()
            self.__dict__.update({k: v for k, v in bound.arguments.items() if k != "self"})

        __init__.__signature__ = whole  # type: ignore[attr-defined]
        estimator.__init__ = __init__  # type: ignore[misc]
        if estimator.__doc__ is not None:  # as it is under `python -OO`
            names = {"local": local.__name__, "score": score}
            estimator.__doc__ = cleandoc(estimator.__doc__) % {
                "parameters": _PARAMETERS.format(**names),
                "attributes": _ATTRIBUTES.format(**names),
            }
        return estimator

    return decorate


@_extends(MLPClassifier, "accuracy")
class DaskMLPClassifier(ClassifierMixin, BaseDaskMLP):
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

    def predict_proba(self, X: Any) -> da.Array:
        """Return the probability of each class, or of each label, when asked for.

        Parameters
        ----------
        X : dask Array or DataFrame of shape (n_samples, n_features)
            One sample per row.

        Returns
        -------
        dask Array of shape (n_samples, n_classes)
            What `MLPClassifier.predict_proba` returns. Nothing is computed until it is.
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
            What `MLPClassifier.predict_log_proba` returns. Nothing is computed until it is.
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
        return float(accuracy_score(**_computed(y, self.predict(X), sample_weight, self.client)))


@_extends(MLPRegressor, "r2")
class DaskMLPRegressor(RegressorMixin, BaseDaskMLP):
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

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R squared of the predictions.

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
            ``sklearn.metrics.r2_score``.
        """
        return float(r2_score(**_computed(y, self.predict(X), sample_weight, self.client)))


def _computed(y: Any, predicted: da.Array, sample_weight: Any, client: Any) -> dict[str, Any]:
    """Return the arguments of a metric in the memory of this process: one number per row."""
    names = ("y_true", "y_pred", "sample_weight")
    return {
        name: None if values is None else np.asarray(values.compute(scheduler=client))
        for name, values in zip(names, (y, predicted, sample_weight), strict=True)
    }
