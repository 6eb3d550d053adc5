"""How good the predictions for a table are."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.commands.results import describe_metrics
from fastmlp.estimators.loss import score_of_quantiles
from fastmlp.losses import Quantile
from fastmlp.metrics import (
    classification_metrics,
    log_loss,
    mean_absolute_error,
    mean_pinball_loss,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)
from fastmlp.tabular import TabularClassifier, TabularRegressor

if TYPE_CHECKING:
    from pandas import DataFrame

Estimator = TabularClassifier | TabularRegressor


def answers_of(estimator: Estimator, X: "DataFrame") -> NDArray[np.float64]:
    """Return probabilities of the classes of rows, their numbers, or several quantiles of each."""
    if isinstance(estimator, TabularClassifier):
        return estimator.predict_proba(X)
    answers = estimator.predict(X)
    return answers[:, 0] if answers.shape[1:] == (1,) else answers


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
        "mae", "r2" and "num_samples". Of several quantiles "d2", "num_samples", and for each level
        the pinball loss and the share of the rows that are not above it. None stands for what the
        rows leave undefined.
    """
    if isinstance(estimator, TabularClassifier):
        return _of_classes(y, answers, class_names(estimator))
    if answers.ndim == 1:
        return _of_numbers(y, answers)
    return _of_quantiles(y, answers, levels_of(estimator))


def levels_of(estimator: TabularRegressor) -> tuple[float, ...]:
    """Return the levels of a regressor that predicts several quantiles."""
    loss: Any = estimator.networks_[0].loss_function
    return tuple(loss.levels)


def class_names(estimator: TabularClassifier) -> list[str]:
    """Return the names of the classes in the order of their codes."""
    return [str(label) for label in estimator.classes_.tolist()]


def describe_scores(scores: dict[str, Any]) -> str:
    """Lay out what `scores_of` returns."""
    if "quantiles" in scores:
        lines = [f"{'quantile':<8}  {'pinball':>9}  not above"]
        lines += [
            f"{level:<8}  {_shown(found['pinball']):>9}  {found['share_not_above']:9.1%}"
            for level, found in scores["quantiles"].items()
        ]
        return "\n".join([*lines, f"D2        {_shown(scores['d2'])}", _samples(scores)])
    if "overall" not in scores:
        labels = {"RMSE": "rmse", "MAE": "mae", "R2": "r2"}
        lines = [f"{label:<8}  {_shown(scores[name])}" for label, name in labels.items()]
        return "\n".join([*lines, _samples(scores)])
    table = describe_metrics(scores)  # type: ignore[arg-type]
    width = table.splitlines()[-1].index(f"{scores['overall']['accuracy']:.3f}")
    more = {"log loss": "log_loss", "ROC AUC": "roc_auc"}
    lines = [f"{label:<{width}}{_shown(scores['overall'][n])}" for label, n in more.items()]
    return "\n".join([table, *lines])


def _of_classes(
    codes: NDArray[np.int64], probabilities: NDArray[np.float64], names: list[str]
) -> dict[str, Any]:
    found = classification_metrics(codes, probabilities.argmax(axis=1), names)
    counts = np.bincount(codes, minlength=len(names))
    areas = [
        roc_auc_score(codes == code, probabilities[:, code])
        for code in np.flatnonzero((counts > 0) & (counts < len(codes)))
    ]
    more = {
        "log_loss": log_loss(codes, probabilities, labels=range(len(names))),
        "roc_auc": float(np.mean(areas)) if areas else None,
    }
    return {**found, "overall": {**found["overall"], **more}}


def _of_numbers(y: NDArray[np.float64], predicted: NDArray[np.float64]) -> dict[str, Any]:
    return {
        "rmse": root_mean_squared_error(y, predicted),
        "mae": mean_absolute_error(y, predicted),
        "r2": r2_score(y, predicted) if y.min() < y.max() else None,
        "num_samples": len(y),
    }


def _of_quantiles(
    y: NDArray[np.float64], predicted: NDArray[np.float64], levels: tuple[float, ...]
) -> dict[str, Any]:
    columns = dict(zip(levels, predicted.T, strict=True))
    found = {
        str(level): {
            "pinball": float(mean_pinball_loss(y, column, alpha=level)),
            "share_not_above": float(np.mean(y <= column)),
        }
        for level, column in columns.items()
    }
    d2 = score_of_quantiles(y, predicted, Quantile(levels), None) if len(y) > 1 else None
    return {"quantiles": found, "d2": d2, "num_samples": len(y)}


def _samples(scores: dict[str, Any]) -> str:
    return f"samples   {scores['num_samples']:,}"


def _shown(score: float | None) -> str:
    return "not defined" if score is None else f"{score:.4g}"
