"""scikit-learn's MLPClassifier: whole epochs in one call of fit, going on where the last ended."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier

NAME = "scikit-learn"


class Trainer:
    """One network in training."""

    def __init__(self, case, problem):
        self.problem = problem
        self.net = MLPClassifier(
            hidden_layer_sizes=case.layer_sizes[1:-1],
            solver=case.optimizer,
            alpha=0.0,
            batch_size=case.batch_size,
            learning_rate_init=case.learning_rate,
            momentum=0.0,
            nesterovs_momentum=False,
            shuffle=False,
            warm_start=True,
            max_iter=1,
            tol=0.0,
            n_iter_no_change=np.inf,
            random_state=0,
        )
        # The arrays exist after an epoch; the next fit starts from what they then hold.
        self.train(1)
        for mine, start in zip(
            (*self.net.coefs_, *self.net.intercepts_),
            (*problem.weights, *problem.biases),
            strict=True,
        ):
            mine[...] = start

    def train(self, epochs):
        """Train for this many passes over the rows, in their order, without stopping early."""
        self.net.set_params(max_iter=epochs)
        seen = getattr(self.net, "t_", 0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.net.fit(self.problem.X, self.problem.y)
        if self.net.t_ - seen != epochs * len(self.problem.X):
            raise RuntimeError("scikit-learn stopped early")

    def loss(self):
        """Cross-entropy over all rows, now."""
        return log_loss(self.problem.y, self.net.predict_proba(self.problem.X))
