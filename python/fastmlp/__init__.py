"""Multilayer perceptrons for NumPy and scikit-learn, trained in Rust on the CPU."""

from fastmlp._core import (
    MLP,
    SGD,
    Adam,
    DivergenceError,
    Epoch,
    History,
    ModelFileError,
    __version__,
)

__all__ = [
    "MLP",
    "SGD",
    "Adam",
    "DivergenceError",
    "Epoch",
    "History",
    "ModelFileError",
    "__version__",
]
