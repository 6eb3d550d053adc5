"""What a peer is: classes that train, that predict and that minimise, or some of them."""

from abc import ABC, abstractmethod
from typing import ClassVar
from unittest.mock import patch

import numpy as np
import scipy.optimize


class Peer(ABC):
    """One network, made from ``(case, problem, threads)`` with the weights of the problem."""

    name: ClassVar[str]

    @staticmethod
    def hindrance(threads):
        """Say why it cannot be measured here with this number of threads; "" if it can."""
        del threads
        return ""


class Trainer(Peer):
    """One network in training."""

    @staticmethod
    def departure(case):
        """Say in what way the library must train differently from the case; "" if it need not."""
        del case
        return ""

    @abstractmethod
    def train(self, epochs):
        """Train for this many passes over the rows, in their order."""

    @abstractmethod
    def loss(self):
        """Compute the cross-entropy over all rows, without dropout."""


class Predictor(Peer):
    """One network that predicts."""

    @abstractmethod
    def predict_proba(self, X):
        """Compute the probabilities of the classes: a NumPy array from a NumPy array."""


class Minimizer(Peer):
    """One network, whose squared error L-BFGS minimises."""

    @abstractmethod
    def minimize(self):
        """Minimise half of the mean squared error, from the weights of the problem; return it."""

    def counted(self):
        """Minimise; return the loss, and how often SciPy evaluated loss and gradient."""
        minimize, counts = scipy.optimize.minimize, []

        def counted(*arguments, **named):
            result = minimize(*arguments, **named)
            counts.append(result.nfev)
            return result

        with patch.object(scipy.optimize, "minimize", counted):
            loss = self.minimize()
        return loss, sum(counts)


def cross_entropy(weights, biases, X, y, activation):
    """Mean over the rows of a network's cross-entropy."""
    function = {"relu": lambda Z: np.maximum(Z, 0), "tanh": np.tanh}[activation]
    H = X
    for k, (W, b) in enumerate(zip(weights, biases, strict=True)):
        H = (function(H) if k else H) @ W + b
    H = H.astype(float)
    return (np.logaddexp.reduce(H, axis=1) - H[np.arange(len(H)), y]).mean()
