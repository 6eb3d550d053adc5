"""Multilayer perceptrons for NumPy and scikit-learn, trained in Rust on the CPU.

`MLP` is the network, `SGD`, `Adam` and `AdamW` train it, and `History` records the training. They
need only NumPy. `MLPClassifier` and `MLPRegressor` are scikit-learn's estimators on the same
engine. The modules around them need the packages that ``pip install "fastmlp[all]"`` installs:

==================  ==============================================================
fastmlp.losses      losses for ``MLP(..., loss=...)``; they need NumPy alone
fastmlp.data        the spiral, CSV files, splits, class weights, standardising
fastmlp.metrics     accuracy, precision, recall, F1, confusion matrix
fastmlp.plotting    data, decision boundaries, training curves, activations
fastmlp.model       a network with its scaling and names, in one file
fastmlp.checkpoint  training that can be interrupted and resumed
fastmlp.lesson      the lesson that ``fastmlp demo`` shows
==================  ==============================================================
"""

from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from fastmlp import losses
from fastmlp._core import (
    MLP,
    SGD,
    Adam,
    AdamW,
    DivergenceError,
    Epoch,
    History,
    ModelFileError,
    Optimizer,
    ParameterBlock,
    __version__,
)
from fastmlp._extras import require

if TYPE_CHECKING:
    from fastmlp.estimators import MLPClassifier, MLPRegressor

__all__ = [
    "MLP",
    "SGD",
    "Adam",
    "AdamW",
    "DivergenceError",
    "Epoch",
    "History",
    "MLPClassifier",
    "MLPRegressor",
    "ModelFileError",
    "Optimizer",
    "ParameterBlock",
    "__version__",
    "losses",
]

# Without threadpoolctl, or with one that accepts no other libraries, there are no limits to obey.
with suppress(ImportError):
    import fastmlp._threadpoolctl  # noqa: F401


def __getattr__(name: str) -> Any:
    """Import the estimators on first access: they need scikit-learn."""
    if name in ("MLPClassifier", "MLPRegressor"):
        require("sklearn", name)
        return getattr(import_module("fastmlp.estimators"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
