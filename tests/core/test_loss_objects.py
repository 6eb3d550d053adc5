"""What the loss of a network may be: names and objects, their numbers, and the outputs they fit."""

import copy
import pickle
import re

import numpy as np
import pytest

import fastmlp
from fastmlp import losses

OUTPUTS = ("softmax", "sigmoid", "identity", "exp")
NAMES = {
    "cross_entropy": losses.CrossEntropy(),
    "focal": losses.Focal(),
    "squared_error": losses.SquaredError(),
    "absolute_error": losses.AbsoluteError(),
    "huber": losses.Huber(),
    "quantile": losses.Quantile(),
    "poisson": losses.Poisson(),
    "gamma": losses.Gamma(),
    "tweedie": losses.Tweedie(),
}
# The outputs of each, the default first.
FITTING = {
    "cross_entropy": ("softmax", "sigmoid"),
    "focal": ("softmax", "sigmoid"),
    "squared_error": ("identity", "exp"),
    "absolute_error": ("identity",),
    "huber": ("identity",),
    "quantile": ("identity",),
    "poisson": ("exp",),
    "gamma": ("exp",),
    "tweedie": ("exp",),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("output", OUTPUTS)
def test_a_loss_goes_with_its_outputs_alone(name, output):
    if output in FITTING[name]:
        mlp = fastmlp.MLP([2, 1], output=output, loss=name)
        assert mlp.output == output
        assert mlp.loss_function == NAMES[name]
        return
    fitting = [f'"{other}"' for other in NAMES if output in FITTING[other]]
    if output == "identity":
        fitting.append("a function")
    message = f'loss is "{name}", expected one for the output "{output}": {", ".join(fitting)}'
    for loss in (name, NAMES[name]):
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            fastmlp.MLP([2, 1], output=output, loss=loss)


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_brings_its_output(name):
    mlp = fastmlp.MLP([2, 4, 1], loss=name)
    assert mlp.output == FITTING[name][0]
    assert mlp.loss_function == NAMES[name]


def test_an_output_brings_its_loss():
    own = dict(
        zip(OUTPUTS, ("cross_entropy", "cross_entropy", "squared_error", "poisson"), strict=True)
    )
    for output, name in own.items():
        assert fastmlp.MLP([2, 3], output=output).loss_function == NAMES[name]
    assert fastmlp.MLP([2, 3]).output == "softmax"


WRONG = [
    ("hinge", ValueError, 'loss is "hinge", expected one of "cross_entropy", "focal", '),
    (3, TypeError, "loss is of type int, expected None, a name, one of fastmlp.losses or a "),
    (
        losses.Huber,
        TypeError,
        "loss is the class Huber, expected an object of it, made with its numbers in parentheses, "
        "such as Huber(1.35)",
    ),
    (
        losses.Quantile((0.1, 0.5, 0.9)),
        ValueError,
        'loss is "quantile" with 3 levels, expected one level per output, 1',
    ),
]


@pytest.mark.parametrize(("loss", "error", "message"), WRONG, ids=lambda case: str(case)[:20])
def test_what_is_no_loss_is_refused(loss, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        fastmlp.MLP([2, 1], loss=loss)


OUT_OF_RANGE = [
    (lambda: losses.CrossEntropy(1.0), "label_smoothing is 1, expected a number >= 0 and < 1"),
    (lambda: losses.CrossEntropy(-0.1), "label_smoothing is -0.1, expected a number >= 0 and < 1"),
    (lambda: losses.CrossEntropy(np.nan), "label_smoothing is NaN, expected a number >= 0 and < 1"),
    (lambda: losses.Focal(-1), "gamma is -1, expected a finite number >= 0"),
    (lambda: losses.Focal(np.inf), "gamma is inf, expected a finite number >= 0"),
    (lambda: losses.Huber(0.0), "delta is 0, expected a finite number > 0"),
    (lambda: losses.Huber(np.inf), "delta is inf, expected a finite number > 0"),
    (lambda: losses.Huber(10**400), "delta is too large for a float, expected a number"),
    (lambda: losses.Quantile([0.5, 1.0]), "levels is 1, expected numbers > 0 and < 1"),
    (lambda: losses.Quantile(1.5), "levels is 1.5, expected numbers > 0 and < 1"),
    (lambda: losses.Quantile([np.nan]), "levels is NaN, expected numbers > 0 and < 1"),
    (lambda: losses.Quantile([]), "levels is empty, expected one level per output"),
    (lambda: losses.Tweedie(0.5), "power is 0.5, expected a finite number <= 0 or >= 1"),
    (lambda: losses.Tweedie(-np.inf), "power is -inf, expected a finite number <= 0 or >= 1"),
]


@pytest.mark.parametrize(("make", "message"), OUT_OF_RANGE, ids=lambda case: str(case)[:30])
def test_numbers_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


OF_ANOTHER_TYPE = [
    (lambda: losses.Huber("1"), "delta is of type str, expected a number"),
    (lambda: losses.Focal(None), "gamma is of type NoneType, expected a number"),
    (
        lambda: losses.Quantile("0.5"),
        "levels is of type str, expected a number or a sequence of numbers",
    ),
    (lambda: losses.Quantile([0.5, "1"]), "levels[1] is of type str, expected a number"),
    (
        lambda: losses.Quantile({0.1, 0.9}),
        "levels is of type set, expected a number or a sequence of numbers",
    ),
    (
        lambda: losses.Huber(np.array([1.0, 2.0])),
        "delta is of type ndarray, expected a number",
    ),
]


@pytest.mark.parametrize(("make", "message"), OF_ANOTHER_TYPE, ids=lambda case: str(case)[:30])
def test_numbers_of_another_type_are_refused(make, message):
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        make()


@pytest.mark.parametrize("level", [0.5, np.float32(0.5), np.array(0.5), [0.5], np.array([0.5])])
def test_one_level_may_be_a_number(level):
    assert losses.Quantile(level) == losses.Quantile((0.5,))


@pytest.mark.parametrize("loss", [*NAMES.values(), losses.Huber(1.35), losses.Quantile([0.1, 0.9])])
def test_losses_are_values(loss):
    for again in (copy.copy(loss), copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert again == loss
        assert hash(again) == hash(loss)
        assert repr(again) == repr(loss)
    assert eval(repr(loss), vars(losses)) == loss
    with pytest.raises(AttributeError):
        loss.anything = 1.0


def test_numbers_are_plain_floats():
    assert repr(losses.Huber(np.float32(2))) == "Huber(delta=2.0)"
    assert repr(losses.Quantile(np.array([0.25, 0.5]))) == "Quantile(levels=(0.25, 0.5))"
    assert losses.Huber(1) == losses.Huber(1.0) != losses.Huber(2.0)
