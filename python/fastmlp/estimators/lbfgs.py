"""Training by L-BFGS: SciPy's minimiser over the engine's loss and gradient."""

import warnings
from collections.abc import Callable
from copy import copy
from functools import partial
from typing import Any

import numpy as np
import scipy.optimize
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.optimize import _check_optimize_result
from sklearn.utils.parallel import _get_threadpool_controller

from fastmlp._core import MLP
from fastmlp.estimators.architecture import Architecture
from fastmlp.estimators.course import INTERRUPTED, Course
from fastmlp.estimators.divergence import not_finite
from fastmlp.estimators.listeners import Listeners
from fastmlp.estimators.live import LiveParameters
from fastmlp.estimators.validation import Rows, Validation
from fastmlp.estimators.watch import Watch


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
        X = X.astype(np.float64, copy=False)
        if y.dtype == np.float32:
            y = y.astype(np.float64)
        held = None if validation is None else Validation(self, validation)
        watch = Watch(self, network, 0, held, listeners, None)
        start = gradient = wide.parameters.copy()

        # SciPy asks for the loss and then for its gradient there. Of one function that returns both
        # it would compare every argument with the one before, twice.
        def objective(parameters: NDArray[np.float64]) -> float:
            nonlocal gradient
            wide.parameters[:] = parameters
            loss, gradient = wide.loss_and_grad(
                X, y, sample_weight=weights, alpha=self.alpha, n_jobs=self.n_jobs
            )
            # From there the line search would find no way, and SciPy end as if it had converged.
            begins = watch.last.n_epochs == 0
            if begins and not (np.isfinite(loss) and np.isfinite(gradient).all()):
                raise ValueError(not_finite(self, data, 0))
            return loss

        def its_gradient(parameters: NDArray[np.float64]) -> NDArray[Any]:
            if not np.array_equal(parameters, wide.parameters):
                objective(parameters)
            return gradient

        def note(intermediate_result: scipy.optimize.OptimizeResult) -> None:
            reached = intermediate_result.x.copy()
            _assign(network, reached)
            if watch.note(float(intermediate_result.fun), reached):
                raise StopIteration

        warn: Callable[[], object] = partial(warnings.warn, INTERRUPTED, stacklevel=2)
        options = {"maxfun": self.max_fun, "maxiter": self.max_iter, "gtol": self.tol}
        loss = np.inf
        try:
            # SciPy's own share is some dot products, too short for threads to meet over.
            with _get_threadpool_controller().select(user_api="blas").limit(limits=1):
                result = scipy.optimize.minimize(
                    objective,
                    start.copy(),
                    method="L-BFGS-B",
                    jac=its_gradient,
                    callback=note,
                    options=options,
                )
        except KeyboardInterrupt:
            if listeners.company is not None:
                raise
            reached = watch.last.parameters
            _assign(network, start if reached is None else reached)
        else:
            _assign(network, result.x)
            listeners.end_training()
            loss = float(result.fun)
            warn = bool  # of nothing
            if watch.is_late:
                how = (
                    f"lbfgs: max_time={self.max_time} seconds were over after iteration "
                    f"{watch.last.n_epochs} and the optimization hasn't converged yet."
                )
                warn = partial(warnings.warn, how, ConvergenceWarning, stacklevel=2)
            elif not watch.stopped:
                warn = partial(_check_optimize_result, "lbfgs", result, self.max_iter)
        losses = watch.record()
        if loss < np.inf:
            self.loss_ = loss
        if self.best_loss_ is not None:
            self.best_loss_ = min(self.best_loss_, loss)
        return Course(losses, warn)

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


def _widened(network: MLP) -> MLP:
    wide = Architecture.of(network)._replace(dtype="float64").make()
    wide.parameters[:] = network.parameters
    wide.freeze(network.frozen)
    return wide


def _assign(network: MLP, parameters: NDArray[Any]) -> None:
    with np.errstate(over="ignore"):  # in float32; who called looks at what became infinite
        network.parameters[:] = parameters
