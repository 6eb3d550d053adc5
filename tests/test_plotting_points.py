"""Plots of points and of decision boundaries."""

import re
from functools import partial
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from artists import Sectors, legend_texts, marker_of, mesh_of, scatters
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from fastmlp.data import make_spiral
from fastmlp.plotting import plot_data, plot_decision_boundaries, plot_decision_boundary

NAMES = ("c1", "c2", "c3")


@pytest.fixture
def points():
    return make_spiral(90, random_state=0)


def test_data_points(points):
    X, y = points
    ax = plot_data(X, y, class_names=NAMES, feature_names=("width (mm)", "height (mm)"))
    drawn = scatters(ax)
    assert [scatter.get_label() for scatter in drawn] == list(NAMES) == legend_texts(ax)
    for c, scatter in enumerate(drawn):
        np.testing.assert_array_equal(scatter.get_offsets(), X[y == c])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("width (mm)", "height (mm)")
    assert ax.get_title() == "Data: 90 points, 3 classes"
    assert ax.get_aspect() == 1


def test_classes_differ_in_colour_and_marker():
    X, y = make_spiral(80, 8, random_state=0)
    drawn = scatters(plot_data(X, y))
    colors = [tuple(scatter.get_facecolor()[0]) for scatter in drawn]
    markers = [marker_of(scatter) for scatter in drawn]
    assert len(set(colors[:7])) == 7
    assert len(set(markers)) == 8


def test_a_class_keeps_its_colour_when_others_are_absent(points):
    X, y = points
    every = scatters(plot_data(X, y, class_names=NAMES))
    some = scatters(plot_data(X[y == 2], y[y == 2], class_names=NAMES))
    np.testing.assert_array_equal(some[2].get_facecolor(), every[2].get_facecolor())
    assert [len(scatter.get_offsets()) for scatter in some] == [0, 0, 30]


def test_legend_lies_outside_the_data(points):
    ax = plot_data(*points)
    ax.figure.draw_without_rendering()
    assert ax.get_legend().get_window_extent().x0 > ax.get_window_extent().x1


def test_unlike_units_are_not_drawn_at_equal_aspect(points):
    X, y = points
    assert plot_data(X * [1, 1000], y).get_aspect() == "auto"


@pytest.mark.parametrize("resolution", [2, 17, 101])
def test_boundary_mesh_is_the_models_answer(points, resolution):
    X, y = points
    model = Sectors()
    ax = plot_decision_boundary(model, X, y, resolution=resolution)
    grid, mesh = model.asked[0], mesh_of(ax)
    assert grid.shape == (resolution**2, 2)
    assert mesh.get_array().shape == (resolution, resolution)
    np.testing.assert_array_equal(mesh.get_array().ravel(), Sectors().predict(grid))

    # Row i, column j of the mesh is at height y[i] and width x[j].
    x, height = (np.linspace(*limits, resolution) for limits in (ax.get_xlim(), ax.get_ylim()))
    for i, j in ((0, 0), (0, -1), (-1, 0), (resolution // 2, 0)):
        expected = Sectors().predict(np.array([[x[j], height[i]]]))[0]
        assert mesh.get_array()[i, j] == expected


def test_boundary_colours_match_the_points(points):
    ax = plot_decision_boundary(Sectors(), *points)
    mesh = mesh_of(ax)
    for c, scatter in enumerate(scatters(ax)):
        tint = np.array(mesh.to_rgba(c)[:3])
        color = np.array(to_rgb(scatter.get_facecolor()[0]))
        np.testing.assert_allclose(tint, 0.64 + 0.36 * color)


def test_boundary_is_101_by_101_and_spans_the_points(points):
    X, y = points
    ax = plot_decision_boundary(Sectors(), X, y)
    assert mesh_of(ax).get_array().shape == (101, 101)
    assert sum(len(scatter.get_offsets()) for scatter in scatters(ax)) == len(X)
    for (low, high), values in zip((ax.get_xlim(), ax.get_ylim()), X.T, strict=True):
        assert low < values.min()
        assert values.max() < high
    share = np.mean(Sectors().predict(X) == y)
    assert ax.get_title() == f"Decision boundary: 90 points, accuracy {share:.1%}"


def test_title_can_be_given(points):
    assert plot_decision_boundary(Sectors(), *points, title="mine").get_title() == "mine"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_model_is_asked_in_the_dtype_of_the_points(points, dtype):
    X, y = points
    model = Sectors()
    plot_decision_boundary(model, X.astype(dtype), y, resolution=5)
    assert {asked.dtype for asked in model.asked} == {np.dtype(dtype)}


def test_a_model_that_answers_with_text(points):
    X, y = points
    labels = np.array(["c3", "c1", "c2"])
    model = Sectors(labels)
    ax = plot_decision_boundary(model, X, labels[y], class_names=NAMES)
    assert legend_texts(ax) == list(NAMES)
    np.testing.assert_array_equal(
        np.array(NAMES)[mesh_of(ax).get_array().ravel()], labels[Sectors().predict(model.asked[0])]
    )
    for name, scatter in zip(NAMES, scatters(ax), strict=True):
        np.testing.assert_array_equal(scatter.get_offsets(), X[labels[y] == name])


def test_one_class_everywhere(points):
    X, y = points
    always = SimpleNamespace(predict=lambda X: np.ones(len(X), dtype=np.int64))
    ax = plot_decision_boundary(always, X, y)
    assert np.all(mesh_of(ax).get_array() == 1)


def test_training_and_test_side_by_side(points, tmp_path):
    X, y = points
    train, test = (X[::2], y[::2]), (3 * X[1::2], y[1::2])
    path = tmp_path / "both.png"
    axes = plot_decision_boundaries(Sectors(), train=train, test=test, class_names=NAMES, path=path)
    assert axes.shape == (2,)
    assert axes[0].get_xlim() == axes[1].get_xlim()
    assert axes[0].get_ylim() == axes[1].get_ylim()
    low, high = axes[0].get_xlim()
    assert low < 3 * X[1::2, 0].min()
    assert 3 * X[1::2, 0].max() < high
    np.testing.assert_array_equal(*(mesh_of(ax).get_array() for ax in axes))
    for ax, (part, _) in zip(axes, (train, test), strict=True):
        assert sum(len(scatter.get_offsets()) for scatter in scatters(ax)) == len(part) == 45
    assert re.match("Training: 45 points, accuracy", axes[0].get_title())
    assert re.match("Test: 45 points, accuracy", axes[1].get_title())
    assert axes[0].get_legend() is None
    assert legend_texts(axes[1]) == list(NAMES)
    with Image.open(path) as image:
        assert image.format == "PNG"
    assert plt.get_fignums() == []


def test_side_by_side_on_given_axes(points):
    given = Figure().subplots(2, 1)
    axes = plot_decision_boundaries(Sectors(), train=points, test=points, axes=given)
    assert list(axes) == list(given)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (
            lambda X, y: plot_data(X[:, :1], y),
            "X must hold points of two features, got shape (90, 1)",
        ),
        (lambda X, y: plot_data(X[:0], y), "X must hold points of two features, got shape (0, 2)"),
        (
            lambda X, y: plot_data(X, y[1:]),
            "y must hold one class per point, got shape (89,) for 90 points",
        ),
        (
            lambda X, y: plot_data(X, y, class_names=("a", "b")),
            "class 2 has no name in class_names ('a', 'b')",
        ),
        (
            lambda X, y: plot_decision_boundary(Sectors(), X, y, resolution=1),
            "resolution must be at least 2, got 1",
        ),
        *(
            (
                lambda X, y, draw=draw: draw(X, y, feature_names=("a", "b", "c")),
                "feature_names must be two names, got ('a', 'b', 'c')",
            )
            for draw in (plot_data, partial(plot_decision_boundary, Sectors()))
        ),
        *(
            (
                lambda X, y, bad=bad, draw=draw: draw(np.where(np.arange(90) == 7, bad, X.T).T, y),
                f"X must be finite, got {bad} in row 7, column 0",
            )
            for bad in (np.nan, -np.inf)
            for draw in (plot_data, partial(plot_decision_boundary, Sectors()))
        ),
        (
            lambda X, y: plot_data(X, y > 0, class_names=["no"]),
            "class True has no name in class_names ('no',)",
        ),
    ],
)
def test_bad_input(points, draw, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        draw(*points)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda X, y: plot_data(X.astype(str), y), "X must hold real numbers, got dtype <U32"),
        (
            lambda X, y: plot_data(X, np.array([0, "a"] * 45, dtype=object)),
            "y must hold labels of one kind: '<' not supported",
        ),
    ],
)
def test_input_of_a_wrong_type(points, draw, message):
    with pytest.raises(TypeError, match=f"^{re.escape(message)}"):
        draw(*points)


def test_bool_labels_are_the_classes_0_and_1(points):
    X, y = points
    always = SimpleNamespace(predict=lambda X: np.ones(len(X), dtype=bool))
    for ax in (
        plot_data(X, y > 0, class_names=("no", "yes")),
        plot_decision_boundary(always, X, y > 0, class_names=("no", "yes")),
    ):
        assert legend_texts(ax) == ["no", "yes"]
        for wanted, scatter in zip((False, True), scatters(ax), strict=True):
            np.testing.assert_array_equal(scatter.get_offsets(), X[(y > 0) == wanted])
    assert legend_texts(plot_data(X, y > 0)) == ["False", "True"]
