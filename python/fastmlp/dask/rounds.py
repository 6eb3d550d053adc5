"""One round: local steps on each shard, their average, and the outer step.

These are pure functions: the same arguments give the same bits, on whichever worker, and as often
as they are called. They know nothing of Dask, and a loop that calls them in turn trains likewise.

References: S. Stich, "Local SGD converges fast and communicates little", ICLR 2019; A. Douillard et
al., "DiLoCo: Distributed low-communication training of language models", 2023, for the outer step.
"""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from fastmlp._core import MLP, Optimizer
from fastmlp.dask.blocks import Rows, aligned
from fastmlp.dask.plan import Piece


class Recipe(NamedTuple):
    """What all rounds of a training share.

    Attributes
    ----------
    network : MLP
        That which training starts from.
    optimizer : Optimizer
        That of the local steps, without state and schedule.
    batch_size : int
    seed : int
    shuffle : bool
    outer_lr, outer_momentum : float
        Of the outer step; 1 and 0 take the average as it is.
    arguments : dict
        Other arguments of `MLP.fit`.
    """

    network: MLP
    optimizer: Optimizer
    batch_size: int
    seed: int
    shuffle: bool
    outer_lr: float
    outer_momentum: float
    arguments: dict[str, Any]


class Outcome(NamedTuple):
    """Where some rows of a round led, or the average of such outcomes.

    Attributes
    ----------
    parameters : ndarray of shape (n_parameters,)
    optimizer : dict
        The state of the local optimizer.
    n_rows : int
    loss : float
        The mean over the rows.
    """

    parameters: NDArray[Any]
    optimizer: dict[str, Any]
    n_rows: int
    loss: float


class State(NamedTuple):
    """A training between two rounds.

    Attributes
    ----------
    parameters : ndarray of shape (n_parameters,)
    optimizer : dict
        The state of the local optimizers, averaged.
    velocity : ndarray of shape (n_parameters,)
        Of the outer step.
    n_rows : int
        Rows since the epoch began.
    loss : float
        The sum of their losses.
    """

    parameters: NDArray[Any]
    optimizer: dict[str, Any]
    velocity: NDArray[Any]
    n_rows: int = 0
    loss: float = 0.0

    @classmethod
    def first(cls, network: MLP, optimizer: Optimizer) -> Self:
        """Return the state that a network starts from."""
        parameters = network.parameters.copy()
        return cls(parameters, optimizer.state_dict(), np.zeros_like(parameters))


def local_round(recipe: Recipe, state: State, block: Rows, piece: Piece, rate: float) -> Outcome:
    """Take the steps of one shard in a round, at one learning rate."""
    network, optimizer = recipe.network.copy(), deepcopy(recipe.optimizer)
    network.parameters[:] = state.parameters
    vectors = {name: aligned(v) for name, v in state.optimizer.items() if name != "step"}
    optimizer.load_state_dict({**state.optimizer, **vectors})
    optimizer.learning_rate = rate
    places = piece.rows(len(block.y), recipe.batch_size, recipe.seed, recipe.shuffle)
    rows = block.aligned() if len(places) == len(block.y) else block.at(places)
    history = network.fit(
        rows.X,
        rows.y,
        optimizer,
        epochs=1,
        batch_size=min(recipe.batch_size, len(places)),
        shuffle=recipe.shuffle,
        seed=piece.seed(recipe.seed),
        sample_weight=rows.sample_weight,
        **recipe.arguments,
    )
    return Outcome(
        network.parameters.copy(), optimizer.state_dict(), len(places), float(history.loss[0])
    )


def average(outcomes: Sequence[Outcome]) -> Outcome:
    """Average outcomes, weighted by their rows, in the order that they have."""
    if len(outcomes) == 1:
        return outcomes[0]
    n_rows = sum(outcome.n_rows for outcome in outcomes)
    shares = [outcome.n_rows / n_rows for outcome in outcomes]

    def mean(vectors: list[NDArray[Any]]) -> NDArray[Any]:
        total = np.zeros(len(vectors[0]))
        for share, vector in zip(shares, vectors, strict=True):
            total += share * vector.astype(np.float64)
        return total.astype(vectors[0].dtype)

    states = [outcome.optimizer for outcome in outcomes]
    optimizer: dict[str, Any] = {
        name: mean([state[name] for state in states]) for name in states[0] if name != "step"
    }
    # Shards that rest in a round, or have fewer rows, make fewer steps.
    optimizer["step"] = max(state["step"] for state in states)
    losses = zip(shares, outcomes, strict=True)
    return Outcome(
        mean([outcome.parameters for outcome in outcomes]),
        optimizer,
        n_rows,
        sum(share * outcome.loss for share, outcome in losses),
    )


def combine(recipe: Recipe, state: State, outcomes: Sequence[Outcome]) -> State:
    """End a round: average, and go on in the direction that the average took."""
    found = average(outcomes)
    parameters, velocity = found.parameters, state.velocity
    if (recipe.outer_lr, recipe.outer_momentum) != (1.0, 0.0):
        before = state.parameters.astype(np.float64)
        change = found.parameters - before
        new_velocity = recipe.outer_momentum * velocity.astype(np.float64) + change
        ahead = before + recipe.outer_lr * (change + recipe.outer_momentum * new_velocity)
        learned = _is_learned(recipe.network)
        parameters = np.where(learned, ahead, found.parameters).astype(parameters.dtype)
        velocity = np.where(learned, new_velocity, 0.0).astype(velocity.dtype)
    return State(
        parameters,
        found.optimizer,
        velocity,
        state.n_rows + found.n_rows,
        state.loss + found.n_rows * found.loss,
    )


def _is_learned(network: MLP) -> NDArray[np.bool_]:
    """Say which parameters follow a gradient: running means and variances do not.

    Momentum could make a variance negative.
    """
    marks = network.copy()
    marks.parameters[:] = 1
    for block in marks.parameter_blocks:
        if block.role in ("mean", "variance"):
            block.view[...] = 0
    return marks.parameters.astype(bool)
