"""Batch normalisation agrees with torch, in training and in prediction."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from networks import layer_of
from torch.nn import functional

import fastmlp

ACTIVATIONS = {
    "identity": torch.nn.Identity,
    "relu": torch.nn.ReLU,
    "leaky_relu": torch.nn.LeakyReLU,
    "sigmoid": torch.nn.Sigmoid,
    "tanh": torch.nn.Tanh,
    "elu": torch.nn.ELU,
    "selu": torch.nn.SELU,
    "gelu": torch.nn.GELU,
    "silu": torch.nn.SiLU,
    "mish": torch.nn.Mish,
    "softplus": torch.nn.Softplus,
}
# With a forward kernel of its own once it is folded, and by products of matrices; with widths that
# are no multiple of a vector, and more columns than a thread takes at a time.
SIZES = ([3, 20, 4], [3, 17, 16, 4], [40, 200, 180, 5])


@pytest.fixture(params=SIZES, ids=["tiny", "narrow", "wide"])
def sizes(request):
    return request.param


@pytest.fixture
def build(rng):
    """Build a network with no parameter at its first value."""

    def build(sizes, activation="tanh", dtype="float64", **options):
        mlp = fastmlp.MLP(sizes, activation, dtype=dtype, seed=1, normalization="batch", **options)
        for block in mlp.parameter_blocks:
            drawn = 0.1 * rng.standard_normal(block.shape)
            block.view[...] = np.exp(drawn) if block.role == "variance" else block.view + drawn
        return mlp

    return build


class InputScale(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * self.scale


def twin_of(mlp, dropout=None):
    """The same network in torch, with copies of the same parameters."""
    layers = [InputScale(mlp.layer_sizes[0])] if mlp.input_scale else []
    n_hidden = len(mlp.layer_sizes) - 2
    names = mlp.activation if isinstance(mlp.activation, tuple) else (mlp.activation,) * n_hidden
    for i, (d_in, d_out) in enumerate(zip(mlp.layer_sizes, mlp.layer_sizes[1:], strict=False)):
        layers.append(torch.nn.Linear(d_in, d_out))
        if i < n_hidden:
            layers.append(torch.nn.BatchNorm1d(d_out))
            prelu = names[i] == "prelu"
            layers.append(torch.nn.PReLU(d_out) if prelu else ACTIVATIONS[names[i]]())
            layers += [dropout] if dropout else []
    net = torch.nn.Sequential(*layers).to(getattr(torch, mlp.dtype))
    with torch.no_grad():
        for tensor, block in zip(tensors_of(net), mlp.parameter_blocks, strict=True):
            tensor.copy_(torch.tensor(block.view))
    return net


def tensors_of(net):
    """Torch's tensors in the order of `parameter_blocks`."""
    tensors = []
    for layer in net:
        match layer:
            case torch.nn.Linear():
                tensors += [layer.weight.T, layer.bias]
            case torch.nn.BatchNorm1d():
                tensors += [layer.weight, layer.bias, layer.running_mean, layer.running_var]
            case _:
                tensors += layer.parameters()
    return tensors


def flat(net, read=lambda tensor: tensor):
    return np.concatenate([read(tensor).detach().numpy().ravel() for tensor in tensors_of(net)])


def gradient_of(net):
    """The gradients of `tensors_of`; running statistics have none, and ours is 0."""
    of = {}
    for layer in net:
        for parameter in layer.parameters():
            of[parameter.data_ptr()] = parameter.grad
    grads = []
    for tensor in tensors_of(net):
        grad = of.get(tensor.data_ptr(), torch.zeros_like(tensor))
        grads.append((grad if grad.shape == tensor.shape else grad.T).numpy().ravel())
    return np.concatenate(grads)


def batch(rng, mlp, n):
    X = rng.standard_normal((n, mlp.layer_sizes[0])).astype(mlp.dtype)
    return X, rng.integers(mlp.layer_sizes[-1], size=n)


@pytest.mark.parametrize("n", [17, 300])
@pytest.mark.parametrize("name", [*ACTIVATIONS, "prelu"])
def test_gradients_agree_with_autograd(name, sizes, n, dtype, rng, build, assert_agrees):
    mlp = build(sizes, name, dtype)
    X, y = batch(rng, mlp, n)
    before = mlp.parameters.copy()

    loss, gradient = mlp.loss_and_grad(X, y)

    net = twin_of(mlp).double()
    true_loss = functional.cross_entropy(net(torch.tensor(X).double()), torch.tensor(y))
    true_loss.backward()
    assert_agrees(loss, true_loss.item(), "loss", mlp.dtype)
    assert_agrees(gradient, gradient_of(net), "gradient")
    np.testing.assert_array_equal(mlp.parameters, before)


def test_gradients_with_all_other_options(rng, build, assert_agrees):
    mlp = build([5, 33, 17, 20, 4], ("prelu", "gelu", "relu"), input_scale=True)
    X, y = batch(rng, mlp, 90)
    sample_weight = rng.uniform(0.0, 2.0, size=90)
    class_weight = [0.5, 1.0, 2.0, 0.1]

    loss, gradient = mlp.loss_and_grad(X, y, sample_weight, class_weight, alpha=0.3)

    # Weights of rows are those of their losses: mean and variance do not know them.
    weights = torch.tensor(sample_weight * np.take(class_weight, y))
    net = twin_of(mlp)
    losses = functional.cross_entropy(net(torch.tensor(X)), torch.tensor(y), reduction="none")
    squares = sum((layer.weight**2).sum() for layer in net if isinstance(layer, torch.nn.Linear))
    true_loss = ((weights * losses).sum() + 0.3 / 2 * squares) / weights.sum()
    true_loss.backward()
    assert_agrees(loss, true_loss.item(), "loss", "float64")
    assert_agrees(gradient, gradient_of(net), "gradient")


def test_dropout_comes_behind_it(rng, build, assert_agrees):
    n, options = 40, {"dropout": 0.3, "seed": 7}
    mlp = build([4, 30, 3])
    X, y = batch(rng, mlp, n)
    # The masks, read off a network of the same shape whose hidden activations are all 1: with one
    # row that counts the derivative by a weight is the activation times that by the bias.
    ones = fastmlp.MLP([4, 30, 3], "identity", dtype="float64", seed=0)
    ones.parameters[:] = 0.0
    ones.biases[0][:] = 1.0
    masks = []
    for row in np.eye(n):
        (_, d_W), (_, d_b) = ones.unflatten(ones.loss_and_grad(X, y, row, **options)[1])
        masks.append(d_W[:, 0] / d_b[0])

    loss, gradient = mlp.loss_and_grad(X, y, **options)

    class Mask(torch.nn.Module):
        def forward(self, x):
            return x * torch.tensor(np.array(masks))

    net = twin_of(mlp, Mask())
    true_loss = functional.cross_entropy(net(torch.tensor(X)), torch.tensor(y))
    true_loss.backward()
    assert 0.2 < np.mean(np.array(masks) == 0.0) < 0.4
    assert_agrees(loss, true_loss.item(), "loss", "float64")
    assert_agrees(gradient, gradient_of(net), "gradient")


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_loss_that_is_a_function_is_called_once_all_rows_are_normalised(
    n_jobs, sizes, dtype, rng, build, assert_agrees
):
    def squared_error(y, raw):
        calls.append(len(raw))
        return 0.5 * ((raw - y) ** 2).sum(axis=1), raw - y

    calls = []
    mlp = build(sizes, "gelu", dtype, output="identity", loss=squared_error, input_scale=True)
    X, _ = batch(rng, mlp, 1100)
    y = rng.standard_normal((1100, sizes[-1])).astype(dtype)
    sample_weight = rng.uniform(0.0, 2.0, size=1100)

    loss, gradient = mlp.loss_and_grad(X, y, sample_weight, alpha=0.3, n_jobs=n_jobs)

    assert calls == [1100]
    weights, net = torch.tensor(sample_weight), twin_of(mlp).double()
    losses = ((net(torch.tensor(X).double()) - torch.tensor(y)) ** 2).sum(1) / 2
    squares = sum((layer.weight**2).sum() for layer in net if isinstance(layer, torch.nn.Linear))
    true_loss = ((weights * losses).sum() + 0.3 / 2 * squares) / weights.sum()
    true_loss.backward()
    assert_agrees(loss, true_loss.item(), "loss", dtype)
    assert_agrees(gradient, gradient_of(net), "gradient")


def test_predictions_agree_with_eval_mode(sizes, dtype, rng, build, assert_agrees):
    mlp = build(sizes, dtype=dtype)
    X, y = batch(rng, mlp, 70)
    sample_weight = rng.uniform(0.5, 1.5, size=70)

    net = twin_of(mlp).double().eval()
    logits = net(torch.tensor(X).double())
    losses = functional.cross_entropy(logits, torch.tensor(y), reduction="none")
    loss = np.average(losses.detach(), weights=sample_weight)
    assert_agrees(mlp.forward(X), logits.detach(), "logits")
    assert_agrees(mlp.predict_proba(X), logits.softmax(1).detach(), "probabilities")
    assert_agrees(mlp.loss(X, y, sample_weight), loss, "loss", dtype)
    assert mlp.evaluate(X, y)[0] == mlp.loss(X, y)
    assert mlp.evaluate(X, y)[1] == np.mean(mlp.predict(X) == y)
    np.testing.assert_array_equal(mlp.predict(X), mlp.forward(X).argmax(axis=1))


def test_backward_agrees_with_eval_mode(sizes, dtype, rng, build, assert_agrees):
    mlp = build(sizes, dtype=dtype, input_scale=True)
    X, _ = batch(rng, mlp, 33)
    d_output = rng.standard_normal((33, sizes[-1])).astype(dtype)

    gradient, d_X = mlp.backward(X, d_output)

    net = twin_of(mlp).double().eval()
    X_torch = torch.tensor(X).double().requires_grad_()
    net(X_torch).backward(torch.tensor(d_output).double())
    assert_agrees(gradient, gradient_of(net), "gradient")
    assert_agrees(d_X, X_torch.grad, "d_X")


OPTIMIZERS = {
    "sgd": (lambda: fastmlp.SGD(0.1), lambda p: torch.optim.SGD(p, 0.1)),
    "momentum": (
        lambda: fastmlp.SGD(0.1, momentum=0.9, nesterov=True),
        lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
    ),
    "adam": (
        lambda: fastmlp.Adam(0.01, epsilon=1e-3),
        lambda p: torch.optim.Adam(p, 0.01, eps=1e-3),
    ),
    "adamw": (
        lambda: fastmlp.AdamW(0.01, epsilon=1e-3, weight_decay=0.5),
        lambda p: torch.optim.AdamW(p, 0.01, eps=1e-3, weight_decay=0.5),
    ),
}


# Biases before a normalisation have no effect, and rounding errors as gradients. The steps of Adam
# would be as different as these, but for a large epsilon.
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_move_parameters_and_running_statistics_as_torch_does(
    name, sizes, rng, build, assert_agrees
):
    ours, theirs = OPTIMIZERS[name]
    mlp = build(sizes)
    net, optimizer = twin_of(mlp), ours()
    torch_optimizer = theirs(net.parameters())
    for step in range(10):
        X, y = batch(rng, mlp, 30)
        loss = functional.cross_entropy(net(torch.tensor(X)), torch.tensor(y))
        torch_optimizer.zero_grad()
        loss.backward()
        torch_optimizer.step()

        assert_agrees(mlp.step(X, y, optimizer), loss.item(), f"loss of step {step}", "float64")

        for block, tensor in zip(mlp.parameter_blocks, tensors_of(net), strict=True):
            assert_agrees(block.view, tensor.detach(), f"{block} after step {step}")


def test_a_fit_moves_the_running_statistics_batch_by_batch(dtype, rng, build, assert_agrees):
    mlp = build([6, 40, 70, 3], dtype=dtype)
    X, y = batch(rng, mlp, 100)
    net = twin_of(mlp).double()
    torch_optimizer = torch.optim.SGD(net.parameters(), 0.05)
    losses = []
    for _ in range(3):
        for start in (0, 40, 80):
            # Of the last batch 20 rows are left.
            rows = slice(start, start + 40)
            loss = functional.cross_entropy(
                net(torch.tensor(X[rows]).double()), torch.tensor(y[rows])
            )
            torch_optimizer.zero_grad()
            loss.backward()
            torch_optimizer.step()
            losses.append(loss.item() * len(y[rows]) / 100)

    history = mlp.fit(
        X, y, fastmlp.SGD(0.05), epochs=3, batch_size=40, shuffle=False, X_val=X, y_val=y
    )

    net.eval()
    val_loss = functional.cross_entropy(net(torch.tensor(X).double()), torch.tensor(y)).item()
    assert_agrees(history.loss, np.reshape(losses, (3, 3)).sum(axis=1), "losses", dtype)
    assert_agrees(history.val_loss[-1], val_loss, "validation loss", dtype)
    assert_agrees(mlp.parameters, flat(net), "parameters")


@pytest.mark.parametrize("frozen", [(0,), (1,), (0, 1), (2,), (1, 2), (0, 1, 2)], ids=str)
def test_frozen_normalisations_keep_to_their_running_statistics(
    frozen, dtype, rng, build, assert_agrees
):
    mlp = build([5, 17, 16, 4], dtype=dtype)
    X, y = batch(rng, mlp, 90)
    mlp.freeze(frozen)
    is_frozen = np.isin(layer_of(mlp), frozen)

    loss, gradient = mlp.loss_and_grad(X, y)

    net = twin_of(mlp).double()
    norms = [layer for layer in net if isinstance(layer, torch.nn.BatchNorm1d)]
    for layer in set(frozen) & {0, 1}:
        norms[layer].eval()
    true_loss = functional.cross_entropy(net(torch.tensor(X).double()), torch.tensor(y))
    true_loss.backward()
    assert_agrees(loss, true_loss.item(), "loss", mlp.dtype)
    assert_agrees(gradient, np.where(is_frozen, 0, gradient_of(net)), "gradient")

    before = mlp.parameters.copy()
    mlp.fit(X, y, fastmlp.Adam(0.01), epochs=2, batch_size=30)
    mlp.step(X, y, fastmlp.AdamW(0.01))
    np.testing.assert_array_equal(mlp.parameters[is_frozen], before[is_frozen])
    assert (mlp.parameters != before)[~is_frozen].all()


def test_a_callback_freezes_running_statistics_and_frees_them(rng, build):
    mlp = build([5, 17, 4])
    X, y = batch(rng, mlp, 90)
    blocks = mlp.parameter_blocks
    is_statistic = [block.role in ("mean", "variance") for block in blocks]
    statistics = np.repeat(is_statistic, [block.view.size for block in blocks])
    seen = [mlp.parameters[statistics].copy()]

    def callback(epoch):
        seen.append(mlp.parameters[statistics].copy())
        (mlp.freeze, mlp.unfreeze)[epoch.epoch % 2 == 0](0)

    mlp.fit(X, y, epochs=3, batch_size=45, callback=callback)
    assert [(a != b).any() for a, b in pairwise(seen)] == [True, False, True]
