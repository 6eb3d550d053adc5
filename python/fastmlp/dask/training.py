"""The loop over epochs. It runs on the client, which has the state between stretches of rounds.

Within a stretch each round is submitted before the one before it has ended, so that workers need
not wait for the client. What is lost with a worker is computed again from the beginning of the
stretch, and not from the beginning of the training.
"""

import warnings
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from distributed import Future
from numpy.typing import NDArray

from fastmlp._core import MLP, DivergenceError, Optimizer
from fastmlp.dask.cluster import Cluster
from fastmlp.dask.plan import Piece, Plan
from fastmlp.dask.rounds import Recipe, State, average, combine, local_round
from fastmlp.dask.scaling import Scaling
from fastmlp.dask.tasks import Blocks, itself
from fastmlp.estimators.course import INTERRUPTED, Course
from fastmlp.estimators.listeners import Listeners
from fastmlp.estimators.stochastic import _raise_from, _warn_of_convergence
from fastmlp.estimators.watch import Watch

# Rounds of a stretch. Blocks that are read for each round are bounded by those of a stretch.
_IN_MEMORY, _READ_EACH_TIME = 8, 2


class Rounds:
    """The tasks of a training.

    Parameters
    ----------
    cluster : Cluster
    plan : Plan
    recipe : Recipe
    blocks : Blocks
    """

    def __init__(self, cluster: Cluster, plan: Plan, recipe: Recipe, blocks: Blocks) -> None:
        self.cluster = cluster
        self.plan = plan
        self.blocks = blocks
        self.recipe = cluster.submit("recipe", itself, recipe)
        self.stretch = _IN_MEMORY if blocks.are_kept else _READ_EACH_TIME

    def epoch(self, state: State, epoch: int, rates: NDArray[np.float64]) -> State:
        """Train one epoch, given the learning rate of each of its rounds."""
        state = state._replace(n_rows=0, loss=0.0)
        rounds = list(enumerate(self.plan.epoch(epoch)))
        for first in range(0, len(rounds), self.stretch):
            name = f"{epoch}-{first}"
            future = self.cluster.submit(f"state-{name}", itself, state)
            for number, pieces in rounds[first : first + self.stretch]:
                future = self._round(f"{epoch}-{number}", future, pieces, float(rates[number]))
            state = self.cluster.result(future)
        return state

    def _round(self, name: str, state: Future, pieces: list[Piece], rate: float) -> Future:
        outcomes = [
            self.cluster.submit(
                f"local-{name}-{piece.shard}",
                local_round,
                self.recipe,
                state,
                self.blocks.future(piece.shard, piece.block),
                piece,
                rate,
            )
            for piece in pieces
        ]
        outcomes = self.cluster.reduce(f"average-{name}", average, outcomes)
        return self.cluster.submit(f"combine-{name}", combine, self.recipe, state, outcomes)


def epochs(
    network: MLP, rounds: Rounds, recipe: Recipe, optimizer: Optimizer, max_iter: int
) -> Iterator[State]:
    """Train a network, and give the state after each epoch, which the network has too.

    Parameters
    ----------
    network : MLP
    rounds : Rounds
    recipe : Recipe
        That of the rounds.
    optimizer : Optimizer
        Whose schedule has the learning rate of each round.
    max_iter : int
        Epochs.

    Raises
    ------
    DivergenceError
        If the network is not finite.
    """
    state = State.first(recipe.network, recipe.optimizer)
    n_rounds = rounds.plan.n_rounds
    for epoch in range(max_iter):
        rates = optimizer.learning_rates(max_iter * n_rounds)
        first = epoch * n_rounds
        state = rounds.epoch(state, epoch, rates[first : first + n_rounds])
        if not np.isfinite(state.parameters).all():
            raise DivergenceError("the average of the networks is not finite")
        network.parameters[:] = state.parameters
        yield state


def train(
    estimator: Any,
    network: MLP,
    rounds: Rounds,
    recipe: Recipe,
    scaling: Scaling | None,
    validation: Any,
    n_rows: int,
) -> Course:
    """Train the draft of an estimator, as `Stochastic._fit_stochastic` does in memory.

    After an error in a later epoch than the first, the draft has the last whole epoch.
    """
    optimizer = estimator._optimizer
    warn: Any = bool  # of nothing
    with Listeners(estimator, estimator.max_iter, None) as listeners:
        watch = Watch(estimator, network, n_rows, validation, listeners, optimizer)
        try:
            for state in epochs(network, rounds, recipe, optimizer, estimator.max_iter):
                if scaling is not None:
                    scaling.fold(network)
                optimizer.load_state_dict(state.optimizer)
                if watch.note(state.loss / state.n_rows):
                    break
        except KeyboardInterrupt:
            warn = partial(warnings.warn, INTERRUPTED, stacklevel=2)
        except DivergenceError as error:
            warn = _divergence(estimator, watch, error, is_scaled=scaling is not None)
        except Exception as error:
            if not watch.last.n_epochs:
                raise
            error.add_note(_kept(watch))
            warn = partial(_raise, error)
        else:
            if (ending := watch.ending()) is not None:
                warn = partial(_warn_of_convergence, ending)
    return Course(watch.record(), warn)


def _divergence(estimator: Any, watch: Watch, error: DivergenceError, *, is_scaled: bool) -> Any:
    epoch = watch.last.n_epochs + 1
    advice = "" if is_scaled else " standardize=True scales the features."
    diagnosis = (
        f"Training diverged in epoch {epoch}. learning_rate_init="
        f"{estimator.learning_rate_init:.3g} may be too large: try a tenth of it.{advice}"
    )
    if watch.stops_early:
        watch.note_divergence()
        best = "The parameters are those with the best validation score."
        return partial(_warn_of_convergence, f"{diagnosis} {best}")
    message = f"Solver produced non-finite parameter weights. {diagnosis}"
    if epoch == 1:
        raise ValueError(message) from error
    return partial(_raise_from, ValueError(f"{message} {_kept(watch)}"), error)


def _raise(error: Exception) -> None:
    raise error


def _kept(watch: Watch) -> str:
    return (
        f"The estimator has the parameters after epoch {watch.last.n_epochs}; fit with "
        "warm_start=True goes on from there."
    )
