"""Bad arguments: the class of the error, and a message that says what was found and expected."""

import re

import numpy as np
import pytest

import fastmlp

X = np.ones((5, 2), np.float32)
Y = np.array([0, 1, 2, 0, 1])
D_OUTPUT = np.ones((5, 3), np.float32)
LIST = [[1.0, 2.0]]

X_ERRORS = {
    "list": (
        LIST,
        TypeError,
        "X is of type list, expected a NumPy array: use numpy.asarray(X, dtype=numpy.float32)",
    ),
    "float64": (
        X.astype(np.float64),
        TypeError,
        "X has dtype float64, expected float32: use X.astype(numpy.float32)",
    ),
    "big-endian": (
        X.astype(">f4"),
        TypeError,
        "X has dtype >f4, expected float32: use X.astype(numpy.float32)",
    ),
    "1-D": (X[0], ValueError, "X has shape (2,), expected two dimensions, (rows, columns)"),
    "columns": (X[:, :1], ValueError, "X has shape (5, 1), expected (n, 2)"),
}
NO_ROWS = (X[:0], ValueError, "X has shape (0, 2), expected at least one row")

Y_ERRORS = {
    "list": (
        Y.tolist(),
        TypeError,
        "y is of type list, expected a NumPy array: use numpy.asarray(y, dtype=numpy.int64)",
    ),
    "float": (
        Y.astype(float),
        TypeError,
        "y has dtype float64, expected an integer type: use y.astype(numpy.int64)",
    ),
    "bool": (
        Y > 0,
        TypeError,
        "y has dtype bool, expected an integer type: use y.astype(numpy.int64)",
    ),
    "2-D": (Y[:, None], ValueError, "y has shape (5, 1), expected one dimension, (n,)"),
    "length": (Y[:4], ValueError, "y has shape (4,), expected (5,), one label per row of X"),
    "too large": (Y + 1, ValueError, "y[2] is 3, expected a class index from 0 to 2"),
    "negative": (Y - 1, ValueError, "y[0] is -1, expected a class index from 0 to 2"),
    "huge": (
        np.full(5, 2**64 - 1, np.uint64),
        ValueError,
        "y[0] is 18446744073709551615, expected a class index from 0 to 2",
    ),
}

WEIGHT_ERRORS = {
    "list": (
        {"sample_weight": [1.0] * 5},
        TypeError,
        "sample_weight is of type list, expected a NumPy array: "
        "use numpy.asarray(sample_weight, dtype=numpy.float64)",
    ),
    "integers": (
        {"sample_weight": np.ones(5, int)},
        TypeError,
        "sample_weight has dtype int64, expected float32 or float64: "
        "use sample_weight.astype(numpy.float64)",
    ),
    "2-D": (
        {"sample_weight": np.ones((5, 1))},
        ValueError,
        "sample_weight has shape (5, 1), expected one dimension, (n,)",
    ),
    "length": (
        {"sample_weight": np.ones(4)},
        ValueError,
        "sample_weight has shape (4,), expected (5,), one weight per row of X",
    ),
    "negative": (
        {"sample_weight": np.array([1.0, 1, -1, 1, 1])},
        ValueError,
        "sample_weight[2] is -1, expected a finite number >= 0",
    ),
    "NaN": (
        {"sample_weight": np.array([1.0, 1, 1, np.nan, 1])},
        ValueError,
        "sample_weight[3] is NaN, expected a finite number >= 0",
    ),
    "zeros": (
        {"sample_weight": np.zeros(5)},
        ValueError,
        "the weights of y sum to 0, expected at least one row with a weight > 0",
    ),
    "infinite sum": (
        {"sample_weight": np.full(5, 1e308)},
        ValueError,
        "sample_weight is such that all weights sum to inf, "
        "expected weights whose sum is a normal number",
    ),
    "class length": (
        {"class_weight": [1.0, 2.0]},
        ValueError,
        "class_weight has shape (2,), expected (3,), one weight per class",
    ),
    "class negative": (
        {"class_weight": [1.0, -1.0, 1.0]},
        ValueError,
        "class_weight is -1, expected finite numbers >= 0",
    ),
    "class infinite": (
        {"class_weight": np.array([1.0, 1.0, np.inf])},
        ValueError,
        "class_weight is inf, expected finite numbers >= 0",
    ),
    "class name": (
        {"class_weight": "balanced"},
        TypeError,
        "class_weight is of type str, expected a sequence of numbers, one per class",
    ),
    "class dict": (
        {"class_weight": {0: 1.0, 1: 1.0, 2: 1.0}},
        TypeError,
        "class_weight is of type dict, expected a sequence of numbers, one per class",
    ),
    "class number": (
        {"class_weight": 2.0},
        TypeError,
        "class_weight is of type float, expected a sequence of numbers, one per class",
    ),
}

# Arguments of each method besides X.
INFERENCE = ("forward", "predict_proba", "predict")
LEARNING = {
    "loss": (),
    "loss_and_grad": (),
    "step": (fastmlp.SGD(),),
    "fit": (fastmlp.SGD(), 1),
    "minimize": (),
}


@pytest.fixture
def mlp():
    return fastmlp.MLP([2, 4, 3], seed=0)


@pytest.fixture(autouse=True)
def unchanged(mlp):
    """No call of this file changes the network."""
    before = mlp.parameters.copy()
    yield
    np.testing.assert_array_equal(mlp.parameters, before)


def exactly(message):
    return f"^{re.escape(message)}$"


@pytest.mark.parametrize("method", INFERENCE)
@pytest.mark.parametrize("case", X_ERRORS)
def test_X_to_predict(method, case, mlp):
    value, error, message = X_ERRORS[case]

    with pytest.raises(error, match=exactly(message)):
        getattr(mlp, method)(value)


@pytest.mark.parametrize("method", [*INFERENCE, "loss"])
@pytest.mark.parametrize(
    ("n_jobs", "error", "message"),
    [
        (0, ValueError, "n_jobs is 0, expected None, an integer >= 1, or -1 for all cores"),
        ("all", TypeError, "n_jobs is of type str, expected an integer"),
    ],
)
def test_jobs_that_predict(method, n_jobs, error, message, mlp):
    arguments = (X, Y) if method == "loss" else (X,)

    with pytest.raises(error, match=exactly(message)):
        getattr(mlp, method)(*arguments, n_jobs=n_jobs)


@pytest.mark.parametrize("method", LEARNING)
@pytest.mark.parametrize("case", [*X_ERRORS, "no rows"])
def test_X_to_learn_from(method, case, mlp):
    value, error, message = {**X_ERRORS, "no rows": NO_ROWS}[case]

    with pytest.raises(error, match=exactly(message)):
        getattr(mlp, method)(value, Y[: len(value)], *LEARNING[method])


@pytest.mark.parametrize("method", LEARNING)
@pytest.mark.parametrize("case", Y_ERRORS)
def test_y(method, case, mlp):
    value, error, message = Y_ERRORS[case]

    with pytest.raises(error, match=exactly(message)):
        getattr(mlp, method)(X, value, *LEARNING[method])


@pytest.mark.parametrize("method", LEARNING)
@pytest.mark.parametrize("case", WEIGHT_ERRORS)
def test_weights(method, case, mlp):
    weights, error, message = WEIGHT_ERRORS[case]

    with pytest.raises(error, match=exactly(message)):
        getattr(mlp, method)(X, Y, *LEARNING[method], **weights)


@pytest.mark.parametrize("method", ["forward", "predict_proba"])
@pytest.mark.parametrize(
    ("out", "error", "message"),
    [
        (
            LIST,
            TypeError,
            "out is of type list, expected a NumPy array: "
            "use numpy.empty((5, 3), dtype=numpy.float32)",
        ),
        (
            np.zeros((5, 3)),
            TypeError,
            "out has dtype float64, expected float32: use numpy.empty((5, 3), dtype=numpy.float32)",
        ),
        (np.zeros((5, 4), "f4"), ValueError, "out has shape (5, 4), expected (5, 3)"),
        (np.zeros((4, 3), "f4"), ValueError, "out has shape (4, 3), expected (5, 3)"),
        (
            np.zeros((3, 5), "f4").T,
            ValueError,
            "out is not C-contiguous, expected an array like "
            "numpy.empty((5, 3), dtype=numpy.float32)",
        ),
        (
            np.frombuffer(bytes(60), "f4").reshape(5, 3),
            ValueError,
            "out is read-only, expected a writable array",
        ),
    ],
    ids=["list", "dtype", "columns", "rows", "Fortran", "read-only"],
)
def test_out(method, out, error, message, mlp):
    with pytest.raises(error, match=exactly(message)):
        getattr(mlp, method)(X, out=out)


@pytest.mark.parametrize(
    ("d_output", "error", "message"),
    [
        (
            LIST,
            TypeError,
            "d_output is of type list, expected a NumPy array: "
            "use numpy.asarray(d_output, dtype=numpy.float32)",
        ),
        (
            D_OUTPUT.astype(float),
            TypeError,
            "d_output has dtype float64, expected float32: use d_output.astype(numpy.float32)",
        ),
        (D_OUTPUT[:4], ValueError, "d_output has shape (4, 3), expected (5, 3)"),
        (D_OUTPUT[:, :2], ValueError, "d_output has shape (5, 2), expected (5, 3)"),
        (
            D_OUTPUT[0],
            ValueError,
            "d_output has shape (3,), expected two dimensions, (rows, columns)",
        ),
    ],
    ids=["list", "dtype", "rows", "columns", "1-D"],
)
def test_d_output(d_output, error, message, mlp):
    with pytest.raises(error, match=exactly(message)):
        mlp.backward(X, d_output)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"epochs": -1}, ValueError, "epochs is -1, expected an integer from 0 to 2**63 - 1"),
        ({"epochs": 1.5}, TypeError, "epochs is of type float, expected an integer"),
        ({"batch_size": 0}, ValueError, "batch_size is 0, expected an integer from 1 to 2**63 - 1"),
        ({"batch_size": "auto"}, TypeError, "batch_size is of type str, expected an integer"),
        (
            {"seed": -1},
            ValueError,
            "seed is -1, expected None or an integer from 0 to 2**64 - 1",
        ),
        ({"seed": 0.5}, TypeError, "seed is of type float, expected an integer"),
        (
            {"n_jobs": 0},
            ValueError,
            "n_jobs is 0, expected None, an integer >= 1, or -1 for all cores",
        ),
        ({"n_jobs": "all"}, TypeError, "n_jobs is of type str, expected an integer"),
        (
            {"callback": 3},
            TypeError,
            "callback is of type int, expected a function of one argument",
        ),
        (
            {"optimizer": "adam"},
            TypeError,
            "optimizer is of type str, expected fastmlp.SGD, Adam or AdamW",
        ),
        ({"X_val": X}, ValueError, "y_val is None, expected the labels of X_val"),
        ({"y_val": Y}, ValueError, "X_val is None, expected the inputs of y_val"),
        (
            {"X_val": X.astype(float), "y_val": Y},
            TypeError,
            "X_val has dtype float64, expected float32: use X_val.astype(numpy.float32)",
        ),
        (
            {"X_val": D_OUTPUT, "y_val": Y},
            ValueError,
            "X_val has shape (5, 3), expected (n, 2)",
        ),
        (
            {"X_val": X, "y_val": Y[:4]},
            ValueError,
            "y_val has shape (4,), expected (5,), one label per row of X_val",
        ),
        (
            {"X_val": X, "y_val": Y + 5},
            ValueError,
            "y_val[0] is 5, expected a class index from 0 to 2",
        ),
        (
            {"X_val": X[:0], "y_val": Y[:0]},
            ValueError,
            "X_val has shape (0, 2), expected at least one row",
        ),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_fit_s_own_arguments(settings, error, message, mlp):
    with pytest.raises(error, match=exactly(message)):
        mlp.fit(X, Y, **settings)


@pytest.mark.parametrize("method", ["step", "fit"])
@pytest.mark.parametrize(("value", "name"), [(np.nan, "NaN"), (np.inf, "inf"), (-np.inf, "-inf")])
def test_learning_from_what_is_not_a_number(method, value, name, mlp):
    spoilt = X.copy()
    spoilt[3, 1] = value

    with pytest.raises(ValueError, match=exactly(f"X[3, 1] is {name}, expected finite numbers")):
        getattr(mlp, method)(spoilt, Y, fastmlp.SGD())


@pytest.mark.parametrize("method", ["step", "fit"])
def test_learning_from_the_network_s_own_memory(method):
    mlp = fastmlp.MLP([4, 4], seed=0)
    message = (
        "X is in the same memory as the network's parameters, expected an array with memory "
        "of its own"
    )

    with pytest.raises(ValueError, match=exactly(message)):
        getattr(mlp, method)(mlp.weights[0], np.arange(4), fastmlp.SGD())


@pytest.mark.parametrize(
    ("vector", "error", "message"),
    [
        ([1.0], TypeError, "flat is of type list, expected a NumPy array"),
        (np.ones(3), ValueError, "flat has shape (3,), expected (27,)"),
        (np.ones((27, 1)), ValueError, "flat has shape (27, 1), expected (27,)"),
    ],
    ids=["list", "length", "2-D"],
)
def test_unflatten(vector, error, message, mlp):
    with pytest.raises(error, match=exactly(message)):
        mlp.unflatten(vector)
