"""The progress bars of a training."""

import io
import re
import sys
import types

import pytest

import fastmlp
from fastmlp._progress import networks_bar, progress_bar
from fastmlp.progress import Progress


class Terminal(io.StringIO):
    """What looks like a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def open_terminal(monkeypatch):
    """Make standard error and output one terminal, from the call on."""

    def call():
        screen = Terminal()
        monkeypatch.setattr(sys, "stderr", screen)
        monkeypatch.setattr(sys, "stdout", screen)
        monkeypatch.setenv("COLUMNS", "80")
        return screen

    return call


@pytest.fixture
def notebook(monkeypatch):
    """Return what a notebook shows: a list of outputs, each with all its states."""
    cells = []

    def display(content, *, raw, display_id):
        assert raw
        assert display_id
        states = [content]
        cells.append(states)
        return types.SimpleNamespace(update=lambda content, raw: states.append(content))

    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    ipython.display = types.ModuleType("IPython.display")
    ipython.display.display = display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython.display)
    return cells


def test_the_progress_bar_tells_epoch_loss_accuracy_and_time_left(spiral, open_terminal):
    terminal = open_terminal()
    X, y = spiral
    network = fastmlp.MLP([2, 5, 3], dtype="float64", seed=0)
    with progress_bar(30) as callback:
        history = network.fit(X, y, epochs=30, X_val=X, y_val=y, callback=callback)

    last = terminal.getvalue().rstrip().rpartition("\r")[2]
    assert re.match(r"epoch 30/30 \|.*\| 00:00 left", last)
    assert f"loss {history.loss[-1]:.3f} (val {history.val_loss[-1]:.3f})" in last
    assert f"acc {history.accuracy[-1]:.3f} (val {history.val_accuracy[-1]:.3f})" in last


def test_networks_share_a_progress_bar(spiral, open_terminal):
    terminal = open_terminal()
    clf = fastmlp.TabularClassifier(
        hidden_layer_sizes=(4,), n_members=3, max_iter=7, random_state=0, n_jobs=2
    )
    with networks_bar() as clf._listener:
        clf.fit(*spiral)
    last = terminal.getvalue().rstrip().rpartition("\r")[2]
    match = re.match(r"epoch 21/21 \|.*\| 00:00 left, loss (\S+) val (\S+) \(best (\S+)\)$", last)
    ends = [
        (f"{losses[-1]:.3f}", f"{scores[-1]:.4g}", f"{max(scores):.4g}")
        for losses, scores in zip(clf.loss_curves_, clf.validation_scores_, strict=True)
    ]
    assert match
    assert match.groups() in ends


def test_networks_without_rows_for_validation_show_their_loss(spiral, open_terminal):
    terminal = open_terminal()
    clf = fastmlp.TabularClassifier("fast", hidden_layer_sizes=(4,), max_iter=7, random_state=0)
    X, y = spiral
    with networks_bar() as clf._listener:
        clf.fit(X[::20], y[::20])
    last = terminal.getvalue().rstrip().rpartition("\r")[2]
    assert re.match(rf"epoch 7/7 \|.*left, loss {clf.loss_curves_[0][-1]:.3f}$", last)


@pytest.mark.parametrize("bar", [lambda: progress_bar(30), networks_bar], ids=["one", "several"])
def test_without_a_terminal_there_is_no_progress_bar(capsys, monkeypatch, bar):
    with bar() as callback:
        assert callback is None
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys, "stderr", None)
    with bar() as callback:
        assert callback is None


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_verbose_in_a_terminal_is_a_bar(solver, spiral, open_terminal):
    terminal = open_terminal()
    X, y = spiral
    clf = fastmlp.MLPClassifier((3,), solver=solver, max_iter=50, verbose=True, random_state=0)
    clf.set_params(callback=lambda info: info.epoch == 20).fit(X, y, X_val=X, y_val=y)
    last = terminal.getvalue().rstrip().rpartition("\r")[2]
    assert re.match(r"epoch 20/50 \|.*left", last)
    score = clf.validation_scores_[-1]
    losses = f"loss {clf.loss_curve_[-1]:.4g} val loss {clf.validation_loss_curve_[-1]:.4g}"
    assert f"{losses} val score {score:.4g}" in last
    assert "Iteration" not in terminal.getvalue()


def test_the_end_of_a_training_is_a_line_beside_the_bar(spiral, open_terminal):
    terminal = open_terminal()
    clf = fastmlp.MLPClassifier((3,), tol=1e9, n_iter_no_change=1, verbose=True)
    clf.fit(*spiral)
    end = "Training loss did not improve more than tol=1000000000.000000 for 1 consecutive epochs."
    assert f"{end} Stopping.\n" in terminal.getvalue()


def test_a_terminal_without_tqdm_gets_scikit_learn_s_lines(spiral, open_terminal, monkeypatch):
    terminal = open_terminal()
    monkeypatch.setattr("fastmlp._bars.find_spec", lambda name: None)
    clf = fastmlp.MLPClassifier((3,), verbose=True, callback=lambda info: info.epoch == 2)
    clf.fit(*spiral)
    first, second = clf.loss_curve_
    assert terminal.getvalue() == (
        f"Iteration 1, loss = {first:.8f}\nIteration 2, loss = {second:.8f}\n"
    )


def test_a_single_epoch_is_a_line(spiral, notebook, capsys):
    X, y = spiral
    clf = fastmlp.MLPClassifier((3,), verbose=True)
    clf.partial_fit(X, y, classes=[0, 1, 2])
    assert notebook == []
    assert capsys.readouterr().out == f"Iteration 1, loss = {clf.loss_:.8f}\n"


def test_verbose_in_a_notebook_is_a_bar_with_a_curve(spiral, notebook, capfd):
    X, y = spiral
    clf = fastmlp.MLPClassifier((3,), max_iter=50, tol=1e9, n_iter_no_change=3, verbose=True)
    clf.fit(X, y)
    [states] = notebook
    bar = '<div><progress value="{}" max="50"></progress> {}</div>'
    assert states[0]["text/html"] == bar.format(0, "epoch 0/50")
    text = f"epoch 5/50 loss {clf.loss_curve_[-1]:.4g}"
    end = (
        "Training loss did not improve more than tol=1000000000.000000 for 3 consecutive epochs. "
        "Stopping."
    )
    page, line = states[-1]["text/html"], states[-1]["text/plain"]
    assert line == f"{text}\n{end}"
    head, _, curve = page.partition("<div><svg")
    assert head == f"{bar.format(5, text)}<div>{end}</div>"
    assert curve.count("<polyline") == 1
    assert curve.endswith("</svg></div>")
    assert capfd.readouterr() == ("", "")


def test_ipython_without_a_kernel_is_no_notebook(spiral, notebook, capsys):
    sys.modules["IPython"].get_ipython = lambda: types.SimpleNamespace()
    clf = fastmlp.MLPClassifier((3,), verbose=True, callback=lambda info: True)
    clf.fit(*spiral)
    assert notebook == []
    assert capsys.readouterr().out == f"Iteration 1, loss = {clf.loss_:.8f}\n"


def test_an_error_leaves_the_bar_where_it_was(spiral, notebook):
    def fails(info):
        raise ZeroDivisionError

    clf = fastmlp.MLPClassifier((3,), max_iter=9, verbose=True, callback=fails)
    with pytest.raises(ZeroDivisionError):
        clf.fit(*spiral)
    assert notebook[0][-1]["text/plain"].startswith("epoch 1/9 loss ")


def test_a_notebook_tells_the_time_that_is_left(spiral, notebook, monkeypatch):
    now = iter(range(0, 10**6, 2))
    monkeypatch.setattr("fastmlp._bars.perf_counter", lambda: next(now))
    X, y = spiral
    clf = fastmlp.MLPClassifier((3,), max_iter=40, verbose=True, random_state=0)
    clf.set_params(callback=lambda info: info.epoch == 21).fit(X, y, X_val=X, y_val=y)
    states = [state["text/plain"] for state in notebook[0]]
    assert re.match(r"epoch 1/40 loss", states[1])
    left = [re.match(r"epoch (\d+)/40 (\d\d):(\d\d) left, loss", state) for state in states[2:-1]]
    assert [int(match[1]) for match in left] == list(range(2, 22))
    seconds = [60 * int(match[2]) + int(match[3]) for match in left]
    assert seconds == sorted(seconds, reverse=True)
    assert seconds[-1] > 60
    assert re.match(r"epoch 21/40 loss", states[-1])
    assert notebook[0][-1]["text/html"].count("<polyline") == 2


def test_progress_of_a_network_in_a_terminal(spiral, open_terminal):
    terminal = open_terminal()
    X, y = spiral
    mlp = fastmlp.MLP([2, 5, 3], dtype="float64", seed=0)
    history = mlp.fit(X, y, epochs=30, callback=Progress())
    last = terminal.getvalue().rstrip().rpartition("\r")[2]
    assert re.match(rf"epoch 30/30 \|.*left, loss {history.loss[-1]:.3f} acc", last)


def test_progress_of_a_network_in_a_notebook(spiral, notebook, capfd):
    X, y = spiral
    mlp = fastmlp.MLP([2, 5, 3], dtype="float64", seed=0)
    progress = Progress()
    for _ in range(2):
        history = mlp.fit(X, y, epochs=30, X_val=X, y_val=y, callback=progress)
    assert len(notebook) == 2
    line = notebook[1][-1]["text/plain"]
    assert line.startswith(f"epoch 30/30 loss {history.loss[-1]:.3f} (val ")
    assert notebook[1][-1]["text/html"].count("<polyline") == 2
    assert capfd.readouterr() == ("", "")


def test_progress_elsewhere_is_a_line_for_every_tenth(spiral, capsys):
    X, y = spiral
    mlp = fastmlp.MLP([2, 5, 3], dtype="float64", seed=0)
    history = mlp.fit(X, y, epochs=50, callback=Progress())
    assert capsys.readouterr().out.splitlines() == [
        f"epoch {i}/50 loss {history.loss[i - 1]:.3f} acc {history.accuracy[i - 1]:.3f}"
        for i in range(5, 51, 5)
    ]


def test_progress_of_regression_has_no_accuracy(spiral, capsys):
    X, _ = spiral
    mlp = fastmlp.MLP([2, 5, 2], output="identity", dtype="float64", seed=0)
    history = mlp.fit(X, X, epochs=1, X_val=X, y_val=X, callback=Progress())
    loss, val_loss = history.loss[0], history.val_loss[0]
    assert capsys.readouterr().out == f"epoch 1/1 loss {loss:.3f} (val {val_loss:.3f})\n"


def test_progress_of_an_estimator_is_refused(spiral):
    message = "^Progress shows MLP.fit: for an estimator give it verbose=True, got FitInfo in place"
    with pytest.raises(TypeError, match=message):
        fastmlp.MLPClassifier((5,), max_iter=2, callback=Progress()).fit(*spiral)


def interrupted_after_23(spiral):
    mlp = fastmlp.MLP([2, 5, 3], dtype="float64", seed=0)

    def callback(epoch):
        progress(epoch)
        if epoch.epoch == 23:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Progress() as progress:
        mlp.fit(*spiral, epochs=50, callback=callback)


def test_progress_in_a_notebook_shows_the_last_epoch_of_a_fit_that_ends_early(spiral, notebook):
    interrupted_after_23(spiral)
    assert notebook[0][-1]["text/plain"].startswith("epoch 23/50 loss ")


def test_progress_prints_the_last_epoch_of_a_fit_that_ends_early(spiral, capsys):
    interrupted_after_23(spiral)
    assert capsys.readouterr().out.splitlines()[-1].startswith("epoch 23/50 loss ")
