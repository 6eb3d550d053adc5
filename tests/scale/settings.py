"""What the tests of the estimators have in common."""

import pytest
from sklearn.exceptions import ConvergenceWarning

from fastmlp.dask import SmallFitWarning

MARKS = [
    pytest.mark.timeout(600),  # workers start, and import much
    *(
        pytest.mark.filterwarnings(f"ignore::{kind.__module__}.{kind.__name__}")
        for kind in (SmallFitWarning, ConvergenceWarning)
    ),
]
"""Of a module that fits."""
SETTINGS = {
    "hidden_layer_sizes": (8,),
    "solver": "sgd",
    "learning_rate_init": 0.2,
    "batch_size": 20,
    "max_iter": 4,
    "random_state": 0,
    "n_shards": 2,
    "sync_every": 100,
}
"""Of a fit that takes no time."""
