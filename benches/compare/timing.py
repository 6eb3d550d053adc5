"""Times peers side by side: round by round, each round in an order of its own."""

import gc
import random
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

import numpy as np


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    rounds: int
    seconds: float
    """Least time a peer works in a round."""


EFFORTS = {"smoke": Effort(rounds=2, seconds=0.001), "full": Effort(rounds=21, seconds=0.2)}


def microseconds_per_unit(works: dict[str, Callable[[int], None]], effort: Effort):
    """Time every peer's work in every round.

    Parameters
    ----------
    works
        For each peer a function that does as many units of work as its argument says.
    effort
        How long to measure.

    Returns
    -------
    dict of str to ndarray
        For each peer its microseconds a unit, one entry a round. Entries of one round were
        measured next to each other in time, so their ratio is free of the machine's slow drift.
    """
    counts = {peer: units_for(work, effort.seconds) for peer, work in works.items()}
    times = {peer: np.empty(effort.rounds) for peer in works}
    order, shuffler = list(works), random.Random(0)
    for k in range(effort.rounds):
        shuffler.shuffle(order)
        with no_garbage_collection():
            for peer in order:
                times[peer][k] = 1e6 * seconds_of(works[peer], counts[peer]) / counts[peer]
    return times


def units_for(work, seconds):
    """How many units take at least this long; finding out warms everything up."""
    count = 1
    while (taken := seconds_of(work, count)) < seconds:
        count = max(2 * count, int(1.2 * count * seconds / max(taken, 1e-6)))
    return count


def seconds_of(work, count):
    """Wall time of the work."""
    start = perf_counter()
    work(count)
    return perf_counter() - start


@contextmanager
def no_garbage_collection():
    """Collect now, and not again until the block ends."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
