"""Files of every format load, and answer as they did."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from fastmlp import MLP, MLPClassifier, MLPRegressor
from fastmlp.checkpoint import Checkpoint
from fastmlp.model import Model

GOLDEN = {
    (path.stem, kind): (expected, f"{path.with_suffix('')}-{kind}.safetensors")
    for path in sorted(Path(__file__).parent.glob("golden/*.json"))
    for kind, expected in json.loads(path.read_text()).items()
}


def golden(*kinds):
    """What each file of these kinds holds, and where it is."""
    found = {id_: GOLDEN[id_] for id_ in GOLDEN if id_[1] in kinds}
    assert {kind for _, kind in found} == set(kinds)
    return pytest.mark.parametrize(("expected", "path"), found.values(), ids=map("-".join, found))


def assert_attributes(mlp, expected):
    for name, value in expected.items():
        found = getattr(mlp, name)
        assert (list(found) if isinstance(found, tuple) else found) == value


@golden("mlp")
def test_a_network(expected, path, assert_agrees):
    mlp = MLP.load(path)

    assert_attributes(mlp, expected["attributes"])
    X = np.array(expected["X"], dtype=mlp.dtype)
    assert_agrees(mlp.forward(X), expected["logits"])
    again = io.BytesIO()
    mlp.save(again)
    assert again.getvalue() == Path(path).read_bytes()  # which older releases read


@golden("stages")
def test_a_network_of_stages(expected, path, assert_agrees):
    mlp = MLP.load(path)

    assert_attributes(mlp, expected["attributes"])
    blocks = [[block.kind, block.role, list(block.shape)] for block in mlp.parameter_blocks]
    assert blocks == expected["blocks"]
    assert_agrees(mlp.forward(np.array(expected["X"])), expected["logits"])
    again = io.BytesIO()
    mlp.save(again)
    assert again.getvalue() == Path(path).read_bytes()


@golden("model")
def test_a_model(expected, path, assert_agrees):
    model = Model.load(path)

    assert_attributes(model.network, expected["attributes"])
    assert list(model.feature_names) == expected["feature_names"]
    assert list(model.class_names) == expected["class_names"]
    assert model.target == expected["target"]
    logits = np.array(expected["logits"])
    assert_agrees(model.predict_proba(expected["X"]), softmax(logits))
    np.testing.assert_array_equal(model.predict(expected["X"]), logits.argmax(axis=1))


@golden("classifier")
def test_a_classifier(expected, path, assert_agrees):
    clf = MLPClassifier.load(path)

    assert_estimator(clf, expected)
    assert clf.classes_.dtype.kind == "U"
    X = pd.DataFrame(expected["X"], columns=expected["feature_names"], dtype="float32")
    logits = np.array(expected["logits"])
    assert_agrees(clf.predict_proba(X), softmax(logits))
    answers = np.array(expected["classes"])[logits.argmax(axis=1)]
    np.testing.assert_array_equal(clf.predict(X), answers)


@golden("labels")
def test_a_classifier_of_several_labels(expected, path, assert_agrees):
    clf = MLPClassifier.load(path)

    assert_estimator(clf, expected)
    logits = np.array(expected["logits"])
    assert_agrees(clf.predict_proba(expected["X"]), expit(logits))
    np.testing.assert_array_equal(clf.predict(expected["X"]), logits > 0)


@golden("regressor")
def test_a_regressor(expected, path, assert_agrees):
    reg = MLPRegressor.load(path)

    assert_estimator(reg, expected)
    assert_agrees(reg.predict(expected["X"]), np.exp(expected["logits"]))


@golden("checkpoint")
def test_a_checkpoint(expected, path, assert_agrees):
    training = Checkpoint.load(path)

    assert_attributes(training.network, expected["attributes"])
    assert repr(training.optimizer) == expected["optimizer"]
    state = training.optimizer.state_dict()
    assert {key: np.asarray(state[key]).tolist() for key in state} == expected["state"]
    assert (training.seed, training.epoch) == (expected["seed"], expected["epoch"])
    assert training.history.loss.tolist() == expected["loss"]
    assert training.history.accuracy.tolist() == expected["accuracy"]
    X, y = np.array(expected["X"]), np.array(expected["y"])
    assert_agrees(training.network.forward(X), expected["logits"])
    training.fit(X, y, epochs=4, batch_size=5, dropout=0.25, class_weight=[1, 2, 0.5])
    assert len(training.history) == 4


def assert_estimator(estimator, expected):
    assert_attributes(estimator.network_, expected["attributes"])
    parameters = {name: repr(value) for name, value in estimator.get_params().items()}
    # Parameters that are newer than the file have their defaults.
    defaults = {name: repr(value) for name, value in type(estimator)().get_params().items()}
    assert parameters == defaults | expected["parameters"]
    found = {name: repr(getattr(estimator, name)) for name in expected["found"]}
    assert found == expected["found"]
    for name, key in [("feature_names_in_", "feature_names"), ("classes_", "classes")]:
        assert getattr(estimator, name, np.empty(0)).tolist() == expected[key]


def softmax(logits):
    odds = np.exp(logits)
    return odds / odds.sum(axis=1, keepdims=True)
