"""Training by L-BFGS, which the engine does in float64."""

import warnings
from collections.abc import Callable
from copy import copy
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.optimize import _check_optimize_result

from fastmlp._core import MLP, DivergenceError, Epoch, Minimum
from fastmlp.estimators.architecture import Architecture
from fastmlp.estimators.course import INTERRUPTED, Course
from fastmlp.estimators.divergence import not_finite
from fastmlp.estimators.listeners import Listeners
from fastmlp.estimators.live import LiveParameters
from fastmlp.estimators.validation import Rows, Validation
from fastmlp.estimators.watch import Watch

# What SciPy says of a minimisation that ends before it converges, and its status, which
# scikit-learn's warning has.
_SCIPY = {
    "max_iter": (1, "STOP: TOTAL NO. OF ITERATIONS REACHED LIMIT"),
    "max_fun": (1, "STOP: TOTAL NO. OF F,G EVALUATIONS EXCEEDS LIMIT"),
    "line_search": (2, "ABNORMAL: "),
}


class LBFGS(LiveParameters):
    """The solver "lbfgs"."""

    alpha: float
    max_fun: int
    max_iter: int
    tol: float
    max_time: float | None
    n_jobs: int | None

    loss_: float
    best_loss_: Any

    def _fit_lbfgs(
        self, network: MLP, data: Rows, validation: Rows | None, listeners: Listeners
    ) -> Course:
        """Minimise in float64: a line search compares losses closer than float32 can tell apart."""
        # What it learned of the gradients says nothing of where this solver ends.
        self.__dict__.pop("_optimizer", None)
        wide = network if network.dtype == "float64" else _widened(network)
        X, y, _, weights = data
        held = None if validation is None else Validation(self, validation)
        watch = Watch(self, network, 0, held, listeners, None)
        warn: Callable[[], object] = partial(warnings.warn, INTERRUPTED, stacklevel=2)
        loss = np.inf
        try:
            minimum = wide.minimize(
                X.astype(np.float64, copy=False),
                y.astype(np.float64) if y.dtype == np.float32 else y,
                sample_weight=weights,
                alpha=self.alpha,
                max_iter=self.max_iter,
                max_fun=self.max_fun,
                tol=self.tol,
                n_jobs=self.n_jobs,
                callback=watch if wide is network else _Narrowed(watch, wide),
            )
        except DivergenceError as error:
            raise ValueError(not_finite(self, data, 0)) from error
        except KeyboardInterrupt:
            if listeners.company is not None:
                raise
            _give(network, wide)
            watch.catch_up(wide)
        else:
            _give(network, wide)
            listeners.end_training()
            loss = minimum.loss
            warn = self._ending(watch, minimum)
        losses = watch.record()
        if loss < np.inf:
            self.loss_ = loss
        if self.best_loss_ is not None:
            self.best_loss_ = min(self.best_loss_, loss)
        return Course(losses, warn)

    def _ending(self, watch: Watch, minimum: Minimum) -> Callable[[], object]:
        """Return what is said of a minimisation that ended before it converged."""
        if watch.is_late:
            how = (
                f"lbfgs: max_time={self.max_time} seconds were over after iteration "
                f"{watch.last.n_epochs} and the optimization hasn't converged yet."
            )
            return partial(warnings.warn, how, ConvergenceWarning, stacklevel=2)
        if minimum.ending in _SCIPY:
            status, message = _SCIPY[minimum.ending]
            result = OptimizeResult(status=status, message=message, nit=minimum.n_iter)
            return partial(_check_optimize_result, "lbfgs", result, self.max_iter)
        return bool  # of nothing

    def _loss_grad_lbfgs(
        self,
        packed_coef_inter: NDArray[Any],
        X: Any,
        y: NDArray[Any],
        sample_weight: NDArray[Any] | None = None,
        *_buffers: Any,
    ) -> tuple[float, NDArray[Any]]:
        """Return the objective and its gradient elsewhere; the estimator stays as it is.

        As in scikit-learn the vector has all weights first and then all biases, classes are an
        indicator matrix, and buffers follow; there is no use for them here.
        """
        network = copy(self.network_)
        start = 0
        for array in network.weights + network.biases:
            array.flat[:] = packed_coef_inter[start : start + array.size]
            start += array.size
        if network.output == "softmax":
            y = y.argmax(axis=1)
        else:
            y = (y.ravel() if y.shape[1] == 1 else y).astype(network.dtype)
        loss, gradient = network.loss_and_grad(X, y, sample_weight=sample_weight, alpha=self.alpha)
        d_weights, d_biases = network.unflatten(gradient)
        return loss, np.concatenate([array.ravel() for array in d_weights + d_biases])


class _Narrowed:
    """A watch over a network that gets the parameters of its twin in float64 before each note."""

    def __init__(self, watch: Watch, wide: MLP) -> None:
        self.watch, self.wide = watch, wide

    @property
    def epochs_ahead(self) -> int:
        return self.watch.epochs_ahead

    def __call__(self, epoch: Epoch) -> bool:
        _give(self.watch.network, self.wide)
        return self.watch(epoch)


def _widened(network: MLP) -> MLP:
    wide = Architecture.of(network)._replace(dtype="float64").make()
    wide.parameters[:] = network.parameters
    wide.freeze(network.frozen)
    return wide


def _give(network: MLP, wide: MLP) -> None:
    if wide is not network:
        with np.errstate(over="ignore"):  # who called looks at what became infinite
            network.parameters[:] = wide.parameters
