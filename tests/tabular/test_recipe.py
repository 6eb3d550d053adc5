"""Recipes follow presets and sizes, and a network's steps do not depend on its width."""

import numpy as np
import pytest

from fastmlp import AdamW
from fastmlp.tabular.network import make_network, make_optimizer
from fastmlp.tabular.recipe import Recipe, choose
from fastmlp.tabular.target import Classes, Values

BASE = Recipe(activation="selu")
PERIODIC = Recipe(activation="mish", learning_rate_init=0.2, frequency=0.1)
BOTH = Recipe(activation="mish", periodic=(PERIODIC,))


@pytest.mark.parametrize(
    ("n_rows", "batch_size"),
    [(99, 99), (100, 64), (1024, 64), (1025, 128), (30_000, 256), (100_000, 512), (10**6, 1024)],
)
def test_batches_grow_with_the_data(n_rows, batch_size):
    assert choose(BASE, "default", {}, n_rows, 10).batch_size == batch_size


@pytest.mark.parametrize(
    ("n_rows", "epochs"), [(50, 120), (128, 60), (129, 60), (10**4, 16), (10**6, 16)]
)
def test_small_data_has_enough_steps(n_rows, epochs):
    """120 steps of a batch each, or 16 epochs."""
    assert choose(BASE, "fast", {}, n_rows, 10).max_iter == epochs


@pytest.mark.parametrize("n_rows", [50, 5000])
def test_presets_are_numbers_of_networks(n_rows):
    for preset, n_members in {"fast": 1, "default": 8, "best": 16}.items():
        assert choose(BASE, preset, {}, n_rows, 10).n_members == n_members


def test_a_preset_has_a_network_of_each_kind():
    assert choose(BOTH, "fast", {}, 5000, 10).n_members == 2
    assert choose(BOTH, "fast", {}, 99, 10).n_members == 1
    assert choose(BOTH, "default", {}, 5000, 10).n_members == 8
    assert choose(BOTH, "fast", {"n_members": 1}, 5000, 10).n_members == 1


def test_one_network_alone_has_weight_decay():
    assert choose(BASE, "fast", {}, 5000, 10).weight_decay == BASE.weight_decay > 0
    assert choose(BASE, "default", {}, 5000, 10).weight_decay == 0
    assert choose(BASE, "default", {"n_members": 1}, 5000, 10).weight_decay == BASE.weight_decay
    assert choose(BASE, "fast", {"n_members": 2}, 5000, 10).weight_decay == 0
    assert choose(BASE, "best", {"weight_decay": 0.3}, 5000, 10).weight_decay == 0.3


@pytest.mark.parametrize(
    ("n_members", "frequencies"),
    [
        (1, [0]),
        (2, [0, 0.1]),
        (5, [0, 0, 0.1, 1, 0.1]),
        (8, [0, 0, 0.1, 1, 0.1, 1, 0.1, 1]),
    ],
)
def test_all_but_a_quarter_of_several_networks_have_periodic_features(n_members, frequencies):
    given = {"n_members": n_members}
    recipe = choose(BOTH, "default", given, 5000, 10)
    assert [recipe.of(member).frequency for member in range(n_members)] == frequencies
    assert recipe.kinds == {frequency > 0 for frequency in frequencies}
    few = choose(BOTH, "default", given, 99, 10)
    assert not any(few.of(member).is_periodic for member in range(n_members))


def test_networks_with_periodic_features_have_a_recipe_of_their_own():
    last = choose(BOTH, "best", {"dropout": 0.3, "n_members": 2}, 5000, 10).of(1)
    assert (last.max_iter, last.batch_size, last.n_members, last.n_bins) == (24, 128, 2, 0)
    assert (last.dropout, last.learning_rate_init, last.weight_decay) == (0.3, 0.2, 0.02)
    for preset, width, frequency in (("fast", 256, 0.1), ("default", 256, 0.1), ("best", 512, 0.3)):
        recipe = choose(BOTH, preset, {"n_members": 3}, 5000, 10)
        assert recipe.of(0).hidden_layer_sizes == (256, 256)
        for member, expected in ((1, frequency), (2, 1.0)):
            periodic = recipe.of(member)
            assert periodic.hidden_layer_sizes == (width, width)
            assert periodic.frequency == expected
    given = {"learning_rate_init": 0.01, "max_iter": 3, "hidden_layer_sizes": (9,)}
    last = choose(BOTH, "best", given, 5000, 10).of(7)
    found = {name: getattr(last, name) for name in given}
    assert found == given


def test_few_rows_are_one_batch_in_double_without_chance():
    few = choose(BASE, "default", {"batch_size": 8}, 99, 10)
    assert (few.batch_size, few.dtype, few.dropout) == (99, "float64", 0.0)
    assert choose(BASE, "default", {"dropout": 0.1}, 99, 10).dropout == 0.1


def test_what_the_caller_chose_is_kept():
    given = {
        "n_members": 3,
        "dropout": 0.0,
        "max_iter": 2,
        "batch_size": 5000,
        "hidden_layer_sizes": (),
        "learning_rate_init": 1.0,
        "label_smoothing": None,
    }
    recipe = choose(BASE, "best", given, 200, 10)
    for name in ("n_members", "dropout", "max_iter", "hidden_layer_sizes", "learning_rate_init"):
        assert getattr(recipe, name) == given[name]
    assert recipe.label_smoothing == BASE.label_smoothing
    assert recipe.batch_size == 200


@pytest.mark.parametrize(
    ("n_rows", "n_columns", "n_bins"),
    [
        (99, 10**6, 8),
        (100, 10, 8),
        (500, 10, 41),
        (10**5, 10, 48),
        (10**4, 100, 10),
        (10**4, 129, 0),  # more inputs than 1,024
        (10**6, 8, 8),
        (10**6, 9, 0),  # more than 256 MiB
    ],
)
def test_bins_are_as_many_as_rows_inputs_and_memory_allow(n_rows, n_columns, n_bins):
    assert choose(BASE, "best", {}, n_rows, n_columns).n_bins == n_bins


def test_a_network_begins_with_outputs_0_and_sums_of_variance_1_or_2(rng):
    """Of inputs of variance 1 the sums before an activation have it too, and biases add as much."""
    for n_inputs in (4, 400):
        network = make_network(BASE, Classes(3), n_inputs, seed=1)
        X = rng.standard_normal((500, n_inputs)).astype(np.float32)
        np.testing.assert_array_equal(network.forward(X), 0)
        (scale, *_), weights = network.parameter_blocks, network.weights
        sums = (X * scale.view) @ weights[0]
        assert abs(sums.var() - 1) < 0.15
        assert abs(weights[1].var() * 256 - 1) < 0.05
        for biases in network.biases[:-1]:
            assert abs(biases.var() - 1) < 0.4


@pytest.mark.parametrize("n_inputs", [3, 300])
def test_a_first_step_is_that_of_weights_without_a_width(n_inputs, rng):
    """Adam's first step is the learning rate times the sign of the gradient.

    With ``z = s x W / sqrt(d_in) + b`` and learning rates r of W, 6 r of s and r / 10 of b, s
    begins at 1. Here ``z = s' x W' + b`` with ``s' W' = s W / sqrt(d_in)``.
    """
    rate, width = 0.04, 256
    network = make_network(BASE, Values(1), n_inputs, seed=1)
    network.weights[-1][...] = 1  # so that all gradients differ from 0
    before = network.parameters.copy()
    optimizer = make_optimizer(BASE, network)
    assert isinstance(optimizer, AdamW)
    X = rng.standard_normal((64, n_inputs)).astype(np.float32)
    network.step(X, np.full((64, 1), 100.0, np.float32), optimizer)
    moved = network.parameters - before
    start = 0
    scale = np.sqrt(width / n_inputs)
    for block in network.parameter_blocks:
        size = np.prod(block.shape, dtype=int)
        part = np.abs(moved[start : start + size])
        expected = {"weight": rate / np.sqrt(width), "bias": rate / 10, "scale": 6 * rate * scale}
        # Decay moves weights too: by a 1000th of themselves at most.
        decay = 1e-3 * np.abs(before[start : start + size]) if block.role == "weight" else 0
        assert (np.abs(part - expected[block.role]) <= 1e-3 * expected[block.role] + decay).all()
        start += size


def test_a_first_step_of_periodic_features_is_a_tenth(rng):
    """In radians, as in RealMLP: frequencies and phases count in turns here."""
    network = make_network(PERIODIC, Values(1), 5, seed=1, n_periodic=3)
    assert (network.periodic_inputs, network.parametric_activation) == (3, True)
    blocks = {block.role: block for block in network.parameter_blocks if block.role != "bias"}
    assert abs(blocks["frequency"].view.std() / PERIODIC.frequency - 1) < 0.3
    network.weights[-1][...] = 1
    before = {role: block.view.copy() for role, block in blocks.items()}
    X = rng.standard_normal((64, 5)).astype(np.float32)

    network.step(X, np.full((64, 1), 100.0, np.float32), make_optimizer(PERIODIC, network))

    tenth = PERIODIC.learning_rate_init / 10
    rates = dict.fromkeys(("frequency", "projection", "offset", "alpha"), tenth)
    for role, rate in {**rates, "phase": tenth / (2 * np.pi)}.items():
        moved = np.abs(blocks[role].view - before[role])
        np.testing.assert_allclose(moved, rate, rtol=1e-3, err_msg=role)
