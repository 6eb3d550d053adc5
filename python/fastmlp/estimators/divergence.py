"""What is said of a training that left the finite numbers: when, why, and what to do."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_regressor

from fastmlp.estimators.scale import TOO_FAR, cure, spread_of
from fastmlp.estimators.validation import Rows

# Numbers above this are worth scaling.
_LARGE = 1e3


def not_finite(estimator: Any, data: Rows, epoch: int) -> str:
    """Return the message of the error; its first two sentences are scikit-learn's.

    Parameters
    ----------
    estimator : object
        The estimator.
    data : Rows
        What it is trained on.
    epoch : int
        The epoch that did not end, from 1; 0 if there was none.
    """
    return (
        "Solver produced non-finite parameter weights. The input data may contain large values and "
        f"need to be preprocessed. {diagnosis(estimator, data, epoch)}"
    )


def diagnosis(estimator: Any, data: Rows, epoch: int) -> str:
    """Say in which epoch training diverged, and which causes are likely."""
    unit = "iteration" if estimator.solver == "lbfgs" else "epoch"
    when = f"in {unit} {epoch}" if epoch else "at its start"
    causes = [
        *_of_features(estimator, data.X),
        *_of_targets(estimator, data.y),
        *_of_the_penalty(estimator, data.sample_weight),
    ]
    if estimator.solver != "lbfgs":
        likely = "may be" if causes else "is likely"
        rate = f"learning_rate_init={estimator.learning_rate_init:.3g}"
        causes.append(f"{rate} {likely} too large: try a tenth of it.")
    return " ".join([f"Training diverged {when}.", *causes])


def _of_features(estimator: Any, X: Any) -> list[str]:
    spread = spread_of(X, getattr(estimator, "feature_names_in_", None))
    if spread.ratio <= TOO_FAR and spread.most <= _LARGE:
        return []
    found = f"{spread.largest} reaches {spread.most:.3g} in magnitude"
    if spread.ratio > TOO_FAR:
        found += f", {spread.ratio:.1g} times as much as {spread.smallest}"
    return [f"Of X, {found}: scale the features, as {cure(estimator, X)} does."]


def _of_targets(estimator: Any, y: NDArray[Any]) -> list[str]:
    if not is_regressor(estimator) or (most := float(np.abs(y).max())) <= _LARGE:
        return []
    kind = type(estimator).__name__
    scaled = f"TransformedTargetRegressor({kind}(...), transformer=StandardScaler())"
    return [f"y reaches {most:.3g} in magnitude: scale it, as {scaled} does."]


def _of_the_penalty(estimator: Any, sample_weight: NDArray[Any] | None) -> list[str]:
    weight = 1.0 if sample_weight is None else float(sample_weight.mean())
    if estimator.alpha <= weight:
        return []
    of_weight = "" if sample_weight is None else f" for sample_weight of {weight:.3g} on average"
    return [f"alpha={estimator.alpha:.3g} is large{of_weight}: the penalty outweighs the loss."]
