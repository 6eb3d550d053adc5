"""One network of an estimator: trained, and left with the parameters of its best epoch."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastmlp._core import MLP, DivergenceError, Epoch
from fastmlp.tabular.network import make_network, make_optimizer
from fastmlp.tabular.recipe import Recipe
from fastmlp.tabular.target import Rows, Target

NOT_FINITE = (
    "training diverged before the first epoch ended: a smaller learning_rate_init, or sample "
    "weights that are neither tiny nor huge, may help"
)
# Of the time that there is, what a plan takes for epochs.
_SHARE_OF_TIME = 0.9


class Trained(NamedTuple):
    """A network, and what its training tells."""

    network: MLP
    # Of the training rows, after each epoch.
    losses: list[float]
    # Of the rows for validation, after each epoch: higher is better. Empty without such rows.
    scores: list[float]


class Progress(NamedTuple):
    """How far a fit is, after an epoch of one of its networks."""

    epoch: int
    # Of this network, and how many networks there are.
    epochs: int
    n_members: int
    loss: float
    # Of the rows for validation, and the best of the network so far; None without such rows.
    score: float | None
    best_score: float | None


Listener: TypeAlias = Callable[[Progress], None]


class Watch:
    """What is seen of a training: keeps the best epoch, and knows when to stop."""

    def __init__(self, network: MLP, score: Callable[[], float] | None, stops: Callable[[], bool]):
        self.network = network
        self.score = score
        self.stops = stops
        self.losses: list[float] = []
        self.scores: list[float] = []
        self.best: NDArray[Any] | None = None

    def note(self, loss: float) -> bool:
        """Take note of an epoch with this loss; return whether it was the last."""
        self.losses.append(loss)
        if self.score is None:
            self.best = self.network.parameters
        else:
            score = self.score()
            # Of equal ones the later, which has seen smaller learning rates.
            if score >= max(self.scores, default=-np.inf):
                self.best = self.network.parameters.copy()
            self.scores.append(score)
        return self.stops()

    @contextmanager
    def best_epoch(self) -> Iterator[None]:
        """Leave the network with the best epoch, also if training diverges after one.

        Raises
        ------
        ValueError
            If there is no epoch with a finite score.
        """
        try:
            yield
        except DivergenceError as error:
            if self.score is None or self.best is None:
                raise ValueError(NOT_FINITE) from error
        if self.best is None:
            raise ValueError(NOT_FINITE)
        self.network.parameters[:] = self.best


def fit_options(recipe: Recipe) -> dict[str, Any]:
    """Return the arguments of `MLP.fit` that a recipe has by itself."""
    return {"dropout": recipe.dropout, "alpha": recipe.alpha}


def train_member(
    recipe: Recipe,
    target: Target,
    training: Rows,
    validation: Rows | None,
    *,
    seed: int,
    n_periodic: int = 0,
    n_jobs: int | None,
    seconds: float | None,
    stops: Callable[[], bool],
    listener: Listener | None = None,
) -> Trained:
    """Train one network.

    Parameters
    ----------
    recipe : Recipe
        How.
    target : Target
        What the outputs stand for.
    training : Rows
        Rows to train on.
    validation : Rows or None
        Rows that choose the epoch; None takes the last one.
    seed : int
        Of initial parameters, dropout and orders of rows.
    n_periodic : int, default=0
        How many of the inputs, from the first on, have periodic features if the recipe has some.
    n_jobs : int or None
        Threads that share the work.
    seconds : float or None
        Time that there is: as many epochs as it allows take the place of the recipe's.
    stops : callable
        Whether training ends after the current epoch.
    listener : callable, default=None
        Is told of each epoch.

    Raises
    ------
    ValueError
        If training diverges before an epoch with a finite score.
    """
    begin = time.monotonic()
    network = make_network(recipe, target, training.X.shape[1], seed, n_periodic)

    def fit(network: MLP, epochs: int, callback: Callable[[Epoch], bool | None] | None) -> Any:
        return network.fit(
            training.X,
            training.y,
            make_optimizer(recipe, network),
            epochs=epochs,
            batch_size=recipe.batch_size,
            # One batch has no order, and sums whose order is kept have the same bits.
            shuffle=recipe.batch_size < len(training.X),
            seed=seed,
            sample_weight=training.weights,
            n_jobs=n_jobs,
            callback=callback,
            **fit_options(recipe),
        )

    def score() -> float:
        assert validation is not None
        return target.score(network, validation, n_jobs)

    def is_over() -> bool:
        return stops() or (seconds is not None and time.monotonic() - begin > seconds)

    watch = Watch(network, None if validation is None else score, is_over)
    with watch.best_epoch():
        epochs = recipe.max_iter
        if seconds is not None:
            pace = fit(copy(network), 1, None).seconds[0]
            time_left = _SHARE_OF_TIME * (begin + seconds - time.monotonic())
            epochs = int(np.clip(time_left / pace, 1, epochs))

        def callback(epoch: Epoch) -> bool:
            is_last = watch.note(epoch.loss)
            if listener is not None:
                score = watch.scores[-1] if watch.scores else None
                best = max(watch.scores, default=None)
                done = len(watch.losses)
                listener(Progress(done, epochs, recipe.n_members, epoch.loss, score, best))
            return is_last

        fit(network, epochs, callback)
    if validation is not None:
        target.finish(network, validation, n_jobs)
    return Trained(network, watch.losses, watch.scores)
