"""Gradients, losses and updates agree with torch's autograd and optimizers."""

import numpy as np
import pytest
import torch

import fastmlp

ACTIVATIONS = {
    "identity": torch.nn.Identity(),
    "relu": torch.nn.ReLU(),
    "leaky_relu": torch.nn.LeakyReLU(0.01),
    "sigmoid": torch.nn.Sigmoid(),
    "tanh": torch.nn.Tanh(),
    "elu": torch.nn.ELU(),
    "selu": torch.nn.SELU(),
    "gelu": torch.nn.GELU(),
    "silu": torch.nn.SiLU(),
    "mish": torch.nn.Mish(),
    "softplus": torch.nn.Softplus(),
}


def torch_twin(mlp):
    """The same network in torch, with copies of the same parameters."""
    layers = []
    for k, (W, b) in enumerate(zip(mlp.weights, mlp.biases, strict=True)):
        linear = torch.nn.utils.skip_init(
            torch.nn.Linear, *W.shape, dtype=getattr(torch, mlp.dtype)
        )
        linear.load_state_dict({"weight": torch.tensor(W.T), "bias": torch.tensor(b)})
        layers += [ACTIVATIONS[mlp.activation]] if k else []
        layers.append(linear)
    return torch.nn.Sequential(*layers)


def in_our_layout(mlp, net, read):
    """`read` of each of torch's parameters, as a vector with the layout of `mlp.parameters`."""
    vector = np.empty(mlp.n_parameters, mlp.dtype)
    linears = [layer for layer in net if isinstance(layer, torch.nn.Linear)]
    for W, b, linear in zip(*mlp.unflatten(vector), linears, strict=True):
        W[...] = read(linear.weight).numpy().T
        b[...] = read(linear.bias).numpy()
    return vector


def batch(rng, mlp, n=33):
    X = rng.standard_normal((n, mlp.layer_sizes[0])).astype(mlp.dtype)
    return X, rng.integers(mlp.layer_sizes[-1], size=n)


@pytest.mark.parametrize("depth", [0, 1, 2, 3, 4])
def test_gradients_agree_with_autograd(activation, depth, dtype, rng, random_mlp, assert_agrees):
    mlp = random_mlp([17, *(33, 16, 15, 100)[:depth], 5], activation, dtype)
    X, y = batch(rng, mlp)
    class_weight = rng.uniform(0.1, 2.0, size=5).astype(dtype)
    net = torch_twin(mlp)

    loss, gradient = mlp.loss_and_grad(X, y, class_weight=class_weight)

    X_torch = torch.tensor(X)
    logits = net(X_torch)
    weight = torch.tensor(class_weight)
    true_loss = torch.nn.functional.cross_entropy(logits, torch.tensor(y), weight=weight)
    true_loss.backward()
    assert_agrees(mlp.forward(X), logits.detach(), "logits")
    assert_agrees(mlp.predict_proba(X), logits.detach().softmax(dim=1), "probabilities")
    assert_agrees(loss, true_loss.item(), "loss", dtype)
    assert_agrees(gradient, in_our_layout(mlp, net, lambda p: p.grad), "gradient")


@pytest.mark.parametrize("depth", [0, 1, 2, 3, 4])
def test_backward_agrees_with_autograd(activation, depth, dtype, rng, random_mlp, assert_agrees):
    mlp = random_mlp([17, *(33, 16, 15, 100)[:depth], 5], activation, dtype)
    X, _ = batch(rng, mlp)
    target = rng.standard_normal((len(X), 5)).astype(dtype)
    net = torch_twin(mlp)

    gradient, d_X = mlp.backward(X, 2 * (mlp.forward(X) - target) / target.size)

    X_torch = torch.tensor(X, requires_grad=True)
    torch.nn.functional.mse_loss(net(X_torch), torch.tensor(target)).backward()
    assert_agrees(gradient, in_our_layout(mlp, net, lambda p: p.grad), "gradient")
    assert_agrees(d_X, X_torch.grad, "d_X")


def test_activation_and_slope_agree_with_autograd(activation, single_unit):
    # From 20 on torch's softplus is the identity.
    x = np.linspace(-19.7, 19.7, 3001)[:, None]
    x_torch = torch.tensor(x, requires_grad=True)
    truth = ACTIVATIONS[activation](x_torch)
    truth.sum().backward()

    value, slope = single_unit(activation, x)

    # torch's erf is near -1 where gelu is near 0, and the terms of a slope cancel at its zero.
    np.testing.assert_allclose(value, truth.detach()[:, 0], rtol=1e-12, atol=2e-15)
    np.testing.assert_allclose(slope, x_torch.grad[:, 0], rtol=1e-12, atol=2e-15)


OPTIMIZERS = {
    "sgd": (
        lambda **given: fastmlp.SGD(learning_rate=0.5, **given),
        lambda p: torch.optim.SGD(p, lr=0.5),
    ),
    "momentum": (
        lambda **given: fastmlp.SGD(learning_rate=0.1, momentum=0.9, **given),
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    ),
    "nesterov": (
        lambda **given: fastmlp.SGD(learning_rate=0.1, momentum=0.9, nesterov=True, **given),
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    ),
    "adam": (
        lambda **given: fastmlp.Adam(0.01, beta_1=0.8, beta_2=0.99, epsilon=1e-6, **given),
        lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.8, 0.99), eps=1e-6),
    ),
    "adamw": (lambda **given: fastmlp.AdamW(**given), lambda p: torch.optim.AdamW(p)),
    "adamw_own_settings": (
        lambda **given: fastmlp.AdamW(0.01, 0.8, 0.99, 1e-6, weight_decay=0.5, **given),
        lambda p: torch.optim.AdamW(p, lr=0.01, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.5),
    ),
}


@pytest.mark.parametrize("clip_norm", [None, 0.02, 0.3, 100.0])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_updates_agree_step_by_step(name, clip_norm, rng, random_mlp, assert_agrees):
    ours, theirs = OPTIMIZERS[name]
    mlp = random_mlp([4, 16, 3], "tanh")
    net = torch_twin(mlp)
    optimizer, torch_optimizer = ours(clip_norm=clip_norm), theirs(net.parameters())
    for t in range(100):
        X, y = batch(rng, mlp)

        loss = mlp.step(X, y, optimizer)

        torch_optimizer.zero_grad()
        true_loss = torch.nn.functional.cross_entropy(net(torch.tensor(X)), torch.tensor(y))
        true_loss.backward()
        if clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(net.parameters(), clip_norm)
        torch_optimizer.step()
        assert_agrees(loss, true_loss.item(), f"loss at step {t}", "float64")
        truth = in_our_layout(mlp, net, lambda p: p.detach())
        assert_agrees(mlp.parameters, truth, f"parameters after step {t}")


N_STEPS = 20
SCHEDULES = {
    "constant": lambda optimizer: torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0),
    "cosine": lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, N_STEPS),
    "linear": lambda optimizer: torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, N_STEPS),
    "one_cycle": lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(
        optimizer, optimizer.param_groups[0]["lr"], N_STEPS, cycle_momentum=False
    ),
}


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fits_follow_schedules_step_by_step(name, schedule, rng, random_mlp, assert_agrees):
    ours, theirs = OPTIMIZERS[name]
    mlp = random_mlp([4, 16, 3], "tanh")
    net = torch_twin(mlp)
    X, y = batch(rng, mlp, 38)
    torch_optimizer = theirs(net.parameters())
    scheduler = SCHEDULES[schedule](torch_optimizer)
    truths, batches = [], [slice(first, first + 10) for first in range(0, 38, 10)]
    for rows in batches * 5:
        torch_optimizer.zero_grad()
        logits, labels = net(torch.tensor(X[rows])), torch.tensor(y[rows])
        torch.nn.functional.cross_entropy(logits, labels).backward()
        torch_optimizer.step()
        scheduler.step()
        truths.append(in_our_layout(mlp, net, lambda p: p.detach()))

    def compare(epoch):
        truth = truths[epoch.epoch * len(batches) - 1]
        assert_agrees(mlp.parameters, truth, f"parameters after epoch {epoch.epoch}")

    optimizer = ours(schedule=schedule)
    history = mlp.fit(X, y, optimizer, epochs=5, batch_size=10, shuffle=False, callback=compare)
    assert len(history) * len(batches) == N_STEPS


def scheduled(make, n_steps):
    """The learning rates of a torch scheduler that starts from 0.5."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    scheduler, rates = make(optimizer), []
    for _ in range(n_steps):
        rates += scheduler.get_last_lr()
        optimizer.step()
        scheduler.step()
    return np.array(rates)


@pytest.mark.parametrize("n_steps", [1, 2, 10, 97])
@pytest.mark.parametrize("warmup", [0.05, 0.25, 0.9])
@pytest.mark.parametrize("name", ["constant", "cosine", "linear"])
def test_a_schedule_after_a_warmup(name, warmup, n_steps, assert_agrees):
    of_torch = torch.optim.lr_scheduler
    n_rising = int(np.ceil(warmup * n_steps))
    n_rest = n_steps - n_rising
    after = {
        "constant": lambda optimizer: of_torch.ConstantLR(optimizer, 1.0),
        "cosine": lambda optimizer: of_torch.CosineAnnealingLR(optimizer, n_rest),
        "linear": lambda optimizer: of_torch.LinearLR(optimizer, 1.0, 0.0, n_rest),
    }

    rates = fastmlp.SGD(0.5, schedule=name, warmup=warmup).learning_rates(n_steps)

    start = 1.0 / (n_rising + 1)
    rising = scheduled(lambda o: of_torch.LinearLR(o, start, 1.0, n_rising), n_rising)
    assert_agrees(rates[:n_rising], rising)
    assert_agrees(rates[n_rising:], scheduled(after[name], n_rest) if n_rest else np.zeros(0))


@pytest.mark.parametrize("n_steps", [2, 10, 97])
@pytest.mark.parametrize("warmup", [None, 0.0, 0.05, 0.9])
def test_one_cycle(warmup, n_steps, assert_agrees):
    share = 0.3 if warmup is None else warmup

    def cycle(optimizer):
        return torch.optim.lr_scheduler.OneCycleLR(
            optimizer, 0.5, n_steps, pct_start=share, cycle_momentum=False
        )

    optimizer = fastmlp.Adam(0.5, schedule="one_cycle", warmup=warmup)
    assert_agrees(optimizer.learning_rates(n_steps), scheduled(cycle, n_steps))
