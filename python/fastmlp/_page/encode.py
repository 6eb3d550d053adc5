"""Numbers for the page: fixed-point numbers of 24 bits, four characters of base64 each."""

from base64 import b64encode
from typing import Any

import numpy as np
from numpy.typing import NDArray

_STEPS = 2**24 - 1


def fixed_point(values: NDArray[Any]) -> tuple[bytes, list[float]]:
    """Encode numbers as steps between the least and the largest of them.

    A number is off by half a step at most, which is 3e-8 of the range: as much as the rounding of
    float32.

    Parameters
    ----------
    values : ndarray
        Finite numbers.

    Returns
    -------
    codes : bytes
        Three per number, the lowest first.
    ends : list of two floats
        The least number and the largest.
    """
    flat = np.asarray(values, np.float64).ravel()
    # Nine digits are enough for float32, and the page decodes with what is written.
    low, high = (float(f"{end:.9g}") for end in (flat.min(), flat.max()))
    scaled = (flat - low) / (high - low) if high > low else np.zeros_like(flat)
    codes = np.rint(scaled.clip(0, 1) * _STEPS).astype("<u4")
    return codes.view(np.uint8).reshape(-1, 4)[:, :3].tobytes(), [low, high]


def base64(content: bytes) -> str:
    """Return bytes as text."""
    return b64encode(content).decode("ascii")


def doubles(values: NDArray[Any]) -> str:
    """Return numbers as the text of their float64, without loss."""
    return base64(np.ascontiguousarray(values, "<f8").tobytes())
