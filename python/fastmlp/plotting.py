"""Plots of data, decision boundaries, training and results, drawn without a display.

Every function draws on the given Axes, or on a new Figure that belongs to no window and no global
state, and returns the Axes; ``ax.figure`` is the Figure.
"""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp._core import ACTIVATIONS
from fastmlp._drawing import (
    COLORS,
    Classifier,
    Plane,
    activation_curves,
    axes_or_new,
    begin_at_zero,
    encode,
    frame,
    legend_below,
    legend_beside,
    limits_of,
    line_style,
    name_classes,
    new_figure,
    points,
    save,
    scatter,
)
from fastmlp._extras import require
from fastmlp._measure_plots import plot_calibration, plot_confusion_matrix, plot_roc_curve

__all__ = [
    "plot_activations",
    "plot_calibration",
    "plot_confusion_matrix",
    "plot_data",
    "plot_decision_boundaries",
    "plot_decision_boundary",
    "plot_history",
    "plot_learning_rates",
    "plot_roc_curve",
]

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from fastmlp._core import Activation, History, Optimizer


def plot_data(
    X: ArrayLike,
    y: ArrayLike,
    *,
    class_names: Sequence[str] | None = None,
    feature_names: Sequence[str] | None = None,
    ax: "Axes | None" = None,
    path: str | PathLike[str] | None = None,
) -> "Axes":
    """Draw points of two features, with one colour and marker per class.

    Parameters
    ----------
    X : array-like, shape (n, 2)
        The points.
    y : array-like, shape (n,)
        Class of each point: an int, or one of `class_names`.
    class_names : sequence of str, default=None
        Names in the order of the classes 0, 1, ...; None shows the values in `y`.
    feature_names : sequence of str, length 2, default=None
        Names of the axes; None means "feature 0" and "feature 1".
    ax : Axes, default=None
        Where to draw; None makes a Figure.
    path : str or path-like, default=None
        File to save the figure to; its suffix names the format.

    Returns
    -------
    Axes

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If X is not of shape (n, 2) or not finite, y not of shape (n,), a class has no name,
        or `feature_names` does not have two names.
    """
    X, y = points(X, y)
    classes, names = name_classes(class_names, y)
    ax = axes_or_new(ax, (6.4, 5.2), "plot_data")
    frame(ax, limits_of(X), feature_names)
    handles = scatter(ax, X, encode(classes, y), names)
    ax.set_title(f"Data: {len(X):,} points, {len(names)} classes")
    legend_beside(ax, "class", handles)
    return save(ax, path)


def plot_decision_boundary(
    model: Classifier,
    X: ArrayLike,
    y: ArrayLike,
    *,
    resolution: int = 101,
    class_names: Sequence[str] | None = None,
    feature_names: Sequence[str] | None = None,
    title: str | None = None,
    ax: "Axes | None" = None,
    path: str | PathLike[str] | None = None,
) -> "Axes":
    """Draw the class that a model predicts at each point of the plane, and data points on it.

    Parameters
    ----------
    model : object with ``predict``
        Predicts n classes of y's kind from an array of shape (n, 2) of X's dtype.
    X : array-like, shape (n, 2)
        The points; the plane extends a little beyond them.
    y : array-like, shape (n,)
        True class of each point: an int, or one of `class_names`.
    resolution : int, default=101
        Number of grid points along each axis, at least 2.
    class_names : sequence of str, default=None
        Names in the order of the classes 0, 1, ...; None shows the values themselves.
    feature_names : sequence of str, length 2, default=None
        Names of the axes; None means "feature 0" and "feature 1".
    title : str, default=None
        None states the accuracy on the points.
    ax : Axes, default=None
        Where to draw; None makes a Figure.
    path : str or path-like, default=None
        File to save the figure to; its suffix names the format.

    Returns
    -------
    Axes

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If X is not of shape (n, 2) or not finite, y not of shape (n,), the resolution below
        2, a class has no name, or `feature_names` does not have two names.
    """
    X, y = points(X, y)
    plane = Plane(model, resolution, class_names, (X, y))
    ax = axes_or_new(ax, (6.4, 5.2), "plot_decision_boundary")
    handles = plane.draw(ax, X, y, feature_names, "Decision boundary")
    if title is not None:
        ax.set_title(title, parse_math=False)
    legend_beside(ax, "class", handles)
    return save(ax, path)


def plot_decision_boundaries(
    model: Classifier,
    *,
    train: tuple[ArrayLike, ArrayLike],
    test: tuple[ArrayLike, ArrayLike],
    resolution: int = 101,
    class_names: Sequence[str] | None = None,
    feature_names: Sequence[str] | None = None,
    axes: "Sequence[Axes] | NDArray[np.object_] | None" = None,
    path: str | PathLike[str] | None = None,
) -> "NDArray[np.object_]":
    """Draw a decision boundary twice, with the training points and with the test points.

    Parameters
    ----------
    model : object with ``predict``
        Predicts n classes of y's kind from an array of shape (n, 2) of the training X's dtype.
    train, test : (X, y)
        Points of shape (n, 2) and their true classes of shape (n,).
    resolution : int, default=101
        Number of grid points along each axis, at least 2.
    class_names : sequence of str, default=None
        Names in the order of the classes 0, 1, ...; None shows the values themselves.
    feature_names : sequence of str, length 2, default=None
        Names of the axes; None means "feature 0" and "feature 1".
    axes : two Axes, default=None
        Where to draw; None makes a Figure.
    path : str or path-like, default=None
        File to save the figure to; its suffix names the format.

    Returns
    -------
    ndarray of two Axes
        Training and test, with the same limits.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        As `plot_decision_boundary`.
    """
    parts = {"Training": points(*train), "Test": points(*test)}
    plane = Plane(model, resolution, class_names, *parts.values())
    if axes is None:
        figure = new_figure((10.4, 5.0), "plot_decision_boundaries")
        axes = figure.subplots(1, 2, sharex=True, sharey=True)
    panels = np.asarray(axes)
    for ax, (part, (X, y)) in zip(panels, parts.items(), strict=True):
        handles = plane.draw(ax, X, y, feature_names, part)
        ax.label_outer()
    legend_beside(panels[-1], "class", handles)
    save(panels[-1], path)
    return panels


def plot_history(
    history: "History",
    *,
    ax: "Axes | None" = None,
    path: str | PathLike[str] | None = None,
) -> "Axes":
    """Draw the loss, and the accuracy if the network classifies, in training and validation.

    Parameters
    ----------
    history : fastmlp.History
        What `MLP.fit` returns.
    ax : Axes, default=None
        Where to draw; None makes a Figure.
    path : str or path-like, default=None
        File to save the figure to; its suffix names the format.

    Returns
    -------
    Axes
        The Axes of the loss; those of the accuracy lie over them, with the scale on the right.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    ax = axes_or_new(ax, (7.2, 4.4), "plot_history")
    ticker = require("matplotlib.ticker", "plot_history")
    curves = [(ax, "loss", history.loss, history.val_loss, COLORS[0], "o")]
    loss = "loss"
    if history.accuracy is not None:
        right = ax.twinx()
        curves.append((right, "accuracy", history.accuracy, history.val_accuracy, COLORS[5], "s"))
        right.set_ylabel("accuracy (%)", color=COLORS[5])
        right.set_ylim(0, 1.02)
        right.yaxis.set_major_formatter(ticker.PercentFormatter(1.0, symbol=None))
        loss = "cross-entropy loss (nats)"
    handles: list[Line2D] = []
    for side, name, training, validation, color, marker in curves:
        for part, values, style, fill in (
            ("training", training, "-", color),
            ("validation", validation, "--", "white"),
        ):
            if values is None:
                continue
            handles += side.plot(
                np.arange(1, len(values) + 1),
                values,
                style,
                color=color,
                linewidth=1.4,
                marker=marker,
                markerfacecolor=fill,
                markevery=max(1, len(values) // 8),
                markersize=5,
                label=f"{part} {name}",
            )
        side.tick_params(axis="y", colors=color)
        side.spines["top"].set_visible(False)
    ax.set_xlabel("epoch")
    ax.set_ylabel(loss, color=COLORS[0])
    losses = [values for values in (history.loss, history.val_loss) if values is not None]
    if not any(np.less(values, 0).any() for values in losses):  # as losses of one's own may be
        begin_at_zero(ax)
    ax.grid(alpha=0.25)
    whole = ticker.MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1)
    ax.xaxis.set_major_locator(whole)
    ax.set_title("Training")
    legend_below(ax, handles, 0.14)
    return save(ax, path)


def plot_activations(
    names: "Activation | Sequence[Activation] | None" = None,
    *,
    axes: "Sequence[Axes] | NDArray[np.object_] | None" = None,
    path: str | PathLike[str] | None = None,
) -> "NDArray[np.object_]":
    """Draw activation functions and their derivatives side by side, as the network computes them.

    Parameters
    ----------
    names : str or sequence of str, default=None
        Activations of `fastmlp.MLP`; None means all but prelu, whose slopes are learned.
    axes : sequence of Axes, default=None
        Where to draw, one for each name; None makes a Figure.
    path : str or path-like, default=None
        File to save the figure to; its suffix names the format.

    Returns
    -------
    ndarray of Axes
        One for each name, with the same limits.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If a name is unknown, there is none, or not one Axes for each.
    """
    if names is None:
        names = ACTIVATIONS
    names = (names,) if isinstance(names, str) else tuple(names)
    if not names:
        raise ValueError("names must have at least one activation, got none")
    x = np.linspace(-4, 4, 801)
    curves = [activation_curves(name, x) for name in names]
    if axes is None:
        columns = min(len(names), 4)
        rows = -(-len(names) // columns)
        figure = new_figure((2.2 * columns + 0.6, 1.9 * rows + 0.6), "plot_activations")
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for unused in grid[len(names) :]:
            unused.remove()
        axes = grid[: len(names)]
        for lowest in axes[-columns:]:
            lowest.tick_params(labelbottom=True)
    panels = np.asarray(axes)
    if len(panels) != len(names):
        raise ValueError(f"axes must be {len(names)}, one for each name, got {len(panels)}")
    for ax, name, (value, derivative) in zip(panels, names, curves, strict=True):
        ax.axhline(0, color="0.8", linewidth=0.8, zorder=0)
        ax.axvline(0, color="0.8", linewidth=0.8, zorder=0)
        ax.plot(x, value, color=COLORS[0], linewidth=1.8, label="f(x)")
        ax.plot(x, derivative, "--", color=COLORS[5], linewidth=1.5, label="f'(x)")
        ax.set(xlim=(-4, 4), ylim=(-1.9, 2.4))
        ax.set_title(name, fontsize="medium")
    panels[0].legend(loc="lower right", frameon=False, fontsize="small")
    save(panels[0], path)
    return panels


def plot_learning_rates(
    optimizers: "Mapping[str, Optimizer]",
    n_steps: int,
    *,
    ax: "Axes | None" = None,
    path: str | PathLike[str] | None = None,
) -> "Axes":
    """Draw the learning rates that optimizers use in the steps of a fit.

    Parameters
    ----------
    optimizers : dict of str to Optimizer
        The optimizers to draw, by their names in the legend.
    n_steps : int
        Steps of the whole fit: its epochs times the batches per epoch.
    ax : Axes, default=None
        Where to draw; None makes a Figure.
    path : str or path-like, default=None
        File to save the figure to; its suffix names the format.

    Returns
    -------
    Axes

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError, ValueError
        As `Optimizer.learning_rates` does.
    """
    curves = {name: it.learning_rates(n_steps) for name, it in optimizers.items()}
    ax = axes_or_new(ax, (8.4, 4.2), "plot_learning_rates")
    handles: list[Line2D] = []
    for c, (name, rates) in enumerate(curves.items()):
        handles += ax.plot(
            np.arange(1, n_steps + 1),
            rates,
            linewidth=1.4,
            label=name,
            **line_style(c, n_steps, 10),
        )
    ax.set(xlabel="step", ylabel="learning rate", title="Learning rates of a fit")
    begin_at_zero(ax)
    ax.grid(alpha=0.25)
    legend_beside(ax, None, handles)
    return save(ax, path)
