"""Ctrl-C leaves one whole epoch in memory and in the file, whichever line it interrupts."""

import os
import sys

import numpy as np
import pytest
from kills import interrupt_trainings

import fastmlp
from fastmlp import checkpoint
from fastmlp.checkpoint import Checkpoint

EPOCHS = 3
X = np.random.default_rng(5).standard_normal((12, 2))
Y = np.arange(12) % 2


def begin():
    network = fastmlp.MLP([2, 3, 2], dtype="float64", seed=1)
    return Checkpoint(network, fastmlp.Adam(0.05), seed=2)


def train(training, path, epochs=EPOCHS, callback=None):
    training.fit(
        X,
        Y,
        epochs=epochs,
        batch_size=5,
        X_val=X,
        y_val=Y,
        path=path,
        interval=0,
        callback=callback,
    )


def content(training):
    """The whole content of a training, to the bit."""
    state, history = training.optimizer.state_dict(), training.history
    arrays = [training.network.parameters, *(state[key] for key in sorted(state) if key != "step")]
    series = [history.loss, history.accuracy, history.val_loss, history.val_accuracy]
    return (
        training.epoch,
        state["step"],
        [np.asarray(array, float).tobytes() for array in (*arrays, *series)],
    )


@pytest.fixture(scope="module")
def truth():
    """Content after each epoch, by the number of the epoch."""
    training = begin()
    found = [content(training)]
    for epoch in range(1, EPOCHS + 1):
        train(training, None, epochs=epoch)
        found.append(content(training))
    return found


class InterruptAt:
    """Raise KeyboardInterrupt at the n-th line of the module that is run after `armed` is set."""

    def __init__(self, line, armed):
        self.left, self.armed = line, armed

    def __call__(self, frame, event, _):
        if frame.f_code.co_filename != checkpoint.__file__:
            return None
        if event == "line" and self.armed:
            self.left -= 1
            if self.left == 0:
                self.met = frame.f_lineno
                raise KeyboardInterrupt
        return self

    @property
    def has_struck(self):
        return self.left <= 0


def fit_under(trace, training, path, callback=None):
    sys.settrace(trace)
    try:
        train(training, path, callback=callback)
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(None)


def assert_whole(training, path, truth):
    """File and memory hold whole epochs, perhaps two, and both continue to the same end."""
    copy = path.with_name("copy")
    if path.exists():  # Ctrl-C may come before the first writing
        assert content(Checkpoint.load(path)) in truth
        resumed = Checkpoint.load(path)
        train(resumed, copy)
        assert content(resumed) == truth[-1]
    training.save(copy)
    assert content(Checkpoint.load(copy)) == truth[training.epoch]
    train(training, copy)
    assert content(training) == content(Checkpoint.load(copy)) == truth[-1]


def test_at_every_line_of_a_fit(tmp_path, truth):
    line, met = 0, set()
    while True:
        line += 1
        path, training = tmp_path / f"{line}", begin()
        trace = InterruptAt(line, armed=True)
        fit_under(trace, training, path)
        if not trace.has_struck:
            break
        met.add(trace.met)
        assert_whole(training, path, truth)
    assert line > 100
    assert len(met) > 40


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_a_second_one_at_every_line_of_the_handler(tmp_path, truth, error):
    line, last = 0, 0
    while True:
        line += 1
        path, training = tmp_path / f"{line}", begin()
        trace = InterruptAt(line, armed=False)

        def first(epoch, trace=trace):
            if epoch.epoch == 2:
                trace.armed = True
                raise error

        try:
            fit_under(trace, training, path, callback=first)
        except error:
            assert not trace.has_struck
            break
        if not trace.has_struck:
            break
        assert training.epoch == 1
        last += content(Checkpoint.load(path)) == truth[1]
        assert_whole(training, path, truth)
    assert line > 20
    assert last == line - 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_real_signals(tmp_path):
    counts = interrupt_trainings(tmp_path, 12)
    assert (counts["signals"], counts["mixed"], counts["lost"]) == (12, 0, 0)
