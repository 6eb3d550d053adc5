"""Plots of how good predictions are, against scikit-learn's curves."""

import re
from itertools import pairwise

import numpy as np
import pytest
import sklearn.metrics
from artists import legend_texts
from sklearn.calibration import calibration_curve

from fastmlp.metrics import calibration_error
from fastmlp.plotting import plot_calibration, plot_confusion_matrix, plot_roc_curve


def test_confusion_matrix_cells():
    matrix = np.array([[1200, 0], [1, 3]])
    ax = plot_confusion_matrix(matrix, class_names=("no", "yes"))
    texts = {text.get_position(): text.get_text() for text in ax.texts}
    assert texts == {
        (0, 0): "1,200\n100.0%",
        (1, 0): "0\n0.0%",
        (0, 1): "1\n25.0%",
        (1, 1): "3\n75.0%",
    }
    np.testing.assert_allclose(ax.images[0].get_array(), [[1, 0], [0.25, 0.75]])
    for ticks in (ax.get_xticklabels(), ax.get_yticklabels()):
        assert [tick.get_text() for tick in ticks] == ["no", "yes"]
    assert ax.get_xlabel().startswith("predicted")
    assert ax.get_ylabel().startswith("true")
    assert ax.get_title() == "Confusion matrix: 1,203 of 1,204 correct"


def test_confusion_matrix_with_a_class_that_never_occurs():
    ax = plot_confusion_matrix([[2, 0], [0, 0]])
    np.testing.assert_array_equal(ax.images[0].get_array(), [[1, 0], [0, 0]])


def test_confusion_matrix_of_many_classes_has_the_most_confused():
    matrix = np.diag(np.full(300, 5))
    confused = [7, 30, 31, 200]
    matrix[7, 200] = matrix[30, 31] = 4
    names = [f"c{c}" for c in range(300)]
    ax = plot_confusion_matrix(matrix, class_names=names, max_classes=4)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == [f"c{c}" for c in confused]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == [f"c{c}" for c in confused]
    shares = matrix[np.ix_(confused, confused)] / matrix.sum(axis=1)[confused, None]
    np.testing.assert_allclose(ax.images[0].get_array(), shares)
    title = "Confusion matrix: 1,500 of 1,508 correct\nthe 4 most confused of 300 classes"
    assert ax.get_title() == title

    ax = plot_confusion_matrix(matrix)
    assert ax.images[0].get_array().shape == (50, 50)
    assert len(ax.texts) == 52  # none for the zeros
    assert {"4\n44.4%", "5\n100.0%", "5\n55.6%"} == {text.get_text() for text in ax.texts}
    assert plot_confusion_matrix(matrix, max_classes=300).images[0].get_array().shape == (300, 300)


@pytest.mark.parametrize("n", [1, 12, 40])
def test_confusion_matrix_labels_do_not_overlap(n):
    names = [f"class number {c}" for c in range(n)]
    ax = plot_confusion_matrix(np.eye(n, dtype=int), class_names=names)
    ax.figure.draw_without_rendering()
    for texts, start, end in (
        (ax.get_xticklabels(), "x0", "x1"),
        (ax.get_yticklabels()[::-1], "y0", "y1"),
    ):
        boxes = [text.get_window_extent() for text in texts]
        for one, other in pairwise(boxes):
            assert getattr(one, end) <= getattr(other, start) + 1
    assert max(ax.figure.get_size_inches()) < 15


@pytest.fixture
def predicted(rng):
    """Classes 0, 1 and 2, and probabilities that know something of them."""
    y = rng.integers(0, 3, 300)
    raw = rng.standard_normal((300, 3)) + np.eye(3)[y]
    p = np.exp(raw)
    return y, p / p.sum(axis=1, keepdims=True)


def curves(ax):
    return [line.get_data() for line in ax.lines if line.get_linestyle() == "-"]


def test_a_roc_curve_per_class_is_scikit_learn_s(predicted):
    y, p = predicted
    weights = np.arange(300) % 3
    ax = plot_roc_curve(y, p, class_names=["a", "b", "c"], sample_weight=weights)
    areas = []
    for c, (fpr, tpr) in enumerate(curves(ax)):
        expected = sklearn.metrics.roc_curve(y == c, p[:, c], sample_weight=weights)
        np.testing.assert_allclose([fpr, tpr], expected[:2], rtol=1e-12)
        areas.append(sklearn.metrics.roc_auc_score(y == c, p[:, c], sample_weight=weights))
    assert legend_texts(ax) == [f"{n}: {area:.3f}" for n, area in zip("abc", areas, strict=True)]
    assert ax.get_title() == f"ROC curve per class: mean area {np.mean(areas):.3f}"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("false positive rate", "true positive rate")


@pytest.mark.parametrize("n_columns", [1, 2])
def test_of_two_classes_there_is_one_curve(predicted, n_columns):
    y, p = predicted
    text = np.array(["no", "yes"])[(y == 1).astype(int)]
    scores = p[:, 1] if n_columns == 1 else np.column_stack([1 - p[:, 1], p[:, 1]])
    ax = plot_roc_curve(text, scores)
    [curve] = curves(ax)
    expected = sklearn.metrics.roc_curve(text, p[:, 1], pos_label="yes")
    np.testing.assert_allclose(curve, expected[:2], rtol=1e-12)
    area = sklearn.metrics.roc_auc_score(text, p[:, 1])
    assert ax.get_title() == f"ROC curve of class yes: area {area:.3f}"
    assert ax.get_legend() is None


def test_of_many_classes_the_worst_are_drawn(rng):
    y = np.arange(200) % 20
    scores = rng.random((200, 20)) + np.eye(20)[y] * np.linspace(0.1, 1, 20)
    areas = [sklearn.metrics.roc_auc_score(y == c, scores[:, c]) for c in range(20)]
    worst = sorted(np.argsort(areas)[:3])
    ax = plot_roc_curve(y, scores, max_classes=3)
    assert [text.split(":")[0] for text in legend_texts(ax)] == [str(c) for c in worst]
    assert ax.get_title() == (
        f"ROC curve per class: mean area {np.mean(areas):.3f}\nthe 3 smallest areas of 20 classes"
    )


def test_a_class_without_rows_has_no_curve(predicted):
    y, p = predicted
    y = np.where(y == 1, 0, y)
    ax = plot_roc_curve(y, p, class_names=["a", "b", "c"])
    assert [text.split(":")[0] for text in legend_texts(ax)] == ["a", "c"]


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_calibration_is_scikit_learn_s_curve(predicted, strategy):
    y, p = predicted
    y, p = y == 2, p[:, 2]
    options = {"n_bins": 7, "strategy": strategy}
    ax = plot_calibration(y, p, **options)
    [(means, frequencies)] = curves(ax)
    expected = calibration_curve(y, p, **options)
    np.testing.assert_allclose([frequencies, means], expected, rtol=1e-12)
    assert ax.get_title() == f"Calibration: expected error {calibration_error(y, p, **options):.3f}"
    assert legend_texts(ax) == ["observed", "ideal", "share of the rows"]


def test_bars_are_the_shares_of_rows(predicted):
    y, p = predicted
    weights = np.arange(300) % 4
    ax = plot_calibration(y, p, n_bins=5, sample_weight=weights)
    expected, edges = np.histogram(p.max(axis=1), np.linspace(0, 1, 6), weights=weights)
    bars = [(bar.get_x(), bar.get_width(), bar.get_height()) for bar in ax.patches]
    filled = expected > 0
    np.testing.assert_allclose([bar[0] for bar in bars], edges[:-1][filled])
    np.testing.assert_allclose([bar[1] for bar in bars], 0.2)
    np.testing.assert_allclose([bar[2] for bar in bars], expected[filled] / weights.sum())


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (
            lambda: plot_confusion_matrix(np.eye(3, 2)),
            "matrix must be square and not empty, got shape (3, 2)",
        ),
        (
            lambda: plot_confusion_matrix(np.zeros((0, 0), int)),
            "matrix must be square and not empty, got shape (0, 0)",
        ),
        (
            lambda: plot_confusion_matrix([[0.5, 0.5], [0, 1]]),
            "matrix must hold integer counts, got float64",
        ),
        (
            lambda: plot_confusion_matrix([[5, -2], [0, 1]]),
            "matrix must hold counts >= 0, got -2",
        ),
        (
            lambda: plot_confusion_matrix([[1, 0], [0, 1]], class_names=["a", "b", "c"]),
            "class_names has 3 names, but matrix has 2 classes",
        ),
        (
            lambda: plot_confusion_matrix([[1, 0], [0, 1]], max_classes=0),
            "max_classes must be at least 1, got 0",
        ),
        (
            lambda: plot_roc_curve([0, 1, 2], np.eye(2)[:3], max_classes=0),
            "max_classes must be at least 1, got 0",
        ),
        (
            lambda: plot_roc_curve([0, 1, 2], [0.1, 0.2, 0.3]),
            "y_score must have a column for each of the classes [0, 1, 2], got shape (3,)",
        ),
        (
            lambda: plot_roc_curve([1, 1], np.eye(2), class_names=["a", "b"]),
            "y_true must hold at least two classes, got [1]",
        ),
        (
            lambda: plot_roc_curve(["no", "no"], [0.1, 0.2]),
            "y_true must hold at least two classes, got ['no']",
        ),
        (
            lambda: plot_roc_curve([0, 3], np.eye(2), class_names=["a", "b"]),
            "class 3 has no name in class_names ('a', 'b')",
        ),
        (lambda: plot_calibration([0, 1], [0, 2]), "y_proba must be from 0 to 1, got 2.0"),
        (
            lambda: plot_calibration([0, 1], [0, 1], n_bins=0),
            "n_bins must be an integer of at least 1, got 0",
        ),
    ],
)
def test_bad_input(draw, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        draw()
