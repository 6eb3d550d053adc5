"""An estimator in one file: its network, parameters and what training found, without pickle."""

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.exceptions import NotFittedError

from fastmlp._core import MLP, load_network, save_network
from fastmlp._files import (
    Tensors,
    check_count,
    check_keys,
    check_type,
    faults_of,
    json_object,
    json_text,
    text_names,
    text_of,
    text_tensors,
    vector,
)
from fastmlp.estimators import loss, weights
from fastmlp.estimators.parameters import check_parameters

if TYPE_CHECKING:
    from fastmlp._core import Destination, Source

# Of the file. In the first layout all but the network is text of the header, which has room for
# some.
_LAYOUT = 2
_KEYS = {"layout", "estimator", "parameters", "found", "out_activation"}
# What training found, as text; one that was made from a network found no loss.
_FOUND = {"n_iter_", "t_", "best_loss_", "best_validation_score_", "_no_improvement_count"}
_LOSS = "loss_"
# Parameters that may be sequences, and the types of their items.
_ITEMS = {"hidden_layer_sizes": (int,), "activation": (str,), "dropout": (int, float)}
# What contents that nobody expects may raise.
_REFUSALS = (AttributeError, TypeError, ValueError, LookupError, ArithmeticError, RecursionError)
_CURVE, _SCORES, _FEATURES = "loss_curve_", "validation_scores_", "feature_names"
_VALIDATION_LOSSES = "validation_loss_curve_"
_STAGES, _STAGED_EPOCHS = "stages", "staged_epochs"


class InFile:
    """Saves and loads an estimator."""

    # Keys of what the outputs stand for.
    _label_keys: ClassVar[set[str]] = set()

    def save(self, path: "Destination") -> None:
        """Write the fitted estimator to a file that holds no code.

        Parameters
        ----------
        path : str, path-like or object with write
            The file to write; an existing one is replaced at once or not at all. Or an object that
            writes bytes, such as a BytesIO.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If a weight is not finite, a parameter is out of its range, a class is no text,
            number or boolean, or the loss is a function; nothing is written.
        OSError
            If the file cannot be written.

        Notes
        -----
        What no file without code can hold is saved as None: a `random_state` that is a generator, a
        `callback`, and a `scoring` that is a callable. The state of the optimizer is not saved:
        `partial_fit` goes on with a new one.
        """
        estimator: Any = self
        try:
            network = estimator.network_
            content, tensors = self._content()
            text = json_text(content)
            # What is saved can be loaded.
            type(self)._of_content(network, json_object("estimator", text), tensors)
        except NotFittedError:
            raise
        except _REFUSALS as error:
            raise ValueError(f"the estimator cannot be saved: {_text_of(error)}") from error
        save_network(path, network, tensors, {"estimator": text})

    @classmethod
    def load(cls, path: "Source") -> Self:
        """Read an estimator that `save` wrote; everything in the file is checked first.

        Parameters
        ----------
        path : str, path-like, object with read, or bytes-like
            The file to read, an object that reads its bytes, or the bytes.

        Returns
        -------
        object
            The fitted estimator.

        Raises
        ------
        ModelFileError
            If the file is damaged, or holds no estimator of this class.
        OSError
            If the file cannot be read.
        """
        network, tensors, metadata = load_network(path)
        with faults_of(path, f"is no {cls.__name__}'s file"):
            if set(metadata) != {"estimator"}:
                raise ValueError("it holds something else")
            content = json_object("estimator", metadata["estimator"])
            if "layout" not in content:
                check_keys("tensors", tensors, ())
                content, tensors = cls._of_first_layout(content)
            return cls._of_content(network, content, tensors)

    def _content(self) -> tuple[dict[str, Any], Tensors]:
        """Say what the file holds beside the network: as text, and as tensors."""
        estimator: Any = self
        parameters = estimator.get_params(deep=False)
        if isinstance(parameters["random_state"], np.random.RandomState | np.random.Generator):
            parameters["random_state"] = None
        for name in ("scoring", "callback"):
            if callable(parameters[name]):
                parameters[name] = None
        if "class_weight" in parameters:
            parameters["class_weight"] = weights.as_content(parameters["class_weight"])
        parameters["loss"] = loss.as_content(parameters["loss"])
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
        if hasattr(self, "feature_names_in_"):
            tensors |= text_tensors(_FEATURES, texts(_FEATURES, estimator.feature_names_in_))
        content = {
            "layout": _LAYOUT,
            "estimator": type(self).__name__,
            "parameters": parameters,
            "found": {name: getattr(self, name) for name in found},
            "out_activation": estimator.out_activation_,
            **labels,
        }
        return content, tensors

    @classmethod
    def _of_content(cls, network: MLP, content: dict[str, Any], tensors: Tensors) -> Self:
        check_keys("estimator", content, _KEYS | cls._label_keys)
        if content["layout"] != _LAYOUT:
            raise ValueError(f"its layout is {content['layout']!r}, expected {_LAYOUT}")
        if content["estimator"] != cls.__name__:
            raise ValueError(f"it holds a {content['estimator']}")
        estimator, names = cls._of_labels(network, content, tensors)
        if estimator.out_activation_ != content["out_activation"]:
            raise ValueError(f"its network has the output {network.output!r}")
        _set_parameters(estimator, content["parameters"])
        names |= _set_found(estimator, content["found"], tensors)
        names |= _set_stages(estimator, tensors)
        if text_names(_FEATURES) & set(tensors):
            names |= text_names(_FEATURES)
            features = text_of(tensors, _FEATURES, estimator.n_features_in_)
            estimator.feature_names_in_ = np.array(features, dtype=object)
        check_keys("tensors", tensors, names)
        result: Self = estimator
        return result

    @classmethod
    def _of_first_layout(cls, content: dict[str, Any]) -> tuple[dict[str, Any], Tensors]:
        """Say the same in the layout of today."""
        keys = _KEYS - {"layout"} | cls._label_keys | {_FEATURES}
        check_keys("estimator", content, keys | ({"classes"} if cls._label_keys else set()))
        check_type("found", content["found"], dict)
        found = dict(content["found"])
        tensors = {_CURVE: _numbers(_CURVE, found.pop(_CURVE))}
        if (scores := found.pop(_SCORES)) is not None:
            tensors[_SCORES] = _numbers(_SCORES, scores)
        if (features := content.pop(_FEATURES)) is not None:
            check_type(_FEATURES, features, list)
            tensors |= text_tensors(_FEATURES, texts(_FEATURES, features))
        if cls._label_keys:
            tensors |= cls._class_tensors(content.pop("classes"), content["dtype"])
        return {**content, "layout": _LAYOUT, "found": found}, tensors

    @classmethod
    def _class_tensors(cls, classes: Any, dtype: str) -> Tensors:
        """Lay classes out as tensors."""
        raise NotImplementedError

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
    parameters = dict(parameters)
    for name, kinds in _ITEMS.items():
        if isinstance(items := parameters.get(name), list):
            for item in items:
                check_type(f"an item of {name}", item, *kinds)
            parameters[name] = tuple(items)
    check_type("hidden_layer_sizes", parameters["hidden_layer_sizes"], int, str, tuple)
    if parameters.get("class_weight") is not None:
        parameters["class_weight"] = weights.of_content(parameters["class_weight"])
    if "loss" in parameters:  # which a classifier had not in earlier versions
        parameters["loss"] = loss.of_content(parameters["loss"])
    network = estimator.network_
    estimator.set_params(**parameters)
    estimator._validate_params()
    check_parameters(estimator)
    if estimator.network_ is not network:
        raise ValueError(
            f"its network has the activation {network.activation!r} and "
            f"normalization={network.normalization!r}"
        )


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


def _text_of(error: Exception) -> str:
    try:
        return str(error)
    except ValueError:  # an integer in it has more digits than Python writes
        return type(error).__name__


def _numbers(name: str, values: Any) -> Any:
    check_type(name, values, list)
    for value in values:
        check_type(name, value, int, float)
    return np.array(values, dtype=np.float64)


def texts(name: str, values: Any) -> list[str]:
    """Refuse what is no text among these."""
    for value in values:
        if not isinstance(value, str):
            raise ValueError(f"{name} must be text, got {value!r}")
    return list(values)
