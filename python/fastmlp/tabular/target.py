"""What the outputs of a network stand for, and how good they are on rows for validation."""

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from fastmlp._core import MLP
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


class Target(Protocol):
    """What both kinds of targets have."""

    n_outputs: int
    output: "Output"

    def loss(self, recipe: Recipe) -> Loss:
        """Return what training lowers."""

    def score(self, network: MLP, rows: Rows, n_jobs: int | None) -> float:
        """Say how good the network is: higher is better."""

    def finish(self, network: MLP, rows: Rows, n_jobs: int | None) -> None:
        """Correct the outputs of a trained network."""


class Classes:
    """Classes, by their index."""

    output: "Output" = "softmax"

    def __init__(self, n_classes: int) -> None:
        self.n_outputs = n_classes

    def loss(self, recipe: Recipe) -> Loss:
        """Return the cross-entropy."""
        return CrossEntropy(recipe.label_smoothing)

    def score(self, network: MLP, rows: Rows, n_jobs: int | None) -> float:
        """Return the accuracy."""
        return network.evaluate(rows.X, rows.y, rows.weights, n_jobs=n_jobs)[1]

    def finish(self, network: MLP, rows: Rows, n_jobs: int | None) -> None:
        """Calibrate probabilities: multiply the outputs by the factor of the smallest log loss.

        References
        ----------
        C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On calibration of modern neural networks",
        ICML 2017.
        """
        outputs = network.forward(rows.X, n_jobs=n_jobs).astype(np.float64)
        place = np.arange(len(outputs)), rows.y

        def log_loss(log_factor: float) -> float:
            logs = log_softmax(np.exp(log_factor) * outputs, axis=1)[place]
            return -float(np.average(logs, weights=rows.weights))

        found = minimize_scalar(log_loss, bounds=np.log(_SHARPENING), method="bounded")
        factor = np.exp(found.x)
        network.weights[-1][...] *= factor
        network.biases[-1][...] *= factor


class Values:
    """Numbers, standardised."""

    output: "Output" = "identity"

    def __init__(self, n_outputs: int) -> None:
        self.n_outputs = n_outputs

    def loss(self, recipe: Recipe) -> Loss:
        """Return the squared error."""
        return SquaredError()

    def score(self, network: MLP, rows: Rows, n_jobs: int | None) -> float:
        """Return R squared, with the variance of the training rows."""
        errors = (network.predict(rows.X, n_jobs=n_jobs) - rows.y) ** 2
        return 1 - float(np.average(errors.mean(axis=1), weights=rows.weights))

    def finish(self, network: MLP, rows: Rows, n_jobs: int | None) -> None:
        """Correct nothing."""
