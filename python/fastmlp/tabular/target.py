"""What the outputs of a network stand for, and how good they are on rows for validation."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from fastmlp._core import MLP
from fastmlp.estimators.loss import out_activation_of
from fastmlp.losses import CrossEntropy, Loss, SquaredError
from fastmlp.tabular.recipe import Recipe

if TYPE_CHECKING:
    from fastmlp._core import Output

# The smallest and the largest factor by which outputs are multiplied to calibrate probabilities.
_SHARPENING = (0.25, 4.0)


class Rows(NamedTuple):
    """Rows as a network reads them: inputs, targets and weights."""

    X: NDArray[Any]
    y: NDArray[Any]
    weights: NDArray[Any] | None
    # The targets as the caller has them.
    labels: NDArray[Any] | None = None


# Says how good a network is on rows, with so many threads: higher is better.
Score: TypeAlias = Callable[[MLP, Rows, int | None], float]


def minus_loss(network: MLP, rows: Rows, n_jobs: int | None) -> float:
    """Return what training lowers, with the other sign."""
    return -network.loss(rows.X, rows.y, rows.weights, n_jobs=n_jobs)


class Target(Protocol):
    """What both kinds of targets have."""

    n_outputs: int
    output: "Output"

    def loss(self, recipe: Recipe) -> Any:
        """Return what training lowers."""

    def score(self, network: MLP, rows: Rows, n_jobs: int | None) -> float:
        """Say how good the network is: higher is better."""

    def finish(self, network: MLP, rows: Rows, n_jobs: int | None) -> None:
        """Correct the outputs of a trained network."""


class Classes:
    """Classes, by their index.

    Parameters
    ----------
    n_classes : int
        How many there are.
    loss : Loss or None
        What training lowers; None is the cross-entropy with the label smoothing of the recipe.
    score : Score or None
        What chooses the epoch; None is the accuracy.
    """

    output: "Output" = "softmax"

    def __init__(
        self, n_classes: int, loss: Loss | None = None, score: Score | None = None
    ) -> None:
        self.n_outputs = n_classes
        self._loss = loss
        self._score = score

    def loss(self, recipe: Recipe) -> Loss:
        """Return what training lowers."""
        return CrossEntropy(recipe.label_smoothing) if self._loss is None else self._loss

    def score(self, network: MLP, rows: Rows, n_jobs: int | None) -> float:
        """Return the score that chooses the epoch."""
        if self._score is not None:
            return self._score(network, rows, n_jobs)
        return network.evaluate(rows.X, rows.y, rows.weights, n_jobs=n_jobs)[1]

    def finish(self, network: MLP, rows: Rows, n_jobs: int | None) -> None:
        """Calibrate probabilities: multiply the outputs by the factor of the smallest log loss.

        References
        ----------
        C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On calibration of modern neural networks",
        ICML 2017.
        """
        outputs = network.forward(rows.X, n_jobs=n_jobs).astype(np.float64)
        calibrate(
            network,
            lambda factor: float(
                np.average(log_losses(outputs, rows.y, factor), weights=rows.weights)
            ),
        )


class Values:
    """Numbers, as the estimator scales them.

    Parameters
    ----------
    n_outputs : int
        Outputs of the network.
    loss : Loss, callable or None
        What training lowers; None is the squared error.
    score : Score or None
        What chooses the epoch; None is R squared for the squared error, and minus the loss for
        others.
    """

    def __init__(self, n_outputs: int, loss: Any = None, score: Score | None = None) -> None:
        self.n_outputs = n_outputs
        self._loss = SquaredError() if loss is None else loss
        self.output: Output = out_activation_of(self._loss)  # type: ignore[assignment]
        is_squared = isinstance(self._loss, SquaredError)
        self._score = score or (_r_squared if is_squared else minus_loss)

    def loss(self, recipe: Recipe) -> Any:
        """Return what training lowers."""
        return self._loss

    def score(self, network: MLP, rows: Rows, n_jobs: int | None) -> float:
        """Return the score that chooses the epoch."""
        return self._score(network, rows, n_jobs)

    def finish(self, network: MLP, rows: Rows, n_jobs: int | None) -> None:
        """Correct nothing."""


def _r_squared(network: MLP, rows: Rows, n_jobs: int | None) -> float:
    """Return R squared of standardised targets, with the variance of the training rows."""
    errors = (network.predict(rows.X, n_jobs=n_jobs) - rows.y) ** 2
    return 1 - float(np.average(errors.mean(axis=1), weights=rows.weights))


def log_losses(outputs: NDArray[Any], y: NDArray[Any], factor: float) -> NDArray[np.float64]:
    """Return the log loss of each row, if the outputs are multiplied by a factor."""
    logs = log_softmax(factor * outputs, axis=1)
    return -logs[np.arange(len(outputs)), y]


def calibrate(network: MLP, log_loss: Callable[[float], float]) -> None:
    """Multiply outputs by the factor for which this function of it is smallest."""
    found = minimize_scalar(
        lambda log_factor: log_loss(np.exp(log_factor)),
        bounds=np.log(_SHARPENING),
        method="bounded",
    )
    factor = np.exp(found.x)
    network.weights[-1][...] *= factor
    network.biases[-1][...] *= factor
