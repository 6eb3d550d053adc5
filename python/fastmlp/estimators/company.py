"""What a fit is given that is one among many of one call."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from fastmlp.estimators.random_state import (
    first_seed,
    legacy_random_state,
    seed_ahead,
    spare_random_state,
)


class Company(NamedTuple):
    """What a fit is told by the call that makes it and others."""

    # Raises once the call ends: what is trained by halves is not kept.
    heed: Callable[[], None]
    random_state: np.random.RandomState
    # What `seed_ahead` says of it.
    seed_ahead: int
    # Whether nothing is drawn from that once training has begun, nor after it.
    is_lent: bool

    def source_of_orders(self, seed: Any) -> Any:
        """Return what the network takes as its seed; one that is lent need not be moved on."""
        return _Still(seed) if self.is_lent and seed is self.random_state else seed


class _Still:
    """Shows a random state to the network, and stays as it is."""

    def __init__(self, random_state: np.random.RandomState) -> None:
        self.state = random_state.get_state()

    def get_state(self, legacy: bool) -> Any:
        """Return the state."""
        return self.state

    def set_state(self, state: Any) -> None:
        """Do nothing."""


@contextmanager
def company_of(draft: Any, heed: Callable[[], None]) -> Iterator[Company]:
    """Make the company of a fit.

    An integer as seed needs no random state of its own, which would take longer to make than some
    epochs of a small network, and the draft does not keep one.
    """
    seed = draft.random_state
    if not isinstance(seed, Integral):
        own = legacy_random_state(seed)
        yield Company(heed, own, seed_ahead(own), is_lent=False)
        return
    with spare_random_state() as random_state:
        random_state.seed(int(seed))
        try:
            yield Company(heed, random_state, first_seed(int(seed)), is_lent=True)
        finally:
            draft.__dict__.pop("_random_state", None)
