"""An estimator in one file, without pickle."""

from collections.abc import Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError

from fastmlp._core import MLP, load_network, save_network
from fastmlp._files import (
    Tensors,
    check_keys,
    check_type,
    faults_of,
    json_object,
    json_text,
    text_names,
    text_of,
    text_tensors,
)
from fastmlp.estimators import loss, weights

if TYPE_CHECKING:
    from fastmlp._core import Destination, Source

# Parameters that may be sequences, and the types of their items.
_ITEMS = {"hidden_layer_sizes": (int,), "activation": (str,), "dropout": (int, float)}
# What contents that nobody expects may raise.
_REFUSALS = (AttributeError, TypeError, ValueError, LookupError, ArithmeticError, RecursionError)
# Its name in the file.
FEATURES = "feature_names"


class InFile:
    """Saves and loads an estimator: a network, text, and tensors."""

    # Of the text and tensors; it rises when an older release would misread them.
    _layout: ClassVar[int]
    # Keys of the text beside its layout and the name of the class.
    _keys: ClassVar[set[str]]

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
        `callback`, and a `scoring` that is a callable. The state of the optimizer is not saved.
        """
        cls = type(self)
        try:
            network, text, tensors = self._described()
            # What is saved can be loaded.
            cls._checked_content(network, json_object("estimator", text), tensors)
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
            return cls._checked_content(network, content, tensors)

    @classmethod
    def _checked_content(cls, network: MLP, content: dict[str, Any], tensors: Tensors) -> Self:
        """Make the estimator of what a file holds, if it is of this class and layout."""
        if "layout" not in content:
            content, tensors = cls._of_first_layout(content, tensors)
        if content.get("estimator", cls.__name__) != cls.__name__:
            raise ValueError(f"its estimator is {content['estimator']}")
        check_keys("estimator", content, {"layout", "estimator"} | cls._keys)
        if content["layout"] != cls._layout:
            raise ValueError(f"its layout is {content['layout']!r}, expected {cls._layout}")
        estimator, names = cls._of_content(network, content, tensors)
        if text_names(FEATURES) & set(tensors):
            names |= text_names(FEATURES)
            features = text_of(tensors, FEATURES, estimator.n_features_in_)
            estimator.feature_names_in_ = np.array(features, dtype=object)
        check_keys("tensors", tensors, names)
        result: Self = estimator
        return result

    def _described(self) -> tuple[MLP, str, Tensors]:
        """Return the network, the text and the tensors of a file."""
        network, content, tensors = self._content()
        cls = type(self)
        text = json_text({"layout": cls._layout, "estimator": cls.__name__, **content})
        return network, text, tensors

    def _content(self) -> tuple[MLP, dict[str, Any], Tensors]:
        """Say what the file holds: a network, text and tensors."""
        raise NotImplementedError

    @classmethod
    def _of_content(
        cls, network: MLP, content: dict[str, Any], tensors: Tensors
    ) -> tuple[Any, set[str]]:
        """Make an estimator of these, and name the tensors that it needed."""
        raise NotImplementedError

    @classmethod
    def _of_first_layout(
        cls, content: dict[str, Any], tensors: Tensors
    ) -> tuple[dict[str, Any], Tensors]:
        """Say in the layout of today what a file without a layout says."""
        return content, tensors

    def _feature_names(self) -> Tensors:
        """Lay the names of the features out as tensors, if there are names."""
        names = getattr(self, "feature_names_in_", None)
        return {} if names is None else feature_tensors(names)


def stacked_parameters(networks: Sequence[MLP]) -> NDArray[Any]:
    """Return the parameters of all networks but the first, one row each: a file has one network."""
    first, *others = networks
    return np.array([network.parameters for network in others], dtype=first.dtype).reshape(
        len(others), first.n_parameters
    )


def networks_of(network: MLP, name: str, stored: NDArray[Any]) -> list[MLP]:
    """Return a file's network, and those whose parameters are stored beside it."""
    if stored.dtype != network.dtype or stored.shape != (len(stored), network.n_parameters):
        raise ValueError(
            f"{name} must be {network.dtype} of shape (n, {network.n_parameters}), "
            f"got {stored.dtype} of shape {stored.shape}"
        )
    if not np.isfinite(stored).all():
        raise ValueError(f"{name} must be finite")
    others = [copy(network) for _ in stored]
    for other, parameters in zip(others, stored, strict=True):
        other.parameters[:] = parameters
    return [network, *others]


def feature_tensors(names: Any) -> Tensors:
    """Lay names of features out as tensors."""
    return text_tensors(FEATURES, texts(FEATURES, names))


def texts(name: str, values: Any) -> list[str]:
    """Refuse what is no text among these."""
    for value in values:
        if not isinstance(value, str):
            raise ValueError(f"{name} must be text, got {value!r}")
    return list(values)


def plain_parameters(estimator: Any) -> dict[str, Any]:
    """Return the parameters of an estimator as a file can have them."""
    parameters: dict[str, Any] = estimator.get_params(deep=False)
    if isinstance(parameters["random_state"], np.random.RandomState | np.random.Generator):
        parameters["random_state"] = None
    for name in ("scoring", "callback"):
        if callable(parameters.get(name)):
            parameters[name] = None
    if "class_weight" in parameters:
        parameters["class_weight"] = weights.as_content(parameters["class_weight"])
    if "loss" in parameters:
        parameters["loss"] = loss.as_content(parameters["loss"])
    return parameters


def restored_parameters(parameters: Any) -> dict[str, Any]:
    """Return what `plain_parameters` had, of an object of JSON."""
    check_type("parameters", parameters, dict)
    parameters = dict(parameters)
    for name, kinds in _ITEMS.items():
        if isinstance(items := parameters.get(name), list):
            for item in items:
                check_type(f"an item of {name}", item, *kinds)
            parameters[name] = tuple(items)
    if parameters.get("class_weight") is not None:
        parameters["class_weight"] = weights.of_content(parameters["class_weight"])
    if "loss" in parameters:
        parameters["loss"] = loss.of_content(parameters["loss"])
    return parameters


def _text_of(error: Exception) -> str:
    try:
        return str(error)
    except ValueError:  # an integer in it has more digits than Python writes
        return type(error).__name__
