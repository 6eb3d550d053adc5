"""How good the predictions for a table are."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.commands.results import describe_metrics
from fastmlp.metrics import classification_metrics
from fastmlp.tabular import TabularClassifier, TabularRegressor

if TYPE_CHECKING:
    from pandas import DataFrame

Estimator = TabularClassifier | TabularRegressor


def answers_of(estimator: Estimator, X: "DataFrame") -> NDArray[np.float64]:
    """Return probabilities of the classes of rows, or their numbers."""
    if isinstance(estimator, TabularClassifier):
        return estimator.predict_proba(X)
    return estimator.predict(X)


def scores_of(
    estimator: Estimator, y: NDArray[Any], answers: NDArray[np.float64]
) -> dict[str, Any]:
    """Return how good answers are.

    Parameters
    ----------
    estimator : TabularClassifier or TabularRegressor
        Whose answers they are.
    y : ndarray of shape (n_samples,)
        Classes of the rows, by place in `classes_`, or their numbers.
    answers : ndarray
        What `answers_of` returns for the rows.

    Returns
    -------
    dict
        Of classes what `classification_metrics` returns, and overall the log loss and the area
        under the ROC curve: the mean of those of each class against all others. Of numbers "rmse",
        "mae", "r2" and "num_samples". None stands for what the rows leave undefined.
    """
    if isinstance(estimator, TabularClassifier):
        return _of_classes(y, answers, class_names(estimator))
    return _of_numbers(y, answers)


def class_names(estimator: TabularClassifier) -> list[str]:
    """Return the names of the classes in the order of their codes."""
    return [str(label) for label in estimator.classes_.tolist()]


def describe_scores(scores: dict[str, Any]) -> str:
    """Lay out what `scores_of` returns."""
    if "overall" not in scores:
        labels = {"RMSE": "rmse", "MAE": "mae", "R2": "r2"}
        lines = [f"{label:<8}  {_shown(scores[name])}" for label, name in labels.items()]
        return "\n".join([*lines, f"samples   {scores['num_samples']:,}"])
    table = describe_metrics(scores)  # type: ignore[arg-type]
    width = table.splitlines()[-1].index(f"{scores['overall']['accuracy']:.3f}")
    more = {"log loss": "log_loss", "ROC AUC": "roc_auc"}
    lines = [f"{label:<{width}}{_shown(scores['overall'][n])}" for label, n in more.items()]
    return "\n".join([table, *lines])


def _of_classes(
    codes: NDArray[np.int64], probabilities: NDArray[np.float64], names: list[str]
) -> dict[str, Any]:
    from sklearn.metrics import log_loss, roc_auc_score

    found = classification_metrics(codes, probabilities.argmax(axis=1), names)
    counts = np.bincount(codes, minlength=len(names))
    areas = [
        roc_auc_score(codes == code, probabilities[:, code])
        for code in np.flatnonzero((counts > 0) & (counts < len(codes)))
    ]
    more = {
        "log_loss": float(log_loss(codes, probabilities, labels=range(len(names)))),
        "roc_auc": float(np.mean(areas)) if areas else None,
    }
    return {**found, "overall": {**found["overall"], **more}}


def _of_numbers(y: NDArray[np.float64], predicted: NDArray[np.float64]) -> dict[str, Any]:
    errors = predicted - y
    variance = y.var()
    return {
        "rmse": float(np.sqrt(np.mean(errors**2))),
        "mae": float(np.mean(np.abs(errors))),
        "r2": float(1 - np.mean(errors**2) / variance) if variance > 0 else None,
        "num_samples": len(y),
    }


def _shown(score: float | None) -> str:
    return "not defined" if score is None else f"{score:.4g}"
