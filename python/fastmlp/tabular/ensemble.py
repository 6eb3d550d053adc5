"""The networks of an estimator, each with its own share of the rows for validation."""

import time
from collections.abc import Callable
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.many.threads import n_threads_of, run_tasks
from fastmlp.tabular.member import Listener, Trained, train_member
from fastmlp.tabular.recipe import Recipe
from fastmlp.tabular.target import Rows, Target

# Makes rows, by their places, as the networks of a kind read them: with periodic features or not.
Parts = Callable[[NDArray[np.intp] | slice, bool], Rows]


def train_members(
    recipe: Recipe,
    target: Target,
    rows: Parts,
    validation: Callable[[bool], Rows] | None,
    folds: NDArray[np.intp] | None,
    *,
    n_periodic: int,
    in_turn: bool,
    random_state: np.random.RandomState,
    n_jobs: int | None,
    seconds: float | None,
    listener: Listener | None,
    stop: Event,
) -> list[Trained]:
    """Train the networks of a recipe.

    Parameters
    ----------
    recipe : Recipe
        How many, and how.
    target : Target
        What outputs stand for.
    rows : callable
        Makes rows, by their places, as the networks of a kind read them: those with periodic
        features, or the others.
    validation : callable or None
        Makes the rows that choose the epoch of each network of a kind.
    folds : ndarray of shape (n_samples,) or None
        The fold of each row, see `deal`; with it a network validates on the fold of its number and
        trains on the others.
    n_periodic : int
        How many inputs, from the first on, have periodic features in networks that have some.
    in_turn : bool
        Whether networks train one after the other, so that the rows of one are in memory.
    random_state : RandomState
        Source of a seed for each network.
    n_jobs : int or None
        Threads: networks share them, or each network has them all in its turn.
    seconds : float or None
        Time for all networks together.
    listener : callable or None
        Is told of each epoch of each network, by the thread that trains it.
    stop : Event
        Ends training after the current epochs: what is returned is the networks that were trained
        to the end, or those that were begun where there are none.

    Raises
    ------
    KeyboardInterrupt
        If it ends before the first epoch.
    """
    begin = time.monotonic()
    seeds = random_state.randint(2**31 - 1, size=recipe.n_members).tolist()
    in_turn = in_turn or recipe.n_members == 1
    n_at_once = 1 if in_turn else n_threads_of(n_jobs, recipe.n_members)
    n_rounds = -(-recipe.n_members // n_at_once)
    # The same for all networks of a kind, if they validate on the same rows.
    whole: dict[bool, tuple[Rows, Rows | None]] = {}

    def make_whole(is_periodic: bool) -> None:
        if in_turn:
            whole.clear()  # so that the rows of one kind are in memory
        chosen_by = None if validation is None else validation(is_periodic)
        whole[is_periodic] = rows(slice(None), is_periodic), chosen_by

    if folds is None and not in_turn:
        for is_periodic in recipe.kinds:
            make_whole(is_periodic)
    # By number, with whether the network was trained to the end.
    begun: dict[int, tuple[Trained, bool]] = {}

    def train(member: int, ended: Event) -> tuple[Trained, bool] | None:
        if stop.is_set():
            return None
        own = recipe.of(member)
        if folds is None:
            if own.is_periodic not in whole:
                make_whole(own.is_periodic)
            training, chosen_by = whole[own.is_periodic]
        else:
            training = rows(np.flatnonzero(folds != member), own.is_periodic)
            held_out = np.flatnonzero(folds == member)
            # Without rows to validate on the last epoch counts.
            chosen_by = rows(held_out, own.is_periodic) if len(held_out) else None
        time_left = None
        if seconds is not None:
            n_rounds_left = n_rounds - member // n_at_once
            time_left = max(0.0, begin + seconds - time.monotonic()) / n_rounds_left
        trained = train_member(
            own,
            target,
            training,
            chosen_by,
            seed=seeds[member],
            n_periodic=n_periodic,
            n_jobs=n_jobs if in_turn else 1,
            seconds=time_left,
            stops=lambda: stop.is_set() or ended.is_set(),
            listener=listener,
        )
        return trained, not stop.is_set()

    def note(member: int, outcome: tuple[Trained, bool] | Exception | None) -> None:
        if isinstance(outcome, Exception):
            raise outcome
        if outcome is not None:
            begun[member] = outcome

    run_tasks(train, recipe.n_members, n_at_once, note)
    if not begun:
        raise KeyboardInterrupt
    in_order = [begun[member] for member in sorted(begun)]
    return [trained for trained, is_whole in in_order if is_whole] or [each[0] for each in in_order]


def deal(
    n_folds: int, classes: NDArray[Any] | None, n_rows: int, random_state: np.random.RandomState
) -> NDArray[np.intp]:
    """Deal rows out to folds of the same size, each with its share of every class.

    Rows of a class that has no second one are in no fold, which is -1: they are always trained on.
    """
    order = random_state.permutation(n_rows)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
    folds = np.empty(n_rows, np.intp)
    folds[order] = np.arange(n_rows) % n_folds
    if classes is not None:
        folds[np.bincount(classes)[classes] == 1] = -1
    return folds
