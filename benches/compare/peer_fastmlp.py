"""fastmlp as its users call it: whole epochs in one call of fit."""

import fastmlp

NAME = "fastmlp"


def make_optimizer(case):
    """Make the case's optimizer."""
    kind = {"sgd": fastmlp.SGD, "adam": fastmlp.Adam}[case.optimizer]
    return kind(learning_rate=case.learning_rate)


class Trainer:
    """One network in training."""

    def __init__(self, case, problem):
        self.case, self.X, self.y = case, problem.X, problem.y
        self.optimizer = make_optimizer(case)
        self.mlp = fastmlp.MLP(case.layer_sizes)
        for view, start in zip(self.mlp.weights, problem.weights, strict=True):
            view[...] = start
        for view, start in zip(self.mlp.biases, problem.biases, strict=True):
            view[...] = start

    def train(self, epochs):
        """Train for this many passes over the rows, in their order."""
        self.mlp.fit(
            self.X,
            self.y,
            self.optimizer,
            epochs=epochs,
            batch_size=self.case.batch_size,
            shuffle=False,
            n_jobs=1,
        )

    def loss(self):
        """Cross-entropy over all rows, now."""
        return self.mlp.loss(self.X, self.y)
