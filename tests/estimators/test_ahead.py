"""Epochs that nobody needs to know of at once are made without a call, and are the same."""

import numpy as np
import pytest

from fastmlp import MLP, SGD, DivergenceError, MLPClassifier, MLPRegressor
from fastmlp.estimators.watch import Watch

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

COURSES = {
    "to the end": {"max_iter": 30},
    "until it stops": {"max_iter": 200, "tol": 0.01, "n_iter_no_change": 4},
    "without patience": {"max_iter": 200, "tol": 0.05, "n_iter_no_change": 1},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.01, "n_iter_no_change": 2},
    "plateau": {"learning_rate": "plateau", "tol": 0.01, "n_iter_no_change": 3, "max_iter": 80},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "max_iter": 30},
    "planned": {"learning_rate": "one_cycle", "max_iter": 30, "dropout": 0.2},
    "every third": {"keep_every": 3, "max_iter": 20},
}


@pytest.mark.parametrize("course", COURSES.values(), ids=COURSES)
@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
def test_a_fit_is_the_same_whether_someone_listens(cls, course, data, monkeypatch):
    X, y = data("iris")
    calls = []
    ahead = Watch.epochs_ahead.fget
    monkeypatch.setattr(
        Watch, "epochs_ahead", property(lambda w: calls.append(ahead(w)) or calls[-1])
    )
    found = []
    for callback in (None, lambda info: None):
        calls.append(None)
        estimator = cls(hidden_layer_sizes=(5,), random_state=0, callback=callback, **course)
        found.append(estimator.fit(X, y))
    alone, heard = found
    assert alone.loss_curve_ == heard.loss_curve_
    np.testing.assert_array_equal(alone.network_.parameters, heard.network_.parameters)
    for name in ("n_iter_", "t_", "loss_", "best_loss_", "_no_improvement_count", "staged_epochs_"):
        assert getattr(alone, name) == getattr(heard, name), name
    assert alone._optimizer.learning_rate == heard._optimizer.learning_rate
    for (_, stage), (_, other) in zip(alone._stages, heard._stages, strict=True):
        np.testing.assert_array_equal(stage, other)

    quiet, loud = calls[1 : calls.index(None, 1)], calls[calls.index(None, 1) + 1 :]
    assert set(loud) == {1}
    each_matters = "keep_every" in course or course.get("learning_rate") == "invscaling"
    assert (max(quiet) == 1) == each_matters


def test_a_training_that_diverges_counts_the_epochs_before(data):
    X, y = data("diabetes")
    messages = []
    for callback in (None, lambda info: None):
        reg = MLPRegressor(
            hidden_layer_sizes=(),
            solver="sgd",
            learning_rate_init=2.5,
            max_iter=2000,
            n_iter_no_change=np.inf,
            batch_size=len(X),
            random_state=0,
            callback=callback,
        )
        with pytest.raises(ValueError, match="Training diverged in epoch") as caught:
            reg.fit(X, y)
        messages.append((str(caught.value), reg.n_iter_, reg.loss_curve_))
    assert messages[0] == messages[1]
    assert messages[0][1] > 20


class Ahead:
    """A callback that is called after several epochs at once."""

    def __init__(self, network, epochs_ahead, last=None):
        self.network = network
        self.epochs_ahead = epochs_ahead
        self.last = last
        self.epochs = []
        self.parameters = []

    def __call__(self, epoch):
        self.epochs.append(epoch.epoch)
        self.parameters.append(self.network.parameters.copy())
        return epoch.epoch == self.last


@pytest.fixture
def trained(data):
    X, y = data("iris")

    def train(epochs_ahead, epochs, last=None):
        network = MLP([4, 5, 3], dtype="float64", seed=0)
        callback = Ahead(network, epochs_ahead, last)
        history = network.fit(X, y, SGD(0.1), epochs=epochs, seed=1, callback=callback)
        return callback, history

    return train


@pytest.mark.parametrize("epochs_ahead", [0, 1, 3, 100])
def test_the_network_calls_once_for_each_epoch(epochs_ahead, trained):
    callback, history = trained(epochs_ahead, 7)
    one_by_one, expected = trained(1, 7)
    assert callback.epochs == [1, 2, 3, 4, 5, 6, 7]
    np.testing.assert_array_equal(history.loss, expected.loss)
    step = min(max(epochs_ahead, 1), 7)
    for i, parameters in enumerate(callback.parameters):
        made = min((i // step + 1) * step, 7)
        np.testing.assert_array_equal(parameters, one_by_one.parameters[made - 1])


def test_the_callback_ends_training_after_the_last_of_several(trained):
    callback, history = trained(3, 100, last=6)
    assert callback.epochs == [1, 2, 3, 4, 5, 6]
    assert len(history) == 6


def test_epochs_before_an_error_are_told(data):
    X, y = data("diabetes")
    network = MLP([10, 1], output="identity", dtype="float64", seed=0)
    callback = Ahead(network, 10**6)
    with pytest.raises(DivergenceError):
        network.fit(X, y, SGD(10.0), epochs=10**6, seed=0, callback=callback)
    assert callback.epochs == list(range(1, len(callback.epochs) + 1))
    assert len(callback.epochs) > 20


@pytest.mark.parametrize("value", ["3", -1, None])
def test_an_attribute_that_is_no_number_of_epochs(value, trained):
    with pytest.raises((TypeError, OverflowError)):
        trained(value, 3)
