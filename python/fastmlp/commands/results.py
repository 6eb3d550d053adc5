"""The results of a training in its folder: the model, its metrics and its plots."""

import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp import plotting
from fastmlp._core import History
from fastmlp.metrics import Metrics, classification_metrics, confusion_matrix, metrics_table
from fastmlp.model import Model

_MAX_CLASSES = 50  # in a table; a plot draws as many


class Part(NamedTuple):
    """Raw features (n, d) and class codes (n,) of one part of a data set."""

    X: NDArray[np.float64]
    y: NDArray[np.int64]


class Parts(NamedTuple):
    """A data set in three parts: for training, for monitoring it and for the final test."""

    train: Part
    validation: Part
    test: Part


def evaluate_part(model: Model, part: Part) -> Metrics:
    """Return the metrics of `model` on `part`, overall and per class."""
    return classification_metrics(part.y, model.predict(part.X), model.class_names)


def evaluate_parts(model: Model, parts: Parts) -> dict[str, Metrics]:
    """Return the metrics of `model` on each part, by the part's name."""
    return {name: evaluate_part(model, part) for name, part in parts._asdict().items()}


def printable(text: str) -> str:
    r"""Escape unprintable characters, such as ``\x1b``, which a terminal would obey."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def printable_names(names: Iterable[str]) -> list[str]:
    """Make names printable; a backslash is doubled, so that distinct names stay distinct."""
    return [printable(name.replace("\\", "\\\\")) for name in names]


def listed(entries: Sequence[str], limit: int = 20) -> str:
    """Join entries with commas, and count those beyond a limit."""
    more = len(entries) - limit
    return ", ".join(entries[:limit]) + (f" and {more} more" if more > 0 else "")


def describe_metrics(metrics: Metrics) -> str:
    """Lay out metrics as a table without control characters; of many classes it has the worst."""
    found = metrics["classes"]
    worst = set(sorted(found, key=lambda name: found[name]["f1"])[:_MAX_CLASSES])
    shown = [name for name in found if name in worst]
    classes = dict(zip(printable_names(shown), [found[name] for name in shown], strict=True))
    table = metrics_table({"overall": metrics["overall"], "classes": classes})
    if len(shown) == len(found):
        return table
    return f"The {len(shown)} classes with the lowest F1 of {len(found)}:\n{table}"


def write_results(
    folder: Path, model: Model, history: History, parts: Parts, metrics: Mapping[str, Any]
) -> list[Path]:
    """Write the model, `metrics` and the plots of one training; return the files."""
    files = {
        name: folder / name
        for name in ("model.safetensors", "metrics.json", "history.png", "confusion_matrix.png")
    }
    model.save(files["model.safetensors"])
    text = json.dumps(metrics, indent=2, ensure_ascii=False)
    files["metrics.json"].write_text(text + "\n", encoding="utf-8")
    if len(model.feature_names) == 2:
        files["decision_boundary.png"] = folder / "decision_boundary.png"
    with warnings.catch_warnings():
        # Names too long for the figure are cut off.
        warnings.filterwarnings("ignore", "constrained_layout not applied", UserWarning)
        _plot(files, model, history, parts)
    return list(files.values())


def _plot(files: Mapping[str, Path], model: Model, history: History, parts: Parts) -> None:
    class_names = printable_names(model.class_names)
    feature_names = printable_names(model.feature_names)
    plotting.plot_history(history, path=files["history.png"])
    test = parts.test
    matrix = confusion_matrix(test.y, model.predict(test.X), n_classes=len(class_names))
    plotting.plot_confusion_matrix(
        matrix, class_names=class_names, path=files["confusion_matrix.png"]
    )
    if "decision_boundary.png" in files:
        plotting.plot_decision_boundaries(
            model,
            train=parts.train,
            test=test,
            class_names=class_names,
            feature_names=feature_names,
            path=files["decision_boundary.png"],
        )


def describe_files(folder: Path, files: Iterable[Path], title: str = "Written to {folder}:") -> str:
    """List `files` of `folder` with their sizes, one per line below a title."""
    files = sorted(files)
    width = max(len(file.name) for file in files)
    lines = [f"  {file.name:{width}}  {file.stat().st_size / 1000:8.1f} kB" for file in files]
    return "\n".join([title.format(folder=folder), *lines])
