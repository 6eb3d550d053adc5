"""Stages beyond dense layers agree with torch: normalisations, activations, inputs."""

import numpy as np
import pytest
import torch
from torch.nn import functional

import fastmlp

NETWORKS = {
    "layer": {"normalization": "layer"},
    "scale": {"input_scale": True},
    "prelu": {"activation": "prelu"},
    "parametric": {"activation": ("relu", "mish"), "parametric_activation": True},
    "periodic": {"periodic_inputs": 2},
    "all": {
        "normalization": "layer",
        "input_scale": True,
        "activation": ("prelu", "tanh"),
        "periodic_inputs": 3,
    },
    "parametric with all": {
        "normalization": "layer",
        "input_scale": True,
        "activation": ("tanh", "selu"),
        "periodic_inputs": 1,
        "parametric_activation": True,
    },
}
FUNCTIONS = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "mish": functional.mish,
    "selu": torch.selu,
}
# Through chunks and through blocks of tiles, with widths that are not a multiple of a vector.
SIZES = ([3, 17, 16, 4], [40, 200, 180, 5])


@pytest.fixture(params=NETWORKS)
def options(request):
    """One stage, or all of them."""
    return NETWORKS[request.param]


@pytest.fixture(params=SIZES, ids=["narrow", "wide"])
def mlp(request, options, dtype):
    """A network with no parameter at its initial value."""
    mlp = fastmlp.MLP(request.param, **{"activation": "tanh", **options}, dtype=dtype, seed=1)
    rng = np.random.default_rng(2)
    for block in mlp.parameter_blocks:
        block.view[...] += 0.1 * rng.standard_normal(block.shape)
    return mlp


def in_torch(mlp, X):
    """Leaf tensors in the order of `parameter_blocks`, and torch's logits."""
    tensors = [
        torch.tensor(block.view.copy(), requires_grad=True) for block in mlp.parameter_blocks
    ]
    of = iter(tensors)
    n_hidden = len(mlp.layer_sizes) - 2
    names = mlp.activation if isinstance(mlp.activation, tuple) else (mlp.activation,) * n_hidden
    a = with_features(X, *(next(of) for _ in range(4))) if mlp.periodic_inputs else X
    a = a * next(of) if mlp.input_scale else a
    for name in names:
        a = a @ next(of) + next(of)
        if mlp.normalization == "layer":
            a = functional.layer_norm(a, (a.shape[1],), next(of), next(of))
        if mlp.parametric_activation:
            alpha = next(of)
            a = (1 - alpha) * a + alpha * FUNCTIONS[name](a)
        else:
            a = functional.prelu(a, next(of)) if name == "prelu" else FUNCTIONS[name](a)
    return tensors, a @ next(of) + next(of)


def with_features(X, frequencies, phases, projections, offsets):
    n_inputs = len(frequencies)
    cosines = torch.cos(2 * torch.pi * (X[:, :n_inputs, None] * frequencies + phases))
    features = torch.einsum("nik,ifk->nif", cosines, projections.reshape(n_inputs, 3, 16)) + offsets
    return torch.cat([X, features.flatten(1)], dim=1)


def joined(tensors):
    return np.concatenate([tensor.detach().numpy().ravel() for tensor in tensors])


@pytest.mark.parametrize("n", [1, 33, 300])
def test_gradients_agree_with_autograd(mlp, n, rng, assert_agrees):
    X = rng.standard_normal((n, mlp.layer_sizes[0])).astype(mlp.dtype)
    y = rng.integers(mlp.layer_sizes[-1], size=n)

    loss, gradient = mlp.loss_and_grad(X, y)

    tensors, logits = in_torch(mlp, torch.tensor(X))
    true_loss = functional.cross_entropy(logits, torch.tensor(y))
    true_loss.backward()
    assert_agrees(mlp.forward(X), logits.detach(), "logits")
    assert_agrees(loss, true_loss.item(), "loss", mlp.dtype)
    assert_agrees(gradient, joined([tensor.grad for tensor in tensors]), "gradient")


def test_backward_agrees_with_autograd(mlp, rng, assert_agrees):
    X = rng.standard_normal((33, mlp.layer_sizes[0])).astype(mlp.dtype)
    d_output = rng.standard_normal((33, mlp.layer_sizes[-1])).astype(mlp.dtype)

    gradient, d_X = mlp.backward(X, d_output)

    X_torch = torch.tensor(X, requires_grad=True)
    tensors, logits = in_torch(mlp, X_torch)
    logits.backward(torch.tensor(d_output))
    assert_agrees(gradient, joined([tensor.grad for tensor in tensors]), "gradient")
    assert_agrees(d_X, X_torch.grad, "d_X")


def test_the_penalty_is_that_of_the_weights_alone(mlp, rng, assert_agrees):
    X = rng.standard_normal((20, mlp.layer_sizes[0])).astype(mlp.dtype)
    y = rng.integers(mlp.layer_sizes[-1], size=20)
    loss, gradient = mlp.loss_and_grad(X, y)

    penalized, gradient_penalized = mlp.loss_and_grad(X, y, alpha=0.5)

    squares = sum(float((W.astype("float64") ** 2).sum()) for W in mlp.weights)
    assert_agrees(penalized, loss + 0.5 / 2 * squares / 20, "loss", mlp.dtype)
    blocks = [
        block.view.ravel() * (0.5 / 20 if block.role == "weight" else 0.0)
        for block in mlp.parameter_blocks
    ]
    assert_agrees(gradient_penalized, gradient + np.concatenate(blocks), "gradient")


OPTIMIZERS = {
    "sgd": (fastmlp.SGD, torch.optim.SGD, {}, {}),
    "momentum": (fastmlp.SGD, torch.optim.SGD, {"momentum": 0.9}, {"momentum": 0.9}),
    "adam": (fastmlp.Adam, torch.optim.Adam, {}, {}),
    "adamw": (
        fastmlp.AdamW,
        torch.optim.AdamW,
        {"weight_decay": 0.5, "decay_roles": ("weight", "scale")},
        {"weight_decay": 0.5},
    ),
}


# In float32 the steps of Adam on gradients near 0 are as different as the rounding of these.
@pytest.mark.parametrize("dtype", ["float64"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_roles_have_the_learning_rates_and_decays_of_groups(name, mlp, rng, assert_agrees):
    ours, theirs, settings, of_torch = OPTIMIZERS[name]
    factors = {"bias": 0.1, "gain": 2.0, "scale": 6.0, "slope": 0.5, "frequency": 0.3, "phase": 3.0}
    factors |= {"alpha": 0.2}
    X = rng.standard_normal((50, mlp.layer_sizes[0]))
    y = rng.integers(mlp.layer_sizes[-1], size=50)
    optimizer = ours(0.01, **settings, lr_factors=factors, clip_norm=0.5)
    tensors, _ = in_torch(mlp, torch.tensor(X))
    groups = [
        {"params": [tensor], "lr": 0.01 * factors.get(block.role, 1.0)}
        | ({"weight_decay": 0.0} if block.role not in ("weight", "scale") else {})
        for block, tensor in zip(mlp.parameter_blocks, tensors, strict=True)
    ]
    torch_optimizer = theirs(groups, **of_torch)
    for step in range(20):
        # The network has torch's parameters now, of which new leaves are made.
        fresh, logits = in_torch(mlp, torch.tensor(X))
        functional.cross_entropy(logits, torch.tensor(y)).backward()
        for tensor, leaf in zip(tensors, fresh, strict=True):
            tensor.grad = leaf.grad
        torch.nn.utils.clip_grad_norm_(tensors, 0.5)
        torch_optimizer.step()

        mlp.step(X, y, optimizer)

        assert_agrees(mlp.parameters, joined(tensors), f"parameters after step {step}")
