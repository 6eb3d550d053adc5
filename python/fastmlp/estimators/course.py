"""What a training leaves for the estimator besides its parameters."""

from collections.abc import Callable
from typing import NamedTuple

INTERRUPTED = "Training interrupted by user."


class Course(NamedTuple):
    """How a training went."""

    losses: list[float]
    # Says how it ended, if that is worth a warning or an error: once the estimator is trained, so
    # that it stays so.
    warn: Callable[[], object]
