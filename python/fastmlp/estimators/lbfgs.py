"""Training by L-BFGS: SciPy's minimiser over the engine's loss and gradient."""

import warnings
from collections.abc import Callable
from copy import copy
from functools import partial
from typing import Any

import numpy as np
import scipy.optimize
from numpy.typing import NDArray
from sklearn.utils.optimize import _check_optimize_result
from threadpoolctl import threadpool_limits

from fastmlp._core import MLP
from fastmlp.estimators.course import INTERRUPTED, NOT_FINITE, Course
from fastmlp.estimators.live import LiveParameters


class LBFGS(LiveParameters):
    """The solver "lbfgs"."""

    alpha: float
    max_fun: int
    max_iter: int
    tol: float
    verbose: bool | int

    n_iter_: int
    loss_: float
    best_loss_: Any

    def _fit_lbfgs(
        self, network: MLP, X: Any, y: NDArray[Any], sample_weight: NDArray[Any] | None
    ) -> Course:
        """Minimise in float64: a line search compares losses closer than float32 can tell apart."""
        # What it learned of the gradients says nothing of where this solver ends.
        self.__dict__.pop("_optimizer", None)
        wide = network if network.dtype == "float64" else _widened(network)
        X = X.astype(np.float64, copy=False)
        if y.dtype == np.float32:
            y = y.astype(np.float64)
        start, losses = wide.parameters.copy(), list[float]()
        # Parameters and the number of losses up to them: one thing, whenever Ctrl-C comes.
        accepted = (start, 0)

        def objective(parameters: NDArray[np.float64]) -> tuple[float, NDArray[Any]]:
            wide.parameters[:] = parameters
            loss, gradient = wide.loss_and_grad(X, y, sample_weight=sample_weight, alpha=self.alpha)
            # From there the line search would find no way, and SciPy end as if it had converged.
            if accepted[1] == 0 and not (np.isfinite(loss) and np.isfinite(gradient).all()):
                raise ValueError(NOT_FINITE)
            return loss, gradient

        def note(intermediate_result: scipy.optimize.OptimizeResult) -> None:
            nonlocal accepted
            losses.append(float(intermediate_result.fun))
            accepted = (intermediate_result.x.copy(), len(losses))
            if self.verbose:
                print(f"Iteration {len(losses)}, loss = {losses[-1]:.8f}")

        warn: Callable[[], object] = partial(warnings.warn, INTERRUPTED, stacklevel=2)
        options = {"maxfun": self.max_fun, "maxiter": self.max_iter, "gtol": self.tol}
        try:
            # SciPy's own share is some dot products, too short for threads to meet over.
            with threadpool_limits(1, user_api="blas"):
                result = scipy.optimize.minimize(
                    objective,
                    start.copy(),
                    method="L-BFGS-B",
                    jac=True,
                    callback=note,
                    options=options,
                )
        except KeyboardInterrupt:
            parameters, self.n_iter_ = accepted
            del losses[self.n_iter_ :]
            if losses:
                self.loss_ = losses[-1]
        else:
            parameters, self.n_iter_ = result.x, min(result.nit, self.max_iter)
            self.loss_ = float(result.fun)
            warn = partial(_check_optimize_result, "lbfgs", result, self.max_iter)
        self.best_loss_ = min(self.best_loss_, *losses, getattr(self, "loss_", np.inf))
        with np.errstate(over="ignore"):  # in float32; who called looks at what became infinite
            network.parameters[:] = parameters
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
    wide = MLP(
        network.layer_sizes,
        activation=network.activation,
        output=network.output,
        dtype="float64",
        seed=0,
    )
    wide.parameters[:] = network.parameters
    return wide
