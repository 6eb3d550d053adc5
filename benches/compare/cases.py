"""The networks that every peer trains, and the data they train on."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class Case:
    """A ReLU network with a softmax on top, in float32, and how it is trained."""

    name: str
    layer_sizes: tuple[int, ...]
    n_rows: int
    batch_size: int
    optimizer: str
    """``"sgd"`` (without momentum) or ``"adam"``."""
    learning_rate: float

    @property
    def steps_per_epoch(self):
        """Updates of one pass over the rows, which the batch size divides."""
        return self.n_rows // self.batch_size

    @property
    def title(self):
        """The case in one line."""
        batch = "full batch" if self.steps_per_epoch == 1 else "batch"
        net = "-".join(map(str, self.layer_sizes))
        return f"{self.name}: {net}, {batch} {self.batch_size:,}, {self.optimizer}"


CASES = (
    Case("a", (2, 100, 3), 1050, 1050, "sgd", 1.0),
    Case("b", (2, 100, 3), 1024, 32, "adam", 1e-3),
    Case("c", (2, 100, 3), 1000, 200, "adam", 1e-3),
)


@dataclass(frozen=True)
class Problem:
    """Data and starting point of a case, the same for every peer; nobody may write to them."""

    X: np.ndarray
    y: np.ndarray
    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, case, seed=0):
        """Random inputs whose classes a network can learn, and weights as He et al. (2015)."""
        rng = np.random.default_rng(seed)
        d_in, n_classes = case.layer_sizes[0], case.layer_sizes[-1]
        X = rng.standard_normal((case.n_rows, d_in), dtype=np.float32)
        y = (X @ rng.standard_normal((d_in, n_classes), dtype=np.float32)).argmax(axis=1)
        weights = tuple(
            np.sqrt(2 / d, dtype=np.float32) * rng.standard_normal((d, h), dtype=np.float32)
            for d, h in pairwise(case.layer_sizes)
        )
        biases = tuple(np.zeros(h, np.float32) for h in case.layer_sizes[1:])
        for array in (X, y, *weights, *biases):
            array.flags.writeable = False
        return cls(X, y, weights, biases)
