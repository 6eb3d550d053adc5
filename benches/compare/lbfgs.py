"""Two ways to minimise by L-BFGS: an estimator, or SciPy with a loss and gradient of one's own."""

import warnings
from abc import abstractmethod
from itertools import pairwise
from typing import ClassVar

import numpy as np
import scipy.optimize
from sklearn.exceptions import ConvergenceWarning

from benches.compare import peer


class Estimator(peer.Minimizer):
    """An estimator as scikit-learn's, fitted anew from the weights of the problem."""

    estimator: ClassVar[type]

    def __init__(self, case, problem, threads):
        del threads  # The environment sets those of BLAS.
        self.problem = problem
        self.net = self.estimator(
            hidden_layer_sizes=case.layer_sizes[1:-1],
            activation=case.activation,
            solver="lbfgs",
            alpha=0.0,
            max_iter=case.n_iterations,
            tol=0.0,
            warm_start=True,
            random_state=0,
        )
        # The arrays to begin with exist after a fit.
        self.fit()

    def minimize(self):
        """Minimise half of the mean squared error, from the weights of the problem; return it."""
        arrays = (*self.net.coefs_, *self.net.intercepts_)
        starts = (*self.problem.weights, *self.problem.biases)
        for array, start in zip(arrays, starts, strict=True):
            array[...] = start
        self.fit()
        return self.net.loss_

    def fit(self):
        """Fit all rows, to the most iterations."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.net.fit(self.problem.X, self.problem.y)


class OwnGradient(peer.Minimizer):
    """SciPy's minimiser over a loss and gradient of the peer's own, in one flat vector."""

    def __init__(self, case, problem):
        self.shapes = list(pairwise(case.layer_sizes))
        layers = zip(problem.weights, problem.biases, strict=True)
        self.start = np.concatenate([array.ravel() for layer in layers for array in layer])
        self.options = {"maxiter": case.n_iterations, "gtol": 0.0}

    @abstractmethod
    def loss_and_gradient(self, parameters):
        """Compute a float, and an array as long as the parameters."""

    def minimize(self):
        """Minimise half of the mean squared error, from the weights of the problem; return it."""
        return scipy.optimize.minimize(
            self.loss_and_gradient, self.start, method="L-BFGS-B", jac=True, options=self.options
        ).fun
