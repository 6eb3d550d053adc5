"""Fixtures of all tests: seeded data, the reference beside a network, and the tolerances."""

import signal
from importlib.util import find_spec

import numpy as np
import pytest
import reference

import fastmlp
from fastmlp._core import ACTIVATIONS

# `make test-quick` does without it.
if find_spec("hypothesis"):
    from hypothesis import HealthCheck, settings

    # Machines are busy and sanitizers are slow: no test depends on a clock.
    unhurried = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
    settings.register_profile("patient", **unhurried)
    settings.load_profile("patient")
    # For `make fuzz`.
    settings.register_profile("fuzz", settings.get_profile("patient"), max_examples=2_000)

# How far a result may be from the truth, as a fraction of the truth's largest entry. The error is
# not measured entry by entry, because an entry that cancels to nearly zero keeps the absolute error
# of its terms.
#
# float64, 1e-12: the unit roundoff is 1.1e-16, and the largest cases here (sums of 100 terms, five
# layers deep) lose a few hundred of them at worst.
# float32, 1e-5: the same loss on a unit roundoff of 6.0e-8, against a truth computed in float64
# from the same float32 numbers. It is about 170 roundoffs.
TOLERANCE = {"float64": 1e-12, "float32": 1e-5}

DTYPES = ("float32", "float64")


def pytest_addoption(parser, pluginmanager):
    """Let pyproject.toml set what is pytest-timeout's, which `make test-quick` does without."""
    if not pluginmanager.hasplugin("timeout"):
        for name in ("timeout", "timeout_method"):
            parser.addini(name, "not in force: pytest-timeout is not installed")


@pytest.fixture(params=DTYPES)
def dtype(request):
    """Each number type a network can have."""
    return request.param


@pytest.fixture(params=ACTIVATIONS)
def activation(request):
    """Each activation."""
    return request.param


@pytest.fixture
def rng():
    """Random numbers, the same in every run."""
    return np.random.default_rng(20)


@pytest.fixture(scope="session")
def assert_agrees():
    """Assert that a result has the truth's shape and is within the tolerance of its dtype."""

    def check(actual, truth, label="", dtype=None):
        actual, truth = np.asarray(actual), np.asarray(truth)
        assert actual.shape == truth.shape, label
        tolerance = TOLERANCE[dtype or actual.dtype.name]
        scale = np.abs(truth).max(initial=0.0)
        error = np.abs(actual - truth).max(initial=0.0)
        # A NaN fails the comparison.
        assert error <= tolerance * scale, f"{label}: {error} over {tolerance} * {scale}"

    return check


@pytest.fixture(scope="session")
def reference_of():
    """The reference network with the parameters of a compiled one."""

    def build(mlp):
        return reference.MLP(mlp.weights, mlp.biases, mlp.activation)

    return build


@pytest.fixture(scope="session")
def flat():
    """Lay out the reference's arrays, W[0], b[0], W[1], b[1], ..., like `parameters`."""

    def join(mlp, arrays):
        vector = np.empty(mlp.n_parameters)
        weights, biases = mlp.unflatten(vector)
        for target, source in zip(
            [p for layer in zip(weights, biases, strict=True) for p in layer], arrays, strict=True
        ):
            target[...] = source
        return vector

    return join


@pytest.fixture(scope="session")
def random_mlp():
    """A network with weights large enough for every layer to matter, and biases other than 0."""

    def build(layer_sizes, activation="relu", dtype="float64", seed=0):
        mlp = fastmlp.MLP(layer_sizes, activation=activation, dtype=dtype, seed=seed)
        rng = np.random.default_rng(seed)
        for W, b in zip(mlp.weights, mlp.biases, strict=True):
            W[...] = rng.standard_normal(W.shape) / np.sqrt(len(W))
            b[...] = 0.5 * rng.standard_normal(b.shape)
        return mlp

    return build


@pytest.fixture(scope="session")
def single_unit():
    """Values and slopes of an activation, of a network whose weights are 1 and biases 0."""

    def at(activation, x):
        mlp = fastmlp.MLP([1, 1, 1], activation=activation, dtype="float64")
        for W, b in zip(mlp.weights, mlp.biases, strict=True):
            W[...], b[...] = 1.0, 0.0
        _, slopes = mlp.backward(x, np.ones_like(x))
        return mlp.forward(x)[:, 0], slopes[:, 0]

    return at


@pytest.fixture(scope="session")
def spiral():
    """Three interleaved arms of 350 points, standardised: X (1050, 2) float64, y (1050,) int64."""
    rng = np.random.default_rng(7)
    y = np.repeat(np.arange(3), 350)
    radius = np.tile(np.linspace(0.0, 1.0, 350), 3)
    angle = 4.0 * (y + radius) + 0.2 * rng.standard_normal(len(y))
    X = np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])
    return (X - X.mean(axis=0)) / X.std(axis=0), y


@pytest.fixture
def sigint():
    """Make SIGINT raise KeyboardInterrupt, here and in processes that are started.

    Tests that run in the background may ignore it, as under nohup and in some shells.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def fastmlp_cli(capsys):
    """Run a command in this process: (status, standard output, standard error)."""

    from fastmlp import cli

    def call(*arguments):
        status = cli.run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


@pytest.fixture(scope="session")
def iris():
    """Return (X, y) of iris for the tests of several networks, scaled and in random order."""
    from sklearn.datasets import load_iris
    from sklearn.preprocessing import scale

    X, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(y))
    return scale(X)[order], y[order]
