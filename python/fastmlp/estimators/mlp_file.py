"""What the file of an `MLPClassifier` or `MLPRegressor` holds beside the network."""

from typing import Any, ClassVar

import numpy as np

from fastmlp._core import MLP
from fastmlp._files import Tensors, check_count, check_keys, check_type, vector
from fastmlp.estimators.class_file import class_tensors
from fastmlp.estimators.file import (
    FEATURES,
    InFile,
    feature_tensors,
    plain_parameters,
    restored_parameters,
)
from fastmlp.estimators.parameters import check_parameters

# What training found, as text; one that was made from a network found no loss.
_FOUND = {"n_iter_", "t_", "best_loss_", "best_validation_score_", "_no_improvement_count"}
_LOSS = "loss_"
_CURVE, _SCORES = "loss_curve_", "validation_scores_"
_VALIDATION_LOSSES = "validation_loss_curve_"
_STAGES, _STAGED_EPOCHS = "stages", "staged_epochs"


class MLPInFile(InFile):
    """Saves and loads a network's estimator."""

    # In the first layout all but the network is text of the header, which has room for some.
    _layout = 2
    _keys: ClassVar[set[str]] = {"parameters", "found", "out_activation"}

    def _content(self) -> tuple[MLP, dict[str, Any], Tensors]:
        estimator: Any = self
        network = estimator.network_
        found = {*_FOUND, _LOSS} if hasattr(self, _LOSS) else _FOUND
        labels, tensors = self._labels()
        tensors[_CURVE] = np.array(estimator.loss_curve_, dtype=np.float64)
        if estimator.validation_scores_ is not None:
            tensors[_SCORES] = np.array(estimator.validation_scores_, dtype=np.float64)
            losses = np.array(estimator.validation_loss_curve_, dtype=np.float64)
            tensors[_VALIDATION_LOSSES] = losses
        if estimator._stages:
            epochs, stages = zip(*estimator._stages, strict=True)
            tensors[_STAGED_EPOCHS] = np.array(epochs, dtype=np.int64)
            tensors[_STAGES] = np.stack(stages)
        content = {
            "parameters": plain_parameters(self),
            "found": {name: getattr(self, name) for name in found},
            "out_activation": estimator.out_activation_,
            **labels,
        }
        return network, content, tensors | self._feature_names()

    @classmethod
    def _of_content(
        cls, network: MLP, content: dict[str, Any], tensors: Tensors
    ) -> tuple[Any, set[str]]:
        estimator, names = cls._of_labels(network, content, tensors)
        if estimator.out_activation_ != content["out_activation"]:
            raise ValueError(f"its network has the output {network.output!r}")
        _set_parameters(estimator, content["parameters"])
        names |= _set_found(estimator, content["found"], tensors)
        return estimator, names | _set_stages(estimator, tensors)

    @classmethod
    def _of_first_layout(
        cls, content: dict[str, Any], tensors: Tensors
    ) -> tuple[dict[str, Any], Tensors]:
        check_keys("tensors", tensors, ())
        has_classes = "dtype" in cls._keys
        keys = {"estimator", FEATURES} | cls._keys | ({"classes"} if has_classes else set())
        check_keys("estimator", content, keys)
        check_type("found", content["found"], dict)
        found = dict(content["found"])
        tensors = {_CURVE: _numbers(_CURVE, found.pop(_CURVE))}
        if (scores := found.pop(_SCORES)) is not None:
            tensors[_SCORES] = _numbers(_SCORES, scores)
        if (features := content.pop(FEATURES)) is not None:
            check_type(FEATURES, features, list)
            tensors |= feature_tensors(features)
        if has_classes:
            tensors |= class_tensors(content.pop("classes"), content["dtype"])
        return {**content, "layout": cls._layout, "found": found}, tensors

    def _labels(self) -> tuple[dict[str, Any], Tensors]:
        """Say what the outputs stand for: as text, and as tensors."""
        return {}, {}

    @classmethod
    def _of_labels(
        cls, network: MLP, content: dict[str, Any], tensors: Tensors
    ) -> tuple[Any, set[str]]:
        """Make an estimator of the network, and name the tensors that say what outputs mean."""
        raise NotImplementedError


def _set_parameters(estimator: Any, parameters: Any) -> None:
    parameters = restored_parameters(parameters)
    check_type("hidden_layer_sizes", parameters["hidden_layer_sizes"], int, str, tuple)
    network = estimator.network_
    estimator.set_params(**parameters)
    estimator._validate_params()
    check_parameters(estimator)
    if estimator.network_ is not network:
        raise ValueError(f"its network has the activation {network.activation!r}")
    # What a fit that goes on compares with; the parameter may have been set since.
    estimator._watched = estimator._loss, estimator.scoring


def _set_found(estimator: Any, found: Any, tensors: Tensors) -> set[str]:
    """Set what training found; returns the names of its tensors."""
    check_type("found", found, dict)
    check_keys("found", set(found) - {_LOSS}, _FOUND)
    for name in ("n_iter_", "t_", "_no_improvement_count"):
        check_count(name, found[name])
    if _LOSS in found:
        check_type(_LOSS, found[_LOSS], float)
    # A fit watches the loss, or the score on rows for validation; and may score them besides.
    validates = _SCORES in tensors
    check_type("best_loss_", found["best_loss_"], float, *([type(None)] if validates else []))
    best_score = found["best_validation_score_"]
    check_type("best_validation_score_", best_score, float if validates else type(None))
    for name, value in found.items():
        setattr(estimator, name, value)
    estimator.loss_curve_ = vector(tensors, _CURVE, "float64").tolist()
    if not validates:
        estimator.validation_scores_ = estimator.validation_loss_curve_ = None
        return {_CURVE}
    scores = vector(tensors, _SCORES, "float64")
    estimator.validation_scores_ = scores.tolist()
    if _VALIDATION_LOSSES not in tensors:  # as earlier versions wrote it
        estimator.validation_loss_curve_ = [np.nan] * len(scores)
        return {_CURVE, _SCORES}
    losses = vector(tensors, _VALIDATION_LOSSES, "float64", len(scores))
    estimator.validation_loss_curve_ = losses.tolist()
    return {_CURVE, _SCORES, _VALIDATION_LOSSES}


def _set_stages(estimator: Any, tensors: Tensors) -> set[str]:
    """Set the parameters that were kept on the way; returns the names of their tensors."""
    if _STAGES not in tensors:
        return set()
    epochs = vector(tensors, _STAGED_EPOCHS, "int64")
    stages, network = tensors[_STAGES], estimator.network_
    expected = (len(epochs), network.n_parameters)
    if stages.dtype != network.dtype or stages.shape != expected:
        raise ValueError(
            f"{_STAGES} must be {network.dtype} of shape {expected}, got {stages.dtype} of shape "
            f"{stages.shape}"
        )
    rises = len(epochs) > 0 and epochs[0] >= 1 and (np.diff(epochs) > 0).all()
    if not rises or epochs[-1] > len(estimator.loss_curve_):
        raise ValueError(f"{_STAGED_EPOCHS} must rise from 1 or more to at most the last epoch")
    if not np.isfinite(stages).all():
        raise ValueError(f"{_STAGES} must be finite")
    estimator._stages = list(zip(epochs.tolist(), stages, strict=True))
    return {_STAGES, _STAGED_EPOCHS}


def _numbers(name: str, values: Any) -> Any:
    check_type(name, values, list)
    for value in values:
        check_type(name, value, int, float)
    return np.array(values, dtype=np.float64)
