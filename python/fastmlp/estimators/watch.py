"""What is seen of a training: keeps the record, says at which rate it goes on, and stops.

The record of an epoch counts once one assignment was made, to `Watch.last`: whichever line a
KeyboardInterrupt comes at, what the estimator shows is of whole epochs.
"""

from contextlib import suppress
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp._core import MLP, Epoch, Optimizer
from fastmlp.estimators.listeners import FitInfo, Listeners
from fastmlp.estimators.optimizers import SMALLEST_RATE, Progress
from fastmlp.estimators.validation import Measured, Validation

# As long training goes on without being told that it is to end, in seconds; and the shortest epoch.
_MOST_SECONDS, _LEAST_SECONDS = 0.02, 1e-6


class Standing(NamedTuple):
    """Where a training stands after an epoch."""

    n_epochs: int
    t: int
    best_loss: Any
    best_score: Any
    best_parameters: NDArray[Any] | None
    no_improvement: int
    progress: Progress
    learning_rate: float | None


class Watch:
    """What is seen of a training, epoch by epoch.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        The estimator in training.
    network : MLP
        Its network.
    n_samples : int
        Rows that a stochastic solver goes through in an epoch.
    validation : Validation or None
        Rows for validation, if there are any.
    listeners : Listeners
        Those who are told of each epoch.
    optimizer : Optimizer or None
        Whose learning rate is set; None for a solver that has none, and finds its end by itself.
    once : bool
        Whether training is over after one epoch in any case.
    """

    def __init__(
        self,
        estimator: Any,
        network: MLP,
        n_samples: int,
        validation: Validation | None,
        listeners: Listeners,
        optimizer: Optimizer | None,
        *,
        once: bool = False,
    ) -> None:
        self.estimator = estimator
        self.network = network
        self.n_samples = n_samples
        self.validation = validation
        self.listeners = listeners
        self.optimizer = optimizer
        self.once = once
        # Of an earlier training.
        self.history = network.history
        self.begin = perf_counter()
        self.most_seconds = np.inf if estimator.max_time is None else estimator.max_time
        # Of the last epoch.
        self.seconds = np.inf
        self.is_late = False
        self.stopped = False
        # Whether the score decides about the end, and about the parameters.
        self.stops_early = validation is not None and estimator.early_stopping
        self.losses: list[float] = []
        self.measured: list[Measured] = []
        # Epochs whose parameters are kept.
        self.stages: list[tuple[int, NDArray[Any]]] = []
        # The best parameters are in one, and new ones go to the other.
        self.places = [network.parameters.copy() for _ in range(2)] if self.stops_early else []
        self.last = Standing(
            0,
            estimator.t_,
            estimator.best_loss_,
            estimator.best_validation_score_,
            self.places[0] if self.places else None,
            estimator._no_improvement_count,
            estimator._progress,
            None if optimizer is None else optimizer.learning_rate,
        )

    def __call__(self, epoch: Epoch) -> bool:
        """Take note of an epoch; return whether it was the last."""
        self.seconds = epoch.seconds
        return self.note(epoch.loss)

    @property
    def epochs_ahead(self) -> int:
        """How many epochs the network may make before it tells of them.

        As long as nobody listens and none but the last can end training, a thread that trains a
        small network need not wait for the interpreter, which others hold, after each of them.
        """
        estimator, last = self.estimator, self.last
        each_matters = (
            self.validation is not None
            or self.listeners.are_there
            or self.once
            or self.most_seconds < np.inf
            or estimator.keep_every is not None
            or (estimator.solver == "sgd" and estimator.learning_rate == "invscaling")
        )
        if each_matters or not last.n_epochs:
            return 1
        until_end = estimator.n_iter_no_change - last.no_improvement + 1
        in_short = _MOST_SECONDS / max(self.seconds, _LEAST_SECONDS)
        ends_by_itself = self.optimizer is None or estimator._is_planned
        return int(max(1, in_short if ends_by_itself else min(until_end, in_short)))

    def note(self, loss: float) -> bool:
        """Take note of an epoch with this loss; return whether it was the last."""
        self.listeners.heed()
        measured = self._measure()
        rate = self.last.learning_rate
        event = self._count(loss, measured)
        # Which takes longer than the rest of a note.
        if self.last.learning_rate != rate:
            self._set_rate()
        is_over = self.most_seconds < np.inf and self.elapsed >= self.most_seconds
        ends = self.stopped or is_over or self.once
        if self.listeners.are_there:
            info = self._info(loss, measured)
            self.stopped |= self.listeners.tell(info, event, stopped=ends)
        self.is_late = is_over and not self.stopped
        return self.stopped or ends

    def catch_up(self, trained: MLP) -> None:
        """Take note of whole epochs of which an interrupt kept a network from telling.

        Parameters
        ----------
        trained : MLP
            The network that was trained, which may be a twin in another dtype.
        """
        history, n = trained.history, self.last.n_epochs
        if history is None or history is self.history:
            return
        # Another interrupt leaves what is counted by then.
        with suppress(KeyboardInterrupt):
            self._forget_after(n)
            for loss in history.loss[n:]:
                self._count(float(loss), self._measure())

    @property
    def elapsed(self) -> float:
        """Seconds since training began."""
        return perf_counter() - self.begin

    def _info(self, loss: float, measured: Measured | None) -> FitInfo:
        return FitInfo(
            epoch=self.last.n_epochs,
            epochs=self.listeners.epochs,
            loss=loss,
            val_loss=None if measured is None else measured.loss,
            val_score=None if measured is None else measured.score,
            learning_rate=self.last.learning_rate,
            elapsed=self.elapsed,
            estimator=self.estimator,
        )

    def _set_rate(self) -> None:
        if self.optimizer is not None and self.last.learning_rate is not None:
            self.optimizer.learning_rate = self.last.learning_rate

    def ending(self) -> str | None:
        """Return what is said of a training that ended before it converged."""
        if self.is_late:
            how = (
                f"max_time={self.estimator.max_time} seconds were over after epoch "
                f"{self.last.n_epochs}"
            )
        elif not self.stopped and not self.estimator._is_planned:
            how = f"Maximum iterations ({self.estimator.max_iter}) reached"
        else:
            return None
        return f"Stochastic Optimizer: {how} and the optimization hasn't converged yet."

    def note_divergence(self) -> None:
        """Take note of an epoch that ended in numbers that are not finite."""
        self._count(np.nan, Measured(np.nan, np.nan))

    def record(self) -> list[float]:
        """Give the estimator the record of all whole epochs, and return their losses."""
        estimator, last = self.estimator, self.last
        n = last.n_epochs
        self._forget_after(n)
        estimator.n_iter_, estimator.t_ = n, last.t
        estimator._no_improvement_count, estimator._progress = last.no_improvement, last.progress
        self._set_rate()
        estimator.best_loss_, estimator.best_validation_score_ = last.best_loss, last.best_score
        if self.losses:
            estimator.loss_ = self.losses[-1]
        if self.validation is not None:
            scores, losses = zip(*self.measured, strict=True) if self.measured else ((), ())
            estimator.validation_scores_ = [*estimator.validation_scores_, *scores]
            estimator.validation_loss_curve_ = [*estimator.validation_loss_curve_, *losses]
        before = len(estimator.loss_curve_)
        whole = [(before + epoch, kept) for epoch, kept in self.stages]
        estimator._stages = [*estimator._stages, *whole]
        if last.best_parameters is not None:
            self.network.parameters[:] = last.best_parameters
        return self.losses

    def _measure(self) -> Measured | None:
        return None if self.validation is None else self.validation.measure(self.network)

    def _forget_after(self, n: int) -> None:
        """Drop what an interrupt left of an epoch that is not counted."""
        del self.losses[n:], self.measured[n:]
        self.stages = [stage for stage in self.stages if stage[0] <= n]

    def _count(self, loss: float, measured: Measured | None) -> str | None:
        """Count an epoch; return what there is to say of it besides its numbers."""
        last, tol = self.last, self.estimator.tol
        n, t = last.n_epochs + 1, last.t + self.n_samples
        best_loss, best_score, best = last.best_loss, last.best_score, last.best_parameters
        failed = False
        self.losses.append(loss)
        if not self.stops_early:
            failed = loss > best_loss - tol
            best_loss = min(best_loss, loss)
        if measured is not None:
            self.measured.append(measured)
            if self.stops_early:
                failed = measured.score < best_score + tol
            if measured.score > best_score:
                best_score = measured.score
                if self.stops_early:
                    best = self.places[best is self.places[0]]
                    best[:] = self.network.parameters
        self._keep(n)
        progress = last.progress
        if self.estimator.learning_rate == "plateau":
            value = -measured.score if measured is not None and self.stops_early else loss
            progress, failed = progress.after(value, tol)
        no_improvement, event = last.no_improvement, None
        if self.optimizer is not None or self.stops_early:
            no_improvement = no_improvement + 1 if failed else 0
        rate = last.learning_rate
        if self.estimator.solver == "sgd" and self.estimator.learning_rate == "invscaling":
            rate = self.estimator._scaled_rate(t)
        may_end = self.stops_early or not self.estimator._is_planned
        if no_improvement > self.estimator.n_iter_no_change and may_end:
            self.stopped, rate, event = self._end_or_slow_down(rate)
            if not self.stopped:
                no_improvement = 0
        self.last = Standing(n, t, best_loss, best_score, best, no_improvement, progress, rate)
        return event

    def _keep(self, n: int) -> None:
        """Keep the parameters of an epoch for `staged_predict`, if it is one of those."""
        every = self.estimator.keep_every
        if every is not None and (len(self.estimator.loss_curve_) + n) % int(every) == 0:
            self.stages.append((n, self.network.parameters.copy()))

    def _end_or_slow_down(self, rate: float | None) -> tuple[bool, float | None, str]:
        """Say whether training is over, at which rate it goes on if not, and what tells of that."""
        estimator = self.estimator
        stops, what_follows = True, "Stopping."
        if rate is not None and estimator._slows_down():
            stops = rate <= SMALLEST_RATE
            if stops:
                what_follows = "Learning rate too small. Stopping."
            else:
                rate = estimator._slower_rate(rate)
                what_follows = f"Setting learning rate to {rate:f}"
        measure = "Validation score" if self.stops_early else "Training loss"
        return (
            stops,
            rate,
            f"{measure} did not improve more than tol={estimator.tol:f} for "
            f"{estimator.n_iter_no_change:.0f} consecutive epochs. {what_follows}",
        )
