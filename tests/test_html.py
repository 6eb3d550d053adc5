"""What notebooks show of networks, histories and estimators."""

from xml.etree import ElementTree

import numpy as np
import pytest

import fastmlp


def read(shown):
    """The elements of what is shown, which must be well-formed."""
    return ElementTree.fromstring(f"<body>{shown._repr_html_()}</body>")


def cells(root):
    return [[cell.text or "" for cell in row] for row in root.iter("tr")]


def test_a_network_is_a_table_of_its_layers():
    mlp = fastmlp.MLP([2, 100, 20, 3], ["relu", "tanh"], seed=0)
    root = read(mlp)
    assert cells(root) == [
        ["layer", "width", "function", "parameters"],
        ["input", "2", "", "0"],
        ["hidden 0", "100", "relu", "300"],
        ["hidden 1", "20", "tanh", "2,020"],
        ["output", "3", "softmax", "63"],
    ]
    loss = "CrossEntropy(label_smoothing=0.0)"
    assert root.find("div").text == f"MLP of float32, 2,383 parameters, loss {loss}"


@pytest.mark.parametrize(
    ("options", "functions"),
    [
        ({"input_scale": True}, ["learnable scale", "relu", "relu"]),
        ({"periodic_inputs": 2}, ["periodic features", "relu", "relu"]),
        (
            {"periodic_inputs": 1, "input_scale": True},
            ["periodic features, learnable scale", "relu", "relu"],
        ),
        ({"normalization": "batch"}, ["", "batch norm, relu", "batch norm, relu"]),
        ({"activation": ["prelu", "relu"]}, ["", "prelu", "relu"]),
        (
            {"activation": ["mish", "relu"], "parametric_activation": True},
            ["", "parametric mish", "parametric relu"],
        ),
        ({"loss": lambda y, raw: (raw[:, 0], raw)}, ["", "relu", "relu"]),
    ],
)
def test_the_table_counts_every_parameter_once(options, functions):
    mlp = fastmlp.MLP([4, 8, 8, 2], **options)
    rows = cells(read(mlp))[1:]
    assert [row[2] for row in rows[:-1]] == functions
    assert sum(int(row[3]) for row in rows) == mlp.n_parameters


def test_a_network_without_hidden_layers_is_a_table():
    assert [row[0] for row in cells(read(fastmlp.MLP([2, 3])))] == ["layer", "input", "output"]


def test_a_history_tells_the_best_epoch_above_its_curve():
    history = fastmlp.History(
        np.array([3.0, 2.0, 1.0]),
        np.array([0.25, 0.5, 0.75]),
        np.array([3.0, 1.5, 2.0]),
        np.array([0.2, 0.6, 0.4]),
        np.array([1.0, 1.0, 2.0]),
    )
    root = read(history)
    assert root.find("div").text == (
        "History: 3 epochs in 4 s; last loss 1; accuracy 75.0%; validation loss 2, lowest 1.5 "
        "after epoch 2; validation accuracy 40.0%"
    )
    assert len(list(root.iter("polyline"))) == 2


def test_a_history_of_regression_has_the_loss_alone():
    history = fastmlp.History(np.array([0.5]), None, None, None, np.array([0.25]))
    assert read(history).find("div").text == "History: 1 epoch in 0.25 s; last loss 0.5"


def test_a_validation_loss_that_is_nan_is_not_the_lowest():
    losses = np.array([2.0, 1.0])
    history = fastmlp.History(losses, None, np.array([np.nan, 3.0]), None, np.ones(2))
    assert read(history).find("div").text.endswith("loss 3, lowest 3 after epoch 2")


def test_a_history_without_epochs_is_its_text():
    history = fastmlp.History(np.zeros(0), None, None, None, np.zeros(0))
    assert "".join(read(history).itertext()) == "History(0 epochs)"


@pytest.mark.parametrize("estimator", [fastmlp.MLPClassifier, fastmlp.TabularRegressor])
def test_estimators_have_the_diagram_of_scikit_learn(estimator):
    assert "sk-text-repr-fallback" in estimator()._repr_html_()
