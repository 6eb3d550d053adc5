"""Times peers side by side: round by round, each round in its own random order."""

import gc
import random
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter, process_time, sleep

import numpy as np

# A peer first works untimed for this fraction of its turn, if its units are short enough.
WARM_UP = 20


@dataclass(frozen=True)
class Effort:
    """How long to measure a case."""

    rounds: tuple[int, int]
    """At least and at most."""
    turn: float
    """Least time a peer works in a round, in seconds."""
    budget: float
    """No more rounds than the least are begun once so many seconds have passed."""
    pause: float
    """Seconds before a peer's turn, for the other peers' threads to fall asleep.

    Those of OpenBLAS keep a core busy for 0.1 seconds after a product.
    """


EFFORTS = {
    "smoke": Effort(rounds=(2, 2), turn=0.001, budget=0, pause=0),
    "full": Effort(rounds=(5, 21), turn=0.1, budget=25, pause=0.12),
}


@dataclass(frozen=True)
class Times:
    """Microseconds per unit of a peer's work, one entry per round."""

    wall: np.ndarray
    processor: np.ndarray
    """Of all threads, waiting left out."""


def measure(works: dict[str, Callable[[int], None]], effort: Effort) -> dict[str, Times]:
    """Time every peer's work in every round.

    Parameters
    ----------
    works
        For each peer a function that does the number of units of work in its argument.
    effort
        How long to measure.

    Returns
    -------
    dict of str to Times
        Entries of one round were measured next to each other in time, so their ratio is free of
        the machine's slow drift.
    """
    counts = {peer: units_for(work, effort.turn) for peer, work in works.items()}
    rounds = []
    order, shuffler = list(works), random.Random(0)
    least, most = effort.rounds
    end = perf_counter() + effort.budget
    while len(rounds) < least or (len(rounds) < most and perf_counter() < end):
        shuffler.shuffle(order)
        with no_garbage_collection():
            rounds.append({peer: turn(works[peer], counts[peer], effort) for peer in order})
    return {peer: Times(*np.transpose([entry[peer] for entry in rounds])) for peer in works}


def record(name, title, unit, works, effort):
    """Measure peers, and return what `benches.compare.report` makes a table of."""
    peers = {
        peer: {
            "microseconds": times.wall.tolist(),
            "processor_microseconds": times.processor.tolist(),
            "note": "",
        }
        for peer, times in measure(works, effort).items()
    }
    return {"name": name, "title": title, "unit": unit, "peers": peers}


def turn(work, count, effort):
    """Let a peer work; returns wall and processor time per unit in microseconds."""
    sleep(effort.pause)
    if count >= WARM_UP:
        work(count // WARM_UP)
    wall, processor = seconds_of(work, count)
    return 1e6 * wall / count, 1e6 * processor / count


def units_for(work, seconds):
    """How many units take at least this long; measuring it also warms everything up."""
    count = 1
    while (taken := seconds_of(work, count)[0]) < seconds:
        count = max(2 * count, int(1.2 * count * seconds / max(taken, 1e-6)))
    return count


def seconds_of(work, count):
    """Wall time of the work, and processor time of all threads."""
    start, busy = perf_counter(), process_time()
    work(count)
    return perf_counter() - start, process_time() - busy


@contextmanager
def no_garbage_collection():
    """Collect garbage now, and not again until the block ends."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
