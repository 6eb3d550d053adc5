"""The progress bar of a training."""

import io
import re
import sys

import fastmlp
from fastmlp._progress import progress_bar


def test_the_progress_bar_tells_epoch_loss_accuracy_and_time_left(spiral, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "80")
    X, y = spiral
    network = fastmlp.MLP([2, 5, 3], dtype="float64", seed=0)
    with progress_bar(30) as callback:
        history = network.fit(X, y, epochs=30, X_val=X, y_val=y, callback=callback)

    last = terminal.getvalue().rstrip().rpartition("\r")[2]
    assert re.match(r"epoch 30/30 \|.*\| 00:00 left", last)
    assert f"loss {history.loss[-1]:.3f} (val {history.val_loss[-1]:.3f})" in last
    assert f"acc {history.accuracy[-1]:.3f} (val {history.val_accuracy[-1]:.3f})" in last


def test_without_a_terminal_there_is_no_progress_bar(capsys):
    with progress_bar(30) as callback:
        assert callback is None
    assert capsys.readouterr().err == ""
