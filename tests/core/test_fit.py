"""Properties of fit besides the numbers: history, validation, callbacks, stopping, odd data."""

import pickle

import numpy as np
import pytest

import fastmlp


@pytest.fixture
def data(rng):
    """A learnable problem: X (90, 4) float32, y (90,) of three classes."""
    X = rng.standard_normal((90, 4)).astype(np.float32)
    return X, X[:, :3].argmax(axis=1)


@pytest.fixture
def mlp():
    return fastmlp.MLP([4, 16, 3], seed=1)


def test_history_has_an_entry_an_epoch(mlp, data):
    history = mlp.fit(*data, epochs=7)

    for values in (history.loss, history.accuracy, history.seconds):
        assert values.shape == (7,)
        assert values.dtype == np.float64
    assert (history.seconds > 0).all()
    assert history.val_loss is None
    assert history.val_accuracy is None


def test_validation_is_measured_after_every_epoch(data):
    X, y = data
    mlp = fastmlp.MLP([4, 16, 3], seed=1)
    measured = []

    def measure(_):
        measured.append((mlp.loss(X[60:], y[60:]), np.mean(mlp.predict(X[60:]) == y[60:])))

    history = mlp.fit(X[:60], y[:60], epochs=5, X_val=X[60:], y_val=y[60:], callback=measure)

    np.testing.assert_array_equal(np.c_[history.val_loss, history.val_accuracy], measured)


def test_validation_weighs_classes_as_training_does(data):
    X, y = data
    mlp = fastmlp.MLP([4, 16, 3], seed=1)
    class_weight = [0.2, 1.0, 5.0]

    history = mlp.fit(X, y, epochs=1, class_weight=class_weight, X_val=X[:30], y_val=y[:30])

    assert history.val_loss[0] == mlp.loss(X[:30], y[:30], class_weight=class_weight)


def test_validation_does_not_change_training(mlp, data):
    alone = fastmlp.MLP([4, 16, 3], seed=1)

    mlp.fit(*data, epochs=5, batch_size=16, seed=3, X_val=data[0], y_val=data[1])

    alone.fit(*data, epochs=5, batch_size=16, seed=3)
    np.testing.assert_array_equal(mlp.parameters, alone.parameters)


def test_an_epoch_tells_what_history_keeps(mlp, data):
    told = []

    history = mlp.fit(*data, epochs=4, X_val=data[0], y_val=data[1], callback=told.append)

    assert all(isinstance(epoch, fastmlp.Epoch) for epoch in told)
    assert [(e.epoch, e.epochs) for e in told] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    for field in ("loss", "accuracy", "val_loss", "val_accuracy", "seconds"):
        assert [getattr(e, field) for e in told] == list(getattr(history, field))


def test_an_epoch_without_validation_has_none(mlp, data):
    told = []

    mlp.fit(*data, epochs=1, callback=told.append)

    assert told[0].val_loss is None
    assert told[0].val_accuracy is None


@pytest.mark.parametrize("stop_at", [1, 3])
def test_returning_true_stops(stop_at, mlp, data):
    shorter = fastmlp.MLP([4, 16, 3], seed=1)

    history = mlp.fit(*data, epochs=100, callback=lambda epoch: epoch.epoch == stop_at)

    shorter.fit(*data, epochs=stop_at)
    assert len(history.loss) == len(history.seconds) == stop_at
    np.testing.assert_array_equal(mlp.parameters, shorter.parameters)


@pytest.mark.parametrize("returned", [None, False])
def test_returning_anything_else_goes_on(returned, mlp, data):
    history = mlp.fit(*data, epochs=3, callback=lambda _: returned)

    assert len(history.loss) == 3


def test_an_exception_of_the_callback_comes_through(mlp, data):
    shorter = fastmlp.MLP([4, 16, 3], seed=1)
    failure = LookupError("the callback's own")

    def callback(epoch):
        if epoch.epoch == 2:
            raise failure

    with pytest.raises(LookupError) as caught:
        mlp.fit(*data, epochs=5, callback=callback)

    assert caught.value is failure
    shorter.fit(*data, epochs=2)
    np.testing.assert_array_equal(mlp.parameters, shorter.parameters)
    assert len(mlp.fit(*data, epochs=2).loss) == 2


def test_the_callback_may_read_the_network(mlp, data):
    predicted = []

    mlp.fit(*data, epochs=2, callback=lambda _: predicted.append(mlp.predict(data[0])))

    assert not np.array_equal(mlp.parameters, fastmlp.MLP([4, 16, 3], seed=1).parameters)
    np.testing.assert_array_equal(predicted[1], mlp.predict(data[0]))


def test_a_fit_without_a_seed_goes_on_with_the_network_s_own(data):
    first, second, other = (fastmlp.MLP([4, 16, 3], seed=seed) for seed in (1, 1, 2))
    other.parameters[...] = first.parameters

    for mlp in (first, second, other):
        mlp.fit(*data, epochs=2, batch_size=16)
        mlp.fit(*data, epochs=2, batch_size=16)

    np.testing.assert_array_equal(first.parameters, second.parameters)
    assert not np.array_equal(first.parameters, other.parameters)


def test_no_optimizer_means_adam(mlp, data):
    named = fastmlp.MLP([4, 16, 3], seed=1)

    mlp.fit(*data, epochs=5)

    named.fit(*data, optimizer=fastmlp.Adam(learning_rate=1e-3), epochs=5)
    np.testing.assert_array_equal(mlp.parameters, named.parameters)


def test_a_second_fit_goes_on_with_the_optimizer_s_state(data):
    whole, parts = (fastmlp.MLP([4, 16, 3], seed=1) for _ in range(2))

    whole.fit(*data, optimizer=fastmlp.Adam(), epochs=6)

    optimizer = fastmlp.Adam()
    parts.fit(*data, optimizer=optimizer, epochs=2)
    parts.fit(*data, optimizer=optimizer, epochs=4)
    np.testing.assert_array_equal(whole.parameters, parts.parameters)


@pytest.mark.parametrize("n_jobs", [1, 2, 3, 4, 7, -1])
@pytest.mark.parametrize("batch_size", [None, 32])
def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads(
    n_jobs, batch_size, dtype, spiral
):
    X, y = spiral[0].astype(dtype), spiral[1]
    ends = []
    for jobs in (None, n_jobs):
        mlp = fastmlp.MLP([2, 100, 3], dtype=dtype, seed=5)
        history = mlp.fit(X, y, epochs=3, batch_size=batch_size, seed=9, n_jobs=jobs)
        ends.append((mlp.parameters.tobytes(), history.loss.tobytes()))
    assert ends[0] == ends[1]


def test_zero_epochs_change_nothing(mlp, data):
    # With its random state.
    before = pickle.dumps(mlp)

    history = mlp.fit(*data, epochs=0)

    assert history.loss.shape == (0,)
    assert pickle.dumps(mlp) == before


def test_a_fit_that_went_on_from_its_last_epoch_changes_nothing(mlp, data):
    mlp.fit(*data, epochs=2)
    before = pickle.dumps(mlp)

    mlp.fit(*data, epochs=2, initial_epoch=2)

    assert pickle.dumps(mlp) == before


def test_one_row_is_learnt(mlp, data):
    X, y = data[0][:1], data[1][:1]

    history = mlp.fit(X, y, fastmlp.SGD(learning_rate=0.5), epochs=50)

    assert history.loss[-1] < 0.1 * history.loss[0]
    assert history.accuracy[-1] == 1.0


def test_one_class_present_is_learnt(mlp, data):
    X, y = data[0], np.full(90, 2)

    history = mlp.fit(X, y, fastmlp.SGD(learning_rate=0.5), epochs=50)

    assert history.loss[-1] < 0.1 * history.loss[0]
    np.testing.assert_array_equal(mlp.predict(X), y)


def test_rows_of_weight_zero_teach_nothing(mlp, data):
    X, y = data
    fewer = fastmlp.MLP([4, 16, 3], dtype="float64", seed=1)
    mlp = fastmlp.MLP([4, 16, 3], dtype="float64", seed=1)
    X = X.astype(np.float64)
    weight = np.r_[np.ones(50), np.zeros(40)]

    mlp.fit(X, y, fastmlp.SGD(0.1), epochs=10, sample_weight=weight)

    fewer.fit(X[:50], y[:50], fastmlp.SGD(0.1), epochs=10)
    np.testing.assert_allclose(mlp.parameters, fewer.parameters, rtol=0, atol=1e-13)


def test_a_batch_of_weight_zero_is_passed_over(data):
    X, y = data
    mlp, fewer = (fastmlp.MLP([4, 16, 3], seed=1) for _ in range(2))
    weight = np.ones(90, np.float32)
    weight[30:60] = 0.0

    history = mlp.fit(
        X, y, fastmlp.SGD(0.1), epochs=1, batch_size=30, shuffle=False, sample_weight=weight
    )

    kept = weight > 0
    fewer.fit(X[kept], y[kept], fastmlp.SGD(0.1), epochs=1, batch_size=30, shuffle=False)
    np.testing.assert_array_equal(mlp.parameters, fewer.parameters)
    assert np.isfinite(history.loss).all()


def test_accuracy_counts_every_row_whatever_its_weight(data):
    X, y = data
    mlp, frozen = (fastmlp.MLP([4, 16, 3], seed=1) for _ in range(2))
    weight = np.ones(90, np.float32)
    weight[30:60] = 0.0

    history = mlp.fit(
        X, y, fastmlp.SGD(1e-30), epochs=1, batch_size=30, shuffle=False, sample_weight=weight
    )

    assert history.accuracy[0] == np.mean(frozen.predict(X) == y)


def test_divergence_keeps_the_parameters_of_the_last_good_step(data):
    X, y = data[0].copy(), data[1]
    X[40] = 3e38
    mlp, survivor = (fastmlp.MLP([4, 16, 3], seed=1) for _ in range(2))

    with pytest.raises(fastmlp.DivergenceError):
        mlp.fit(X, y, fastmlp.SGD(0.1), epochs=2, batch_size=30, shuffle=False)

    survivor.step(X[:30], y[:30], fastmlp.SGD(0.1))
    np.testing.assert_array_equal(mlp.parameters, survivor.parameters)


# The last two overflow float32: in the product with the gradient, and by themselves.
@pytest.mark.parametrize(
    ("learning_rate", "scale"), [(1e20, 1), (1e30, 1), (1e38, 1), (1e36, 1e4), (1e300, 1)]
)
def test_a_learning_rate_that_is_too_high_diverges_with_finite_parameters(
    learning_rate, scale, mlp, data
):
    X, y = np.float32(scale) * data[0], data[1]

    with pytest.raises(fastmlp.DivergenceError):
        mlp.fit(X, y, optimizer=fastmlp.SGD(learning_rate), epochs=100)

    assert np.isfinite(mlp.parameters).all()


def test_more_epochs_than_memory_could_record_may_be_asked_for(mlp, data):
    history = mlp.fit(*data, epochs=2**62, callback=lambda epoch: epoch.epoch == 2)

    assert len(history.loss) == 2
