"""step and fit do what the reference's loop does, update by update and epoch by epoch."""

import numpy as np
import pytest
import reference

import fastmlp

OPTIMIZERS = {
    "sgd": ("SGD", {"learning_rate": 0.5}),
    "momentum": ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    "nesterov": ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    "adam": ("Adam", {"learning_rate": 0.01}),
    "adam_own_settings": (
        "Adam",
        {"learning_rate": 0.02, "beta_1": 0.7, "beta_2": 0.95, "epsilon": 1e-3},
    ),
    "adamw": ("AdamW", {"learning_rate": 0.01}),
    "adamw_own_settings": ("AdamW", {"learning_rate": 0.02, "beta_1": 0.7, "weight_decay": 0.5}),
}


@pytest.fixture(params=OPTIMIZERS)
def optimizers(request):
    """The same optimizer twice: compiled, and the reference's."""
    name, settings = OPTIMIZERS[request.param]
    return getattr(fastmlp, name)(**settings), getattr(reference, name)(**settings)


def batches_of(X, y, size):
    """The consecutive batches of an epoch that is not shuffled."""
    return [(X[i : i + size], y[i : i + size]) for i in range(0, len(X), size)]


def test_steps_follow_the_reference(
    optimizers, activation, rng, random_mlp, reference_of, flat, assert_agrees
):
    optimizer, true_optimizer = optimizers
    mlp = random_mlp([4, 16, 9, 3], activation)
    truth = reference_of(mlp)
    for t in range(50):
        X, y = rng.standard_normal((33, 4)), rng.integers(3, size=33)

        loss = mlp.step(X, y, optimizer)

        assert_agrees(loss, truth.step(X, y, true_optimizer), f"loss at step {t}", "float64")
        assert_agrees(mlp.parameters, flat(mlp, truth.parameters), f"parameters after {t}")


def test_float32_steps_follow_the_reference(
    optimizers, rng, random_mlp, reference_of, flat, assert_agrees
):
    optimizer, true_optimizer = optimizers
    mlp = random_mlp([4, 16, 9, 3], "tanh", "float32")
    truth = reference_of(mlp)
    for t in range(20):
        X, y = rng.standard_normal((33, 4)).astype(np.float32), rng.integers(3, size=33)

        loss = mlp.step(X, y, optimizer)

        assert_agrees(loss, truth.step(X, y, true_optimizer), f"loss at step {t}", "float32")
    assert_agrees(mlp.parameters, flat(mlp, truth.parameters), "parameters")


def test_a_thousand_epochs_on_the_spiral_follow_the_reference(spiral):
    X, y = spiral
    mlp = fastmlp.MLP([2, 100, 3], init="normal", init_scale=0.01, dtype="float64", seed=3)
    truth = reference.MLP(mlp.weights, mlp.biases)
    true_optimizer = reference.SGD(learning_rate=1.0)

    history = mlp.fit(X, y, fastmlp.SGD(learning_rate=1.0), epochs=1000)

    true_losses = [truth.step(X, y, true_optimizer) for _ in range(1000)]
    assert true_losses[-1] < 0.1 < 1.0 < true_losses[0]
    np.testing.assert_allclose(history.loss, true_losses, rtol=0, atol=1e-9)


def test_full_batch_fit_is_a_loop_over_step(optimizers, dtype, spiral, random_mlp):
    X, y = spiral[0].astype(dtype), spiral[1]
    fitted, stepped = (random_mlp([2, 20, 3], "relu", dtype) for _ in range(2))
    optimizer = optimizers[0]

    history = fitted.fit(X, y, optimizer, epochs=20)

    optimizer.reset()
    losses = [stepped.step(X, y, optimizer) for _ in range(20)]
    np.testing.assert_array_equal(fitted.parameters, stepped.parameters)
    # An epoch's loss went through a sum over batches and a division.
    np.testing.assert_allclose(history.loss, losses, rtol=4e-16)


@pytest.mark.parametrize("batch_size", [1, 32, 100, 1049, 1050, 5000])
def test_minibatch_fit_is_a_loop_over_step(batch_size, dtype, spiral, random_mlp):
    X, y = spiral[0].astype(dtype), spiral[1]
    fitted, stepped = (random_mlp([2, 20, 3], "tanh", dtype) for _ in range(2))

    history = fitted.fit(X, y, fastmlp.Adam(), epochs=3, batch_size=batch_size, shuffle=False)

    optimizer = fastmlp.Adam()
    means = []
    for _ in range(3):
        batches = batches_of(X, y, batch_size)
        losses = [stepped.step(*batch, optimizer) for batch in batches]
        means.append(np.average(losses, weights=[len(batch_y) for _, batch_y in batches]))
    np.testing.assert_array_equal(fitted.parameters, stepped.parameters)
    np.testing.assert_allclose(history.loss, means, rtol=1e-12 if dtype == "float64" else 1e-6)


def test_an_epoch_s_loss_is_the_weighted_mean_over_its_rows(rng, random_mlp, assert_agrees):
    X, y = rng.standard_normal((100, 4)), rng.integers(3, size=100)
    weights = {
        "sample_weight": rng.uniform(0.1, 2.0, size=100),
        "class_weight": np.array([0.5, 1.0, 3.0]),
    }
    mlp, frozen = (random_mlp([4, 8, 3], "tanh") for _ in range(2))

    history = mlp.fit(
        X, y, fastmlp.SGD(learning_rate=1e-300), epochs=1, batch_size=7, shuffle=False, **weights
    )

    # With a tiny learning rate every batch sees the same parameters.
    assert_agrees(history.loss[0], frozen.loss(X, y, **weights), "loss")
    assert history.accuracy[0] == np.mean(frozen.predict(X) == y)


def test_weighted_minibatches_follow_the_reference(
    rng, random_mlp, reference_of, flat, assert_agrees
):
    X, y = rng.standard_normal((100, 4)), rng.integers(3, size=100)
    sample_weight, class_weight = rng.uniform(0.1, 2.0, size=100), np.array([0.5, 1.0, 3.0])
    mlp = random_mlp([4, 8, 3], "tanh")
    truth, true_optimizer = reference_of(mlp), reference.SGD(learning_rate=0.1)

    mlp.fit(
        X,
        y,
        fastmlp.SGD(learning_rate=0.1),
        epochs=3,
        batch_size=30,
        shuffle=False,
        sample_weight=sample_weight,
        class_weight=class_weight,
    )

    for _ in range(3):
        for i in range(0, 100, 30):
            rows = slice(i, i + 30)
            truth.step(X[rows], y[rows], true_optimizer, sample_weight[rows], class_weight)
    assert_agrees(mlp.parameters, flat(mlp, truth.parameters), "parameters")


def test_shuffled_epochs_visit_every_row_once(rng, random_mlp):
    mlp = random_mlp([1, 2], "identity")
    X, y = rng.standard_normal((40, 1)), rng.integers(2, size=40)
    # Powers of two: no other choice of 40 rows has the same sum of weighted losses.
    weight = 2.0 ** np.arange(40)
    expected = mlp.loss(X, y, weight)

    history = mlp.fit(
        X,
        y,
        fastmlp.SGD(learning_rate=1e-300),
        epochs=5,
        batch_size=3,
        shuffle=True,
        seed=0,
        sample_weight=weight,
    )

    np.testing.assert_allclose(history.loss, expected, rtol=1e-12)


def after_fits(random_mlp, X, y, *fits):
    """Parameters after these fits, one after another, from the same start."""
    mlp = random_mlp([3, 8, 3], "tanh")
    for settings in fits:
        mlp.fit(X, y, fastmlp.SGD(0.1), batch_size=8, **settings)
    return mlp.parameters.copy()


def test_shuffling_changes_the_order(rng, random_mlp):
    X, y = rng.standard_normal((64, 3)), rng.integers(3, size=64)

    shuffled = after_fits(random_mlp, X, y, {"epochs": 1, "seed": 1})

    assert np.array_equal(shuffled, after_fits(random_mlp, X, y, {"epochs": 1, "seed": 1}))
    for other in ({"epochs": 1, "seed": 2}, {"epochs": 1, "shuffle": False}):
        assert not np.array_equal(shuffled, after_fits(random_mlp, X, y, other))


def test_every_epoch_has_an_order_of_its_own(rng, random_mlp):
    X, y = rng.standard_normal((64, 3)), rng.integers(3, size=64)

    two_epochs = after_fits(random_mlp, X, y, {"epochs": 2, "seed": 1})

    first_epoch_twice = after_fits(random_mlp, X, y, *[{"epochs": 1, "seed": 1}] * 2)
    assert not np.array_equal(two_epochs, first_epoch_twice)
