"""What the file of an `MLPClassifier` or `MLPRegressor` holds beside the network."""

from collections.abc import Iterable
from operator import index
from typing import Any, ClassVar

import numpy as np

from fastmlp._core import MLP
from fastmlp._files import Tensors, check_count, check_keys, check_type, vector
from fastmlp.estimators.class_file import class_tensors
from fastmlp.estimators.file import FEATURES, InFile, feature_tensors, plain_parameters

# What training found, as text; one that was made from a network found no loss.
_FOUND = {"n_iter_", "t_", "best_loss_", "best_validation_score_", "_no_improvement_count"}
_LOSS = "loss_"
_CURVE, _SCORES = "loss_curve_", "validation_scores_"


class MLPInFile(InFile):
    """Saves and loads a network's estimator."""

    # In the first layout all but the network is text of the header, which has room for some.
    _layout = 2
    _keys: ClassVar[set[str]] = {"parameters", "found", "out_activation"}

    def _content(self) -> tuple[MLP, dict[str, Any], Tensors]:
        estimator: Any = self
        network = estimator.network_
        parameters = plain_parameters(self)
        sizes = parameters["hidden_layer_sizes"]
        one = not isinstance(sizes, Iterable)
        parameters["hidden_layer_sizes"] = index(sizes) if one else [index(size) for size in sizes]
        found = {*_FOUND, _LOSS} if hasattr(self, _LOSS) else _FOUND
        labels, tensors = self._labels()
        tensors[_CURVE] = np.array(estimator.loss_curve_, dtype=np.float64)
        if estimator.validation_scores_ is not None:
            tensors[_SCORES] = np.array(estimator.validation_scores_, dtype=np.float64)
        content = {
            "parameters": parameters,
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
        return estimator, names | _set_found(estimator, content["found"], tensors)

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
    check_type("parameters", parameters, dict)
    sizes = parameters["hidden_layer_sizes"]
    check_type("hidden_layer_sizes", sizes, int, list)
    if isinstance(sizes, list):
        if any(type(size) is not int or size < 1 for size in sizes):
            raise ValueError(f"hidden_layer_sizes must be integers >= 1, got {sizes!r}")
        parameters = {**parameters, "hidden_layer_sizes": tuple(sizes)}
    activation = estimator.activation
    estimator.set_params(**parameters)
    estimator._validate_params()
    if estimator.activation != activation and len(estimator.network_.layer_sizes) > 2:
        raise ValueError(f"its network has the activation {activation!r}")


def _set_found(estimator: Any, found: Any, tensors: Tensors) -> set[str]:
    """Set what training found; returns the names of its tensors."""
    check_type("found", found, dict)
    check_keys("found", set(found) - {_LOSS}, _FOUND)
    for name in ("n_iter_", "t_", "_no_improvement_count"):
        check_count(name, found[name])
    if _LOSS in found:
        check_type(_LOSS, found[_LOSS], float)
    # A fit watches the loss, or the score on rows for validation.
    watched = ("best_loss_", "best_validation_score_")
    other, best = watched if _SCORES in tensors else reversed(watched)
    check_type(best, found[best], float)
    check_type(other, found[other], type(None))
    for name, value in found.items():
        setattr(estimator, name, value)
    estimator.loss_curve_ = vector(tensors, _CURVE, "float64").tolist()
    if _SCORES not in tensors:
        estimator.validation_scores_ = None
        return {_CURVE}
    estimator.validation_scores_ = vector(tensors, _SCORES, "float64").tolist()
    return {_CURVE, _SCORES}


def _numbers(name: str, values: Any) -> Any:
    check_type(name, values, list)
    for value in values:
        check_type(name, value, int, float)
    return np.array(values, dtype=np.float64)
