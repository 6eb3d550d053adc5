"""scikit-learn's estimators: whole epochs in one call of fit, each from the last one's end."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from benches.compare import lbfgs, peer

NAME = "scikit-learn"


class Trainer(peer.Trainer):
    """One network in training."""

    name = NAME

    @staticmethod
    def departure(case):
        """Say what it lacks: dropout, decoupled decay, and a softmax over two classes."""
        lacks = []
        if case.dropout:
            lacks.append("no dropout")
        if case.optimizer == "adamw":
            lacks.append("Adam")
        if case.layer_sizes[-1] == 2:
            lacks.append("one logistic output")
        return ", ".join(lacks)

    def __init__(self, case, problem, threads):
        del threads  # The environment sets those of its BLAS.
        self.problem = problem
        self.net = MLPClassifier(
            hidden_layer_sizes=case.layer_sizes[1:-1],
            activation=case.activation,
            solver=case.optimizer.removesuffix("w"),
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
        # The arrays exist after an epoch; the next fit starts from their content.
        self.train(1)
        set_parameters(self.net, problem)

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
        *weights, W = self.net.coefs_
        *biases, b = self.net.intercepts_
        if self.net.n_outputs_ == 1:
            W, b = np.pad(W, ((0, 0), (1, 0))), np.pad(b, (1, 0))
        return peer.cross_entropy(
            (*weights, W), (*biases, b), self.problem.X, self.problem.y, self.net.activation
        )


class Minimizer(lbfgs.Estimator):
    """One network, whose squared error is minimised."""

    name = NAME
    estimator = MLPRegressor


class Predictor(peer.Predictor):
    """One network that predicts."""

    name = NAME

    def __init__(self, case, problem, threads):
        del threads  # The environment sets those of its BLAS.
        self.net = MLPClassifier(hidden_layer_sizes=case.layer_sizes[1:-1], random_state=0)
        classes = np.arange(case.layer_sizes[-1])
        X = np.zeros((len(classes), case.layer_sizes[0]), np.float32)
        self.net.partial_fit(X, classes, classes=classes)
        set_parameters(self.net, problem)

    def predict_proba(self, X):
        """Compute the probabilities of the classes."""
        return self.net.predict_proba(X)


def set_parameters(net, problem):
    """Write the weights of the problem into a fitted network.

    For two classes it has one output, whose logit is the difference of the two of a softmax.
    """
    weights, biases = list(problem.weights), list(problem.biases)
    if net.n_outputs_ < len(biases[-1]):
        weights[-1] = weights[-1][:, 1:] - weights[-1][:, :1]
        biases[-1] = biases[-1][1:] - biases[-1][:1]
    for view, start in zip((*net.coefs_, *net.intercepts_), (*weights, *biases), strict=True):
        view[...] = start
