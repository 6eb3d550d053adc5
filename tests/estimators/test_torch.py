"""Fits with what scikit-learn lacks follow the same training in torch, step by step."""

import itertools
import re

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from torch.nn import functional

from fastmlp import MLP, MLPClassifier, MLPRegressor

N_EPOCHS, N_BATCHES = 5, 4
N_STEPS = N_EPOCHS * N_BATCHES
BATCHES = [slice(first, first + 10) for first in range(0, 38, 10)]
ALPHA = 0.5

FUNCTIONS = {"tanh": torch.tanh, "gelu": functional.gelu, "relu": torch.relu}
NETWORKS = {
    "plain": {"activation": "tanh"},
    "normalised": {"activation": ("gelu", "tanh"), "normalization": "layer"},
    "learning": {"activation": ("prelu", "relu"), "normalization": "layer"},
}
SOLVERS = {
    "sgd": ({"momentum": 0.0}, lambda p: torch.optim.SGD(p, lr=0.05)),
    # scikit-learn's form of the epsilon is another one, so that there is next to none.
    "adam": ({"epsilon": 1e-30}, lambda p: torch.optim.Adam(p, lr=0.05, eps=1e-30)),
    "adamw": (
        {"weight_decay": 0.3, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-6},
        lambda p: torch.optim.AdamW(p, lr=0.05, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.3),
    ),
}
of_torch = torch.optim.lr_scheduler


def after_warmup(n_rising, then):
    """A rise of so many steps, and then another schedule."""

    def make(optimizer):
        rise = of_torch.LinearLR(optimizer, 1.0 / (n_rising + 1), 1.0, n_rising)
        return of_torch.SequentialLR(optimizer, [rise, then(optimizer)], [n_rising])

    return make


def cosine(n_steps):
    return lambda optimizer: of_torch.CosineAnnealingLR(optimizer, n_steps)


def linear(n_steps):
    return lambda optimizer: of_torch.LinearLR(optimizer, 1.0, 0.0, n_steps)


def one_cycle(share):
    return lambda optimizer: of_torch.OneCycleLR(
        optimizer, 0.05, N_STEPS, pct_start=share, cycle_momentum=False
    )


def constant(optimizer):
    return of_torch.ConstantLR(optimizer, 1.0)


RATES = {
    "constant": ({}, constant),
    "warmup": ({"warmup": 0.25}, after_warmup(5, constant)),
    "cosine": ({"learning_rate": "cosine"}, cosine(N_STEPS)),
    "cosine warmup": (
        {"learning_rate": "cosine", "warmup": 0.1},
        after_warmup(2, cosine(N_STEPS - 2)),
    ),
    "linear": ({"learning_rate": "linear"}, linear(N_STEPS)),
    "one_cycle": ({"learning_rate": "one_cycle"}, one_cycle(0.3)),
    "one_cycle warmup": ({"learning_rate": "one_cycle", "warmup": 0.5}, one_cycle(0.5)),
}


class Twin:
    """A network of ours in torch: leaf tensors in the order of `parameter_blocks`."""

    def __init__(self, network):
        self.network = network
        self.tensors = [
            torch.tensor(block.view.copy(), requires_grad=True)
            for block in network.parameter_blocks
        ]
        self.roles = [block.role for block in network.parameter_blocks]

    def of_role(self, is_weight):
        pairs = zip(self.tensors, self.roles, strict=True)
        return [tensor for tensor, role in pairs if (role == "weight") == is_weight]

    def groups(self):
        """Groups of torch's optimizers, of which one decays."""
        return [{"params": self.of_role(True)}, {"params": self.of_role(False), "weight_decay": 0}]

    def sums(self, a):
        of = iter(self.tensors)
        names = self.network.activation
        for name in names if isinstance(names, tuple) else [names] * 2:
            a = a @ next(of) + next(of)
            if self.network.normalization == "layer":
                a = functional.layer_norm(a, (a.shape[1],), next(of), next(of))
            a = functional.prelu(a, next(of)) if name == "prelu" else FUNCTIONS[name](a)
        return a @ next(of) + next(of)

    def loss(self, X, y):
        """What a batch lowers, with the penalty."""
        squares = sum(weights.square().sum() for weights in self.of_role(True))
        return functional.cross_entropy(self.sums(X), y) + ALPHA / (2 * len(X)) * squares


@pytest.fixture
def data(rng):
    return rng.standard_normal((38, 4)), rng.integers(3, size=38)


def made(network_options, rng):
    """A network of which no parameter has its first value."""
    network = MLP([4, 7, 6, 3], dtype="float64", seed=1, **network_options)
    for block in network.parameter_blocks:
        block.view[...] += 0.3 * rng.standard_normal(block.shape)
    return network


def assert_follows(clf, twin, losses, assert_agrees):
    """Compare the loss of each epoch and the parameters after the last one."""
    sizes = [len(range(38)[rows]) for rows in BATCHES]
    curve = [
        np.average(of_epoch, weights=sizes)
        for of_epoch in np.reshape([loss.item() for loss in losses], (-1, N_BATCHES))
    ]
    np.testing.assert_allclose(clf.loss_curve_, curve, rtol=1e-10)
    for block, tensor in zip(clf.network_.parameter_blocks, twin.tensors, strict=True):
        np.testing.assert_allclose(block.view, tensor.detach(), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("clip_norm", [None, 0.4])
@pytest.mark.parametrize(
    ("options", "solver", "rate"), list(itertools.product(NETWORKS, SOLVERS, RATES))
)
def test_a_fit_is_that_of_torch(options, solver, rate, clip_norm, data, rng, assert_agrees):
    X, y = data
    given, make_optimizer = SOLVERS[solver]
    given_rate, make_scheduler = RATES[rate]
    network = made(NETWORKS[options], rng)
    twin = Twin(network)
    clf = MLPClassifier.from_network(
        network,
        solver=solver,
        learning_rate_init=0.05,
        max_iter=N_EPOCHS,
        batch_size=10,
        shuffle=False,
        alpha=ALPHA,
        clip_norm=clip_norm,
        warm_start=True,
        **given,
        **given_rate,
    )
    planned = given_rate.get("learning_rate") is not None
    if planned:
        clf.fit(X, y)
    else:
        with pytest.warns(ConvergenceWarning, match="Maximum iterations"):
            clf.fit(X, y)

    optimizer = make_optimizer(twin.groups())
    scheduler, losses, norms = make_scheduler(optimizer), [], []
    for rows in BATCHES * N_EPOCHS:
        optimizer.zero_grad()
        losses.append(twin.loss(torch.tensor(X[rows]), torch.tensor(y[rows])))
        losses[-1].backward()
        if clip_norm is not None:
            norms.append(torch.nn.utils.clip_grad_norm_(twin.tensors, clip_norm))
        optimizer.step()
        scheduler.step()
    assert clip_norm is None or max(norms) > 1.5 * clip_norm
    assert_follows(clf, twin, losses, assert_agrees)


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_under_a_schedule_is_scikit_learn_s(nesterov, data, rng, assert_agrees):
    """Where the velocity has the learning rate in it, and torch's has not."""
    X, y = data
    network = made(NETWORKS["normalised"], rng)
    twin = Twin(network)
    clf = MLPClassifier.from_network(
        network,
        solver="sgd",
        learning_rate="cosine",
        learning_rate_init=0.05,
        nesterovs_momentum=nesterov,
        max_iter=N_EPOCHS,
        batch_size=10,
        shuffle=False,
        alpha=ALPHA,
        warm_start=True,
    ).fit(X, y)

    velocities, losses = [torch.zeros_like(tensor) for tensor in twin.tensors], []
    for t, rows in enumerate(BATCHES * N_EPOCHS):
        rate = 0.05 * (1 + np.cos(np.pi * t / N_STEPS)) / 2
        losses.append(twin.loss(torch.tensor(X[rows]), torch.tensor(y[rows])))
        gradients = torch.autograd.grad(losses[-1], twin.tensors)
        with torch.no_grad():
            for tensor, velocity, gradient in zip(twin.tensors, velocities, gradients, strict=True):
                velocity.mul_(0.9).sub_(rate * gradient)
                tensor.add_(0.9 * velocity - rate * gradient if nesterov else velocity)
    assert_follows(clf, twin, losses, assert_agrees)


def rates_of_plateau(values, mode, **given):
    """The rates at which torch would go on after each of these values."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    scheduler = of_torch.ReduceLROnPlateau(
        optimizer, mode, factor=0.1, threshold_mode="abs", eps=0.0, **given
    )
    rates = []
    for value in values:
        optimizer.step()
        scheduler.step(value)
        rates += scheduler.get_last_lr()
    return rates


def printed_rates(text):
    """The rates at which a verbose fit goes on after each of its epochs."""
    rate, rates = 0.1, []
    for line in text.splitlines():
        if line.startswith("Iteration"):
            rates.append(rate)
        if found := re.search(r"Setting learning rate to ([\d.]+)$", line):
            rate = rates[-1] = float(found[1])
    return rates


@pytest.mark.parametrize("solver", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_plateau_is_that_of_torch(solver, early_stopping, rng, capsys):
    X = rng.standard_normal((120, 4))
    y = X[:, 0] * X[:, 1] + 0.3 * rng.standard_normal(120)
    reg = MLPRegressor(
        hidden_layer_sizes=(8,),
        solver=solver,
        learning_rate="plateau",
        learning_rate_init=0.1,
        n_iter_no_change=3,
        tol=0.003,
        batch_size=20,
        early_stopping=early_stopping,
        max_iter=500,
        random_state=0,
        verbose=True,
    ).fit(X, y)

    values, mode = (reg.validation_scores_, "max") if early_stopping else (reg.loss_curve_, "min")
    expected = rates_of_plateau(values, mode, patience=3, threshold=0.003)
    text = capsys.readouterr().out
    # It gives up where a rate of at most 1e-6 would become smaller still.
    assert text.endswith("Learning rate too small. Stopping.\n")
    np.testing.assert_allclose(printed_rates(text)[:-1], expected[:-1], atol=5e-7)
    assert expected[-1] < expected[-2] <= 1e-6
    # 0.1, 0.01, ..., 1e-8, of which the last is torch's alone.
    assert len(set(expected)) == 8


def test_a_plateau_is_seen_by_partial_fit_too(rng):
    X = rng.standard_normal((60, 4))
    y = X[:, 0] + 0.3 * rng.standard_normal(60)
    reg = MLPRegressor(
        hidden_layer_sizes=(8,),
        learning_rate="plateau",
        learning_rate_init=0.1,
        n_iter_no_change=2,
        tol=0.01,
        batch_size=20,
        random_state=0,
    )
    rates = []
    for _ in range(60):
        reg.partial_fit(X, y)
        rates.append(reg._optimizer.learning_rate)
    expected = rates_of_plateau(reg.loss_curve_, "min", patience=2, threshold=0.01)
    n = int(np.argmax(np.array(expected) < 1e-7 / 2))
    assert n > 10
    assert rates[:n] == expected[:n]
    assert rates[n:] == [rates[n - 1]] * (60 - n)
