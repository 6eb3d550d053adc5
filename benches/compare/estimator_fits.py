"""What people fit first: scikit-learn's defaults on small and medium tables."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np


@dataclass(frozen=True)
class Fit:
    """A data set, and the network that is fitted to it in batches of 200 by Adam."""

    name: str
    load: Callable[[], tuple[np.ndarray, np.ndarray]]
    """Returns X in float64, and y."""
    layer_sizes: tuple[int, ...]
    epochs: int
    kind: str = "MLPClassifier"
    options: dict = field(default_factory=dict)

    def data(self, most_rows=None):
        """Return the first rows of X and y."""
        X, y = self.load()
        return X[:most_rows], y[:most_rows]

    @property
    def parameters(self):
        """Those of the estimators."""
        return {"hidden_layer_sizes": self.layer_sizes[1:-1], **self.options}

    @property
    def operations_per_row(self):
        """Multiplications and additions of a step in matrix products."""
        first, *others = (d_in * d_out for d_in, d_out in pairwise(self.layer_sizes))
        return 2 * (2 * first + 3 * sum(others))


def toy(name):
    """Return a function that loads, scales and shuffles a data set of scikit-learn."""

    def load():
        from sklearn import datasets
        from sklearn.preprocessing import scale

        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        order = np.random.default_rng(0).permutation(len(X))
        return scale(X)[order], y[order]

    return load


def numbers(n_rows, n_columns, n_classes=None):
    """Return a function that draws columns of numbers, and targets that they determine in part."""

    def load():
        rng = np.random.default_rng(0)
        X = rng.standard_normal((n_rows, n_columns))
        scores = X @ rng.standard_normal((n_columns, n_classes or 1))
        scores += rng.standard_normal(scores.shape)
        return X, np.tanh(scores[:, 0]) if n_classes is None else scores.argmax(axis=1)

    return load


def categories():
    """Draw 6 columns of numbers, 102 that code 8 categories by ones and zeros, and two classes."""
    rng = np.random.default_rng(0)
    n_rows = 26_000
    counts = (42, 16, 15, 9, 7, 6, 5, 2)
    columns = [rng.standard_normal((n_rows, 6))]
    columns += [np.eye(count)[rng.integers(count, size=n_rows)] for count in counts]
    X = np.hstack(columns)
    scores = X @ rng.standard_normal(X.shape[1]) + rng.standard_normal(n_rows)
    return X, scores > 0


def texts(n_texts=1000, n_words=5000):
    """Return counts of words in compressed rows, as CountVectorizer makes them, and 4 kinds.

    Words are as frequent as Zipf's law has it, and each kind prefers some of them.
    """
    from scipy.sparse import csr_matrix

    rng = np.random.default_rng(0)
    frequency = 1 / np.arange(1, n_words + 1)
    kinds = rng.integers(4, size=n_texts)
    preferences = frequency * rng.gamma(0.3, size=(4, n_words))
    preferences /= preferences.sum(axis=1, keepdims=True)
    rows = [rng.multinomial(80, preferences[kind]) for kind in kinds]
    return csr_matrix(np.stack(rows)), kinds


DIGITS = toy("digits"), (64, 100, 10), 30
FITS = (
    Fit("iris 4-100-3", toy("iris"), (4, 100, 3), 200),
    Fit("breast cancer 30-100-1", toy("breast_cancer"), (30, 100, 1), 200),
    Fit("digits, relu 64-100-10", *DIGITS),
    Fit("digits, tanh 64-100-10", *DIGITS, options={"activation": "tanh"}),
    Fit("diabetes 10-100-1", toy("diabetes"), (10, 100, 1), 200, "MLPRegressor"),
    Fit("16,512 x 8-100-1", numbers(16_512, 8), (8, 100, 1), 8, "MLPRegressor"),
    Fit("26,000 x 108-100-1, one-hot", categories, (108, 100, 1), 4),
    Fit("20,000 x 54-256-128-7", numbers(20_000, 54, 7), (54, 256, 128, 7), 2),
)
