"""A trained network together with what prediction on raw data needs, and its file."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
    vector,
)
from fastmlp.data import check_finite

if TYPE_CHECKING:
    from fastmlp._core import Destination, Source

# Of the file. The first layout keeps names in the header, whose size is limited.
_LAYOUT = {"layout": 2}
_SCALING = {"mean", "scale"}
_NAMES = {"feature_names", "class_names", "target"}


class Model:
    """A network that predicts classes from raw features.

    Parameters
    ----------
    network : MLP
        The trained network, with `d` inputs and `k` outputs.
    mean, scale : array-like of shape (d,)
        The network sees ``(X - mean) / scale``. Finite; `scale` > 0. Copied.
    feature_names : sequence of str, length d
        Distinct and not empty.
    class_names : sequence of str, length k
        Distinct and not empty; code `i` means ``class_names[i]``.
    target : str, optional
        Name of the column that the classes came from.

    Attributes
    ----------
    network : MLP
    mean, scale : ndarray of shape (d,), float64, read-only
    feature_names, class_names : tuple of str
    target : str or None

    Raises
    ------
    TypeError
        If a name is not a string.
    ValueError
        If an argument does not fit the network, or is outside its range.
    """

    def __init__(
        self,
        network: MLP,
        mean: ArrayLike,
        scale: ArrayLike,
        feature_names: Sequence[str],
        class_names: Sequence[str],
        target: str | None = None,
    ) -> None:
        if network.output != "softmax":
            raise ValueError(f"network must have the output 'softmax', got {network.output!r}")
        n_features, n_classes = network.layer_sizes[0], network.layer_sizes[-1]
        self.network = network
        self.mean = _vector("mean", mean, n_features)
        self.scale = _vector("scale", scale, n_features)
        if not (self.scale > 0).all():
            raise ValueError(f"scale must be > 0, got {self.scale.min()}")
        self.feature_names = _names("feature_names", feature_names, n_features)
        self.class_names = _names("class_names", class_names, n_classes)
        self.target = None if target is None else _name("target", target)

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Code of the most probable class of each row.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Raw features, in the order of `feature_names`. Finite.

        Returns
        -------
        ndarray of shape (n,), int64
            Indices into `class_names`.

        Raises
        ------
        TypeError
            If `X` does not hold real numbers.
        ValueError
            If `X` has another shape, or a value that is not finite in the network's dtype.
        """
        return self.network.predict(self._standardized(X))

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32] | NDArray[np.float64]:
        """Probability of each class for each row.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Raw features, in the order of `feature_names`. Finite.

        Returns
        -------
        ndarray of shape (n, k), of the network's dtype
            Rows sum to 1; columns in the order of `class_names`.

        Raises
        ------
        TypeError, ValueError
            As `predict`.
        """
        return self.network.predict_proba(self._standardized(X))

    def save(self, path: "Destination") -> None:
        """Write the model to a file in the safetensors layout; it holds no code.

        Parameters
        ----------
        path : str, path-like or object with write
            The file to write; an existing one is replaced. Or an object that writes bytes.

        Raises
        ------
        OSError
            If the file cannot be written.
        ValueError
            If a weight or bias is not finite; nothing is written.
        """
        tensors = {
            "mean": self.mean,
            "scale": self.scale,
            **text_tensors("feature_names", self.feature_names),
            **text_tensors("class_names", self.class_names),
            **text_tensors("target", [] if self.target is None else [self.target]),
        }
        save_network(path, self.network, tensors, {"model": json_text(_LAYOUT)})

    @classmethod
    def load(cls, path: "Source") -> Self:
        """Read a model that `save` wrote; everything in the file is checked first.

        Parameters
        ----------
        path : str, path-like, object with read, or bytes-like
            The file to read, an object that reads its bytes, or the bytes.

        Returns
        -------
        Model

        Raises
        ------
        ModelFileError
            If the file is damaged or is not a model; the message names the file and the fault.
        OSError
            If the file cannot be read.
        """
        network, tensors, metadata = load_network(path)
        with faults_of(path, "is not a model file"):
            check_keys("metadata", metadata, {"model"})
            content = json_object("model", metadata["model"])
            if "layout" not in content:
                check_keys("tensors", tensors, _SCALING)
                tensors |= _of_first_layout(content)
            elif content != _LAYOUT:
                raise ValueError(f"model must be {_LAYOUT}, got {content}")
            return cls._of_tensors(network, tensors)

    @classmethod
    def _of_tensors(cls, network: MLP, tensors: Tensors) -> Self:
        check_keys("tensors", tensors, _SCALING.union(*map(text_names, _NAMES)))
        n_features, n_classes = network.layer_sizes[0], network.layer_sizes[-1]
        target = text_of(tensors, "target", int(len(tensors["target.offsets"]) == 2))
        return cls(
            network,
            vector(tensors, "mean", "float64"),
            vector(tensors, "scale", "float64"),
            text_of(tensors, "feature_names", n_features),
            text_of(tensors, "class_names", n_classes),
            *target,
        )

    def _standardized(self, X: ArrayLike) -> NDArray[Any]:
        raw = np.asarray(X)
        if raw.dtype.kind not in "fiub":
            raise TypeError(f"X must hold real numbers, got dtype {raw.dtype}")
        if raw.ndim != 2 or raw.shape[1] != self.mean.size:
            raise ValueError(f"X must have shape (n, {self.mean.size}), got {raw.shape}")
        with np.errstate(over="ignore", invalid="ignore"):
            standardized = ((raw - self.mean) / self.scale).astype(self.network.dtype)
        check_finite("X", raw, standardized, f"finite once standardized to {self.network.dtype}")
        return standardized


def _of_first_layout(names: dict[str, Any]) -> Tensors:
    check_keys("model", names, _NAMES)
    words = {key: names[key] for key in ("feature_names", "class_names")}
    for key, value in words.items():
        check_type(key, value, list)
        for name in value:
            _name(key, name)
    target = names["target"]
    words["target"] = [] if target is None else [_name("target", target)]
    tensors: Tensors = {}
    for key, value in words.items():
        tensors |= text_tensors(key, value)
    return tensors


def _vector(name: str, values: ArrayLike, size: int) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # a damaged file can hold a signalling NaN
        vector = np.array(values, dtype=np.float64)
    if vector.shape != (size,):
        raise ValueError(f"{name} must have shape ({size},), got {vector.shape}")
    if not np.isfinite(vector).all():
        raise ValueError(f"{name} must be finite, got {vector[~np.isfinite(vector)][0]}")
    vector.setflags(write=False)
    return vector


def _names(what: str, names: Sequence[str], length: int) -> tuple[str, ...]:
    names = tuple(_name(what, name) for name in names)
    if len(names) != length:
        raise ValueError(f"{what} must have {length} names, got {len(names)}")
    if len(set(names)) != length:
        raise ValueError(f"{what} must be distinct, got {list(names)}")
    return names


def _name(what: str, name: str) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{what} must be text, got {name!r}")
    if not name:
        raise ValueError(f"{what} must not be empty")
    name.encode()  # a lone surrogate could be neither printed nor saved
    return name
