"""fastmlp called from a training loop in Python, one call of step a batch."""

from benches.compare import peer_fastmlp

NAME = "fastmlp, a call a step"


class Trainer(peer_fastmlp.Trainer):
    """One network in training."""

    def __init__(self, case, problem):
        super().__init__(case, problem)
        size = case.batch_size
        self.batches = [
            (self.X[i : i + size], self.y[i : i + size]) for i in range(0, case.n_rows, size)
        ]

    def train(self, epochs):
        """Train for this many passes over the rows, in their order."""
        step, optimizer = self.mlp.step, self.optimizer
        for _ in range(epochs):
            for X, y in self.batches:
                step(X, y, optimizer)
