"""The examples run as they are and reach the accuracy that they show."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_example_is_tested():
    assert sorted(path.stem for path in EXAMPLES.glob("*.py")) == [
        "custom_loop",
        "digits",
        "spiral",
    ]


def test_spiral(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    assert load("spiral").main() >= 0.95

    assert sorted(path.name for path in tmp_path.iterdir()) == ["boundary.png", "history.png"]
    assert "loss before training: 1.09" in capsys.readouterr().out


def test_digits(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    assert load("digits").main() >= 0.95

    plots = ["confusion.png", "curves.png", "search.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == plots
    assert "accuracy with the defaults: 0.9" in capsys.readouterr().out


def test_custom_loop(capsys):
    assert load("custom_loop").main() >= 0.95
    assert capsys.readouterr().out.startswith("step    0  focal loss")


def test_the_focal_loss_of_the_example_has_the_derivative_it_says(rng):
    focal_loss = load("custom_loop").focal_loss
    logits, y = rng.standard_normal((5, 3)), np.array([0, 1, 2, 2, 0])
    _, derivative = focal_loss(logits, y)
    for i, j in np.ndindex(logits.shape):
        step = np.zeros_like(logits)
        step[i, j] = 1e-6
        slope = (focal_loss(logits + step, y)[0] - focal_loss(logits - step, y)[0]) / 2e-6
        assert derivative[i, j] == pytest.approx(slope, abs=1e-9)
