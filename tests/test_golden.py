"""Files of every release load, and answer as they did."""

import json
from pathlib import Path

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.model import Model

GOLDEN = sorted(Path(__file__).parent.glob("golden/*.json"))


@pytest.fixture(params=GOLDEN, ids=lambda path: path.stem)
def golden(request):
    """What the files of a release hold, and where they are."""
    path = request.param
    return json.loads(path.read_text()), path.with_suffix("").as_posix()


def assert_attributes(mlp, expected):
    for name, value in expected.items():
        found = getattr(mlp, name)
        assert (list(found) if isinstance(found, tuple) else found) == value


def test_there_are_files():
    assert GOLDEN


def test_a_network(golden, assert_agrees):
    expected, start = golden
    expected = expected["mlp"]
    mlp = MLP.load(f"{start}-mlp.safetensors")

    assert_attributes(mlp, expected["attributes"])
    X = np.array(expected["X"], dtype=mlp.dtype)
    assert_agrees(mlp.forward(X), expected["logits"])


def test_a_model(golden, assert_agrees):
    expected, start = golden
    expected = expected["model"]
    model = Model.load(f"{start}-model.safetensors")

    assert_attributes(model.network, expected["attributes"])
    assert list(model.feature_names) == expected["feature_names"]
    assert list(model.class_names) == expected["class_names"]
    assert model.target == expected["target"]
    logits = np.array(expected["logits"])
    odds = np.exp(logits)
    assert_agrees(model.predict_proba(expected["X"]), odds / odds.sum(axis=1, keepdims=True))
    np.testing.assert_array_equal(model.predict(expected["X"]), logits.argmax(axis=1))
