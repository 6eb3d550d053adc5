"""What both estimators share: parameters, reading input, the course of a fit."""

import time
from collections.abc import Callable, Iterator
from copy import copy
from functools import partial
from itertools import groupby
from numbers import Real
from threading import Event
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, _fit_context
from sklearn.metrics import check_scoring
from sklearn.utils import check_consistent_length
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from fastmlp._core import MLP
from fastmlp.estimators.architecture import hidden_sizes
from fastmlp.estimators.parameters import CONSTRAINTS, PLANNED
from fastmlp.estimators.random_state import legacy_random_state
from fastmlp.estimators.validation import ValidationData
from fastmlp.tabular.ensemble import deal, train_members
from fastmlp.tabular.features import named_categories
from fastmlp.tabular.file import TabularInFile
from fastmlp.tabular.front import Front, learn_front
from fastmlp.tabular.input import check_table, matching_table
from fastmlp.tabular.member import Listener
from fastmlp.tabular.network import reads_ranks
from fastmlp.tabular.recipe import FEW_ROWS, PRESETS, Recipe, choose
from fastmlp.tabular.table import Table
from fastmlp.tabular.target import Rows, Score, Target, minus_loss

# Rows that are turned into inputs at once for a prediction.
_BLOCK = 2**16
# Inputs of all rows, as numbers, that networks of both kinds may have, and several networks copies
# of, at the same time.
_MOST_AT_ONCE = 2**26


class BaseTabular(TabularInFile, BaseEstimator):
    """Base of `TabularClassifier` and `TabularRegressor`; it cannot be used by itself."""

    _recipe: ClassVar[Recipe]
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "preset": [StrOptions(set(PRESETS))],
        "categorical_features": ["array-like", StrOptions({"from_dtype"})],
        "n_members": [*CONSTRAINTS["max_iter"], None],
        "hidden_layer_sizes": [*CONSTRAINTS["hidden_layer_sizes"], None],
        "validation_fraction": [Interval(Real, 0, 0.5, closed="right")],
        **{name: [*CONSTRAINTS[name], None] for name in ("learning_rate_init", "max_iter")},
        **{name: CONSTRAINTS[name] for name in ("max_time", "random_state", "n_jobs")},
        "batch_size": [*CONSTRAINTS["max_iter"], None],
        "weight_decay": CONSTRAINTS["weight_decay"],
        "dropout": [*CONSTRAINTS["dropout"], None],
        "learning_rate": [StrOptions({"constant", *PLANNED}), None],
        "scoring": CONSTRAINTS["scoring"],
    }

    preset: str
    categorical_features: Any
    scoring: Any
    n_members: int | None
    max_time: float | None
    hidden_layer_sizes: Any
    validation_fraction: float
    random_state: int | np.random.RandomState | np.random.Generator | None
    n_jobs: int | None
    learning_rate: str | None

    networks_: list[MLP]
    n_features_in_: int
    target_name_: str | None
    n_iter_: int
    loss_curves_: list[list[float]]
    validation_scores_: list[list[float]]
    _front: Front
    # Is told of the epochs of a fit, and ends it; no parameters, and not saved.
    _listener: Listener | None = None
    _stop: Event | None = None
    # Whether it is asked about inputs of its networks and not about tables: a scorer's copy is.
    _reads_inputs = False

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
    ) -> Self:
        """Learn how columns become inputs, and train the networks.

        Parameters
        ----------
        X : dataframe or array-like of shape (n_samples, n_features)
            The table: a frame of pandas, polars, pyarrow or another library that narwhals reads, or
            an array, also of objects.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels; for a regressor numbers, of one output or of several.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row: finite, >= 0. None is 1 for all. Their scale matters with fewer than
            100 rows only, where a row of weight 2 is the same as two rows.
        X_val : dataframe or array-like of shape (n_val_samples, n_features), default=None
            Rows that choose the epoch of each network in place of some of `X`.
        y_val : array-like of shape (n_val_samples,) or (n_val_samples, n_outputs), default=None
            Their targets.
        sample_weight_val : array-like of shape (n_val_samples,), default=None
            Their weights.

        Returns
        -------
        object
            The estimator itself.

        Raises
        ------
        TypeError
            If a column has values that cannot be read.
        ValueError
            If an argument or a parameter is out of its range, or if training diverges. After this
            and every other error the estimator is as it was before the call.

        Warns
        -----
        UserWarning
            If columns of text are left out, because they do not name categories.
        """
        begin = time.monotonic()
        draft = copy(self)
        draft._train(X, y, sample_weight, ValidationData(X_val, y_val, sample_weight_val), begin)
        self.__dict__ = draft.__dict__
        return self

    def _train(
        self, X: Any, y: Any, sample_weight: Any, validation: ValidationData, begin: float
    ) -> None:
        """Train this draft."""
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} requires y to be passed, but the target y is None"
            )
        random_state = legacy_random_state(self.random_state)
        table = check_table(self, X)
        name = getattr(y, "name", None)
        self.target_name_ = name if isinstance(name, str) else None
        labels = self._checked_target(y)
        check_consistent_length(np.empty(table.n_rows), labels)
        weights = _checked_weights(sample_weight, table.n_rows)
        table, labels, weights = without_weight_0(table, labels, weights)
        target, weights = self._learn_target(labels, weights)
        table, labels, weights = without_weight_0(table, labels, weights)
        y = self._encode(labels)
        recipe = choose(self._recipe, self.preset, self._choices(), table.n_rows, table.n_columns)
        is_category = named_categories(self.categorical_features, table.n_columns, table.names)
        self._front = learn_front(
            table, is_category, weights, recipe.n_bins, with_ranks=True in recipe.kinds
        )
        width = sum(self._front.width(is_periodic) for is_periodic in recipe.kinds)
        seconds = None if self.max_time is None else begin + self.max_time - time.monotonic()
        trained = train_members(
            recipe,
            target,
            partial(self._rows, recipe.dtype, table, y, labels, weights),
            self._validation(recipe.dtype, validation) if validation.is_given else None,
            None if validation.is_given else self._folds(recipe, y, target, random_state),
            n_periodic=self._front.n_ranks,
            in_turn=table.n_rows * width > _MOST_AT_ONCE,
            random_state=random_state,
            n_jobs=self.n_jobs,
            seconds=seconds,
            listener=self._listener,
            stop=self._stop or Event(),
        )
        self.networks_ = [member.network for member in trained]
        self.loss_curves_ = [member.losses for member in trained]
        self.validation_scores_ = [member.scores for member in trained]
        self.n_iter_ = max(len(member.losses) for member in trained)

    def _choices(self) -> dict[str, Any]:
        """Return what the caller chose of the recipe."""
        sizes = self.hidden_layer_sizes
        if sizes is not None:
            sizes = tuple(hidden_sizes(sizes))
        names = ("n_members", "learning_rate_init", "weight_decay", "dropout", "label_smoothing")
        chosen = {name: getattr(self, name, None) for name in (*names, "batch_size", "max_iter")}
        return {**chosen, "hidden_layer_sizes": sizes, "schedule": self.learning_rate}

    def _score(self) -> Score | None:
        """Return what chooses the epoch of a network; None is what suits the target."""
        if self.scoring is None:
            return None
        if self.scoring == "loss":
            return minus_loss
        scorer = check_scoring(self, self.scoring)

        def score(network: MLP, rows: Rows, n_jobs: int | None) -> float:
            asked = copy(self)
            asked._reads_inputs, asked.networks_, asked.n_jobs = True, [network], n_jobs
            weights = {} if rows.weights is None else {"sample_weight": rows.weights}
            found = scorer(asked, rows.X, rows.labels, **weights)
            if hasattr(found, "item"):  # as in scikit-learn's cross-validation
                found = found.item()
            if not isinstance(found, Real) or np.isnan(float(found)):
                raise ValueError(
                    f"scoring={self.scoring!r} must give a number for the rows for validation, "
                    f"got {found!r}"
                )
            return float(found)

        return score

    def _rows(
        self,
        dtype: str,
        table: Table,
        y: NDArray[Any],
        labels: NDArray[Any],
        weights: NDArray[Any] | None,
        chosen: NDArray[np.intp] | slice,
        is_periodic: bool,
    ) -> Rows:
        """Return rows as the networks of a kind read them."""
        if y.dtype.kind == "f":
            y = y.astype(dtype)
        if weights is not None:
            if dtype == "float32":
                # Their scale has no meaning without a penalty, and may be beyond float32.
                weights = weights / weights.max()
            weights = weights.astype(dtype)[chosen]
        X = self._front.inputs(table.take(chosen), dtype, is_periodic)
        return Rows(X, y[chosen], weights, labels[chosen])

    def _validation(self, dtype: str, given: ValidationData) -> Callable[[bool], Rows]:
        """Return what makes the rows for validation as the networks of a kind read them."""
        table = matching_table(self, given.X, "X_val")
        labels = self._checked_target(given.y)
        y = self._encode(labels)
        check_consistent_length(np.empty(table.n_rows), y)
        weights = _checked_weights(given.sample_weight, table.n_rows)
        return partial(self._rows, dtype, table, y, labels, weights, slice(None))

    def _folds(
        self, recipe: Recipe, y: NDArray[Any], target: Target, random_state: np.random.RandomState
    ) -> NDArray[np.intp] | None:
        """Deal rows out for validation, if there are enough."""
        if len(y) < FEW_ROWS:
            return None
        n_folds = max(recipe.n_members, round(1 / self.validation_fraction))
        classes = y if target.output == "softmax" else None
        return deal(n_folds, classes, len(y), random_state)

    def _mean_over_networks(
        self, X: Any, answer: Callable[[MLP, NDArray[Any]], NDArray[Any]]
    ) -> NDArray[np.float64]:
        """Return the mean of what the networks answer (n_samples, n_outputs)."""
        check_is_fitted(self, "networks_")
        if self._reads_inputs:
            (network,) = self.networks_
            return answer(network, X).astype(np.float64)
        means = []
        for block in self._blocks(X):
            answers: list[NDArray[np.float64]] = []
            for is_periodic, networks in groupby(self.networks_, reads_ranks):
                inputs = block(is_periodic)
                answers += [answer(network, inputs).astype(np.float64) for network in networks]
            means.append(sum(answers) / len(answers))
        return np.concatenate(means)

    def _blocks(self, X: Any) -> Iterator[Callable[[bool], NDArray[Any]]]:
        """Return for some rows of a table at a time what makes inputs of them."""
        table = matching_table(self, X)
        dtype = self.networks_[0].dtype
        for start in range(0, table.n_rows, _BLOCK):
            yield partial(self._front.inputs, table.take(slice(start, start + _BLOCK)), dtype)

    def _checked_target(self, y: Any) -> NDArray[Any]:
        """Check `y` as scikit-learn does."""
        raise NotImplementedError

    def _learn_target(
        self, y: NDArray[Any], weights: NDArray[Any] | None
    ) -> tuple[Target, NDArray[Any] | None]:
        """Set what is to be known of the target; return it, and the weights that go with it."""
        raise NotImplementedError

    def _encode(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return targets as the networks have them."""
        raise NotImplementedError

    def __sklearn_tags__(self) -> Any:
        """Say what the estimator can do."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _checked_weights(sample_weight: Any, n_rows: int) -> NDArray[np.float64] | None:
    if sample_weight is None:
        return None
    weights = _check_sample_weight(
        sample_weight, np.empty((n_rows, 1)), dtype=np.float64, ensure_non_negative=True
    )
    if not weights.any():
        raise ValueError("sample_weight must have a weight > 0, got zeros alone")
    return weights


def without_weight_0(
    table: Table, y: NDArray[Any], weights: NDArray[Any] | None
) -> tuple[Table, NDArray[Any], NDArray[Any] | None]:
    """Leave out rows that count for nothing, not even for what is learned of columns."""
    if weights is None or weights.all():
        return table, y, weights
    present = np.flatnonzero(weights)
    return table.take(present), y[present], weights[present]
