"""The classes of a classifier in its file."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._files import Tensors, check_type, text_names, text_of, text_tensors, vector
from fastmlp.estimators.file import texts

# Of classes in a file, by name: that of text, and those of numbers.
_TEXT = ("U", "|O")
_CODES = ("b1", *(f"{kind}{width}" for kind in "iu" for width in (1, 2, 4, 8)), "f2", "f4", "f8")
_NUMBERS = {
    **{np.dtype(order + code).str: np.dtype(order + code) for order in "<>" for code in _CODES},
    "g": np.dtype(np.longdouble),  # which has a width of its own on each machine
}


def dtype_name(classes: NDArray[Any]) -> str:
    """Name the dtype of classes as a file does."""
    return {"U": "U", "g": "g"}.get(classes.dtype.char, classes.dtype.str)


def class_tensors(classes: Any, dtype: str) -> Tensors:
    """Lay classes of the dtype of this name out as tensors.

    Raises
    ------
    ValueError
        If a file has no such classes.
    """
    if dtype in _TEXT:
        return text_tensors("classes", texts("classes", classes))
    known = _number_type(dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        stored = np.array(classes, dtype=known).astype(_stored_type(known))
        kept = np.array_equal(stored.astype(known), classes)
    if not kept:
        raise ValueError(f"classes of dtype {known} do not fit into {stored.dtype}")
    return {"classes": stored}


def classes_of(tensors: Tensors, dtype: Any) -> tuple[NDArray[Any], set[str]]:
    """Get the classes that `class_tensors` laid out, and the names of their tensors."""
    check_type("dtype", dtype, str)
    if dtype in _TEXT:
        n_classes = len(vector(tensors, "classes.offsets", "int64")) - 1
        # Text is as wide as its longest word: a width from a file could ask for any memory.
        kind = object if dtype == "|O" else str
        words = text_of(tensors, "classes", n_classes)
        return np.array(words, dtype=kind), text_names("classes")
    known = _number_type(dtype)
    stored = vector(tensors, "classes", _stored_type(known))
    with np.errstate(over="ignore", invalid="ignore"):
        classes = stored.astype(known)
        if not np.array_equal(classes.astype(stored.dtype), stored):
            raise ValueError(f"classes must be of dtype {known}, got {stored}")
    return classes, {"classes"}


def _number_type(name: str) -> np.dtype[Any]:
    if name not in _NUMBERS:
        raise ValueError(f"classes must be text, numbers or booleans, got dtype {name}")
    return _NUMBERS[name]


def _stored_type(dtype: np.dtype[Any]) -> str:
    """Name the type that a file has for numbers of this one."""
    return "float64" if dtype.kind == "f" else "int64"
