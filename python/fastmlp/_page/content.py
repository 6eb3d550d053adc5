"""What the script of a page reads: films, points, and how to show them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp._core import MLP
from fastmlp._drawing import COLORS, limits_of
from fastmlp._page.encode import base64, fixed_point


class Recorded(NamedTuple):
    """A training as it was recorded.

    Attributes
    ----------
    network : MLP
        The network, for its architecture.
    epochs : ndarray of int, shape (n,)
        Epochs in growing order.
    parameters : ndarray of shape (n, n_parameters)
        The parameters after these epochs.
    losses : dict of str to list of float
        The losses that the epochs 1, 2, ... reported, in training and validation; the latter may
        be empty.
    """

    network: MLP
    epochs: NDArray[np.int64]
    parameters: NDArray[Any]
    losses: dict[str, list[float]]

    def thinned(self, frames: int) -> "Recorded":
        """Return a film of so many frames at most, whose gaps grow with the epoch."""
        if len(self.epochs) <= frames:
            return self
        first, last = self.epochs[0], self.epochs[-1]
        wanted = first + (last - first) * np.linspace(0, 1, frames) ** 2
        nearest = np.abs(self.epochs[:, None] - wanted).argmin(axis=0)
        chosen = np.unique(nearest)
        return self._replace(epochs=self.epochs[chosen], parameters=self.parameters[chosen])


class Points(NamedTuple):
    """The points of a page, in groups.

    Attributes
    ----------
    groups : dict of str to (X, y)
        X of shape (n, 2), before scaling; y of shape (n,): codes of classes, or values.
    class_names : sequence of str or None
        Names of the classes; None if the targets are values.
    feature_names : sequence of two str
    mean, scale : sequence of two floats
        The network reads ``(X - mean) / scale``.
    """

    groups: Mapping[str, tuple[NDArray[Any], NDArray[Any]]]
    class_names: Sequence[str] | None
    feature_names: Sequence[str]
    mean: Sequence[float]
    scale: Sequence[float]


def describe_points(points: Points, outputs: Sequence[str]) -> dict[str, Any]:
    """Return what the page reads of its points; `outputs` are the names of the results."""
    X = np.concatenate([X for X, _ in points.groups.values()])
    y = np.concatenate([y for _, y in points.groups.values()])
    codes, ends = fixed_point(X)
    is_classes = points.class_names is not None
    targets = y.tolist() if is_classes else [float(f"{value:.6g}") for value in y]
    return {
        "points": {
            "codes": base64(codes),
            "ends": ends,
            "targets": targets,
            "sizes": [len(y) for _, y in points.groups.values()],
        },
        "classes": points.class_names and list(points.class_names),
        "outputs": list(outputs),
        "features": list(points.feature_names),
        "mean": [float(value) for value in points.mean],
        "scale": [float(value) for value in points.scale],
        "limits": limits_of(X),
        "range": None if is_classes else [float(y.min()), float(y.max())],
        "colors": COLORS,
    }


def describe_network(network: MLP) -> dict[str, Any]:
    """Return the architecture of a network, as the page reads it."""
    n_hidden = len(network.layer_sizes) - 2
    one = isinstance(network.activation, str)
    counts = {"weight": 0, "bias": 0}
    blocks = []
    for block in network.parameter_blocks:
        name: str = block.role
        if block.kind == "dense":
            counts[block.role] += 1
            name = f"{'W' if block.role == 'weight' else 'b'}{counts[block.role]}"
        *rows, columns = block.shape
        blocks.append(
            {
                "stage": block.stage,
                "kind": block.kind,
                "role": block.role,
                "name": name,
                "rows": rows[0] if rows else 1,
                "columns": columns,
            }
        )
    return {
        "layers": network.layer_sizes,
        "activations": [network.activation] * n_hidden if one else network.activation,
        "output": network.output,
        "blocks": blocks,
    }


def describe_film(film: Recorded) -> dict[str, Any]:
    """Return a film as the page reads it."""
    described = describe_network(film.network)
    bounds = np.cumsum([b["rows"] * b["columns"] for b in described["blocks"]])[:-1]
    frames = [
        [fixed_point(block) for block in np.split(parameters, bounds)]
        for parameters in film.parameters
    ]
    return described | {
        "epochs": film.epochs.tolist(),
        "codes": base64(b"".join(codes for frame in frames for codes, _ in frame)),
        "ends": [[ends for _, ends in frame] for frame in frames],
        **{name: _at(film.epochs, values) for name, values in film.losses.items()},
    }


def _at(epochs: NDArray[np.int64], losses: Sequence[float]) -> list[float | None]:
    """Return the losses that the epochs reported, None where they did not."""
    return [
        float(f"{losses[epoch - 1]:.6g}") if 0 < epoch <= len(losses) else None
        for epoch in epochs.tolist()
    ]
