"""Loss and gradients agree with the reference over shapes that kernels may treat differently."""

import itertools

import numpy as np
import pytest
import reference

# One, two, odd, and one less and one more than one and two SIMD registers hold.
SIZES = (1, 2, 3, 15, 16, 17, 33, 100)
DEPTHS = (0, 1, 2, 3, 4)


def layer_sizes(depth, first):
    """Sizes that differ from layer to layer; that of the first hidden layer is SIZES[first]."""
    hidden = [SIZES[(first + k) % len(SIZES)] for k in range(depth)]
    d_in = SIZES[(first + 5) % len(SIZES)]
    d_out = max(2, SIZES[(first + depth + 3) % len(SIZES)])
    return [d_in, *hidden, d_out]


def batch(rng, sizes, n, dtype):
    """Inputs, labels and both kinds of weights for a network of these sizes."""
    X = rng.standard_normal((n, sizes[0])).astype(dtype)
    y = rng.integers(sizes[-1], size=n)
    sample_weight = rng.uniform(0.1, 2.0, size=n).astype(dtype)
    class_weight = rng.uniform(0.1, 2.0, size=sizes[-1]).astype(dtype)
    return X, y, {"sample_weight": sample_weight, "class_weight": class_weight}


# A pass computes all activations that keep their slopes in the same way: gelu is tested with every
# shape, these with every fifth shape, each with different ones.
SAMPLED = ("elu", "selu", "silu", "mish", "softplus")


def shapes(activation, depth):
    """The place of the first hidden layer's width, and the number of rows."""
    # Fewer for deep networks, whose kernels are those of shallow ones.
    row_counts = SIZES if depth < 3 else (1, 3, 17, 100)
    every = itertools.product(range(len(SIZES)), row_counts)
    if activation in SAMPLED:
        return itertools.islice(every, SAMPLED.index(activation), None, len(SAMPLED))
    return every


@pytest.mark.parametrize("depth", DEPTHS)
def test_gradients_of_every_shape(
    activation, depth, dtype, rng, random_mlp, reference_of, flat, assert_agrees
):
    for first, n in shapes(activation, depth):
        sizes = layer_sizes(depth, first)
        mlp = random_mlp(sizes, activation, dtype, seed=first)
        X, y, weights = batch(rng, sizes, n, dtype)

        loss, gradient = mlp.loss_and_grad(X, y, **weights)

        true_loss, true_gradients = reference_of(mlp).loss_and_gradients(X, y, **weights)
        label = f"{sizes}, {n} rows"
        assert gradient.dtype == dtype
        assert_agrees(loss, true_loss, f"loss of {label}", dtype)
        assert_agrees(gradient, flat(mlp, true_gradients), f"gradient of {label}")


@pytest.mark.parametrize("depth", DEPTHS)
def test_backward_of_a_caller_s_own_loss(
    activation, depth, dtype, rng, random_mlp, reference_of, flat, assert_agrees
):
    for first, n in shapes(activation, depth):
        sizes = layer_sizes(depth, first)
        mlp = random_mlp(sizes, activation, dtype, seed=first)
        X = rng.standard_normal((n, sizes[0])).astype(dtype)
        d_output = rng.standard_normal((n, sizes[-1])).astype(dtype)

        gradient, d_X = mlp.backward(X, d_output)

        truth = reference_of(mlp)
        true_gradients, true_d_X = truth.backward(truth.forward(X), np.float64(d_output))
        label = f"{sizes}, {n} rows"
        assert gradient.dtype == d_X.dtype == dtype
        assert_agrees(gradient, flat(mlp, true_gradients), f"gradient of {label}")
        assert_agrees(d_X, true_d_X, f"d_X of {label}")


@pytest.mark.parametrize("given", ["neither", "sample_weight", "class_weight", "both"])
def test_weights_mean_a_weighted_mean(
    given, dtype, rng, random_mlp, reference_of, flat, assert_agrees
):
    mlp = random_mlp([5, 7, 4], "tanh", dtype)
    X, y, weights = batch(rng, mlp.layer_sizes, 50, dtype)
    if given != "both":
        weights = {name: value for name, value in weights.items() if name == given}

    loss, gradient = mlp.loss_and_grad(X, y, **weights)

    true_loss, true_gradients = reference_of(mlp).loss_and_gradients(X, y, **weights)
    assert_agrees(loss, true_loss, "loss", dtype)
    assert_agrees(gradient, flat(mlp, true_gradients), "gradient")


def test_a_weight_of_two_is_the_row_given_twice(rng, random_mlp, assert_agrees):
    mlp = random_mlp([3, 6, 3], "tanh")
    X, y = rng.standard_normal((10, 3)), rng.integers(3, size=10)
    twice = np.repeat(np.arange(10), 1 + (np.arange(10) % 2))

    loss, gradient = mlp.loss_and_grad(X, y, sample_weight=1.0 + np.arange(10) % 2)

    repeated_loss, repeated_gradient = mlp.loss_and_grad(X[twice], y[twice])
    assert_agrees(loss, repeated_loss, "loss", "float64")
    assert_agrees(gradient, repeated_gradient, "gradient")


def test_a_row_of_weight_zero_is_as_good_as_absent(rng, random_mlp, assert_agrees):
    mlp = random_mlp([3, 6, 3], "relu")
    X, y = rng.standard_normal((10, 3)), rng.integers(3, size=10)
    weight = np.r_[np.ones(7), np.zeros(3)]

    loss, gradient = mlp.loss_and_grad(X, y, sample_weight=weight)

    fewer_loss, fewer_gradient = mlp.loss_and_grad(X[:7], y[:7])
    assert_agrees(loss, fewer_loss, "loss", "float64")
    assert_agrees(gradient, fewer_gradient, "gradient")


def test_an_activation_of_each_hidden_layer_s_own(
    dtype, rng, random_mlp, reference_of, flat, assert_agrees
):
    names = tuple(reference.ACTIVATIONS)
    mlp = random_mlp([4, *range(5, 5 + len(names)), 3], names, dtype)
    X, y, weights = batch(rng, mlp.layer_sizes, 40, dtype)

    loss, gradient = mlp.loss_and_grad(X, y, **weights)

    true_loss, true_gradients = reference_of(mlp).loss_and_gradients(X, y, **weights)
    assert mlp.activation == names
    assert_agrees(loss, true_loss, "loss", dtype)
    assert_agrees(gradient, flat(mlp, true_gradients), "gradient")


def test_batches_larger_than_a_tile_of_rows(
    dtype, rng, random_mlp, reference_of, flat, assert_agrees
):
    mlp = random_mlp([2, 100, 3], "relu", dtype)
    for n in (255, 256, 257, 1050, 4097):
        X, y, weights = batch(rng, mlp.layer_sizes, n, dtype)

        loss, gradient = mlp.loss_and_grad(X, y, **weights)

        true_loss, true_gradients = reference_of(mlp).loss_and_gradients(X, y, **weights)
        assert_agrees(loss, true_loss, f"loss of {n} rows", dtype)
        assert_agrees(gradient, flat(mlp, true_gradients), f"gradient of {n} rows")
