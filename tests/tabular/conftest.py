"""Tables with columns of every kind, and estimators that train for a moment."""

import datetime
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from fastmlp import TabularClassifier, TabularRegressor

N_ROWS = 120
QUICK = {"preset": "fast", "hidden_layer_sizes": (8,), "max_iter": 3, "random_state": 0}


@pytest.fixture(scope="session")
def drawn():
    """Return columns of every kind as lists, with gaps."""
    rng = np.random.default_rng(3)
    day = datetime.date(2024, 2, 27)
    columns = {
        "size": rng.normal(50.0, 20.0, N_ROWS).tolist(),
        "rooms": rng.integers(1, 7, N_ROWS).tolist(),
        "garden": (rng.random(N_ROWS) < 0.3).tolist(),
        "heating": rng.choice(["gas", "oil", "wood", "none"], N_ROWS).tolist(),
        "side": rng.choice(["north", "south"], N_ROWS).tolist(),
        "built": [day - datetime.timedelta(days=int(n)) for n in rng.integers(0, 9000, N_ROWS)],
        "seen": [
            datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(seconds=int(n))
            for n in rng.integers(0, 10**7, N_ROWS)
        ],
        "opens": [datetime.time(int(n), 30) for n in rng.integers(6, 12, N_ROWS)],
        "vacant": [datetime.timedelta(hours=int(n)) for n in rng.integers(0, 500, N_ROWS)],
    }
    for values in columns.values():
        for row in rng.integers(0, N_ROWS, 6).tolist():
            values[row] = None
    return columns


@pytest.fixture(scope="session")
def frames(drawn):
    """Return the same table in every library, and as an array of objects."""
    table = pa.table(drawn)
    objects = pd.DataFrame(
        {name: pd.Series(values, dtype=object) for name, values in drawn.items()}
    )
    return {
        "pandas": pd.DataFrame(drawn),
        "pandas, nullable": pd.DataFrame(drawn).convert_dtypes(),
        "pandas, arrow": table.to_pandas(types_mapper=pd.ArrowDtype),
        "pandas, objects": objects,
        "polars": pl.DataFrame(drawn),
        "pyarrow": table,
        "array": np.array(list(zip(*drawn.values(), strict=True)), dtype=object),
    }


@pytest.fixture(scope="session")
def table(frames):
    """Return the table as a frame of pandas."""
    return frames["pandas"]


@pytest.fixture(scope="session")
def prices(table):
    """Return numbers that depend on the table."""
    size = table["size"].fillna(50).to_numpy()
    rng = np.random.default_rng(4)
    return 3 * size + 40 * (table["heating"] == "gas") + rng.normal(0, 5, len(size))


@pytest.fixture(scope="session")
def kinds(prices):
    """Return classes that depend on the table."""
    return np.array(["cheap", "fair", "dear"])[
        np.searchsorted(np.quantile(prices, [0.3, 0.7]), prices)
    ]


@pytest.fixture(scope="session")
def quick():
    """Make a classifier or regressor that trains for a moment."""

    def make(kind, **parameters):
        cls = {"classifier": TabularClassifier, "regressor": TabularRegressor}[kind]
        return cls(**(QUICK | parameters))

    return make


@pytest.fixture(scope="session")
def warned():
    """Call something; return what it returns and the messages of its warnings."""

    def call(function, *arguments, **named):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = function(*arguments, **named)
        return result, [str(warning.message) for warning in caught]

    return call
