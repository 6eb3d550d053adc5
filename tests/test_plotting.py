"""Plots, checked through the artists they draw and the files they write."""

import re
import subprocess
import sys
from functools import partial
from itertools import pairwise
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import reference
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

import fastmlp
from fastmlp._core import ACTIVATIONS
from fastmlp.data import make_spiral
from fastmlp.plotting import (
    plot_activations,
    plot_confusion_matrix,
    plot_data,
    plot_decision_boundaries,
    plot_decision_boundary,
    plot_history,
    plot_learning_rates,
)

NAMES = ("c1", "c2", "c3")


class Sectors:
    """A model whose prediction is known everywhere: the third of the circle that a point is in."""

    def __init__(self, labels=(0, 1, 2)):
        self.labels = np.asarray(labels)
        self.asked = []

    def predict(self, X):
        self.asked.append(X)
        turns = np.arctan2(X[:, 1], X[:, 0]) / (2 * np.pi) % 1
        return self.labels[(3 * turns).astype(int) % 3]


@pytest.fixture
def points():
    return make_spiral(90, random_state=0)


@pytest.fixture
def history():
    epochs = np.arange(20)
    return SimpleNamespace(
        loss=1 / (1 + epochs),
        accuracy=epochs / 20,
        val_loss=1.2 / (1 + epochs),
        val_accuracy=epochs / 25,
    )


DRAW = {
    "data": lambda **o: plot_data(*make_spiral(90, random_state=0), **o),
    "boundary": lambda **o: plot_decision_boundary(
        Sectors(), *make_spiral(90, random_state=0), **o
    ),
    "history": lambda **o: plot_history(
        SimpleNamespace(
            loss=np.ones(5), accuracy=np.ones(5), val_loss=np.ones(5), val_accuracy=np.ones(5)
        ),
        **o,
    ),
    "confusion matrix": lambda **o: plot_confusion_matrix(np.eye(3, dtype=int), **o),
    "learning rates": lambda **o: plot_learning_rates(
        {"cosine": fastmlp.Adam(schedule="cosine")}, 20, **o
    ),
}


def scatters(ax):
    return [c for c in ax.collections if isinstance(c, PathCollection)]


def mesh_of(ax):
    (mesh,) = [c for c in ax.collections if isinstance(c, QuadMesh)]
    return mesh


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def marker_of(scatter):
    return scatter.get_paths()[0].vertices.tobytes()


@pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)
def test_draws_on_the_given_axes(draw):
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert draw(ax=right) is right
    assert right.has_data()
    assert not left.has_data()


@pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)
def test_makes_a_figure_that_pyplot_does_not_know(draw):
    ax = draw()
    assert isinstance(ax, Axes)
    assert isinstance(ax.figure, Figure)
    assert plt.get_fignums() == []


@pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)
def test_saves_a_png(draw, tmp_path):
    path = tmp_path / "plot.png"
    draw(path=path)
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert min(image.size) > 500
        image.load()
        assert len(image.convert("RGB").getcolors(image.width * image.height)) > 10


@pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)
def test_saves_the_figure_of_a_subfigure(draw, tmp_path):
    left, _ = Figure(figsize=(10, 4)).subfigures(1, 2)
    path = tmp_path / "plot.svg"
    draw(ax=left.subplots(), path=str(path))
    assert "<svg" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("draw", DRAW.values(), ids=DRAW)
def test_says_what_it_shows(draw):
    ax = draw()
    assert all([ax.get_title(), ax.get_xlabel(), ax.get_ylabel()])


def test_needs_no_display_and_no_pyplot(tmp_path):
    path = tmp_path / "plot.png"
    program = (
        "import sys; from fastmlp import data, plotting\n"
        f"plotting.plot_data(*data.make_spiral(30, random_state=0), path={str(path)!r})\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)
    assert path.stat().st_size > 0


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


def test_history_curves(history):
    ax = plot_history(history)
    _, right = ax.figure.axes
    curves = {line.get_label(): line for line in (*ax.lines, *right.lines)}
    expected = {
        "training loss": history.loss,
        "validation loss": history.val_loss,
        "training accuracy": history.accuracy,
        "validation accuracy": history.val_accuracy,
    }
    assert list(curves) == list(expected) == legend_texts(ax)
    for label, values in expected.items():
        np.testing.assert_array_equal(curves[label].get_xdata(), np.arange(1, 21))
        np.testing.assert_array_equal(curves[label].get_ydata(), values)
    assert [len(side.lines) for side in (ax, right)] == [2, 2]
    assert (ax.get_ylabel(), right.get_ylabel()) == ("cross-entropy loss (nats)", "accuracy (%)")


def test_history_without_validation(history):
    history.val_loss = history.val_accuracy = None
    assert legend_texts(plot_history(history)) == ["training loss", "training accuracy"]


def test_history_shows_a_flat_loss_and_whole_epochs():
    flat = SimpleNamespace(loss=[1.8] * 3, accuracy=[0.3] * 3, val_loss=None, val_accuracy=None)
    ax = plot_history(flat)
    low, high = ax.get_ylim()
    assert low == 0
    assert high > 1.85
    assert all(tick.is_integer() for tick in ax.get_xticks())


def test_history_of_one_epoch():
    one = SimpleNamespace(loss=[1.0], accuracy=[0.5], val_loss=None, val_accuracy=None)
    assert len(plot_history(one).lines[0].get_xdata()) == 1


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


def test_a_legend_of_many_classes_has_the_first(rng):
    X, y = rng.standard_normal((90, 2)), np.arange(90) % 45
    legend = plot_data(X, y).get_legend()
    assert legend.get_title().get_text() == "class (first 30 of 45)"
    assert [text.get_text() for text in legend.get_texts()] == [str(c) for c in range(30)]


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


def test_activation_curves_follow_their_formulas():
    panels = plot_activations(tuple(reference.ACTIVATIONS))
    for ax, (name, formulas) in zip(panels, reference.ACTIVATIONS.items(), strict=True):
        assert ax.get_title() == name
        curves = {line.get_label(): line for line in ax.lines}
        for label, formula in zip(("f(x)", "f'(x)"), formulas, strict=True):
            x, y = curves[label].get_data()
            away_from_the_kink = x != 0
            np.testing.assert_allclose(
                y[away_from_the_kink], formula(x)[away_from_the_kink], rtol=1e-12, atol=1e-14
            )


def test_learning_rates_are_drawn_step_by_step():
    optimizers = {
        "falling": fastmlp.SGD(0.5, schedule="linear"),
        "rising": fastmlp.Adam(schedule="constant", warmup=0.5),
    }
    ax = plot_learning_rates(optimizers, 8)
    for line, optimizer in zip(ax.lines, optimizers.values(), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), range(1, 9))
        np.testing.assert_array_equal(line.get_ydata(), optimizer.learning_rates(8))
    assert legend_texts(ax) == ["falling", "rising"]


def test_activations_stand_side_by_side_and_all_by_default(tmp_path):
    panels = plot_activations(path=tmp_path / "activations.png")
    assert [ax.get_title() for ax in panels] == list(ACTIVATIONS)
    assert (tmp_path / "activations.png").read_bytes().startswith(b"\x89PNG")
    figure = panels[0].figure
    figure.draw_without_rendering()
    assert list(figure.axes) == list(panels)
    boxes = [ax.get_window_extent() for ax in panels]
    for i, one in enumerate(boxes):
        for other in boxes[i + 1 :]:
            assert not one.overlaps(other)
    below = [ax for ax in panels if ax.xaxis.get_tick_params()["labelbottom"]]
    assert below == list(panels[-4:])


def test_activations_on_given_axes():
    given = Figure().subplots(1, 2)
    assert list(plot_activations(("relu", "tanh"), axes=given)) == list(given)


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
            lambda X, y: plot_confusion_matrix(X),
            "matrix must be square and not empty, got shape (90, 2)",
        ),
        (
            lambda X, y: plot_confusion_matrix(np.zeros((0, 0), int)),
            "matrix must be square and not empty, got shape (0, 0)",
        ),
        (
            lambda X, y: plot_confusion_matrix([[0.5, 0.5], [0, 1]]),
            "matrix must hold integer counts, got float64",
        ),
        (
            lambda X, y: plot_confusion_matrix([[5, -2], [0, 1]]),
            "matrix must hold counts >= 0, got -2",
        ),
        (
            lambda X, y: plot_data(X, y > 0, class_names=["no"]),
            "class True has no name in class_names ('no',)",
        ),
        (
            lambda X, y: plot_confusion_matrix([[1, 0], [0, 1]], class_names=NAMES),
            "class_names has 3 names, but matrix has 2 classes",
        ),
        (
            lambda X, y: plot_confusion_matrix([[1, 0], [0, 1]], max_classes=0),
            "max_classes must be at least 1, got 0",
        ),
        (
            lambda X, y: plot_activations([]),
            "names must have at least one activation, got none",
        ),
        (
            lambda X, y: plot_activations(["relu", "tanh"], axes=[Figure().subplots()]),
            "axes must be 2, one for each name, got 1",
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
        (lambda X, y: plot_activations([None]), "activation is of type"),
    ],
)
def test_input_of_a_wrong_type(points, draw, message):
    with pytest.raises(TypeError, match=f"^{re.escape(message)}"):
        draw(*points)


def test_one_activation_by_its_name():
    (ax,) = plot_activations("relu")
    assert ax.get_title() == "relu"
    assert legend_texts(ax) == ["f(x)", "f'(x)"]


# As labels of matplotlib all of these would be lost or changed: hidden, an error, a formula,
# unescaped.
ODD_NAMES = ("_red", "$x_", "$a$ $b$", r"\$5")


def test_names_are_drawn_as_they_are(tmp_path):
    X, y = make_spiral(80, 4, random_state=0)
    names = {"class_names": ODD_NAMES, "feature_names": ODD_NAMES[1:3]}
    model = Sectors((0, 1, 3))
    data = plot_data(X, y, **names, path=tmp_path / "data.png")
    boundary = plot_decision_boundary(
        model, X, y, **names, title="$x_", path=tmp_path / "boundary.png"
    )
    _, test = plot_decision_boundaries(
        model, train=(X, y), test=(X, y), **names, path=tmp_path / "both.png"
    )
    matrix = plot_confusion_matrix(
        np.eye(4, dtype=int), class_names=ODD_NAMES, path=tmp_path / "matrix.png"
    )
    literal = [boundary.title]
    for ax in (data, boundary, test):
        assert legend_texts(ax) == list(ODD_NAMES)
        literal += [*ax.get_legend().get_texts(), ax.xaxis.label, ax.yaxis.label]
    for ticks in (matrix.get_xticklabels(), matrix.get_yticklabels()):
        assert [tick.get_text() for tick in ticks] == list(ODD_NAMES)
        literal += ticks
    assert not any(text.get_parse_math() for text in literal)


def test_a_legend_keeps_colour_and_marker_with_the_name():
    X, y = make_spiral(80, 4, random_state=0)
    ax = plot_data(X, y, class_names=ODD_NAMES)
    for handle, scatter in zip(ax.get_legend().legend_handles, scatters(ax), strict=True):
        np.testing.assert_array_equal(handle.get_facecolor(), scatter.get_facecolor())
        assert marker_of(handle) == marker_of(scatter)


def test_names_in_a_script_the_font_lacks(points, tmp_path):
    names = ("猫", "犬", "鳥")
    plot_data(*points, class_names=names, feature_names=names[:2], path=tmp_path / "data.png")
    plot_confusion_matrix(np.eye(3, dtype=int), class_names=names, path=tmp_path / "matrix.png")
    assert len(list(tmp_path.iterdir())) == 2


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
