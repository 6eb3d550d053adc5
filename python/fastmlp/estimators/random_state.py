"""Random numbers as scikit-learn's helpers take them."""

from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

# Random states without a state of their own: making one takes as long as an epoch of a small
# network.
_SPARE: list[np.random.RandomState] = []


def legacy_random_state(random_state: Any) -> np.random.RandomState:
    """Return scikit-learn's choice, or one that is seeded by a generator of another kind.

    scikit-learn takes no Generator, and the network draws orders of rows from MT19937 alone.
    """
    if isinstance(random_state, np.random.Generator):
        return np.random.RandomState(random_state.integers(2**32, size=4, dtype=np.uint32))
    chosen = check_random_state(random_state)
    if not (isinstance(random_state, Integral) or _is_mersenne_twister(chosen)):
        return np.random.RandomState(chosen.randint(2**32, size=4, dtype=np.uint32))
    return chosen


def _is_mersenne_twister(random_state: np.random.RandomState) -> bool:
    return bool(random_state.get_state(legacy=False)["bit_generator"] == "MT19937")


def next_seed(random_state: np.random.RandomState) -> int:
    """Draw a seed."""
    return int(random_state.randint(2**32, dtype=np.uint64))


def first_seed(seed: int) -> int:
    """Return what `next_seed` draws first from a RandomState of this seed."""
    with spare_random_state() as other:
        other.seed(seed)
        return next_seed(other)


def seed_ahead(random_state: np.random.RandomState, origin: Any = None) -> int:
    """Return what `next_seed` would draw, and draw nothing: another thread may draw as well.

    Parameters
    ----------
    random_state : numpy.random.RandomState
        What it would draw from, by a Mersenne Twister.
    origin : object
        What it was made from just now, if that is known. An integer spares a copy of its state.
    """
    if isinstance(origin, Integral):
        return first_seed(int(origin))
    state = random_state.get_state(legacy=False)
    # NumPy reads a list in a tenth of the time that it takes for an array.
    state["state"]["key"] = state["state"]["key"].tolist()
    with spare_random_state() as other:
        other.set_state(state)
        return next_seed(other)


@contextmanager
def spare_random_state() -> Iterator[np.random.RandomState]:
    """Lend a RandomState, whose state means nothing."""
    try:
        random_state = _SPARE.pop()
    except IndexError:  # all are lent
        random_state = np.random.RandomState()
    try:
        yield random_state
    finally:
        _SPARE.append(random_state)
