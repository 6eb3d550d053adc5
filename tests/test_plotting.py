"""Plots, checked through the artists they draw and the files they write."""

import subprocess
import sys
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import reference
from artists import Sectors, legend_texts, marker_of, scatters
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

import fastmlp
from fastmlp._core import ACTIVATIONS
from fastmlp.data import make_spiral
from fastmlp.plotting import (
    plot_activations,
    plot_calibration,
    plot_confusion_matrix,
    plot_data,
    plot_decision_boundaries,
    plot_decision_boundary,
    plot_history,
    plot_learning_rates,
    plot_roc_curve,
)


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
    "ROC curve": lambda **o: plot_roc_curve([0, 1, 2], np.eye(3), **o),
    "calibration": lambda **o: plot_calibration([0, 1], [0.2, 0.7], **o),
    "learning rates": lambda **o: plot_learning_rates(
        {"cosine": fastmlp.Adam(schedule="cosine")}, 20, **o
    ),
}


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


def test_history_of_regression_has_no_accuracy(history):
    history.accuracy = history.val_accuracy = None
    ax = plot_history(history)
    assert legend_texts(ax) == ["training loss", "validation loss"]
    assert ax.figure.axes == [ax]
    assert ax.get_ylabel() == "loss"


def test_history_shows_a_flat_loss_and_whole_epochs():
    flat = SimpleNamespace(loss=[1.8] * 3, accuracy=[0.3] * 3, val_loss=None, val_accuracy=None)
    ax = plot_history(flat)
    low, high = ax.get_ylim()
    assert low == 0
    assert high > 1.85
    assert all(tick.is_integer() for tick in ax.get_xticks())


def test_history_of_one_epoch():
    one = SimpleNamespace(loss=[1.0], accuracy=[0.5], val_loss=None, val_accuracy=None)
    ax = plot_history(one)
    assert len(ax.lines[0].get_xdata()) == 1
    assert all(tick.is_integer() for tick in ax.get_xticks())


def test_history_of_losses_below_0_shows_them():
    losses = SimpleNamespace(
        loss=[-1.0, -2.0], accuracy=None, val_loss=[1.0, 0.5], val_accuracy=None
    )
    low, high = plot_history(losses).get_ylim()
    assert low < -2
    assert high > 1


def test_a_legend_of_many_classes_has_the_first(rng):
    X, y = rng.standard_normal((90, 2)), np.arange(90) % 45
    legend = plot_data(X, y).get_legend()
    assert legend.get_title().get_text() == "class (first 30 of 45)"
    assert [text.get_text() for text in legend.get_texts()] == [str(c) for c in range(30)]


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
    ("names", "given", "message"),
    [
        ([], {}, "names must have at least one activation, got none"),
        (["relu", "tanh"], {"axes": [None]}, "axes must be 2, one for each name, got 1"),
    ],
)
def test_activations_without_a_place(names, given, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        plot_activations(names, **given)


def test_an_activation_that_is_no_name():
    with pytest.raises(TypeError, match=r"^activation is of type"):
        plot_activations([None])


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
