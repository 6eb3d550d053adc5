"""What a training leaves for the estimator besides its parameters."""

from collections.abc import Callable
from typing import NamedTuple

NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and "
    "need to be preprocessed. Or learning_rate_init or alpha is too large, or sample_weight too "
    "small."
)
INTERRUPTED = "Training interrupted by user."


class Course(NamedTuple):
    """How a training went."""

    losses: list[float]
    # Says how it ended, if that is worth a warning: once the estimator is trained, so that it stays
    # so where warnings are errors.
    warn: Callable[[], object]
