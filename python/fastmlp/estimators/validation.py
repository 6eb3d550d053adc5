"""Rows for validation: those of the caller, or some that are kept back, and what is measured there.

Where the score is accuracy or R squared, it comes with the loss from one pass of the engine over
the rows.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from fastmlp._core import MLP
from fastmlp.estimators.inputs import as_targets, readable, refuse_sparse_targets, refuse_times


class Measured(NamedTuple):
    """What is found on the rows for validation."""

    score: float
    loss: float


class ValidationData(NamedTuple):
    """What a caller gives for validation, and how it is named."""

    X: Any
    y: Any
    sample_weight: Any

    @property
    def is_given(self) -> bool:
        """Whether there is any; half of it is an error."""
        if (self.X is None) != (self.y is None):
            given, missing = ("y_val", "X_val") if self.X is None else ("X_val", "y_val")
            raise ValueError(f"{given} is given without {missing}, expected both or neither")
        if self.X is None and self.sample_weight is not None:
            raise ValueError("sample_weight_val is given without X_val and y_val")
        return self.X is not None


class Rows(NamedTuple):
    """Rows of data as the network reads them."""

    X: Any
    # As the network is trained on them, and as the caller has them.
    y: NDArray[Any]
    labels: Any
    sample_weight: NDArray[Any] | None

    def at(self, rows: NDArray[np.intp]) -> "Rows":
        """Return some of them."""
        weights = None if self.sample_weight is None else self.sample_weight[rows]
        return Rows(self.X[rows], self.y[rows], self.labels[rows], weights)


def checked(estimator: Any, given: ValidationData, network: MLP) -> Rows:
    """Return the caller's rows for validation, checked as those of training are.

    Raises
    ------
    ValueError, TypeError
        If they do not fit those of training.
    """
    for name, values in (("X_val", given.X), ("y_val", given.y)):
        refuse_times(name, values)
    X = check_array(
        given.X, accept_sparse="csr", dtype=(np.float64, np.float32), input_name="X_val"
    )
    validate_data(estimator, given.X, reset=False, skip_check_array=True, ensure_2d=False)
    if X.shape[1] != estimator.n_features_in_:
        raise ValueError(
            f"X_val has {X.shape[1]} features, expected {estimator.n_features_in_}, as X has"
        )
    if not is_classifier(estimator):
        refuse_sparse_targets("y_val", given.y)
    labels = check_array(
        given.y,
        accept_sparse="csr",
        ensure_2d=False,
        dtype=None if is_classifier(estimator) else "numeric",
        input_name="y_val",
    )
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels.ravel()
    if labels.shape[0] != X.shape[0]:
        raise ValueError(f"X_val has {X.shape[0]} rows, and y_val {labels.shape[0]}")
    y = as_targets(estimator._encode_validation(labels), network)
    weights = given.sample_weight
    if weights is not None:
        weights = check_array(
            weights, ensure_2d=False, dtype=X.dtype, input_name="sample_weight_val"
        )
        if weights.shape != (X.shape[0],):
            raise ValueError(
                f"sample_weight_val has shape {weights.shape}, expected ({X.shape[0]},)"
            )
        if weights.min() < 0 or not weights.any():
            raise ValueError("sample_weight_val must be >= 0, and not all 0")
    return Rows(readable(X, network.dtype, "X_val"), y, labels, weights)


def split(
    data: Rows,
    strata: NDArray[Any] | None,
    fraction: float,
    random_state: np.random.RandomState,
) -> tuple[Rows, Rows]:
    """Keep a part of the rows back: return those to train on and those to validate on."""

    def shares(
        rows: NDArray[np.intp], strata: NDArray[Any] | None
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        training, validation = train_test_split(
            rows, random_state=random_state, test_size=fraction, stratify=strata
        )
        return training, validation

    n, weights = data.X.shape[0], data.sample_weight
    training, validation = shares(np.arange(n), strata)
    if weights is not None and not weights[validation].any():
        # As in a bagging, whose members weigh the rows that they do not see with 0.
        _, validation = shares(np.flatnonzero(weights), None)
        training = np.setdiff1d(np.arange(n), validation)
    if len(validation) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or the size of "
            "your dataset."
        )
    return data.at(training), data.at(validation)


class Validation:
    """Rows that no step is made on, and what is measured on them."""

    def __init__(self, estimator: Any, rows: Rows) -> None:
        # The same network, asked about rows that have no names any more.
        self.nameless = estimator._draft()
        self.nameless.__dict__.pop("feature_names_in_", None)
        self.scoring = estimator.scoring
        self.rows = rows
        self.scorer = _scorer(estimator)
        # The loss of training is a mean over the outputs where scikit-learn's is.
        averages = estimator.out_activation_ == "identity" and estimator.solver != "lbfgs"
        self.n_terms = estimator.n_outputs_ if averages else 1
        if not is_classifier(estimator) and estimator.scoring in (None, "r2") and len(rows.y) < 2:
            raise ValueError("X_val has 1 row, expected 2 or more for R squared")

    def measure(self, network: MLP) -> Measured:
        """Return score and loss of the network; the score is NaN where the loss is not finite."""
        X, y, labels, weights = self.rows
        loss, score = network.evaluate(X, y, sample_weight=weights, n_jobs=self.nameless.n_jobs)
        loss /= self.n_terms
        if not np.isfinite(loss):
            score = np.nan
        elif self.scoring == "loss":
            score = -loss
        elif self.scorer is not None:
            given = {} if weights is None else {"sample_weight": weights}
            score = float(self.scorer(self.nameless, X, labels, **given))
        return Measured(score, loss)


def _scorer(estimator: Any) -> Callable[..., float] | None:
    """Return what scores, or None if the engine does."""
    own = "accuracy" if is_classifier(estimator) else "r2"
    # With one class there is no other that the output can mean.
    sees_one_class = is_classifier(estimator) and len(estimator.classes_) == 1
    if estimator.scoring == "loss" or (estimator.scoring in (None, own) and not sees_one_class):
        return None
    scorer: Callable[..., float] = check_scoring(estimator, estimator.scoring)
    return scorer
