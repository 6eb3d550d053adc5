"""Those who are told of each epoch: the screen, the caller's callback, and scikit-learn's."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, NamedTuple, Self

import numpy as np

from fastmlp.estimators.company import Company
from fastmlp.estimators.screen import screen_of
from fastmlp.estimators.tasks import FitTasks


class FitInfo(NamedTuple):
    """What `callback` is told after each epoch of 'sgd' and 'adam', or iteration of 'lbfgs'.

    Attributes
    ----------
    epoch : int
        The epoch, from 1 in each fit.
    epochs : int
        The most that there may be: `max_iter`, or 1 in `partial_fit`.
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
        The estimator in training. It predicts with the parameters of this epoch, while its record,
        such as `loss_curve_`, is that of before the fit. A copy of it, made by `copy.copy`, and a
        file that it saves stay as they are when training goes on.
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
    epochs : int
        The most epochs that there may be.
    tasks : FitTasks or None
        The tasks of the fit; None for a call that has none.
    company : Company or None
        What the fit is given as one among many.
    """

    def __init__(
        self,
        draft: Any,
        epochs: int,
        tasks: FitTasks | None,
        company: Company | None = None,
    ) -> None:
        self.draft = draft
        self.epochs = epochs
        self.screen = screen_of(epochs) if draft.verbose else None
        self.callback: Callable[[FitInfo], Any] | None = draft.callback
        self.tasks = tasks if tasks is not None and tasks.has_callbacks else None
        self.company = company
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

    @property
    def are_there(self) -> bool:
        """Whether anyone listens."""
        return not (self.screen is None and self.callback is None and self.tasks is None)

    def heed(self) -> None:
        """Raise what ends the training, if the call does that it belongs to."""
        if self.company is not None:
            self.company.heed()

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
        stops = self.callback is not None and wants_to_stop(self.callback(info))
        if self.tasks is not None:
            is_last = stopped or stops or info.epoch == info.epochs
            stops |= self.tasks.end_epoch(self.draft, is_last=is_last)
        return stops

    def end_training(self) -> None:
        """Take note that a solver found its end by itself."""
        if self.tasks is not None:
            self.tasks.end_training(self.draft)


def wants_to_stop(answer: Any) -> bool:
    """Say what the answer of a callback means, as `MLP.fit` does."""
    if answer is None or isinstance(answer, bool | np.bool_):
        return bool(answer)
    raise TypeError(
        f"the callback's answer is of type {type(answer).__name__}, expected True to stop, or None"
    )
