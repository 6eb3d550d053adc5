"""Those who are told of each epoch: a callable of the caller's, and scikit-learn's callbacks."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import InvalidParameterError

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.estimators import FitInfo

SMALL = {"hidden_layer_sizes": (6,), "max_iter": 5, "random_state": 0}
SOLVERS = ("adam", "sgd", "lbfgs")


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("validates", [False, True])
def test_a_callback_is_told_of_each_epoch(solver, validates, data, fit):
    X, y = data("iris")
    told = []
    clf = MLPClassifier(solver=solver, callback=told.append, **SMALL)
    fit(clf, X, y, **({"X_val": X[::5], "y_val": y[::5]} if validates else {}))
    assert all(isinstance(info, FitInfo) for info in told)
    assert [info.epoch for info in told] == [1, 2, 3, 4, 5]
    assert {info.epochs for info in told} == {5}
    assert [info.loss for info in told] == clf.loss_curve_
    if validates:
        assert [info.val_loss for info in told] == clf.validation_loss_curve_
        assert [info.val_score for info in told] == clf.validation_scores_
    else:
        assert {(info.val_loss, info.val_score) for info in told} == {(None, None)}
    rates = {"adam": [0.001] * 5, "sgd": [0.001] * 5, "lbfgs": [None] * 5}
    assert [info.learning_rate for info in told] == rates[solver]
    elapsed = [info.elapsed for info in told]
    assert sorted(elapsed) == elapsed
    assert elapsed[0] > 0


def test_the_learning_rate_is_that_of_the_next_epoch(data, fit):
    told = []
    reg = MLPRegressor(
        solver="sgd", learning_rate="invscaling", callback=told.append, max_iter=3, random_state=0
    )
    X, y = data("diabetes")
    fit(reg, X, y)
    expected = [0.001 / (epoch * len(X) + 1) ** 0.5 for epoch in (1, 2, 3)]
    assert [info.learning_rate for info in told] == pytest.approx(expected)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_estimator_predicts_as_it_would_if_training_ended_there(solver, dtype, data, fit):
    X, y = data("diabetes")
    X = X.astype(dtype)
    seen, copies = [], []

    def look(info):
        seen.append(info.estimator.predict(X))
        copies.append(copy.copy(info.estimator))

    fit(MLPRegressor(solver=solver, callback=look, **SMALL), X, y)
    for epochs in range(1, 6):
        shorter = MLPRegressor(solver=solver, **SMALL | {"max_iter": epochs})
        truth = fit(shorter, X, y).predict(X)
        np.testing.assert_array_equal(seen[epochs - 1], truth)
        np.testing.assert_array_equal(copies[epochs - 1].predict(X), truth)


@pytest.mark.parametrize("answer", [True, np.True_])
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_callback_may_stop_the_training(solver, answer, data, fit):
    X, y = data("iris")
    clf = MLPClassifier(solver=solver, callback=lambda info: answer if info.epoch == 3 else None)
    clf.set_params(**SMALL | {"max_iter": 100}).fit(X, y)  # without a warning
    assert clf.n_iter_ == len(clf.loss_curve_) == 3
    assert clf.loss_ == clf.loss_curve_[-1]
    shorter = fit(MLPClassifier(solver=solver, **SMALL | {"max_iter": 3}), X, y)
    np.testing.assert_array_equal(clf.network_.parameters, shorter.network_.parameters)


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_answer_that_is_none_ends_the_fit(solver, data):
    clf = MLPClassifier(solver=solver, callback=lambda info: "stop")
    message = "^the callback's answer is of type str, expected True to stop, or None$"
    with pytest.raises(TypeError, match=message):
        clf.fit(*data("iris"))
    assert vars(clf) == clf.get_params()


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_error_of_the_callback_s_own_ends_the_fit(solver, data):
    def fails(info):
        raise ZeroDivisionError("of the callback's own")

    clf = MLPClassifier(solver=solver, callback=fails)
    with pytest.raises(ZeroDivisionError, match="of the callback's own"):
        clf.fit(*data("iris"))
    assert vars(clf) == clf.get_params()


@pytest.mark.usefixtures("sigint")
@pytest.mark.parametrize("solver", SOLVERS)
def test_ctrl_c_in_a_callback_keeps_the_epoch_that_ended(solver, data):
    def interrupts(info):
        if info.epoch == 2:
            raise KeyboardInterrupt

    clf = MLPClassifier(solver=solver, callback=interrupts)
    with pytest.warns(UserWarning, match=r"^Training interrupted by user\.$"):
        clf.fit(*data("iris"))
    assert clf.n_iter_ == len(clf.loss_curve_) == 2


def test_partial_fit_tells_of_its_epoch(data):
    X, y = data("iris")
    told = []
    clf = MLPClassifier(callback=told.append)
    for _ in range(2):
        clf.partial_fit(X, y, classes=[0, 1, 2])
    assert [(info.epoch, info.loss) for info in told] == [(1, loss) for loss in clf.loss_curve_]


def stop_at_once(info):
    return True


def test_copies_call_the_same_callback_and_files_have_none(data, tmp_path):
    X, y = data("iris")
    clf = MLPClassifier(callback=stop_at_once)
    for twin in (clone(clf), pickle.loads(pickle.dumps(clf))):
        assert twin.callback is stop_at_once
        assert twin.fit(X, y).n_iter_ == 1
    twin.save(tmp_path / "clf")
    assert MLPClassifier.load(tmp_path / "clf").callback is None


def test_what_cannot_be_called_is_refused(data):
    with pytest.raises(InvalidParameterError, match="'callback' parameter of MLPClassifier"):
        MLPClassifier(callback=3).fit(*data("iris"))


class Recording:
    """A callback of scikit-learn's protocol that keeps what it is told."""

    max_propagation_depth = None

    def __init__(self, stop_after=None):
        self.events = []
        self.tasks = []
        self.stop_after = stop_after

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        self.events.append(("begin", context.task_name, context.task_id))
        self.root = context
        while self.root.parent is not None:
            self.root = self.root.parent

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        self.events.append(("end", context.task_name, context.task_id))
        self.tasks.append((estimator, X, y, metadata, fitted_estimator))
        ends = [event for event in self.events if event[0] == "end"]
        return len(ends) == self.stop_after


class TestProtocol:
    """scikit-learn's protocol, which is there from its version 1.9 on."""

    @pytest.fixture(autouse=True)
    def _is_there(self):
        pytest.importorskip("sklearn.callback")

    @pytest.mark.parametrize("solver", SOLVERS)
    def test_an_epoch_is_a_task(self, solver, data, fit):
        X, y = data("iris")
        recording, weights = Recording(), np.ones(len(X))
        clf = MLPClassifier(solver=solver, **SMALL).set_callbacks(recording)
        fit(clf, X, y, sample_weight=weights)
        unit = "iteration" if solver == "lbfgs" else "epoch"
        tasks = [(at, unit, i) for i in range(5) for at in ("begin", "end")]
        whole = ["setup", ("begin", "fit", 0), *tasks, ("end", "fit", 0), "teardown"]
        assert recording.events == whole
        assert recording.root.max_subtasks == 5
        for estimator, told_X, told_y, metadata, _ in recording.tasks:
            assert estimator is clf
            assert told_X is X
            assert told_y is y
            assert metadata == {"sample_weight": weights}
        assert vars(clf).keys() >= {"_skl_callbacks"}
        assert not [name for name in vars(clf) if "callback_fit" in name or "teardown" in name]

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("solver", SOLVERS)
    def test_the_fitted_estimator_is_that_of_the_epoch(self, solver, dtype, data, fit):
        X, y = data("diabetes")
        X, recording = X.astype(dtype), Recording()
        reg = MLPRegressor(solver=solver, **SMALL).set_callbacks(recording)
        fit(reg, X, y)
        *epochs, fitted = [fitted for *_, fitted in recording.tasks]
        for n, estimator in enumerate(epochs, 1):
            shorter = fit(MLPRegressor(solver=solver, **SMALL | {"max_iter": n}), X, y)
            np.testing.assert_array_equal(estimator.predict(X), shorter.predict(X))
        np.testing.assert_array_equal(fitted.predict(X), reg.predict(X))
        assert fitted.network_ is not reg.network_

    @pytest.mark.parametrize("solver", SOLVERS)
    def test_a_callback_may_stop_the_training(self, solver, data):
        recording = Recording(stop_after=3)
        clf = MLPClassifier(solver=solver, **SMALL | {"max_iter": 100}).set_callbacks(recording)
        assert clf.fit(*data("iris")).n_iter_ == 3
        assert recording.events[-3:-1] == [recording.events[-3], ("end", "fit", 0)]
        begins, ends = ([e for e in recording.events if e[0] == at] for at in ("begin", "end"))
        assert len(begins) == len(ends) == 4

    def test_many_epochs_share_a_task(self, data, fit):
        X, y = data("iris")
        recording = Recording()
        clf = MLPClassifier((2,), max_iter=450, tol=0.0, n_iter_no_change=np.inf, random_state=0)
        fit(clf.set_callbacks(recording), X, y)
        assert recording.root.max_subtasks == 150
        assert [e[2] for e in recording.events if e[:2] == ("end", "epoch")] == list(range(150))
        # The last one of a training that ends early has fewer epochs.
        recording = Recording()
        clf.set_params(callback=lambda info: info.epoch == 7).set_callbacks(recording).fit(X, y)
        assert [e[2] for e in recording.events if e[:2] == ("end", "epoch")] == [0, 1, 2]

    def test_an_iteration_that_was_not_made_ends_empty(self, data):
        X, y = data("diabetes")
        recording = Recording()
        reg = MLPRegressor(solver="lbfgs", tol=10.0, hidden_layer_sizes=(2,), random_state=0)
        reg.set_callbacks(recording).fit(X, y)
        assert reg.n_iter_ < 200
        *_, last, _ = recording.tasks
        assert last == (reg, None, None, None, None)
        begins, ends = ([e for e in recording.events if e[0] == at] for at in ("begin", "end"))
        assert len(begins) == len(ends) == reg.n_iter_ + 2

    def test_a_fit_that_fails_tears_down(self, data):
        X, y = data("iris")
        recording = Recording()
        clf = MLPClassifier(**SMALL).set_callbacks(recording)
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            clf.fit(X, y[1:])
        assert recording.events == ["setup", ("begin", "fit", 0), "teardown"]
        assert vars(clf) == clf.get_params() | {"_skl_callbacks": [recording]}

    def test_partial_fit_has_no_tasks(self, data):
        X, y = data("iris")
        recording = Recording()
        MLPClassifier().set_callbacks(recording).partial_fit(X, y, classes=[0, 1, 2])
        assert recording.events == []

    def test_a_pipeline_links_its_tasks(self, data, fit):
        X, y = data("iris")
        recording = Recording()
        model = make_pipeline(StandardScaler(), MLPClassifier(**SMALL)).set_callbacks(recording)
        fit(model, X, y)
        epochs = [e for e in recording.events if e[:2] == ("end", "epoch")]
        assert len(epochs) == 5
        assert recording.root.estimator_name == "Pipeline"
        assert not hasattr(model[-1], "_skl_callbacks")
        assert not hasattr(model[-1], "_parent_callback_ctx")

    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    def test_a_search_links_its_tasks(self, data):
        X, y = data("iris")
        recording = Recording()
        search = GridSearchCV(MLPClassifier(**SMALL), {"alpha": [0.1, 1.0]}, cv=2)
        search.set_callbacks(recording).fit(X, y)
        # Four fits and the last one, of five epochs each.
        assert len([e for e in recording.events if e[:2] == ("end", "epoch")]) == 25

    @pytest.mark.parametrize("solver", SOLVERS)
    def test_scikit_learn_s_monitor_scores_each_epoch(self, solver, data, fit):
        from sklearn.callback import ScoringMonitor

        X, y = data("iris")
        monitor = ScoringMonitor(scoring="accuracy")
        clf = MLPClassifier(solver=solver, keep_every=1, **SMALL).set_callbacks(monitor)
        fit(clf, X, y)
        logged = [row["accuracy"] for row in monitor.get_logs().data if row["task_name"] != "fit"]
        truth = [np.mean(predicted == y) for predicted in clf.staged_predict(X)]
        assert logged == truth

    def test_scikit_learn_s_progress_bar_shows_the_epochs(self, data, fit, capsys):
        pytest.importorskip("rich")
        from sklearn.callback import ProgressBar

        fit(MLPClassifier(**SMALL).set_callbacks(ProgressBar()), *data("iris"))
        assert "MLPClassifier - fit" in capsys.readouterr().out

    def test_clones_share_callbacks_and_files_have_none(self, data, fit, tmp_path):
        recording = Recording()
        clf = clone(MLPClassifier(**SMALL).set_callbacks(recording))
        assert clf._skl_callbacks == [recording]
        fit(clf, *data("iris")).save(tmp_path / "clf")
        assert not hasattr(MLPClassifier.load(tmp_path / "clf"), "_skl_callbacks")
