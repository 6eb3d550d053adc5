"""Derivatives with respect to inputs agree with torch.func, and frozen layers with torch's."""

import numpy as np
import pytest
import torch
from torch.nn import functional

import fastmlp

ALL = {"normalization": "layer", "input_scale": True}
ACTIVATIONS = {
    "identity": lambda z: z,
    "relu": torch.relu,
    "leaky_relu": functional.leaky_relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "elu": functional.elu,
    "selu": functional.selu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "mish": functional.mish,
    "softplus": functional.softplus,
}
PREDICTIONS = {
    "softmax": lambda z: torch.softmax(z, dim=-1),
    "sigmoid": torch.sigmoid,
    "identity": lambda z: z,
    "exp": torch.exp,
}


def network(activation, dtype, output="softmax", **options):
    mlp = fastmlp.MLP([6, 17, 16, 4], activation, output, dtype=dtype, seed=1, **options)
    rng = np.random.default_rng(2)
    mlp.parameters[...] += 0.1 * rng.standard_normal(mlp.n_parameters).astype(dtype)
    return mlp


def in_torch(mlp):
    """The network as a function of a row and of its parameters, in the order of the blocks."""

    def forward(parameters, row):
        of = iter(parameters)
        a = row * next(of) if mlp.input_scale else row
        for _ in mlp.layer_sizes[1:-1]:
            a = a @ next(of) + next(of)
            if mlp.normalization == "layer":
                a = functional.layer_norm(a, a.shape[-1:], next(of), next(of))
            if mlp.activation == "prelu":
                a = torch.where(a > 0, a, next(of) * a)
            else:
                a = ACTIVATIONS[mlp.activation](a)
        return a @ next(of) + next(of)

    return forward, [torch.tensor(block.view.copy()) for block in mlp.parameter_blocks]


def jacobians(function, X):
    return torch.func.vmap(torch.func.jacrev(function))(torch.tensor(X)).numpy()


@pytest.mark.parametrize("options", [{}, ALL], ids=["plain", "stages"])
@pytest.mark.parametrize("n", [1, 33])
def test_the_jacobian_is_that_of_torch_func(activation, options, n, dtype, rng, assert_agrees):
    mlp = network(activation, dtype, **options)
    X = rng.standard_normal((n, 6)).astype(dtype)
    forward, parameters = in_torch(mlp)

    truth = jacobians(lambda row: forward(parameters, row), X)

    assert_agrees(mlp.input_gradients(X), truth)


@pytest.mark.parametrize("output", PREDICTIONS)
def test_the_jacobian_of_predictions_is_that_of_torch_func(output, dtype, rng, assert_agrees):
    mlp = network("silu", dtype, output, **ALL)
    X = rng.standard_normal((33, 6)).astype(dtype)
    forward, parameters = in_torch(mlp)

    truth = jacobians(lambda row: PREDICTIONS[output](forward(parameters, row)), X)

    assert_agrees(mlp.input_gradients(X, of="predictions"), truth)


def test_the_product_is_that_of_torch_func(activation, dtype, rng, assert_agrees):
    mlp = network(activation, dtype, **ALL)
    X = rng.standard_normal((33, 6)).astype(dtype)
    d_output = rng.standard_normal((33, 4)).astype(dtype)
    forward, parameters = in_torch(mlp)

    _, pull_back = torch.func.vjp(lambda rows: forward(parameters, rows), torch.tensor(X))

    assert_agrees(mlp.input_vjp(X, d_output), pull_back(torch.tensor(d_output))[0].numpy())


OPTIMIZERS = {
    "sgd": (fastmlp.SGD, torch.optim.SGD, {}, {}),
    "momentum": (fastmlp.SGD, torch.optim.SGD, {"momentum": 0.9}, {"momentum": 0.9}),
    "adam": (fastmlp.Adam, torch.optim.Adam, {}, {}),
    "adamw": (
        fastmlp.AdamW,
        torch.optim.AdamW,
        {"weight_decay": 0.5},
        {"weight_decay": 0.5},
    ),
}


# In float32 the steps of Adam on gradients near 0 are as different as the rounding of these.
@pytest.mark.parametrize("dtype", ["float64"])
@pytest.mark.parametrize("frozen", [0, 1, 2, (0, 1)])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_frozen_layers_are_tensors_that_require_no_gradient(
    name, frozen, dtype, rng, assert_agrees
):
    ours, theirs, settings, of_torch = OPTIMIZERS[name]
    mlp = network("prelu", dtype, **ALL)
    X, y = rng.standard_normal((50, 6)), rng.integers(4, size=50)
    forward, tensors = in_torch(mlp)
    n_dense = 0
    for block, tensor in zip(mlp.parameter_blocks, tensors, strict=True):
        n_dense += block.role == "weight"
        tensor.requires_grad_(max(n_dense - 1, 0) not in np.atleast_1d(frozen))
    optimizer = ours(0.01, **settings, clip_norm=0.1)
    torch_optimizer = theirs(tensors, lr=0.01, **of_torch)

    mlp.freeze(frozen)

    for step in range(10):
        torch_optimizer.zero_grad()
        functional.cross_entropy(forward(tensors, torch.tensor(X)), torch.tensor(y)).backward()
        torch.nn.utils.clip_grad_norm_(tensors, 0.1)
        torch_optimizer.step()
        mlp.step(X, y, optimizer)
        truth = np.concatenate([tensor.detach().numpy().ravel() for tensor in tensors])
        assert_agrees(mlp.parameters, truth, f"parameters after step {step}")
