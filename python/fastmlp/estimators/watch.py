"""The callback of a fit by SGD or Adam: keeps the record, says at which rate it goes on, and stops.

The record of an epoch counts once one assignment was made, to `Watch.last`: whichever line a
KeyboardInterrupt comes at, what the estimator shows is of whole epochs.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp._core import MLP, Epoch

if TYPE_CHECKING:
    from fastmlp.estimators.stochastic import Stochastic

# Below this, learning_rate="adaptive" gives up.
SMALLEST_ADAPTIVE_RATE = 1e-6


class Standing(NamedTuple):
    """Where a training stands after an epoch."""

    n_epochs: int
    t: int
    best_loss: Any
    best_score: Any
    best_parameters: NDArray[Any] | None
    no_improvement: int
    learning_rate: float


class Watch:
    """What is seen of a fit, epoch by epoch."""

    def __init__(
        self,
        estimator: "Stochastic",
        network: MLP,
        n_samples: int,
        score: Callable[[], float] | None,
    ) -> None:
        self.estimator = estimator
        self.network = network
        self.n_samples = n_samples
        self.score = score
        self.stopped = False
        self.losses: list[float] = []
        self.scores: list[float] = []
        # The best parameters are in one, and new ones go to the other.
        self.places = [] if score is None else [network.parameters.copy() for _ in range(2)]
        self.last = Standing(
            0,
            estimator.t_,
            estimator.best_loss_,
            estimator.best_validation_score_,
            self.places[0] if self.places else None,
            estimator._no_improvement_count,
            estimator._optimizer.learning_rate,
        )

    def __call__(self, epoch: Epoch) -> bool:
        """Take note of an epoch; return whether it was the last."""
        lines = self._count(epoch.loss, None if self.score is None else self.score())
        self.estimator._optimizer.learning_rate = self.last.learning_rate
        if self.estimator.verbose:
            for line in lines:
                print(line)
        return self.stopped

    def diverged(self) -> str:
        """Note an epoch that ended in numbers that are not finite; return what is said of it."""
        self._count(np.nan, np.nan)
        return (
            f"Training diverged in epoch {self.last.n_epochs}. The parameters are those with the "
            "best validation score; a smaller learning_rate_init, or input that is scaled, may "
            "help."
        )

    def record(self) -> list[float]:
        """Give the estimator the record of all whole epochs, and return their losses."""
        estimator, last = self.estimator, self.last
        del self.losses[last.n_epochs :], self.scores[last.n_epochs :]
        estimator.n_iter_, estimator.t_ = last.n_epochs, last.t
        estimator._no_improvement_count = last.no_improvement
        estimator._optimizer.learning_rate = last.learning_rate
        estimator.best_loss_, estimator.best_validation_score_ = last.best_loss, last.best_score
        if self.losses:
            estimator.loss_ = self.losses[-1]
        if self.score is not None:
            estimator.validation_scores_ = estimator.validation_scores_ + self.scores
            self.network.parameters[:] = last.best_parameters
        return self.losses

    def _count(self, loss: float, score: float | None) -> list[str]:
        """Count an epoch; return the lines that tell of it."""
        last, tol = self.last, self.estimator.tol
        n, t = last.n_epochs + 1, last.t + self.n_samples
        best_loss, best_score, best = last.best_loss, last.best_score, last.best_parameters
        lines = [f"Iteration {n}, loss = {loss:.8f}"]
        self.losses.append(loss)
        if score is None:
            failed = loss > best_loss - tol
            best_loss = min(best_loss, loss)
        else:
            self.scores.append(score)
            lines.append(f"Validation score: {score:f}")
            failed = score < best_score + tol
            if score > best_score:
                best = self.places[best is self.places[0]]
                best[:] = self.network.parameters
                best_score = score
        no_improvement = last.no_improvement + 1 if failed else 0
        rate = last.learning_rate
        if self.estimator.solver == "sgd" and self.estimator.learning_rate == "invscaling":
            rate = self.estimator._scaled_rate(t)
        if no_improvement > self.estimator.n_iter_no_change:
            self.stopped, rate, line = self._end_or_slow_down(rate)
            lines.append(line)
            if not self.stopped:
                no_improvement = 0
        self.last = Standing(n, t, best_loss, best_score, best, no_improvement, rate)
        return lines

    def _end_or_slow_down(self, rate: float) -> tuple[bool, float, str]:
        """Say whether training is over, at which rate it goes on if not, and what tells of that."""
        estimator = self.estimator
        stops, what_follows = True, "Stopping."
        if estimator.solver == "sgd" and estimator.learning_rate == "adaptive":
            stops = rate <= SMALLEST_ADAPTIVE_RATE
            if stops:
                what_follows = "Learning rate too small. Stopping."
            else:
                rate /= 5.0
                what_follows = f"Setting learning rate to {rate:f}"
        measure = "Training loss" if self.score is None else "Validation score"
        return (
            stops,
            rate,
            f"{measure} did not improve more than tol={estimator.tol:f} for "
            f"{estimator.n_iter_no_change:.0f} consecutive epochs. {what_follows}",
        )
