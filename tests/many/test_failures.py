"""Fits that fail, calls that are interrupted, and what is refused."""

import itertools
import re
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from fastmlp import MLP, Adam, MLPClassifier, MLPRegressor, fit_many
from fastmlp.many import FitDone, FitManyInterrupt

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def classifiers(n, **parameters):
    parameters = {"hidden_layer_sizes": (3,), "max_iter": 2} | parameters
    return [MLPClassifier(**parameters, random_state=seed) for seed in range(n)]


def are_fitted(estimators):
    return [hasattr(estimator, "coefs_") for estimator in estimators]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_fit_that_fails_is_named_and_leaves_the_others(n_jobs, iris):
    X, y = iris
    many = [*classifiers(4), (MLP([4, 3], seed=0), Adam(), {"epochs": 1})]
    many[1].set_params(alpha=-1.0)
    many[2].set_params(solver="sgd", learning_rate_init=1e300, batch_size=10)
    told = []
    with pytest.raises(ExceptionGroup) as caught:
        fit_many(many, X, y, n_jobs=n_jobs, callback=told.append)

    group = caught.value
    assert group.message == "3 of 5 fits failed: estimators[1-2, 4]"
    kinds = [(ValueError, "alpha"), (ValueError, "diverged"), (TypeError, r"X\.astype")]
    for error, index, (kind, words) in zip(group.exceptions, (1, 2, 4), kinds, strict=True):
        assert isinstance(error, kind)
        assert re.search(words, str(error))
        assert error.__notes__ == [f"This is of the fit of estimators[{index}]."]
    assert are_fitted(many[:4]) == [True, False, False, True]
    errors = {done.index: done.error for done in told}
    assert [errors[i] for i in (1, 2, 4)] == list(group.exceptions)
    assert errors[0] is errors[3] is None


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_callback_is_told_of_each_fit(n_jobs, iris):
    many, told, threads = classifiers(5), [], set()

    def callback(done):
        threads.add(threading.current_thread())
        assert hasattr(done.estimator, "coefs_")
        told.append(done)

    fit_many(many, *iris, n_jobs=n_jobs, callback=callback)
    assert threads == {threading.main_thread()}
    assert all(isinstance(done, FitDone) for done in told)
    assert sorted(done.index for done in told) == [0, 1, 2, 3, 4]
    assert all(done.estimator is many[done.index] for done in told)
    assert [(done.n_done, done.n_fits) for done in told] == [(i, 5) for i in range(1, 6)]
    elapsed = [done.elapsed for done in told]
    assert elapsed == sorted(elapsed)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_callback_may_end_the_call(n_jobs, iris):
    # The first is done soon, and the others would go on for days.
    many = [*classifiers(1), *classifiers(9, max_iter=10**9, tol=0, n_iter_no_change=np.inf)]
    assert fit_many(many, *iris, n_jobs=n_jobs, callback=lambda done: True) == many
    assert are_fitted(many) == [True] + [False] * 9


def test_an_exception_of_the_callback_ends_the_call(iris):
    many = [*classifiers(1), *classifiers(9, max_iter=10**9, tol=0, n_iter_no_change=np.inf)]

    def callback(done):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match=r"^enough$"):
        fit_many(many, *iris, n_jobs=2, callback=callback)
    assert are_fitted(many) == [True] + [False] * 9
    message = r"^the callback's answer is of type str, expected True to stop, or None$"
    with pytest.raises(TypeError, match=message):
        fit_many(classifiers(1), *iris, callback=lambda done: "stop")


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.usefixtures("sigint")
def test_ctrl_c_keeps_those_that_are_done_and_says_which(n_jobs, iris):
    endless = {"max_iter": 10**9, "tol": 0, "n_iter_no_change": np.inf}
    many = [*classifiers(3), *classifiers(3, **endless)]

    def callback(done):
        if done.n_done == 3:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(FitManyInterrupt) as caught:
        fit_many(many, *iris, n_jobs=n_jobs, callback=callback)
    assert are_fitted(many) == [True] * 3 + [False] * 3
    assert caught.value.done == [0, 1, 2]
    assert str(caught.value) == "3 of 6 fits are done: 0-2"
    assert isinstance(caught.value, KeyboardInterrupt)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.usefixtures("sigint")
def test_ctrl_c_in_the_midst_of_a_fit_leaves_it_undone(solver, iris):
    def callback(info):
        if info.epoch == 2:
            signal.raise_signal(signal.SIGINT)

    many = [*classifiers(1), *classifiers(2, solver=solver, max_iter=50, callback=callback)]
    with pytest.raises(FitManyInterrupt, match=r"^1 of 3 fits are done: 0$"):
        fit_many(many, *iris)
    assert are_fitted(many) == [True, False, False]
    with pytest.raises(NotFittedError):
        many[1].predict(iris[0])


PROGRAM = """
import sys
import threading
import warnings
import numpy as np
from fastmlp import MLP, SGD, fit_many

warnings.simplefilter("ignore")
X, y = np.ones((1000, 3)), np.zeros(1000, int)
begun = threading.Barrier(2)

def callback(epoch):
    if epoch.epoch == 1 and begun.wait() == 0:
        print("ready", flush=True)

options = {"epochs": 10**9, "callback": callback}
networks = [(MLP([3, 2], seed=i, dtype="float64"), SGD(), options) for i in range(4)]
try:
    fit_many(networks, X, y, n_jobs=2)
except KeyboardInterrupt as error:
    print(error, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT between processes")
@pytest.mark.usefixtures("sigint")
def test_ctrl_c_ends_threads_within_an_epoch():
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        try:
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=100)
        finally:
            process.kill()
    assert (process.returncode, out, err) == (0, "0 of 4 fits are done\n", "")


@pytest.mark.parametrize(
    ("X", "y", "kind", "message"),
    [
        (np.full((4, 2), np.nan), [0, 1, 0, 1], ValueError, "Input X contains NaN"),
        (np.ones((4, 2)), [0, 1, 0], ValueError, r"inconsistent numbers of samples: \[4, 3\]"),
        (np.ones((4, 2)), [0.5, 1, 0, 2], ValueError, "Unknown label type"),
    ],
)
def test_data_that_no_fit_could_take_is_refused_at_once(X, y, kind, message):
    many = [MLPRegressor(max_iter=1), *classifiers(2)]
    with pytest.raises(kind, match=message):
        fit_many(many, X, y)
    assert are_fitted(many) == [False] * 3


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([1.5], r"rows[0] has dtype float64 and shape (1,), expected a slice, a mask of shape"),
        ([], r"rows[0] has dtype float64 and shape (0,), expected a slice, a mask of shape"),
        ([[1]], r"rows[0] has dtype int64 and shape (1, 1), expected a slice, a mask of"),
        ([True] * 3, r"rows[0] has dtype bool and shape (3,), expected a slice, a mask of"),
        (np.zeros(150, bool), "rows[0] is empty, expected a slice, a mask of shape (150,) or"),
        ([-1, 3], "rows[0] has indices from -1 to 3, expected 0 to 149"),
        ([0, 150], "rows[0] has indices from 0 to 150, expected 0 to 149"),
    ],
    ids=str,
)
def test_rows_that_are_none_are_named(rows, message, iris):
    many = classifiers(2)
    with pytest.raises(ExceptionGroup) as caught:
        fit_many(many, *iris, rows=[rows, None])
    assert [str(error)[: len(message)] for error in caught.value.exceptions] == [message]
    assert are_fitted(many) == [False, True]


SHARED = Adam()


@pytest.mark.parametrize(
    ("estimators", "arguments", "kind", "message"),
    [
        (classifiers(2), {"rows": [None]}, ValueError, "rows has 1 entries, expected 2, one per"),
        (
            classifiers(1) * 2,
            {},
            ValueError,
            "estimators[1] has the MLPClassifier of estimators[0]",
        ),
        (
            [(MLP([4, 3], seed=0), SHARED), (MLP([4, 3], seed=0), SHARED)],
            {},
            ValueError,
            "estimators[1] has the Adam of estimators[0], expected one of its own: use copy.copy",
        ),
        (
            [make_pipeline(MLPClassifier())],
            {},
            TypeError,
            "estimators[0] is of type Pipeline, expected an MLPClassifier, an MLPRegressor or",
        ),
        (
            [(MLP([4, 3], seed=0), {})],
            {},
            TypeError,
            "estimators[0] is of type tuple (MLP, dict), expect",
        ),
        ([(MLP([4, 3], seed=0),)], {}, TypeError, "estimators[0] is of type tuple (MLP), expected"),
        (
            classifiers(1),
            {"rows": slice(9)},
            TypeError,
            "rows is of type slice, expected a list with one entry per estimator",
        ),
        (
            MLPClassifier(),
            {},
            TypeError,
            "estimators is of type MLPClassifier, expected a list of estimators",
        ),
        (classifiers(1), {"n_jobs": 0}, ValueError, "The 'n_jobs' parameter of fit_many must be"),
        (classifiers(1), {"callback": 1}, ValueError, "The 'callback' parameter of fit_many must"),
    ],
    ids=itertools.count(),
)
def test_other_arguments_are_refused_at_once(estimators, arguments, kind, message, iris):
    with pytest.raises(kind) as caught:
        fit_many(estimators, *iris, **arguments)
    assert str(caught.value)[: len(message)] == message


def test_a_class_with_a_fit_of_its_own_is_refused(iris):
    class Loud(MLPClassifier):
        def fit(self, X, y):
            return super().fit(X, y)

    message = r"^estimators\[0\] is a Loud with a fit of its own$"
    with pytest.raises(TypeError, match=message):
        fit_many([Loud()], *iris)


def test_callbacks_of_scikit_learn_are_refused(iris):
    callback = pytest.importorskip("sklearn.callback")
    message = r"^estimators\[0\] has callbacks of scikit-learn, which are told of fits"
    with pytest.raises(ValueError, match=message):
        fit_many([MLPClassifier().set_callbacks(callback.ProgressBar())], *iris)
