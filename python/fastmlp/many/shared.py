"""What many estimators have in common: data, read once for each kind, and parameters."""

from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from fastmlp.estimators.base import BaseMLP
from fastmlp.estimators.inputs import Examples
from fastmlp.estimators.labels import Labels
from fastmlp.estimators.loss import loss_of
from fastmlp.estimators.parameters import check_parameters
from fastmlp.estimators.scale import spread_of

_DTYPES = (None, "float32", "float64")
# What an estimator learns of the features, and a classifier of the labels.
_OF_FEATURES = ("n_features_in_", "feature_names_in_")
_OF_CLASSES = ("classes_", "_label_binarizer", "out_activation_", "n_outputs_")


class _Read(NamedTuple):
    """What estimators of one class and dtype have read."""

    examples: Examples
    # Attributes that each of them gets: the features, and for a classifier the classes.
    features: dict[str, Any]
    classes: dict[str, Any]


class SharedData:
    """X, y and weights of all fits.

    Parameters
    ----------
    X, y, sample_weight : object
        As the caller gave them.
    """

    def __init__(self, X: Any, y: Any, sample_weight: Any) -> None:
        self.given = X, y, sample_weight
        self._read: dict[Any, _Read] = {}

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return int(_num_samples(self.given[0]))

    def read_for(self, estimator: BaseMLP) -> None:
        """Read the data as such an estimator does, if none has done so.

        Raises
        ------
        TypeError, ValueError
            As `fit` of the estimator would.
        """
        key = _kind_of(estimator)
        # One that goes on reads by itself, and another dtype is an error of its own fit.
        if key in self._read or not estimator._is_fresh() or estimator.dtype not in _DTYPES:
            return
        probe: Any = estimator._draft()
        examples = probe._read(*self.given, reset=True)
        state = vars(probe)
        features = {name: state[name] for name in _OF_FEATURES if name in state}
        spread = spread_of(examples.X, features.get("feature_names_in_"))
        examples = examples._replace(spread=spread)
        classes = {}
        if isinstance(probe, Labels):
            encoded = probe._learn_classes(examples.y, fresh=True, incremental=False)
            examples = examples._replace(encoded=encoded)
            classes = {name: state[name] for name in _OF_CLASSES}
        self._read[key] = _Read(examples, features, classes)

    def given_at(self, rows: Any) -> tuple[Any, ...]:
        """Return rows of what the caller gave; None is all."""
        if rows is None:
            return self.given
        return tuple(None if part is None else _safe_indexing(part, rows) for part in self.given)

    def examples_for(self, draft: BaseMLP, rows: Any) -> Examples:
        """Return some of the examples, and set what the draft would learn by reading them."""
        examples, features, classes = self._read[_kind_of(draft)]
        if rows is not None:
            examples = examples.at(rows)
        state = draft.__dict__
        state.pop("feature_names_in_", None)
        state.update(features)
        if examples.encoded is None:
            return examples
        if rows is not None and not _has_all_classes(examples.encoded, classes):
            return examples._replace(encoded=None)
        state.update(classes, _loss=loss_of(state["loss"]))
        return examples


class CheckedParameters:
    """Parameters that are valid; those of many estimators differ in their seeds alone."""

    def __init__(self) -> None:
        self._valid: set[Any] = set()

    def check(self, estimator: BaseMLP) -> None:
        """Check those that no estimator had before.

        Raises
        ------
        ValueError
            As `fit` of the estimator would.
        """
        parameters = [
            "seed" if name == "random_state" and _is_seed(value) else (type(value), value)
            for name, value in estimator.get_params(deep=False).items()
        ]
        key = (type(estimator), *parameters)
        try:
            known = key in self._valid
        except TypeError:  # a list or an array, which has no hash
            known, key = False, ()
        if not known:
            estimator._validate_params()
            check_parameters(estimator)
            self._valid.add(key)


def _kind_of(estimator: BaseMLP) -> Any:
    return type(estimator), str(estimator.dtype)


def _is_seed(value: Any) -> bool:
    return isinstance(value, Integral) and 0 <= value < 2**32  # type: ignore[operator]


def _has_all_classes(encoded: NDArray[Any], classes: dict[str, Any]) -> bool:
    """Say whether some rows have all classes; an indicator of several labels is not looked at."""
    return encoded.ndim == 1 and len(np.unique(encoded)) == len(classes["classes_"])
