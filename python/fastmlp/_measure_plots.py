"""Plots of how good predictions are: the confusion matrix, ROC curves and calibration."""

from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp._drawing import (
    COLORS,
    axes_or_new,
    legend_below,
    legend_beside,
    line_style,
    name_classes,
    save,
)
from fastmlp.metrics import roc_auc_score, roc_curve
from fastmlp.metrics.calibration import calibration_bins

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes


def plot_confusion_matrix(
    matrix: ArrayLike,
    *,
    class_names: Sequence[str] | None = None,
    max_classes: int = 50,
    ax: "Axes | None" = None,
    path: str | PathLike[str] | None = None,
) -> "Axes":
    """Draw a confusion matrix: counts and shares of the true class, coloured by the share.

    Of more than `max_classes` classes, those with the most errors, as true class or as prediction,
    are drawn; shares and title still refer to all classes.

    Parameters
    ----------
    matrix : array-like of int, shape (n_classes, n_classes)
        Row i, column j counts the rows of true class i predicted as class j.
    class_names : sequence of str, default=None
        Names of the classes; None numbers them from 0.
    max_classes : int, default=50
        Largest number of classes to draw, at least 1.
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
        If the matrix is not square, empty, not of integers >= 0, or has another number of
        classes than `class_names`; if `max_classes` is below 1.
    """
    counts = np.asarray(matrix)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.size:
        raise ValueError(f"matrix must be square and not empty, got shape {counts.shape}")
    if not np.issubdtype(counts.dtype, np.integer):
        raise ValueError(f"matrix must hold integer counts, got {counts.dtype}")
    if counts.min() < 0:
        raise ValueError(f"matrix must hold counts >= 0, got {counts.min()}")
    n = len(counts)
    if class_names is None:
        class_names = [str(c) for c in range(n)]
    if len(class_names) != n:
        raise ValueError(f"class_names has {len(class_names)} names, but matrix has {n} classes")
    if max_classes < 1:
        raise ValueError(f"max_classes must be at least 1, got {max_classes}")
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    title = f"Confusion matrix: {int(counts.trace()):,} of {int(counts.sum()):,} correct"
    if n > max_classes:
        title += f"\nthe {max_classes} most confused of {n:,} classes"
    drawn = _most_confused(counts, max_classes)
    counts, shares = counts[np.ix_(drawn, drawn)], shares[np.ix_(drawn, drawn)]
    names = [class_names[c] for c in drawn]
    n = len(drawn)
    side = min(1.2 * n, 10.0) + 1.2
    ax = axes_or_new(ax, (side, side), "plot_confusion_matrix")
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    cell = ax.get_window_extent().width / ax.figure.dpi / n  # inches
    font = float(np.clip(14 * cell, 4, 10))  # points, so that five digits fit a cell
    for (i, j), count in np.ndenumerate(counts):
        if not count and n > 20:  # so small a zero tells little, and each text takes time
            continue
        color = "white" if shares[i, j] > 0.5 else "black"
        text = f"{count:,}\n{shares[i, j]:.1%}"
        ax.text(j, i, text, ha="center", va="center", color=color, fontsize=font)
    ax.set_xticks(range(n), names, parse_math=False)
    ax.set_yticks(range(n), names, parse_math=False)
    if max(map(len, names)) > 10 * cell:
        ax.tick_params(axis="x", rotation=90)
    ax.set(xlabel="predicted class", ylabel="true class (each row is 100%)")
    ax.set_title(title)
    return save(ax, path)


def _most_confused(counts: NDArray[np.integer[Any]], most: int) -> NDArray[np.intp]:
    """Return the classes in order; of many, those involved in the most errors."""
    errors = counts.sum(axis=0) + counts.sum(axis=1) - 2 * counts.diagonal()
    return np.sort(np.argsort(-errors, kind="stable")[:most])


def plot_roc_curve(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    class_names: Sequence[str] | None = None,
    sample_weight: ArrayLike | None = None,
    max_classes: int = 10,
    ax: "Axes | None" = None,
    path: str | PathLike[str] | None = None,
) -> "Axes":
    """Draw the ROC curve of two classes, or those of each of several classes against all others.

    Of more than `max_classes` classes, those with the smallest areas under the curve are drawn.
    Classes that all or none of the rows belong to have no curve.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        Class of each row: an int, or one of `class_names`.
    y_score : array-like of shape (n,) or (n, n_classes)
        Scores of the second of two classes, or of all classes in their order, such as
        probabilities.
    class_names : sequence of str, default=None
        Names in the order of the classes 0, 1, ...; None shows the values in `y_true`.
    sample_weight : array-like of shape (n,), default=None
        Weight of each row, >= 0.
    max_classes : int, default=10
        Largest number of curves to draw, at least 1.
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
        As `fastmlp.metrics.roc_curve`; if the columns are not as many as the classes, a class has
        no name, no class has a curve, or `max_classes` is below 1.
    """
    if max_classes < 1:
        raise ValueError(f"max_classes must be at least 1, got {max_classes}")
    true, scores = np.asarray(y_true), np.asarray(y_score)
    classes, names = name_classes(class_names, true)
    if len(present := np.unique(true)) < 2:
        raise ValueError(f"y_true must hold at least two classes, got {present.tolist()}")
    columns = _columns(scores, classes)
    areas: dict[int, float] = {}
    for c, column in columns.items():
        is_class = true == classes[c]
        if is_class.any() and not is_class.all():
            areas[c] = roc_auc_score(is_class, column, sample_weight=sample_weight)
    ax = axes_or_new(ax, (6.2, 4.6), "plot_roc_curve")
    handles: list[Artist] = []
    for c in sorted(sorted(areas, key=areas.__getitem__)[:max_classes]):
        fpr, tpr, _ = roc_curve(true == classes[c], columns[c], sample_weight=sample_weight)
        handles += ax.plot(
            fpr,
            tpr,
            linewidth=1.6,
            markersize=4,
            label=f"{names[c]}: {areas[c]:.3f}",
            **line_style(c, len(fpr), 8),
        )
    _diagonal(ax)
    ax.set(xlabel="false positive rate", ylabel="true positive rate")
    if len(columns) == 1:
        ax.set_title(f"ROC curve of class {names[1]}: area {areas[1]:.3f}", parse_math=False)
        return save(ax, path)
    title = f"ROC curve per class: mean area {np.mean(list(areas.values())):.3f}"
    if len(areas) > max_classes:
        title += f"\nthe {max_classes} smallest areas of {len(areas):,} classes"
    ax.set_title(title)
    legend_beside(ax, "class: area", handles)
    return save(ax, path)


def _columns(scores: NDArray[Any], classes: NDArray[Any]) -> dict[int, NDArray[Any]]:
    """Return the scores of each class that has a curve; of two classes, the second alone."""
    if scores.ndim == 1 and len(classes) == 2:
        return {1: scores}
    if scores.ndim == 2 and scores.shape[1] == len(classes):
        return dict(enumerate(scores.T)) if len(classes) > 2 else {1: scores[:, 1]}
    raise ValueError(
        f"y_score must have a column for each of the classes {classes.tolist()}, got shape "
        f"{scores.shape}"
    )


def plot_calibration(
    y_true: ArrayLike,
    y_proba: ArrayLike,
    *,
    n_bins: int = 10,
    strategy: Literal["uniform", "quantile"] = "uniform",
    sample_weight: ArrayLike | None = None,
    pos_label: Any = None,
    labels: ArrayLike | None = None,
    ax: "Axes | None" = None,
    path: str | PathLike[str] | None = None,
) -> "Axes":
    """Draw how often what was predicted happened, against its predicted probability.

    The rows are put into bins by their probability, and grey bars show the share of rows of each
    bin. Of one column of probabilities the predicted class is the positive one; of several it is
    that with the largest probability.

    Parameters
    ----------
    y_true : array-like of shape (n,)
        True classes, of any kind.
    y_proba : array-like of shape (n,) or (n, n_classes)
        Predicted probabilities of the positive one of two classes, or of all classes in ascending
        order.
    n_bins : int, default=10
        Number of bins, >= 1.
    strategy : {"uniform", "quantile"}, default="uniform"
        Bins of the same width, or with about as many rows each.
    sample_weight : array-like of shape (n,), default=None
        Weight of each row, >= 0.
    pos_label : int, float, bool or str, default=None
        The positive class, as in `fastmlp.metrics.brier_score_loss`.
    labels : array-like of shape (n_classes,), default=None
        All classes, in ascending order, if `y_proba` has a column for each; None means those in
        `y_true`.
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
        As `fastmlp.metrics.calibration_error`, which the title has.
    """
    bins = calibration_bins(y_true, y_proba, n_bins, strategy, sample_weight, pos_label, labels)
    ax = axes_or_new(ax, (5.4, 5.0), "plot_calibration")
    bars = ax.bar(
        bins.lower,
        bins.weights / bins.weights.sum(),
        bins.upper - bins.lower,
        align="edge",
        color="0.87",
        edgecolor="white",
        label="share of the rows",
    )
    line = ax.plot(
        bins.probabilities,
        bins.frequencies,
        color=COLORS[0],
        linewidth=1.6,
        marker="o",
        markersize=5,
        label="observed",
    )
    diagonal = _diagonal(ax)
    ax.set(xlabel="predicted probability", ylabel="observed frequency")
    ax.set_title(f"Calibration: expected error {bins.error():.3f}")
    legend_below(ax, [*line, diagonal, bars], 0.12)
    return save(ax, path)


def _diagonal(ax: "Axes") -> "Artist":
    """Draw the diagonal of the unit square, and show that square alone."""
    (line,) = ax.plot([0, 1], [0, 1], "--", color="0.6", linewidth=1, label="ideal", zorder=1)
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    ax.grid(alpha=0.25)
    return line
