"""A short description of the data and arguments of a fit, which differs for another fit."""

import zlib
from typing import Any

import numpy as np

from fastmlp._files import check_type, json_object, json_text

_MAX_TEXT = 1000  # of an argument in a file; a longer one is replaced by a checksum


def fingerprint_of(X: Any, y: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """Describe the data and arguments of a fit in values that JSON has."""
    found = {"X": _digest(X), "y": _digest(y)}
    for name, value in arguments.items():
        if name != "n_jobs" and value is not None:
            is_array = bool(getattr(value, "shape", ()))
            found[name] = _digest(value) if is_array else _short(value)
    return found


def stored_fingerprint(found: Any) -> dict[str, Any] | None:
    """Read the fingerprint that a file holds, if it holds one."""
    check_type("fingerprint", found, dict, type(None))
    return None if found is None else {name: _short(value) for name, value in found.items()}


def _short(value: Any) -> Any:
    """Return a value as JSON has it, or a checksum if that would be long."""
    text = json_text({"value": value})
    if len(text) <= _MAX_TEXT:
        return json_object("an argument", text)["value"]
    return f"{len(text)} characters with checksum {zlib.crc32(text.encode()):08x}"


def _digest(array: Any) -> str:
    """Return shape, dtype and checksum of an array, dense or sparse."""
    parts = [array] if isinstance(array, np.ndarray) else [array.data, array.indices, array.indptr]
    checksum = 0
    for part in parts:
        checksum = zlib.crc32(np.ascontiguousarray(part).tobytes(), checksum)
    return f"{array.dtype} {tuple(array.shape)} with checksum {checksum:08x}"
