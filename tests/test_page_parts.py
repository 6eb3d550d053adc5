"""Parts of pages: numbers keep their values, and charts are where the numbers are."""

from base64 import b64decode
from xml.etree import ElementTree

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp._page.charts import activation_picture, loss_chart, round_steps
from fastmlp._page.content import Recorded
from fastmlp._page.encode import base64, doubles, fixed_point


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).standard_normal((30, 7)),
        np.random.default_rng(1).standard_normal(50).astype(np.float32) * 1e-30,
        np.array([-1e300, 1e300, 0.0]),
        np.array([1.0, 1.0 + 1e-9]),
        np.zeros(4),
        np.array([3.5]),
    ],
)
def test_a_number_is_off_by_half_a_step(values):
    codes, (low, high) = fixed_point(values)
    octets = np.frombuffer(codes, np.uint8).reshape(-1, 3).astype(np.int64)
    step = high / (2**24 - 1) - low / (2**24 - 1)
    decoded = low + step * (octets @ [1, 256, 65536])

    rounding = 2e-9 * np.abs(values).max()  # of the ends, which have nine digits
    assert len(base64(codes)) == 4 * values.size
    assert np.abs(decoded - values.ravel()).max() <= 0.5001 * step + rounding


def test_doubles_lose_nothing(rng):
    values = rng.standard_normal((5, 3))
    np.testing.assert_array_equal(
        np.frombuffer(b64decode(doubles(values.T)), "<f8"), values.T.ravel()
    )


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((0, 1000), [0, 200, 400, 600, 800, 1000]),
        ((0, 1.1), [0, 0.5, 1]),
        ((-3, 4), [-2, 0, 2, 4]),
        ((0, 3e-5), [0, 1e-5, 2e-5, 3e-5]),
    ],
)
def test_steps_are_round(ends, expected):
    assert round_steps(*ends) == expected


def spots(path):
    return np.array([pair.split() for pair in path.get("d")[1:].split("L")], float)


def test_the_curves_of_a_chart_are_the_losses():
    losses = {"loss": list(np.linspace(2, 1, 500)), "val_loss": [2.0, np.nan, np.inf, *[1.0] * 497]}
    chart = ElementTree.fromstring(loss_chart(losses, ["<one>", "two"], "a & b"))
    assert chart.get("aria-label") == "a & b"
    train, validation = chart.findall("path")
    assert [path.find("title").text for path in (train, validation)] == ["<one>", "two"]

    cursor = chart.find("g").attrib
    left, right = float(cursor["data-left"]), float(cursor["data-right"])
    x, y = spots(train).T
    assert len(x) <= 200
    assert x[0] == pytest.approx(left + (right - left) / 500, abs=0.06)
    assert x[-1] == pytest.approx(right, abs=0.06)
    bottom = 2 * y[-1] - y[0]  # of zero, as far below 1 as that is below 2
    losses_there = 2 * (bottom - y) / (bottom - y[0])
    np.testing.assert_allclose(losses_there, 2 - (x - x[0]) / (right - x[0]), atol=0.02)
    assert np.isfinite(spots(validation)).all()
    assert len(spots(validation)) < 200


def test_a_short_training_has_whole_epochs_in_its_chart():
    chart = ElementTree.fromstring(loss_chart({"loss": [1.0], "val_loss": []}, ["a", "b"], "short"))
    below = [text.text for text in chart.findall("text") if float(text.get("y")) > 180]
    assert below == ["0", "1"]


def test_a_picture_of_an_activation_has_it_and_its_derivative():
    x = np.linspace(-4, 4, 9)
    picture = ElementTree.fromstring(activation_picture(x, (x / 2, np.ones(9)), "half"))
    curves = {path.get("class"): spots(path) for path in picture.find("g")}
    value, slope = curves["value"], curves["slope"]
    assert np.ptp(slope[:, 1]) == 0
    middle = value[4, 1]
    np.testing.assert_allclose((middle - value[:, 1]) / (middle - slope[0, 1]), x / 2, atol=0.01)


def test_a_film_is_thinned_with_growing_gaps():
    mlp = MLP([2, 3], seed=0)
    epochs = np.arange(1001)
    film = Recorded(mlp, epochs, epochs[:, None], {"loss": [], "val_loss": []})
    thin = film.thinned(11)
    assert thin.epochs.tolist() == [0, 10, 40, 90, 160, 250, 360, 490, 640, 810, 1000]
    np.testing.assert_array_equal(thin.parameters[:, 0], thin.epochs)
    assert film.thinned(2000) is film
