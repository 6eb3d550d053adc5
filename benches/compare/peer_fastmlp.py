"""fastmlp as its users call it: whole epochs in one call of fit, L-BFGS, and predict_proba."""

import fastmlp
from benches.compare import OURS, lbfgs, peer


def network(case, problem, **arguments):
    """Make the network with the weights of the problem."""
    mlp = fastmlp.MLP(case.layer_sizes, case.activation, seed=0, **arguments)
    for views, starts in ((mlp.weights, problem.weights), (mlp.biases, problem.biases)):
        for view, start in zip(views, starts, strict=True):
            view[...] = start
    return mlp


class Trainer(peer.Trainer):
    """One network in training."""

    name = OURS

    def __init__(self, case, problem, threads):
        self.case, self.X, self.y, self.threads = case, problem.X, problem.y, threads
        self.optimizer = {
            "sgd": lambda: fastmlp.SGD(case.learning_rate),
            "adam": lambda: fastmlp.Adam(case.learning_rate),
            "adamw": lambda: fastmlp.AdamW(case.learning_rate, weight_decay=case.weight_decay),
        }[case.optimizer]()
        self.mlp = network(case, problem)

    def train(self, epochs):
        """Train for this many passes over the rows, in their order."""
        self.mlp.fit(
            self.X,
            self.y,
            self.optimizer,
            epochs=epochs,
            batch_size=self.case.batch_size,
            shuffle=False,
            dropout=self.case.dropout,
            n_jobs=self.threads,
        )

    def loss(self):
        """Cross-entropy over all rows, now, without dropout."""
        return self.mlp.loss(self.X, self.y)


class Minimizer(lbfgs.Estimator):
    """One network, whose squared error is minimised."""

    name = OURS
    estimator = fastmlp.MLPRegressor

    def __init__(self, case, problem, threads):
        super().__init__(case, problem, threads)
        self.net.set_params(n_jobs=threads)
        self.mlp = network(case, problem, output="identity", dtype="float64")

    def counted(self):
        """Minimise; return the loss, and the evaluations that its network takes to it."""
        mlp, X, y = self.mlp.copy(), self.problem.X, self.problem.y
        minimum = mlp.minimize(X, y, max_iter=self.net.max_iter, tol=self.net.tol)
        if minimum.loss != self.minimize():
            raise AssertionError("the estimator minimises otherwise than its network")
        return minimum.loss, minimum.n_evaluations


class Predictor(peer.Predictor):
    """One network that predicts."""

    name = OURS

    def __init__(self, case, problem, threads):
        self.mlp, self.threads = network(case, problem), threads

    def predict_proba(self, X):
        """Compute the probabilities of the classes."""
        return self.mlp.predict_proba(X, n_jobs=self.threads)
