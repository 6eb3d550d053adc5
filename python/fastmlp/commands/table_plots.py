"""Pictures of a tabular estimator: how its networks trained, and how it predicts."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._drawing import COLORS, new_figure, save
from fastmlp._extras import require
from fastmlp.commands.results import printable, printable_names
from fastmlp.commands.table_scores import Estimator, class_names
from fastmlp.metrics import MAX_MATRIX_CLASSES, confusion_matrix
from fastmlp.plotting import plot_confusion_matrix
from fastmlp.tabular import TabularClassifier

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# More points than this only make a file large.
_MOST_POINTS = 5_000


def plot_table(
    folder: Path, estimator: Estimator, y: NDArray[Any], answers: NDArray[np.float64]
) -> list[Path]:
    """Draw the training and the predictions; return the files.

    Parameters
    ----------
    folder : Path
        Where they go.
    estimator : TabularClassifier or TabularRegressor
        It is fitted.
    y : ndarray of shape (n_samples,)
        Classes of rows that were held out, by place in `classes_`, or their numbers.
    answers : ndarray
        What `predict_proba` or `predict` returns for them.
    """
    with warnings.catch_warnings():
        # Names too long for the figure are cut off.
        warnings.filterwarnings("ignore", "constrained_layout not applied", UserWarning)
        files = [folder / "history.png"]
        _plot_training(estimator, files[0])
        if not isinstance(estimator, TabularClassifier):
            files.append(folder / "predictions.png")
            _plot_predictions(y, answers, estimator.target_name_ or "target", files[-1])
        elif len(names := class_names(estimator)) <= MAX_MATRIX_CLASSES:
            files.append(folder / "confusion_matrix.png")
            matrix = confusion_matrix(y, answers.argmax(axis=1), n_classes=len(names))
            plot_confusion_matrix(matrix, class_names=printable_names(names), path=files[-1])
    return files


def _plot_training(estimator: Estimator, path: Path) -> None:
    """Draw loss and validation score of each network against epochs."""
    has_scores = any(estimator.validation_scores_)
    figure = new_figure((9.6 if has_scores else 5.6, 4.0), "training")
    axes: list[Axes] = list(np.ravel(figure.subplots(1, 1 + has_scores)))
    panels = [("loss of training", estimator.loss_curves_)]
    if has_scores:
        what = "accuracy" if isinstance(estimator, TabularClassifier) else "R squared"
        panels.append((f"validation {what}", estimator.validation_scores_))
    for ax, (label, curves) in zip(axes, panels, strict=True):
        for place, curve in enumerate(curves):
            color = COLORS[place % len(COLORS)]
            epochs = np.arange(1, len(curve) + 1)
            ax.plot(epochs, curve, color=color, linewidth=1.4, label=f"network {place + 1}")
            if ax is not axes[0] and curve:  # a network may have no rows for validation
                # Of equal ones the later, whose parameters the network has.
                best = len(curve) - 1 - int(np.argmax(curve[::-1]))
                ax.plot(epochs[best], curve[best], "o", color=color, markersize=6)
        ax.set(xlabel="epoch", ylabel=label)
        ax.grid(alpha=0.25)
        ax.spines[["top", "right"]].set_visible(False)
        ticker = require("matplotlib.ticker", "training")
        whole = ticker.MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1)
        ax.xaxis.set_major_locator(whole)
    axes[0].set_title("Training")
    if has_scores:
        axes[1].set_title("Validation: a dot is the kept epoch")
    if len(estimator.loss_curves_) > 1:
        axes[0].legend(frameon=False, fontsize=8)
    save(axes[0], path)


def _plot_predictions(
    y: NDArray[np.float64], predicted: NDArray[np.float64], name: str, path: Path
) -> None:
    """Draw predicted against true numbers, and the line on which they are equal."""
    figure = new_figure((5.6, 5.4), "training")
    ax = figure.subplots()
    shown = np.arange(len(y))
    if len(y) > _MOST_POINTS:
        shown = np.random.default_rng(0).permutation(len(y))[:_MOST_POINTS]
    ends = [min(y.min(), predicted.min()), max(y.max(), predicted.max())]
    ax.plot(ends, ends, color="black", linewidth=1, label="equal")
    alpha = float(np.clip(60 / np.sqrt(len(shown)), 0.25, 0.8))
    ax.scatter(y[shown], predicted[shown], s=12, color=COLORS[0], alpha=alpha, edgecolors="none")
    ax.set_xlabel(f"true {printable(name)}", parse_math=False)
    ax.set_ylabel(f"predicted {printable(name)}", parse_math=False)
    title = f"{len(y):,} {'row that was' if len(y) == 1 else 'rows that were'} held out"
    ax.set_title(title if len(shown) == len(y) else f"{len(shown):,} of {title}")
    ax.set_aspect("equal")
    ax.grid(alpha=0.25)
    ax.legend(frameon=False)
    save(ax, path)
