"""What the file of a tabular estimator holds."""

from itertools import groupby, pairwise
from math import prod
from typing import Any, ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from fastmlp._core import MLP
from fastmlp._files import Tensors, check_count, text_names, text_of, text_tensors, vector
from fastmlp.estimators.file import (
    InFile,
    networks_of,
    plain_parameters,
    restored_parameters,
    stacked_parameters,
)
from fastmlp.tabular.front import Front
from fastmlp.tabular.front_file import front_of, front_tensors
from fastmlp.tabular.network import reads_ranks

# The file's network is the first one; parameters of the others are the rows of a tensor, and those
# of networks with periodic features after others without of another one.
_OTHERS, _PERIODIC = "networks", "periodic_networks"
# The hidden layers of the latter; where this is not there, they are those of the first network.
_PERIODIC_LAYERS = "periodic_networks.hidden_layer_sizes"
# The name of the target, if it had one.
_TARGET = "target_name"
# What training tells of each network, one after the other, and where each begins and ends.
_CURVES = ("loss_curves_", "validation_scores_")


class TabularInFile(InFile):
    """Saves and loads a tabular estimator."""

    _layout = 1
    _keys: ClassVar[set[str]] = {"parameters", "n_iter_"}
    # What networks of this class may have.
    _outputs: ClassVar[set[str]]

    def _content(self) -> tuple[MLP, dict[str, Any], Tensors]:
        check_is_fitted(self, "networks_")
        estimator: Any = self
        first = estimator.networks_[0]
        content, tensors = self._target_content()
        tensors |= front_tensors(estimator._front) | self._feature_names()
        name = estimator.target_name_
        tensors |= text_tensors(_TARGET, [] if name is None else [name])
        alike, *different = [list(group) for _, group in groupby(estimator.networks_, reads_ranks)]
        tensors[_OTHERS] = stacked_parameters(alike)
        if different:
            (periodic,) = different
            tensors[_PERIODIC] = np.stack([network.parameters for network in periodic])
            hidden = periodic[0].layer_sizes[1:-1]
            tensors[_PERIODIC_LAYERS] = np.array(hidden, dtype=np.int64)
        for curve in _CURVES:
            tensors |= _joined(curve, getattr(self, curve))
        content |= {"parameters": plain_parameters(self), "n_iter_": estimator.n_iter_}
        return first, content, tensors

    @classmethod
    def _of_content(
        cls, network: MLP, content: dict[str, Any], tensors: Tensors
    ) -> tuple[Any, set[str]]:
        front, names = front_of(tensors)
        if network.output not in cls._outputs:
            raise ValueError(f"its network has the output {network.output!r}")
        width = front.width(reads_ranks(network))
        if network.layer_sizes[0] != width:
            raise ValueError(
                f"its network has {network.layer_sizes[0]} inputs, and its columns make {width}"
            )
        estimator: Any = cls()
        names |= estimator._set_target(network, content, tensors)
        estimator.set_params(**restored_parameters(content["parameters"]))
        estimator._validate_params()
        estimator._choices()
        check_count("n_iter_", content["n_iter_"])
        estimator.n_iter_ = content["n_iter_"]
        estimator._front, estimator.n_features_in_ = front, len(front.columns)
        target = text_of(tensors, _TARGET, int(len(tensors[f"{_TARGET}.offsets"]) == 2))
        estimator.target_name_ = target[0] if target else None
        estimator.networks_ = networks_of(network, _OTHERS, tensors[_OTHERS])
        if _PERIODIC in tensors:
            like = _with_periodic_features(network, front, tensors)
            estimator.networks_ += networks_of(like, _PERIODIC, tensors[_PERIODIC])[1:]
            names |= {_PERIODIC, _PERIODIC_LAYERS} & tensors.keys()
        for name in _CURVES:
            setattr(estimator, name, _split(name, tensors, len(estimator.networks_)))
            names |= {name, f"{name}.bounds"}
        return estimator, names | text_names(_TARGET) | {_OTHERS}

    def _target_content(self) -> tuple[dict[str, Any], Tensors]:
        """Say what outputs stand for: as text, and as tensors."""
        raise NotImplementedError

    def _set_target(self, network: MLP, content: dict[str, Any], tensors: Tensors) -> set[str]:
        """Set what outputs stand for; return the names of the tensors that say it."""
        raise NotImplementedError


def _with_periodic_features(network: MLP, front: Front, tensors: Tensors) -> MLP:
    """Make a network as a file's first one, but for what reads numbers and the hidden layers."""
    n_inputs, (_, *hidden, n_outputs) = front.width(is_periodic=True), network.layer_sizes
    if _PERIODIC_LAYERS in tensors:
        hidden = vector(tensors, _PERIODIC_LAYERS, "int64").tolist()
    sizes = [n_inputs, *hidden, n_outputs]
    stored = tensors[_PERIODIC]
    # Before there is room for what a forged file asks for.
    if min(sizes) < 1 or sum(map(prod, pairwise(sizes))) > stored.size:
        raise ValueError(f"{_PERIODIC_LAYERS} must be those of {_PERIODIC}, got {hidden}")
    return MLP(
        sizes,
        network.activation,
        network.output,
        dtype=network.dtype,
        seed=0,
        normalization=network.normalization,
        input_scale=network.input_scale,
        loss=network.loss_function,
        periodic_inputs=front.n_ranks,
        parametric_activation=True,
    )


def _joined(name: str, curves: list[list[float]]) -> Tensors:
    return {
        name: np.array([value for curve in curves for value in curve], dtype=np.float64),
        f"{name}.bounds": np.cumsum([0, *map(len, curves)], dtype=np.int64),
    }


def _split(name: str, tensors: Tensors, count: int) -> list[list[float]]:
    values = vector(tensors, name, "float64").tolist()
    bounds = vector(tensors, f"{name}.bounds", "int64", count + 1)
    if bounds[0] != 0 or bounds[-1] != len(values) or (bounds[1:] < bounds[:-1]).any():
        raise ValueError(f"{name}.bounds must rise from 0 to {len(values)}")
    return [values[start:end] for start, end in pairwise(bounds.tolist())]
