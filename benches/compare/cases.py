"""The networks that every peer trains, and their data."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class Training:
    """A network with a softmax on top, in float32, and how it is trained."""

    name: str
    layer_sizes: tuple[int, ...]
    n_rows: int
    batch_size: int
    optimizer: str
    """``"sgd"`` (without momentum), ``"adam"`` or ``"adamw"``."""
    learning_rate: float
    weight_decay: float = 0.0
    dropout: float = 0.0
    """Fraction of the hidden units that a step drops."""
    activation: str = "relu"
    """Of the hidden layers: ``"relu"`` or ``"tanh"``."""

    unit = "step"

    @property
    def steps_per_epoch(self):
        """Updates of one pass over the rows, which the batch size divides."""
        return self.n_rows // self.batch_size

    @property
    def epochs_to_compare(self):
        """Passes over the rows after which losses are compared; few if a step takes long."""
        return 1 if max(self.layer_sizes) > 1000 else 5

    @property
    def title(self):
        """The case in one line."""
        batch = "full batch" if self.steps_per_epoch == 1 else "batch"
        dropout = f", dropout {self.dropout}" if self.dropout else ""
        optimizer = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW"}[self.optimizer]
        tanh = ", tanh" if self.activation == "tanh" else ""
        return f"{net(self)}{tanh}, {batch} {self.batch_size:,}, {optimizer}{dropout}"


@dataclass(frozen=True)
class Inference:
    """Probabilities of the classes by a trained network, NumPy arrays in and out."""

    name: str
    layer_sizes: tuple[int, ...]
    n_rows: int

    unit = "call"
    activation = "relu"

    @property
    def title(self):
        """The case in one line."""
        rows = "1 row" if self.n_rows == 1 else f"{self.n_rows:,} rows"
        return f"{net(self)}, predict_proba of {rows}"


@dataclass(frozen=True)
class Minimization:
    """A network with one output, in float64, whose squared error L-BFGS minimises."""

    name: str
    layer_sizes: tuple[int, ...]
    n_rows: int
    n_iterations: int
    """Few enough that rounding leads no peer to another number of evaluations."""

    unit = "evaluation"
    activation = "tanh"

    @property
    def title(self):
        """The case in one line."""
        return f"{net(self)}, tanh, float64, full batch {self.n_rows}, L-BFGS"


def net(case):
    """Widths of the layers, as people write them."""
    return "-".join(map(str, case.layer_sizes))


SPIRAL, DIGITS = (2, 100, 3), (784, 256, 256, 10)

CASES = (
    Training("a", SPIRAL, 1050, 1050, "sgd", 1.0),
    Training("b", SPIRAL, 1024, 32, "adam", 1e-3),
    Training("c", SPIRAL, 1000, 200, "adam", 1e-3),
    Training("d", (30, 64, 64, 2), 1024, 64, "adam", 1e-3),
    Training("e", DIGITS, 1280, 128, "adam", 1e-3),
    Training("f", (64, 256, 256, 256, 2), 1280, 256, "adamw", 1e-3, 0.01, 0.15),
    Training("g", (1024, 4096, 4096, 1000), 1024, 512, "sgd", 0.1),
    Training("h", (4, 64, 64, 2), 1024, 64, "adam", 1e-3, activation="tanh"),
    Minimization("i", (1, 50, 50, 1), 200, 50),
    Inference("a-1", SPIRAL, 1),
    Inference("e-1", DIGITS, 1),
    Inference("a-10000", SPIRAL, 10_000),
    Inference("e-10000", DIGITS, 10_000),
)


@dataclass(frozen=True)
class Problem:
    """Data and starting point of a case, the same for every peer and read-only."""

    X: np.ndarray
    y: np.ndarray
    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, case, seed=0):
        """Make random rows, targets that can mostly be learnt, and weights as He et al. (2015)."""
        rng = np.random.default_rng(seed)
        X, y = (values if isinstance(case, Minimization) else classes)(case, rng)
        of_rows = {"dtype": X.dtype}
        weights = tuple(
            np.sqrt(2 / d, **of_rows) * rng.standard_normal((d, h), **of_rows)
            for d, h in pairwise(case.layer_sizes)
        )
        biases = tuple(np.zeros(h, X.dtype) for h in case.layer_sizes[1:])
        for array in (X, y, *weights, *biases):
            array.flags.writeable = False
        return cls(X, y, weights, biases)


def classes(case, rng):
    """Make rows and their classes.

    A tenth of the rows, or one row per class if that is more, have classes drawn independently of
    their inputs: gradients then never vanish, and every class has a row.
    """
    d_in, n_classes = case.layer_sizes[0], case.layer_sizes[-1]
    X = rng.standard_normal((case.n_rows, d_in), dtype=np.float32)
    y = (X @ rng.standard_normal((d_in, n_classes), dtype=np.float32)).argmax(axis=1)
    drawn = rng.permutation(case.n_rows)[: max(n_classes, case.n_rows // 10)]
    y[drawn] = np.arange(len(drawn)) % n_classes
    return X, y


def values(case, rng):
    """Make rows and the values of a smooth function, as those of a simulation."""
    X = rng.uniform(-1, 1, (case.n_rows, case.layer_sizes[0]))
    return X, np.sin(6 * X).sum(axis=1)
