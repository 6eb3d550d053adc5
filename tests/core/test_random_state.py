"""NumPy's generators for a seed: the orders of scikit-learn, or one draw of 64 bits."""

import numpy as np
import pytest
from sklearn.utils import shuffle

import fastmlp


def unit():
    """One weight and one bias, both 0: after a pass they reveal the order of the rows."""
    mlp = fastmlp.MLP([1, 1], output="identity", dtype="float64", seed=0)
    mlp.parameters[:] = 0.0
    return mlp


def passes(x, y, epochs, state):
    """Weight and bias after each pass, row by row in the orders of scikit-learn."""
    order, weight, bias = np.arange(len(x)), 0.0, 0.0
    for _ in range(epochs):
        order = shuffle(order, random_state=state)
        for row in order:
            error = weight * x[row] + bias - y[row]
            weight -= 0.1 * error * x[row]
            bias -= 0.1 * error
        yield weight, bias


def assert_same_state(ours, theirs):
    for one, other in zip(ours.get_state(), theirs.get_state(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("n", [1, 2, 3, 100, 700])
@pytest.mark.parametrize("used", [0, 1, 623])
def test_orders_and_the_state_they_leave_are_scikit_learn_s(n, used, rng):
    x, y = rng.uniform(-1, 1, n), rng.standard_normal(n)
    ours, theirs = np.random.RandomState(3), np.random.RandomState(3)
    for state in (ours, theirs):
        state.randint(2**32, size=used, dtype=np.uint32)
        state.normal()  # leaves a second number behind, which shuffling keeps
    mlp = unit()

    mlp.fit(x[:, None], y, fastmlp.SGD(0.1), epochs=4, batch_size=1, seed=ours)

    *_, last = passes(x, y, 4, theirs)
    np.testing.assert_allclose(mlp.parameters, last, rtol=1e-12, atol=1e-15)
    assert_same_state(ours, theirs)


def test_a_fit_that_its_callback_stops_leaves_the_state_of_that_epoch(rng):
    x, y = rng.uniform(-1, 1, 50), rng.standard_normal(50)
    ours, theirs = np.random.RandomState(7), np.random.RandomState(7)
    mlp, truth = unit(), passes(x, y, 5, theirs)

    def check(epoch):
        np.testing.assert_allclose(mlp.parameters, next(truth), rtol=1e-12)
        return epoch.epoch == 3

    history = mlp.fit(
        x[:, None], y, fastmlp.SGD(0.1), epochs=5, batch_size=1, seed=ours, callback=check
    )
    assert len(history) == 3
    assert_same_state(ours, theirs)


def test_one_batch_of_all_rows_is_shuffled_too(rng):
    ours, theirs = np.random.RandomState(1), np.random.RandomState(1)
    unit().fit(rng.standard_normal((9, 1)), rng.standard_normal(9), epochs=2, seed=ours)
    for _ in range(2):
        theirs.shuffle(np.arange(9))
    assert_same_state(ours, theirs)


def test_without_shuffling_the_state_stays(rng):
    ours, theirs = np.random.RandomState(1), np.random.RandomState(1)
    X, y = rng.standard_normal((9, 1)), rng.standard_normal(9)
    unit().fit(X, y, epochs=2, batch_size=2, shuffle=False, seed=ours)
    assert_same_state(ours, theirs)


def test_an_interrupted_fit_leaves_the_state_of_its_last_epoch(rng):
    X, y = rng.standard_normal((9, 1)), rng.standard_normal(9)
    ours, theirs = np.random.RandomState(1), np.random.RandomState(1)

    def stop(epoch):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        unit().fit(X, y, epochs=5, batch_size=2, seed=ours, callback=stop)
    theirs.shuffle(np.arange(9))
    assert_same_state(ours, theirs)


def test_dropout_draws_from_the_network_s_own_seeds(rng):
    X, y = rng.standard_normal((60, 3)), rng.integers(2, size=60)

    def train(seed):
        mlp = fastmlp.MLP([3, 20, 2], dtype="float64", seed=seed)
        mlp.parameters[:] = np.linspace(-1, 1, mlp.n_parameters)
        state = np.random.RandomState(0)
        mlp.fit(X, y, epochs=2, batch_size=20, seed=state, dropout=0.5)
        return mlp.parameters.copy()

    np.testing.assert_array_equal(train(1), train(1))
    assert (train(1) != train(2)).any()


def test_other_generators_are_refused():
    X, y = np.zeros((2, 1)), np.zeros(2)
    pcg = np.random.RandomState(np.random.PCG64(0))
    expected = "an integer, or a RandomState with MT19937"
    with pytest.raises(TypeError, match=f"^seed is of type RandomState, expected {expected}$"):
        unit().fit(X, y, epochs=1, seed=pcg)
    with pytest.raises(TypeError, match=r"^seed is of type RandomState, expected an integer$"):
        fastmlp.MLP([1, 1], seed=np.random.RandomState(0))


def drawn(generator):
    return int(generator.integers(2**64, dtype=np.uint64))


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.MT19937, np.random.Philox])
def test_a_generator_draws_one_seed(bits, rng):
    X, y = rng.standard_normal((40, 3)).astype("f4"), rng.integers(2, size=40)

    def course(first, second, third):
        mlp = fastmlp.MLP([3, 20, 2], seed=first)
        mlp.fit(X, y, epochs=2, batch_size=7, dropout=0.5, seed=second)
        mlp.step(X, y, fastmlp.SGD(), dropout=0.5, seed=third)
        return mlp.parameters.tobytes()

    generator, twin = (np.random.Generator(bits(5)) for _ in range(2))
    assert course(generator, generator, generator) == course(*(drawn(twin) for _ in range(3)))
    assert drawn(generator) == drawn(twin)


def test_a_generator_gives_another_seed_each_time():
    generator = np.random.default_rng(1)
    first, second = (fastmlp.MLP([3, 2], seed=generator).parameters for _ in range(2))
    assert not np.array_equal(first, second)


def test_arguments_that_are_refused_leave_the_generator_as_it_was():
    X, y = np.zeros((2, 1)), np.zeros(2)
    generator, twin = np.random.default_rng(2), np.random.default_rng(2)
    with pytest.raises(ValueError, match=r"^alpha is -1"):
        unit().fit(X, y, seed=generator, alpha=-1.0)
    with pytest.raises(ValueError, match=r"^init is "):
        fastmlp.MLP([1, 1], init="none", seed=generator)
    assert drawn(generator) == drawn(twin)
