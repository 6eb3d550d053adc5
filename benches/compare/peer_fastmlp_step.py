"""fastmlp called from a training loop in Python, one call of step per batch, on one thread."""

from benches.compare import peer_fastmlp


class Trainer(peer_fastmlp.Trainer):
    """One network in training."""

    name = "fastmlp, one call per step"

    @staticmethod
    def hindrance(threads):
        """`step` is not threaded."""
        return "it has one thread" if threads > 1 else ""

    def __init__(self, case, problem, threads):
        super().__init__(case, problem, threads)
        size = case.batch_size
        self.batches = [
            (self.X[i : i + size], self.y[i : i + size]) for i in range(0, case.n_rows, size)
        ]

    def train(self, epochs):
        """Train for this many passes over the rows, in their order."""
        step, optimizer, dropout = self.mlp.step, self.optimizer, self.case.dropout
        for _ in range(epochs):
            for X, y in self.batches:
                step(X, y, optimizer, dropout=dropout)
