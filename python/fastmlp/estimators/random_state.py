"""Random numbers as scikit-learn's helpers take them."""

from typing import Any

import numpy as np
from sklearn.utils import check_random_state


def legacy_random_state(random_state: Any) -> np.random.RandomState:
    """Return scikit-learn's choice; it takes no Generator, which seeds a RandomState."""
    if isinstance(random_state, np.random.Generator):
        return np.random.RandomState(random_state.integers(2**32, size=4, dtype=np.uint32))
    return check_random_state(random_state)
