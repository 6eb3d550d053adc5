"""The content of a file beside the network: text and numbers, checked before they are used."""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from numbers import Integral, Real
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fastmlp._core import ModelFileError

if TYPE_CHECKING:
    from fastmlp._core import Destination, Source

Tensors = dict[str, NDArray[Any]]

# Parsed JSON takes much more memory than its text; saved files stay far below these limits.
_MAX_DEPTH = 4
_MAX_CONTAINERS = 1024
# Strings, even an unterminated one, and brackets outside of strings.
_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|([\[{])|[\]}]', re.DOTALL)
_NOT_FINITE = ("inf", "-inf", "nan")


class Saves(Protocol):
    """An object that can be saved to a file."""

    def save(self, path: "Destination") -> None:
        """Write the file."""


class _Nowhere:
    """A file that keeps nothing."""

    def write(self, data: bytes) -> int:
        return len(data)


def check_saves(thing: Saves) -> None:
    """Raise the error that `save` would raise about the content of a model; nothing is written.

    Parameters
    ----------
    thing : object
        The object that is to be saved after training, such as a `Model`.

    Raises
    ------
    TypeError, ValueError
        As `save` does.
    """
    thing.save(_Nowhere())


@contextmanager
def faults_of(source: "Source", verdict: str) -> Iterator[None]:
    """Turn an error about the content of a file into a ModelFileError that names the file.

    Parameters
    ----------
    source : str, path-like, file object or bytes-like
        The file.
    verdict : str
        What the message says of the file, such as ``"is not a model file"``.
    """
    try:
        yield
    except (TypeError, ValueError, LookupError, ArithmeticError) as error:
        raise ModelFileError(f"{_name_of(source)} {verdict}: {error}") from error


def _name_of(source: "Source") -> str:
    """Name a file as the binding does."""
    if isinstance(source, str | PathLike):
        return fspath(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else f"<{type(source).__name__}>"


def json_text(content: Mapping[str, Any]) -> str:
    """Write an object of text, numbers, booleans, None, lists and objects as JSON.

    Raises
    ------
    TypeError
        If it contains anything else.
    """
    return json.dumps(_plain(content), allow_nan=False)


def _plain(value: Any) -> Any:
    """Turn a value, such as a NumPy number, a sequence or a mapping, into one that JSON has."""
    if value is None:
        return None
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        number = float(value)
        return number if math.isfinite(number) else {"float": repr(number)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray):
        return [_plain(item) for item in value]
    raise TypeError(f"{value!r} is not text, a number or a boolean")


def json_object(name: str, text: str) -> dict[str, Any]:
    """Read what `json_text` wrote."""
    _check_extent(name, text)
    try:
        content = json.loads(text, object_hook=_restored)
    except ValueError as error:
        raise ValueError(f"{name} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{name} must be a JSON object, got {type(content).__name__}")
    return content


def _restored(found: dict[str, Any]) -> Any:
    if found.keys() == {"float"} and found["float"] in _NOT_FINITE:
        return float(found["float"])
    return found


def _check_extent(name: str, text: str) -> None:
    """Refuse text whose parsed form would be large."""
    depth = containers = 0
    for found in _BRACKETS.finditer(text):
        if found[1]:
            depth, containers = depth + 1, containers + 1
            if depth > _MAX_DEPTH or containers > _MAX_CONTAINERS:
                raise ValueError(
                    f"{name} must have at most {_MAX_CONTAINERS} lists and objects, "
                    f"nested at most {_MAX_DEPTH} deep"
                )
        elif found[0] in ("]", "}"):
            depth -= 1


def check_keys(what: str, found: Iterable[str], expected: Iterable[str]) -> None:
    """Refuse keys other than the expected ones."""
    found, expected = sorted(found), sorted(expected)
    if found != expected:
        raise ValueError(f"{what} must be {expected}, got {found}")


def check_type(name: str, value: Any, *kinds: type) -> None:
    """Refuse a value that has none of these types; a bool is not an int."""
    if type(value) not in kinds:
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise ValueError(f"{name} must be {expected}, got {value!r}")


def check_count(name: str, value: Any) -> None:
    """Refuse anything but an integer >= 0."""
    if type(value) is not int or value < 0:
        raise ValueError(f"{name} must be an integer >= 0, got {value!r}")


def vector(tensors: Tensors, name: str, dtype: str, length: int | None = None) -> NDArray[Any]:
    """Get a one-dimensional tensor of this type and length."""
    if name not in tensors:
        raise ValueError(f"it holds no {name}")
    tensor = tensors[name]
    if tensor.dtype != dtype:
        raise ValueError(f"{name} must be {dtype}, got {tensor.dtype}")
    if tensor.ndim != 1 or length not in (None, len(tensor)):
        expected = "(n,)" if length is None else f"({length},)"
        raise ValueError(f"{name} must have shape {expected}, got {tensor.shape}")
    return tensor


def text_names(name: str) -> set[str]:
    """Return the names of the tensors that `text_tensors` makes."""
    return {f"{name}.utf8", f"{name}.offsets"}


def text_tensors(name: str, words: Iterable[str]) -> Tensors:
    """Store words as tensors: all their bytes, and the positions where each one begins and ends."""
    # A lone surrogate, which a column name may contain, is kept as it is.
    pieces = [word.encode("utf-8", "surrogatepass") for word in words]
    return {
        f"{name}.utf8": np.frombuffer(b"".join(pieces), np.uint8),
        f"{name}.offsets": np.cumsum([0, *map(len, pieces)], dtype=np.int64),
    }


def text_of(tensors: Tensors, name: str, count: int) -> list[str]:
    """Get the `count` words that `text_tensors` stored."""
    data = vector(tensors, f"{name}.utf8", "uint8")
    offsets = vector(tensors, f"{name}.offsets", "int64", count + 1)
    in_order = (offsets[1:] >= offsets[:-1]).all()
    if offsets[0] != 0 or offsets[-1] != len(data) or not in_order:
        raise ValueError(f"{name}.offsets must rise from 0 to {len(data)}")
    content = data.tobytes()
    bounds = pairwise(offsets.tolist())
    return [content[start:end].decode("utf-8", "surrogatepass") for start, end in bounds]
