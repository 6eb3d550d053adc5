"""Shared by the plots: figures, colours, points, classes and the plane behind them."""

import warnings
from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp._core import MLP
from fastmlp._extras import require
from fastmlp.data import check_finite

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fastmlp._core import Activation

# Colours that the colour-blind can distinguish: Okabe and Ito, "Color Universal Design", 2008.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
MARKERS = "os^DvPX*"
_DPI = 150
_MAX_NAMES = 30  # class names that fit in a legend


class Classifier(Protocol):
    """An object that predicts a class for each row."""

    def predict(self, X: NDArray[Any], /) -> Any:
        """Return the class of each row."""


class Plane:
    """The classes that a model predicts on a grid around some points."""

    def __init__(
        self,
        model: Classifier,
        resolution: int,
        class_names: Sequence[str] | None,
        *parts: tuple[NDArray[Any], NDArray[Any]],
    ) -> None:
        if resolution < 2:
            raise ValueError(f"resolution must be at least 2, got {resolution}")
        self.model = model
        self.limits = limits_of(*(X for X, _ in parts))
        self.sides = [np.linspace(low, high, resolution) for low, high in self.limits]
        grid = np.stack(np.meshgrid(*self.sides), axis=-1).reshape(-1, 2)
        predicted = np.asarray(model.predict(grid.astype(parts[0][0].dtype)))
        self.classes, self.names = name_classes(class_names, predicted, *(y for _, y in parts))
        self.codes = encode(self.classes, predicted).reshape(resolution, resolution)

    def draw(
        self,
        ax: "Axes",
        X: NDArray[Any],
        y: NDArray[Any],
        feature_names: Sequence[str] | None,
        title: str,
    ) -> "list[Artist]":
        """Colour the plane by class and draw points on it; the title has the accuracy on them."""
        frame(ax, self.limits, feature_names)
        colors = require("matplotlib.colors", "a decision boundary")
        tints = [tint(COLORS[c % len(COLORS)]) for c in range(len(self.names))]
        ax.pcolormesh(
            *self.sides,
            self.codes,
            cmap=colors.ListedColormap(tints),
            vmin=-0.5,
            vmax=len(tints) - 0.5,
            shading="nearest",
            rasterized=True,
        )
        for c in np.unique(self.codes)[1:]:
            ax.contour(*self.sides, self.codes == c, [0.5], colors="white", linewidths=1.5)
        drawn = scatter(ax, X, encode(self.classes, y), self.names)
        share = np.mean(np.asarray(self.model.predict(X)) == y)
        ax.set_title(f"{title}: {len(X):,} points, accuracy {share:.1%}")
        return drawn


def points(X: ArrayLike, y: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    X, y = np.asarray(X), np.asarray(y)
    if X.ndim != 2 or X.shape[1] != 2 or not len(X):
        raise ValueError(f"X must hold points of two features, got shape {X.shape}")
    if X.dtype.kind not in "fiub":
        raise TypeError(f"X must hold real numbers, got dtype {X.dtype}")
    check_finite("X", X, X, "finite")
    if y.shape != X.shape[:1]:
        raise ValueError(
            f"y must hold one class per point, got shape {y.shape} for {len(X)} points"
        )
    return X, y


def name_classes(
    class_names: Sequence[str] | None, *labels: NDArray[Any]
) -> tuple[NDArray[Any], list[str]]:
    """Value and name of each class, in the order of the classes."""
    try:
        present = np.unique(np.concatenate(labels))
    except TypeError as error:
        raise TypeError(f"y must hold labels of one kind: {error}") from error
    if class_names is None:
        return present, [str(label) for label in present]
    is_code = present.dtype.kind in "iub"
    classes = np.arange(len(class_names)) if is_code else np.asarray(class_names)
    nameless = np.setdiff1d(present, classes)
    if nameless.size:
        raise ValueError(f"class {nameless[0]} has no name in class_names {tuple(class_names)}")
    return classes, list(class_names)


def encode(classes: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.intp]:
    order = np.argsort(classes)
    return order[np.searchsorted(classes, labels, sorter=order)]


def limits_of(*parts: NDArray[Any]) -> list[tuple[float, float]]:
    """Return the lowest and highest value to show per feature, a little beyond the points."""
    low = np.min([X.min(axis=0) for X in parts], axis=0).astype(np.float64)
    high = np.max([X.max(axis=0) for X in parts], axis=0).astype(np.float64)
    margin = np.where(high > low, 0.06 * (high - low), 1.0)
    return list(zip((low - margin).tolist(), (high + margin).tolist(), strict=True))


def new_figure(size: tuple[float, float], purpose: str) -> "Figure":
    """Make a figure of `size` inches that belongs to no window and no global state."""
    matplotlib_figure = require("matplotlib.figure", purpose)
    figure: Figure = matplotlib_figure.Figure(figsize=size, dpi=_DPI, layout="constrained")
    return figure


def axes_or_new(ax: "Axes | None", size: tuple[float, float], purpose: str) -> "Axes":
    return new_figure(size, purpose).subplots() if ax is None else ax


def tint(color: str) -> tuple[float, float, float]:
    """Return a pale version of a colour, against which the points stand out."""
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return 0.64 + 0.36 * red, 0.64 + 0.36 * green, 0.64 + 0.36 * blue


def scatter(
    ax: "Axes", X: NDArray[Any], codes: NDArray[np.intp], names: Sequence[str]
) -> "list[Artist]":
    return [
        ax.scatter(
            X[codes == c, 0],
            X[codes == c, 1],
            s=16,
            color=COLORS[c % len(COLORS)],
            marker=MARKERS[c % len(MARKERS)],
            edgecolors="black",
            linewidths=0.3,
            label=name,
        )
        for c, name in enumerate(names)
    ]


def frame(
    ax: "Axes", limits: Sequence[tuple[float, float]], feature_names: Sequence[str] | None
) -> None:
    if feature_names is None:
        feature_names = ("feature 0", "feature 1")
    if len(feature_names) != 2:
        raise ValueError(f"feature_names must be two names, got {tuple(feature_names)}")
    xlabel, ylabel = feature_names
    ax.set(xlim=limits[0], ylim=limits[1])
    ax.set_xlabel(xlabel, parse_math=False)
    ax.set_ylabel(ylabel, parse_math=False)
    ax.locator_params(nbins=7)
    width, height = (high - low for low, high in limits)
    # If features have different units, an equal aspect may squeeze the plot to a strip.
    if 0.25 <= width / height <= 4:
        ax.set_aspect("equal")


def legend_beside(ax: "Axes", title: str | None, handles: "Sequence[Artist]") -> None:
    if len(handles) > _MAX_NAMES:
        title = f"{title} (first {_MAX_NAMES} of {len(handles):,})"
        handles = handles[:_MAX_NAMES]
    legend = ax.legend(
        handles,
        [""] * len(handles),
        title=title,
        loc="upper left",
        bbox_to_anchor=(1.02, 1),
        borderaxespad=0,
        frameon=False,
    )
    # As labels, names with a leading underscore would be left out.
    for text, handle in zip(legend.get_texts(), handles, strict=True):
        text.set(text=str(handle.get_label()), parse_math=False)


def legend_below(ax: "Axes", handles: Sequence[Any], gap: float) -> None:
    """Put a legend of one line below the Axes, at a distance in heights of the Axes."""
    ax.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, -gap),
        ncols=len(handles),
        frameon=False,
    )


def line_style(c: int, n: int, n_markers: int) -> dict[str, Any]:
    """Return colour and marker of line c through n points, about `n_markers` of them marked."""
    return {
        "color": COLORS[c % len(COLORS)],
        "marker": MARKERS[c % len(MARKERS)],
        "markevery": max(1, n // n_markers),
    }


def begin_at_zero(ax: "Axes") -> None:
    """Let the vertical axis begin at 0, with room above the highest point of a flat curve."""
    ax.update_datalim([(1, 0)])
    ax.autoscale_view()
    ax.set_ylim(bottom=0)


def save(ax: "Axes", path: str | PathLike[str] | None) -> "Axes":
    """Save the figure if there is a path, and return the Axes."""
    if path is not None:
        figure: Figure = ax.figure.figure  # of a subfigure, the figure that holds it
        with warnings.catch_warnings():
            # A name in a script that the font lacks is drawn as boxes.
            warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from", UserWarning)
            figure.savefig(path, dpi=_DPI, bbox_inches="tight")
    return ax


def activation_curves(
    name: "Activation", x: NDArray[np.float64]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return an activation and its derivative at x, shape (n,), as the network computes them.

    A network with one input, one hidden unit and one output, every weight 1 and every bias 0,
    maps x to f(x), and its backward pass gives f'(x).
    """
    mlp = MLP([1, 1, 1], activation=[name], dtype="float64")
    for weight, bias in zip(mlp.weights, mlp.biases, strict=True):
        weight[...] = 1
        bias[...] = 0
    column = x[:, None]
    _, derivative = mlp.backward(column, np.ones_like(column))
    return mlp.forward(column)[:, 0], derivative[:, 0]
