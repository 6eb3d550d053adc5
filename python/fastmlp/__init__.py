"""Multilayer perceptrons for NumPy and scikit-learn, trained in Rust on the CPU.

`MLP` is the network, `SGD`, `Adam` and `AdamW` train it, and `History` records the training;
`MLP.minimize` trains it by L-BFGS, to a `Minimum`. They need only NumPy. `MLPClassifier` and
`MLPRegressor` are scikit-learn's estimators on the same engine, `TabularClassifier` and
`TabularRegressor` estimators for tables of mixed columns. `fit_many` trains many networks at once,
and `EnsembleClassifier` and `EnsembleRegressor` consist of several. They and the modules around
them need the packages that ``pip install "fastmlp[all]"`` installs:

==================  ==============================================================
fastmlp.losses      losses for ``MLP(..., loss=...)``; they need NumPy alone
fastmlp.data        the spiral, CSV files, splits, class weights, standardising
fastmlp.metrics     accuracy, F1, confusion matrix, ROC AUC, log loss, R squared, ...
fastmlp.plotting    data, decision boundaries, training curves, activations
fastmlp.progress    a callback that shows a training, in terminals and notebooks
fastmlp.model       a network with its scaling and names, in one file
fastmlp.film        a page that plays a training on two features; NumPy alone
fastmlp.checkpoint  training that can be interrupted and resumed
fastmlp.lesson      the lesson that ``fastmlp demo`` shows
fastmlp.dask        estimators for a Dask cluster; ``pip install "fastmlp[dask]"``
fastmlp.mpi         training by all ranks of an MPI job; ``pip install "fastmlp[mpi]"``
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
    Minimum,
    ModelFileError,
    Optimizer,
    ParameterBlock,
    __version__,
)
from fastmlp._extras import require

if TYPE_CHECKING:
    from fastmlp.ensembles import EnsembleClassifier, EnsembleRegressor
    from fastmlp.estimators import MLPClassifier, MLPRegressor
    from fastmlp.many import fit_many
    from fastmlp.tabular import TabularClassifier, TabularRegressor

__all__ = [
    "MLP",
    "SGD",
    "Adam",
    "AdamW",
    "DivergenceError",
    "EnsembleClassifier",
    "EnsembleRegressor",
    "Epoch",
    "History",
    "MLPClassifier",
    "MLPRegressor",
    "Minimum",
    "ModelFileError",
    "Optimizer",
    "ParameterBlock",
    "TabularClassifier",
    "TabularRegressor",
    "__version__",
    "fit_many",
    "losses",
]

# Without threadpoolctl, or with one that accepts no other libraries, there are no limits to obey.
with suppress(ImportError):
    import fastmlp._threadpoolctl  # noqa: F401


# The module of each, and what it needs.
_ESTIMATORS = {
    "EnsembleClassifier": ("fastmlp.ensembles", ["sklearn"]),
    "EnsembleRegressor": ("fastmlp.ensembles", ["sklearn"]),
    "MLPClassifier": ("fastmlp.estimators", ["sklearn"]),
    "MLPRegressor": ("fastmlp.estimators", ["sklearn"]),
    "TabularClassifier": ("fastmlp.tabular", ["sklearn", "narwhals"]),
    "TabularRegressor": ("fastmlp.tabular", ["sklearn", "narwhals"]),
    "fit_many": ("fastmlp.many", ["sklearn"]),
}


def __getattr__(name: str) -> Any:
    """Import the estimators on first access: they need scikit-learn."""
    if name in _ESTIMATORS:
        module, packages = _ESTIMATORS[name]
        for package in packages:
            require(package, name)
        return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
