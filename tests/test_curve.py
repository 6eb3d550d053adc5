"""The picture of the losses, read back."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from fastmlp._curve import LossCurve


def drawn(losses, val_losses=None, last_epoch=None):
    curve = LossCurve()
    for i, loss in enumerate(losses):
        curve.add(i + 1, loss, None if val_losses is None else val_losses[i])
    return ElementTree.fromstring(curve.svg(last_epoch or len(losses)))


def places(line):
    return np.array([pair.split(",") for pair in line.get("points").split()], dtype=float).T


def texts(element):
    return [text.text for text in element.iter("text")]


def test_curves_are_on_one_scale(rng):
    losses, val_losses = rng.random(40), rng.random(40) + 0.5
    root = drawn(losses, val_losses, last_epoch=100)
    lines = [places(line) for line in root.iter("polyline")]
    for axis, values in ((0, [np.arange(40)] * 2), (1, [losses, val_losses])):
        pixels = np.concatenate([line[axis] for line in lines])
        slope, offset = np.polyfit(np.concatenate(values), pixels, 1)
        np.testing.assert_allclose(slope * np.concatenate(values) + offset, pixels, atol=0.1)
        assert (slope > 0) == (axis == 0)
    assert texts(root) == [
        f"{max(val_losses):.3g}",
        f"{min(losses):.3g}",
        "1",
        "epoch",
        "100",
        "loss",
        "validation loss",
    ]
    _, _, width, height = map(float, root.get("viewBox").split())
    for line in lines:
        assert (line > 0).all()
        assert (line < [[width], [height]]).all()


def test_two_curves_differ_in_colour():
    root = drawn([3, 2, 1], [4, 3, 2])
    colors = [line.get("stroke") for line in root.iter("polyline")]
    assert colors == [group.get("fill") for group in root.iter("g")]
    assert len(set(colors)) == 2


@pytest.mark.parametrize("n", [600, 601, 4321, 100_000])
def test_long_trainings_are_thinned_evenly_and_end_with_the_last_epoch(n):
    across = places(next(drawn(np.linspace(1, 0, n)).iter("polyline")))[0]
    assert 300 <= len(across) <= 601
    assert across[-1] == 350
    gaps = np.diff(across[:-1])
    assert gaps.max() - gaps.min() < 0.25  # pixels, rounded to tenths


def test_what_is_not_finite_is_left_out():
    line = places(next(drawn([3.0, np.nan, 2.0, np.inf, 1.0]).iter("polyline")))
    np.testing.assert_allclose(np.diff(line[0]), np.full(2, np.diff(line[0])[0]), atol=0.11)
    assert len(line[0]) == 3
    assert not list(drawn([np.nan]).iter("polyline"))


def test_one_epoch_is_a_dot_on_a_scale_from_0():
    root = drawn([0.5])
    assert len(list(root.iter("circle"))) == 1
    assert texts(root)[:2] == ["0.5", "0"]


def test_the_text_has_the_colour_of_the_page():
    curve = LossCurve()
    curve.add(1, 1.0, None)
    assert re.search(r'<svg [^>]*fill="currentColor"', curve.svg(5))
