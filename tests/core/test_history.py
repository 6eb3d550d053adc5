"""The record of a training: its rows, and that a network keeps the last one."""

import copy
import json
import pickle

import numpy as np
import pytest

import fastmlp


@pytest.fixture
def data(rng):
    X = rng.standard_normal((60, 3))
    return X, (X[:, 0] > 0).astype(np.int64)


def make(**options):
    return fastmlp.MLP([3, 8, 2], dtype="float64", seed=0, **options)


def test_records_are_the_rows_of_the_history(data):
    X, y = data
    history = make().fit(X, y, epochs=4, X_val=X[:20], y_val=y[:20])
    records = history.records()
    assert [record.pop("epoch") for record in records] == [1, 2, 3, 4]
    names = ["loss", "accuracy", "val_loss", "val_accuracy", "seconds"]
    for i, record in enumerate(records):
        assert list(record) == names
        assert record == {name: getattr(history, name)[i] for name in names}
    assert json.loads(json.dumps(records)) == records


def test_records_leave_out_what_was_not_measured(data):
    X, _ = data
    history = make(output="identity").fit(X, X[:, :2], epochs=2)
    assert [sorted(record) for record in history.records()] == [["epoch", "loss", "seconds"]] * 2
    assert make().fit(*data, epochs=0).records() == []


def test_the_network_keeps_the_history_of_its_last_fit(data):
    mlp = make()
    assert mlp.history is None
    first = mlp.fit(*data, epochs=3)
    assert mlp.history is first
    second = mlp.fit(*data, epochs=2)
    assert mlp.history is second
    mlp.step(*data, fastmlp.SGD())
    assert mlp.history is second


class Stop(Exception):
    pass


@pytest.mark.parametrize("error", [KeyboardInterrupt, Stop])
def test_an_interrupted_fit_leaves_the_history_so_far(data, error):
    def callback(epoch):
        if epoch.epoch == 3:
            raise error

    mlp, whole = make(), make().fit(*data, epochs=5, batch_size=7)
    with pytest.raises(error):
        mlp.fit(*data, epochs=5, batch_size=7, callback=callback)
    np.testing.assert_array_equal(mlp.history.loss, whole.loss[:3])
    np.testing.assert_array_equal(mlp.history.accuracy, whole.accuracy[:3])


def test_a_fit_that_diverges_leaves_the_history_so_far(data):
    optimizer = fastmlp.SGD(0.1)

    def callback(epoch):
        if epoch.epoch == 3:
            optimizer.learning_rate = 1e300

    mlp, whole = make(), make().fit(*data, fastmlp.SGD(0.1), epochs=3)
    with pytest.raises(fastmlp.DivergenceError):
        mlp.fit(*data, optimizer, epochs=50, callback=callback)
    np.testing.assert_array_equal(mlp.history.loss[:3], whole.loss)
    assert len(mlp.history) < 50


def test_a_fit_that_diverges_at_once_leaves_an_empty_history(data):
    X, y = data
    mlp = make()
    mlp.fit(X, y, epochs=2)
    with pytest.raises(fastmlp.DivergenceError):
        mlp.fit(1e300 * X, y, fastmlp.SGD(1e300), epochs=2)
    assert len(mlp.history) == 0


def test_a_fit_that_is_refused_leaves_the_history(data):
    X, y = data
    mlp = make()
    history = mlp.fit(X, y, epochs=2)
    with pytest.raises(ValueError, match=r"^y\[0\] is 2"):
        mlp.fit(X, y + 2, epochs=2)
    assert mlp.history is history


def test_copies_and_files_have_no_history(data, tmp_path):
    mlp = make()
    mlp.fit(*data, epochs=2)
    mlp.save(tmp_path / "model")
    others = [mlp.copy(), copy.copy(mlp), pickle.loads(pickle.dumps(mlp))]
    for other in [*others, fastmlp.MLP.load(tmp_path / "model")]:
        assert other.history is None
