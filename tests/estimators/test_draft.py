"""A fit changes the estimator when it is done: completely, or not at all."""

import pickle
import sys
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.estimators import lbfgs, stochastic, watch


def classifier(data, **parameters):
    return MLPClassifier((6,), random_state=0, max_iter=4, **parameters), *data("iris")


def regressor(data, **parameters):
    return MLPRegressor(hidden_layer_sizes=(6,), random_state=0, max_iter=4, **parameters), *data(
        "diabetes"
    )


KINDS = {"classifier": classifier, "regressor": regressor}


@pytest.fixture(params=[(kind, solver) for kind in KINDS for solver in ("adam", "sgd", "lbfgs")])
def case(request, data, fit):
    """An estimator after a fit, and its data."""
    kind, solver = request.param
    estimator, X, y = KINDS[kind](data, solver=solver)
    return fit(estimator, X, y), X, y


def failures(estimator, X, y):
    """Calls that fail: what the error says, parameters that are changed, arguments."""
    nan = np.where(np.arange(X.size).reshape(X.shape) == 0, np.nan, X)
    diverging = {"learning_rate_init": 1e300, "alpha": 1e300}
    early = {"early_stopping": True, "solver": "adam"}
    yield "contains NaN", {}, (nan, y)
    yield "contains NaN|features", {}, (nan[:, :1], np.roll(y, 1))
    yield "inconsistent numbers of samples", {}, (X[:-1], y)
    yield "Negative values in data", {}, (X, y, -np.ones(len(X)))
    yield "at least one non-zero number|features", {}, (X[:, :2], y, np.zeros(len(X)))
    yield "'alpha' parameter|^alpha is -1", {"alpha": -1.0}, (X, y)
    yield "non-finite parameter weights", diverging, (X * 1e200, y)
    # With partial_fit there is no early stopping at all.
    few = 0.5 / len(X)
    yield "set is too small|not support", early | {"validation_fraction": few}, (X, y)
    yield "least populated|set is too small|not support|same classes", early, (X[:3], y[-3:])


def test_a_refit_that_fails_leaves_everything_as_it_was(case):
    estimator, X, y = case
    network, predicted = estimator.network_, estimator.predict(X)
    held = estimator.coefs_[0]
    for warm_start in (False, True):
        estimator.set_params(warm_start=warm_start)
        parameters = estimator.get_params()
        before = pickle.dumps(estimator)
        for reason, change, arguments in failures(estimator, X, y):
            estimator.set_params(**change)
            with pytest.raises(ValueError, match=reason):
                estimator.fit(*arguments)
            estimator.set_params(**parameters)
            assert pickle.dumps(estimator) == before
            assert estimator.network_ is network
            assert estimator.coefs_[0] is held
            np.testing.assert_array_equal(estimator.predict(X), predicted)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_partial_fit_that_fails_leaves_everything_as_it_was(kind, solver, data, monkeypatch):
    estimator, X, y = KINDS[kind](data, solver=solver, batch_size=20)
    first = {"classes": [0, 1, 2]} if kind == "classifier" else {}
    estimator.partial_fit(X, y, **first)
    twin = pickle.loads(pickle.dumps(estimator))
    before, network = pickle.dumps(estimator), estimator.network_
    for reason, change, arguments in failures(estimator, X, y):
        parameters = estimator.get_params()
        estimator.set_params(**change)
        with pytest.raises(ValueError, match=reason):
            estimator.partial_fit(*arguments)
        estimator.set_params(**parameters)
        assert pickle.dumps(estimator) == before
    # In the middle of its last line, after all batches.
    with monkeypatch.context() as patch:

        def record(self):
            raise MemoryError

        patch.setattr(watch.Watch, "record", record)
        with pytest.raises(MemoryError):
            estimator.partial_fit(X, y)
    assert pickle.dumps(estimator) == before
    assert estimator.network_ is network

    for one in (estimator, twin):
        one.partial_fit(X, y)
    assert estimator.network_ is network
    np.testing.assert_array_equal(estimator.network_.parameters, twin.network_.parameters)
    assert estimator.loss_curve_ == twin.loss_curve_


def test_a_first_partial_fit_that_fails_leaves_no_classes(data):
    X, y = data("iris")
    clf = MLPClassifier()
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        clf.partial_fit(X[:-1], y, classes=[0, 1, 2])
    assert vars(clf) == clf.get_params()
    with pytest.raises(NotFittedError):
        clf.predict(X)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_a_warning_that_is_an_error_comes_after_the_training(solver, data, fit):
    clf, X, y = classifier(data, solver=solver)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ConvergenceWarning):
            clf.fit(X, y)
    same, *_ = classifier(data, solver=solver)
    np.testing.assert_array_equal(clf.predict_proba(X), fit(same, X, y).predict_proba(X))


def interrupted_at(line, files, call):
    """Call with a KeyboardInterrupt at a traced line of these files; return whether it came."""
    seen = 0

    def trace(frame, event, _):
        nonlocal seen
        if frame.f_code.co_filename not in files:
            return None
        if event == "line":
            seen += 1
            if seen == line:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return seen >= line


CALLBACKS = {
    "adam": {"solver": "adam"},
    "adaptive": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "tol": 1e9,
        "n_iter_no_change": 1,
    },
    "early stopping": {"solver": "sgd", "early_stopping": True, "learning_rate": "invscaling"},
    "lbfgs": {"solver": "lbfgs"},
}


@pytest.mark.parametrize("name", CALLBACKS)
@pytest.mark.parametrize("kind", KINDS)
def test_ctrl_c_at_any_line_of_a_callback_leaves_whole_epochs(name, kind, data, fit):
    parameters, reached = CALLBACKS[name], {}

    def note(info):
        reached[info.epoch] = info.estimator.network_.parameters.copy()

    whole, X, y = KINDS[kind](data, **parameters, callback=note)
    fit(whole, X, y)
    lasting = name == "early stopping"
    # Only in callbacks: otherwise the interrupt ends the call, and nothing is trained.
    files = {watch.__file__}
    if name == "lbfgs":
        files.add(lbfgs.__file__)
    line, counts = 1, set()
    while True:
        estimator, *_ = KINDS[kind](data, **parameters)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                came = interrupted_at(line, files, lambda e=estimator: e.fit(X, y))
            except KeyboardInterrupt:
                # At a line before the first epoch or after the last one.
                assert vars(estimator) == estimator.get_params()
                line += 1
                continue
        n = estimator.n_iter_
        counts.add(n)
        assert estimator.loss_curve_ == whole.loss_curve_[:n]
        if lasting:
            assert estimator.validation_scores_ == whole.validation_scores_[:n]
            assert estimator.best_validation_score_ == max([-np.inf, *whole.validation_scores_[:n]])
        if n:
            assert estimator.loss_ == whole.loss_curve_[n - 1]
        if n and not lasting:
            np.testing.assert_array_equal(estimator.network_.parameters, reached[n])
        estimator.predict(X)
        if not came:
            break
        line += 1
    assert {0, 1, whole.n_iter_} <= counts <= set(range(whole.n_iter_ + 1))


def test_ctrl_c_before_a_training_or_after_it_leaves_the_old_model(data, fit):
    clf, X, y = classifier(data)
    fit(clf, X, y)
    before = pickle.dumps(clf)
    line = 0
    files = {stochastic.__file__}
    outcomes = set()
    while True:
        line += 1
        twin = pickle.loads(before)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                came = interrupted_at(line, files, lambda t=twin: t.fit(X[::-1], y[::-1]))
            except KeyboardInterrupt:
                came = True
        old = pickle.dumps(twin) == pickle.dumps(pickle.loads(before))
        assert old or twin.n_iter_ == len(twin.loss_curve_)
        outcomes.add("old" if old else "new")
        if not came:
            break
    assert outcomes == {"old", "new"}
