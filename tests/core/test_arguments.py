"""Errors name the argument of any call, what was found and what was expected."""

import inspect

import numpy as np
import pytest

import fastmlp
from fastmlp import _core

X = np.ones((5, 2), np.float32)
Y = np.array([0, 1, 2, 0, 1])
NETWORK = fastmlp.MLP([2, 4, 3], seed=0)

CLASSES = ("MLP", "SGD", "Adam", "AdamW", "Epoch", "History", "Minimum")
CALLS = {
    **{name: getattr(_core, name) for name in CLASSES},
    **{name: getattr(_core, name) for name in ("save_network", "load_network")},
    **{
        name: getattr(NETWORK, name)
        for name in dir(NETWORK)
        if not name.startswith("_") and callable(getattr(NETWORK, name))
    },
    "load_state_dict": fastmlp.Adam().load_state_dict,
    "Optimizer.step": fastmlp.Adam().step,
    "learning_rates": fastmlp.Adam().learning_rates,
}
ARGUMENTS = [(call, name) for call in CALLS for name in inspect.signature(CALLS[call]).parameters]

# Good values for the arguments that are not under test.
GOOD = {
    "X": X,
    "y": Y,
    "d_output": np.ones((5, 3), np.float32),
    "layer_sizes": [2, 3],
    "gradient": np.zeros(NETWORK.n_parameters, np.float32),
    "metadata": {},
    "mlp": NETWORK,
    "network": NETWORK,
    "optimizer": fastmlp.SGD(),
    "other": NETWORK,
    "path": "no/such/folder/model",
    "tau": 0.5,
    "tensors": {},
}
PARTNERS = {"X_val": {"y_val": Y}, "y_val": {"X_val": X}}
SERIES = dict.fromkeys(("loss", "accuracy", "val_loss", "val_accuracy", "seconds"))
GOODS = {
    "History": dict.fromkeys(SERIES, np.zeros(1)),
    "Epoch": dict.fromkeys(SERIES, 0.5) | {"epoch": 1, "epochs": 1},
    "Minimum": {
        "loss": 0.5,
        "ending": "loss",
        "n_evaluations": 1,
        "history": _core.History(*[np.zeros(1)] * 5),
    },
}

INPUTS = "a NumPy array: use numpy.asarray({}, dtype=numpy.{})"
EXPECTED = {
    "activation": "a name, or a sequence of names",
    "alpha": "a number",
    "batch_size": "an integer",
    "beta_1": "a number",
    "beta_2": "a number",
    "callback": "a function of one argument",
    "clip_norm": "None or a number",
    "class_weight": "a sequence of numbers, one per class",
    "decay_roles": "None or a sequence of str",
    "d_output": INPUTS.format("d_output", "float32"),
    "dropout": "a number, or a sequence of numbers",
    "dtype": '"float32" or "float64"',
    "epochs": "an integer",
    "epsilon": "a number",
    "epsilon_hat": "a bool",
    "flat": "a NumPy array",
    "gradient": INPUTS.format("gradient", "float32"),
    "init": "a str",
    "init_scale": "None or a number",
    "initial_epoch": "an integer",
    "input_dropout": "a number",
    "input_scale": "a bool",
    "layer": "an integer",
    "layer_sizes": "a sequence of integers",
    "layers": "None, an integer or a sequence of integers",
    "learning_rate": "a number",
    "lr_factors": "None or a dict of str to number",
    "metadata": "a dict of str to str",
    "max_fun": "an integer",
    "max_iter": "an integer",
    "mlp": "an MLP",
    "momentum": "a number",
    "n_jobs": "an integer",
    "nesterov": "a bool",
    "normalization": "None or a str",
    "network": "an MLP",
    "n_steps": "an integer",
    "of": "a str",
    "optimizer": "fastmlp.SGD, Adam or AdamW",
    "other": "an MLP",
    "out": "a NumPy array: use numpy.empty((5, 3), dtype=numpy.float32)",
    "loss": "None, a name, one of fastmlp.losses or a function of (y, raw)",
    "output": "None or a str",
    "parametric_activation": "a bool",
    "periodic_inputs": "an integer",
    "path": "a str, a PathLike, or an object with write",
    "report": "a str",
    "sample_weight": INPUTS.format("sample_weight", "float64"),
    "scaled_velocity": "a bool",
    "schedule": "None or a str",
    "seed": "an integer",
    "shuffle": "a bool",
    "state": "a dict",
    "tau": "a number",
    "tol": "a number",
    "tensors": "a dict of str to ndarray",
    "warmup": "None or a number",
    "weight_decay": "a number",
    "X": INPUTS.format("X", "float32"),
    "X_val": INPUTS.format("X_val", "float32"),
    "y": INPUTS.format("y", "int64"),
    "y_val": INPUTS.format("y_val", "int64"),
    ("load", "path"): "a str, a PathLike, an object with read, or bytes",
    ("load_network", "path"): "a str, a PathLike, an object with read, or bytes",
    ("Epoch", "epoch"): "an integer >= 0",
    ("Epoch", "epochs"): "an integer >= 0",
    ("Epoch", "loss"): "a number",
    ("Epoch", "accuracy"): "None or a number",
    ("Epoch", "val_loss"): "None or a number",
    ("Epoch", "val_accuracy"): "None or a number",
    ("Epoch", "seconds"): "a number",
    ("Minimum", "loss"): "a number",
    ("Minimum", "ending"): "a str",
    ("Minimum", "n_evaluations"): "an integer >= 0",
    ("Minimum", "history"): "a History",
    ("History", "loss"): "a float64 array of one dimension",
    ("History", "accuracy"): "None or a float64 array of one dimension",
    ("History", "val_loss"): "None or a float64 array of one dimension",
    ("History", "val_accuracy"): "None or a float64 array of one dimension",
    ("History", "seconds"): "a float64 array of one dimension",
}


def expecting(expected):
    """The arguments for which this is expected."""
    return [
        (call, name)
        for call, name in ARGUMENTS
        if EXPECTED.get((call, name), EXPECTED.get(name)) == expected
    ]


NUMBERS, INTEGERS, TEXTS = (expecting(it) for it in ("a number", "an integer", "a str"))


class Thing:
    """An object that no call can use."""


def raises(call, name, value, error, message):
    """Assert that the call refuses this value of one argument if the others are good."""
    parameters = inspect.signature(CALLS[call]).parameters.values()
    needed = [p.name for p in parameters if p.default is p.empty and p.name != name]
    good = GOODS.get(call) or {other: GOOD[other] for other in needed}
    with pytest.raises(error) as raised:
        CALLS[call](**good | PARTNERS.get(name, {}) | {name: value})
    assert str(raised.value) == message


def test_every_call_is_looked_at():
    public = {name for name in vars(_core) if not name.startswith("_")}
    exceptions = {"DivergenceError", "ModelFileError"}
    assert public - exceptions - {
        "ACTIVATIONS",
        "Optimizer",
        "ParameterBlock",
        "build_profile",
    } <= set(CALLS)


@pytest.mark.parametrize(("call", "name"), ARGUMENTS, ids=map(".".join, ARGUMENTS))
def test_an_argument_of_another_type(call, name):
    expected = EXPECTED.get((call, name)) or EXPECTED[name]
    raises(call, name, Thing(), TypeError, f"{name} is of type Thing, expected {expected}")


@pytest.mark.parametrize(("call", "name"), NUMBERS, ids=map(".".join, NUMBERS))
def test_an_integer_that_no_float_can_be(call, name):
    raises(call, name, 10**400, ValueError, f"{name} is out of range, expected a number")


@pytest.mark.parametrize(("call", "name"), INTEGERS, ids=map(".".join, INTEGERS))
def test_an_integer_that_python_does_not_print(call, name):
    expected = {
        "seed": "None or an integer from 0 to 2**64 - 1",
        "n_jobs": "None, an integer >= 1, or -1 for all cores",
        "batch_size": "an integer from 1 to 2**63 - 1",
        "layer": "-1 or 0: the network has 1 hidden layer",
    }.get(name, "an integer from 0 to 2**63 - 1")
    raises(call, name, 10**5000, ValueError, f"{name} is out of range, expected {expected}")


@pytest.mark.parametrize(("call", "name"), TEXTS, ids=map(".".join, TEXTS))
def test_text_that_is_no_unicode(call, name):
    message = f"{name} is text that is not Unicode, expected a str"
    raises(call, name, "\ud800", ValueError, message)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("activation", "a name"), ("loss", "a name"), ("output", "None or a str")],
)
def test_a_name_that_is_no_unicode(name, expected):
    message = f"{name} is text that is not Unicode, expected {expected}"
    raises("MLP", name, "\ud800", ValueError, message)


@pytest.mark.parametrize("name", ["epoch", "epochs"])
def test_a_negative_number_of_an_epoch(name):
    message = f"{name} is out of range, expected an integer >= 0"
    raises("Epoch", name, -1, ValueError, message)


@pytest.mark.parametrize("kind", [fastmlp.SGD, fastmlp.Adam, fastmlp.AdamW])
def test_a_learning_rate_that_is_set(kind):
    optimizer = kind(0.5)
    message = "learning_rate is of type Thing, expected a number"
    with pytest.raises(TypeError, match=message):
        optimizer.learning_rate = Thing()
    assert optimizer.learning_rate == 0.5


def test_what_is_in_a_dict_counts_as_the_dict():
    message = "metadata is of type dict, expected a dict of str to str"
    raises("save_network", "metadata", {"a": 1}, TypeError, message)


def test_what_an_argument_s_own_code_raises_passes_through():
    class Odd:
        def __float__(self):
            raise ZeroDivisionError("odd")

    raises("SGD", "learning_rate", Odd(), ZeroDivisionError, "odd")


@pytest.mark.parametrize("true", [True, np.True_])
def test_the_types_that_stand_for_the_expected_ones(true, tmp_path):
    sgd = fastmlp.SGD(np.float32(0.5), np.int64(1), nesterov=true)
    assert (sgd.learning_rate, sgd.momentum, sgd.nesterov) == (0.5, 1.0, True)

    NETWORK.save(tmp_path / "model")
    assert fastmlp.MLP.load(str(tmp_path / "model")).layer_sizes == (2, 4, 3)
