"""Networks of every kind, with data, losses and optimizers for them."""

import numpy as np

import fastmlp
from fastmlp import losses

ALL = {"normalization": "layer", "input_scale": True}
OPTIMIZERS = {
    "sgd": lambda **options: fastmlp.SGD(0.1, **options),
    "nesterov": lambda **options: fastmlp.SGD(0.1, momentum=0.9, nesterov=True, **options),
    "adam": lambda **options: fastmlp.Adam(0.01, **options),
    "adamw": lambda **options: fastmlp.AdamW(0.01, weight_decay=0.1, **options),
}
# One with a kernel of its own, one cut into chunks, one with stages, one that goes block by block.
NETWORKS = {
    "tiny": ([2, 20, 3], "relu", {}),
    "chunks": ([5, 17, 16, 4], "tanh", {}),
    "stages": ([5, 17, 16, 4], "prelu", ALL),
    "blocks": ([40, 200, 180, 5], "relu", {}),
}


def network(kind="stages", dtype="float64", seed=3, loss=None):
    sizes, activation, options = NETWORKS[kind]
    return fastmlp.MLP(sizes, activation, dtype=dtype, seed=seed, loss=loss, **options)


def data(mlp, n=300):
    rng = np.random.default_rng(6)
    X = rng.standard_normal((n, mlp.layer_sizes[0])).astype(mlp.dtype)
    return X, rng.integers(mlp.layer_sizes[-1], size=n)


def half_squared_error(y, raw):
    return 0.5 * ((raw - y) ** 2).sum(axis=1), raw - y


# Makers of losses for a number of outputs; the targets are positive numbers.
LOSSES = {
    "huber": lambda n: losses.Huber(0.7),
    "gamma": lambda n: losses.Gamma(),
    "quantiles": lambda n: losses.Quantile(np.linspace(0.1, 0.9, n)),
    "a function": lambda n: half_squared_error,
}


def with_loss(name, kind, dtype="float64"):
    """A network, and data for its loss."""
    mlp = network(kind, dtype, loss=LOSSES[name](NETWORKS[kind][0][-1]))
    X, _ = data(mlp)
    shape = len(X) if name == "quantiles" else (len(X), mlp.layer_sizes[-1])
    y = np.random.default_rng(9).uniform(0.1, 2, shape).astype(dtype)
    return mlp, X, y


def layer_of(mlp):
    """The layer that each parameter belongs to."""
    layers, n_dense = [], 0
    for block in mlp.parameter_blocks:
        n_dense += block.role == "weight"
        layers.append(np.full(block.view.size, max(n_dense - 1, 0)))
    return np.concatenate(layers)
