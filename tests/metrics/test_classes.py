"""Metrics against counting by hand."""

import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp.metrics import accuracy, classification_metrics, confusion_matrix, metrics_table


@st.composite
def predictions(draw):
    n_classes = draw(st.integers(1, 6))
    n = draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.integers(0, n_classes, n), rng.integers(0, n_classes, n), n_classes


def ratio(a, b):
    return a / b if b else 0.0


def scores_by_hand(y_true, y_pred, c):
    hits = np.sum((y_true == c) & (y_pred == c))
    precision = ratio(hits, np.sum(y_pred == c))
    recall = ratio(hits, np.sum(y_true == c))
    return {
        "precision": precision,
        "recall": recall,
        "f1": ratio(2 * precision * recall, precision + recall),
        "num_samples": np.sum(y_true == c),
    }


@given(predictions())
@settings(deadline=None)
def test_metrics_by_hand(case):
    y_true, y_pred, n_classes = case
    names = [f"class {c}" for c in range(n_classes)]
    metrics = classification_metrics(y_true, y_pred, names)
    assert list(metrics) == ["overall", "classes"]
    assert list(metrics["classes"]) == names

    by_hand = [scores_by_hand(y_true, y_pred, c) for c in range(n_classes)]
    for name, expected in zip(names, by_hand, strict=True):
        assert metrics["classes"][name] == pytest.approx(expected, rel=1e-12)

    n = len(y_true)
    weighted = {
        score: sum(row[score] * row["num_samples"] for row in by_hand) / n
        for score in ("precision", "recall", "f1")
    }
    right = sum(t == p for t, p in zip(y_true, y_pred, strict=True))
    expected = {"accuracy": right / n, **weighted, "num_samples": n}
    assert metrics["overall"] == pytest.approx(expected, rel=1e-12)


@given(predictions())
@settings(deadline=None)
def test_metrics_survive_json(case):
    y_true, y_pred, n_classes = case
    metrics = classification_metrics(y_true, y_pred, [str(c) for c in range(n_classes)])
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    for scores in (metrics["overall"], *metrics["classes"].values()):
        for key, value in scores.items():
            assert type(value) is (int if key == "num_samples" else float)


@given(predictions())
@settings(deadline=None)
def test_confusion_matrix_by_hand(case):
    y_true, y_pred, n_classes = case
    matrix = confusion_matrix(y_true, y_pred, n_classes)
    assert matrix.dtype == np.int64
    for i in range(n_classes):
        for j in range(n_classes):
            assert matrix[i, j] == np.sum((y_true == i) & (y_pred == j))
    present = max(y_true.max(), y_pred.max()) + 1
    np.testing.assert_array_equal(confusion_matrix(y_true, y_pred), matrix[:present, :present])


@given(predictions())
def test_accuracy_by_hand(case):
    y_true, y_pred, _ = case
    value = accuracy(y_true, y_pred)
    assert type(value) is float
    assert value == pytest.approx(np.trace(confusion_matrix(*case)) / len(y_true), rel=1e-15)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "uint64", ">i4"])
def test_classes_of_any_integer_dtype(dtype):
    y_true, y_pred = np.array([99, 100, 3], dtype), np.array([100, 100, 3], dtype)
    matrix = confusion_matrix(y_true, y_pred)
    assert matrix.shape == (101, 101)
    assert (matrix[99, 100], matrix[100, 100], matrix[3, 3], matrix.sum()) == (1, 1, 1, 3)
    assert classification_metrics(y_true, y_pred)["classes"]["100"]["precision"] == 0.5


def test_classes_without_names_are_those_present():
    metrics = classification_metrics([5, 5, 2], [5, 9, 2])
    assert list(metrics["classes"]) == ["2", "5", "9"]
    assert metrics["classes"]["9"] == {"precision": 0, "recall": 0, "f1": 0, "num_samples": 0}


def test_a_class_of_which_there_is_nothing():
    metrics = classification_metrics([0, 1], [0, 1], ["a", "b", "never"])
    assert metrics["classes"]["never"] == {"precision": 0, "recall": 0, "f1": 0, "num_samples": 0}
    assert metrics["overall"]["f1"] == 1


def test_table():
    y_true = [0] * 1200 + [1] * 300
    y_pred = [0] * 1200 + [1] * 150 + [0] * 150
    table = metrics_table(classification_metrics(y_true, y_pred, ["a", "a much longer name"]))
    assert table == (
        "class               precision   recall       F1    samples\n"
        "----------------------------------------------------------\n"
        "a                       0.889    1.000    0.941      1,200\n"
        "a much longer name      1.000    0.500    0.667        300\n"
        "----------------------------------------------------------\n"
        "overall                 0.911    0.900    0.886      1,500\n"
        "accuracy                0.900"
    )


@pytest.mark.parametrize("function", [accuracy, confusion_matrix, classification_metrics])
@pytest.mark.parametrize(
    ("y_true", "y_pred", "error", "message"),
    [
        ([0, 1], [0], ValueError, "y_true has 2 rows, but y_pred has 1"),
        ([], [], ValueError, "y_true has no rows"),
        ([[0, 1]], [0, 1], ValueError, "y_true must be 1-D, got shape (1, 2)"),
        ([0, 1], [0.0, 1.0], TypeError, "y_pred must hold integer classes, got float64"),
        ([0, -2], [0, 1], ValueError, "y_true must hold classes from 0, got -2"),
    ],
)
def test_bad_classes(function, y_true, y_pred, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        function(y_true, y_pred)


@pytest.mark.parametrize("top", [8192, 10**6, 2**63 - 1, 2**64 - 1])
def test_confusion_matrix_bounds_the_classes(top):
    y = np.array([top], np.uint64)
    message = f"must hold classes below 8,192, got {top}$"
    with pytest.raises(ValueError, match=f"^y_true {message}"):
        confusion_matrix(y, [0])
    with pytest.raises(ValueError, match=f"^y_pred {message}"):
        confusion_matrix([0], y)
    with pytest.raises(ValueError, match=r"^n_classes must be at most 8,192, got 8193$"):
        confusion_matrix([0], [0], n_classes=8193)


@pytest.mark.parametrize("function", [accuracy, classification_metrics])
def test_classes_do_not_wrap(function):
    y = np.array([2**63], np.uint64)
    message = "must hold classes below 9,223,372,036,854,775,808, got 9223372036854775808$"
    with pytest.raises(ValueError, match=f"^y_true {message}"):
        function(y, y)
    with pytest.raises(ValueError, match=f"^y_pred {message}"):
        function([0], y)
    assert accuracy(y - 1, [2**63 - 1]) == 1


def test_classes_beyond_the_given_number():
    message = "^y_pred has class 2, but there are 2 classes$"
    with pytest.raises(ValueError, match=message):
        confusion_matrix([0, 1], [0, 2], n_classes=2)
    with pytest.raises(ValueError, match=message):
        classification_metrics([0, 1], [0, 2], ["a", "b"])


def test_names_must_be_distinct():
    message = re.escape("class_names must be distinct, got ['a', 'a']")
    with pytest.raises(ValueError, match=f"^{message}$"):
        classification_metrics([0, 1], [0, 1], ["a", "a"])
