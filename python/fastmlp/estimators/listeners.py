"""Those who are told of each epoch: the screen, the caller's callback, and scikit-learn's."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, NamedTuple, Self

import numpy as np

from fastmlp.estimators.screen import screen_of
from fastmlp.estimators.tasks import FitTasks


class FitInfo(NamedTuple):
    """What `callback` is told after each epoch of 'sgd' and 'adam', or iteration of 'lbfgs'.

    Attributes
    ----------
    epoch : int
        The epoch, from 1 in each fit.
    epochs : int
        The most that there may be: `max_iter`.
    loss : float
        The loss of the epoch, as in `loss_curve_`.
    val_loss : float or None
        The loss on the rows for validation; None if there are none.
    val_score : float or None
        The score on the rows for validation.
    learning_rate : float or None
        The learning rate of the next epoch; None for 'lbfgs'.
    elapsed : float
        Seconds since training began.
    estimator : MLPClassifier or MLPRegressor
        The estimator in training, which predicts with the parameters of this moment. What it will
        be later is not known yet: a copy of it, or a file that it is saved to, stays as it is.
    """

    epoch: int
    epochs: int
    loss: float
    val_loss: float | None
    val_score: float | None
    learning_rate: float | None
    elapsed: float
    estimator: Any


class Listeners:
    """Those who are told of each epoch of one training; any of them may stop it.

    Parameters
    ----------
    draft : object
        The estimator in training.
    tasks : FitTasks or None
        The tasks of the fit; None for a call that has none.
    """

    def __init__(self, draft: Any, tasks: FitTasks | None) -> None:
        self.draft = draft
        self.screen = screen_of(draft.max_iter) if draft.verbose else None
        self.callback: Callable[[FitInfo], Any] | None = draft.callback
        self.tasks = tasks
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Begin the training."""
        if self.screen is not None:
            self._open.callback(self.screen.close)
        if self.tasks is not None:
            self.tasks.begin(self.draft)
        return self

    def __exit__(self, *error: object) -> None:
        """End it, however it ended."""
        self._open.close()

    def tell(self, info: FitInfo, event: str | None, *, stopped: bool) -> bool:
        """Tell all of an epoch; return whether one of them wants to stop.

        Parameters
        ----------
        info : FitInfo
            The epoch.
        event : str or None
            What else there is to say.
        stopped : bool
            Whether training is over anyway.
        """
        if self.screen is not None:
            self.screen.show(info, event)
        stops = self.callback is not None and _wants_to_stop(self.callback(info))
        if self.tasks is not None:
            is_last = stopped or stops or info.epoch == info.epochs
            stops |= self.tasks.end_epoch(self.draft, is_last=is_last)
        return stops

    def end_training(self) -> None:
        """Take note that a solver found its end by itself."""
        if self.tasks is not None:
            self.tasks.end_training(self.draft)


def _wants_to_stop(answer: Any) -> bool:
    """Say what the answer of a callback means, as `MLP.fit` does."""
    if answer is None or isinstance(answer, bool | np.bool_):
        return bool(answer)
    raise TypeError(
        f"the callback's answer is of type {type(answer).__name__}, expected True to stop, or None"
    )
