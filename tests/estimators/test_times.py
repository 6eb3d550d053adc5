"""Dates, durations and sparse targets, which scikit-learn's checks accept, are refused."""

import re

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from fastmlp import MLPClassifier, MLPRegressor

X = np.random.default_rng(8).standard_normal((20, 2))
Y = (X[:, 0] > 0).astype(int)
SECONDS = pd.to_timedelta(np.arange(20), unit="s")
TIMES = {
    "durations": (np.arange(20).reshape(10, 2).astype("timedelta64[s]"), "timedelta64[s]"),
    "dates": (np.arange(20).reshape(10, 2).astype("datetime64[D]"), "datetime64[D]"),
    "a table": (
        pd.DataFrame({"a": X[:, 0], "t": SECONDS.astype("timedelta64[ns]")}),
        "timedelta64[ns]",
    ),
}


def refused(name, dtype):
    message = (
        f"{name} has dates or durations of dtype {dtype}, expected numbers: divide durations by "
        "their unit, such as numpy.timedelta64(1, 's')"
    )
    return pytest.raises(TypeError, match=f"^{re.escape(message)}$")


@pytest.mark.parametrize(("times", "dtype"), TIMES.values(), ids=TIMES)
@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_times_are_no_numbers(estimator, times, dtype):
    with refused("X", dtype):
        estimator().fit(times, Y[: len(times)])
    fitted = estimator(solver="lbfgs", random_state=0, tol=1.0).fit(X, Y)
    with refused("X", dtype):
        fitted.predict(times)


def test_times_are_no_targets():
    seconds = np.arange(20).astype("timedelta64[s]")
    with refused("y", "timedelta64[s]"):
        MLPRegressor().fit(X, seconds)
    MLPRegressor(solver="lbfgs", tol=1.0).fit(X, seconds / np.timedelta64(1, "s"))


def test_a_sparse_target_is_named():
    y = sp.csr_array(np.column_stack([Y, 1 - Y]))
    message = "y is of type csr_array, expected a dense array: use y.toarray()"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        MLPRegressor().fit(X, y)
