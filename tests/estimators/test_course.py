"""The output, warnings, errors and results of a fit."""

import re
import signal
import threading

import numpy as np
import pytest
import sklearn.neural_network
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import InvalidParameterError

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor
from fastmlp._core import ACTIVATIONS
from fastmlp.estimators.loss import OF_NUMBERS
from fastmlp.estimators.validation import Validation

PACKAGES = (fastmlp, sklearn.neural_network)


def both(kind, **parameters):
    return [getattr(package, kind)(**parameters) for package in PACKAGES]


@pytest.mark.parametrize(
    "parameters",
    [
        {"max_iter": 3},
        {"max_iter": 30, "n_iter_no_change": 2, "tol": 0.1},
        {"max_iter": 30, "n_iter_no_change": 2, "tol": 0.1, "early_stopping": True},
        {
            "max_iter": 60,
            "n_iter_no_change": 1,
            "tol": 1.0,
            "solver": "sgd",
            "learning_rate": "adaptive",
        },
    ],
    ids=str,
)
def test_verbose_prints_scikit_learn_s_lines(parameters, data, fit, capsys):
    X, y = data("iris")
    printed = []
    for clf in both("MLPClassifier", random_state=0, verbose=True, **parameters):
        fit(clf, X, y)
        printed.append(capsys.readouterr().out)
    ours, theirs = printed
    assert ours == theirs
    assert ours.startswith("Iteration 1, loss = ")


def test_verbose_shows_the_iterations_of_lbfgs(data, fit, capsys):
    reg = fit(MLPRegressor(solver="lbfgs", max_iter=3, verbose=True), *data("diabetes"))
    assert capsys.readouterr().out.splitlines() == [
        f"Iteration {i}, loss = {loss:.8f}" for i, loss in enumerate(reg.loss_curve_, 1)
    ]


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_else_nothing_is_printed(solver, data, fit, capfd):
    fit(MLPClassifier(solver=solver, max_iter=3), *data("iris"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_the_warning_that_max_iter_came_first(solver, data):
    messages = []
    for clf in both("MLPClassifier", solver=solver, max_iter=2, random_state=0):
        with pytest.warns(ConvergenceWarning) as caught:
            clf.fit(*data("iris"))
        messages.append([str(warning.message) for warning in caught])
    ours, theirs = messages
    assert ours == theirs


def test_the_warning_of_a_batch_larger_than_the_data(data):
    X, y = data("iris")
    for clf in both("MLPClassifier", batch_size=151, max_iter=1):
        with pytest.warns() as caught:
            clf.fit(X, y)
        assert {str(warning.message) for warning in caught} == {
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped",
            "Stochastic Optimizer: Maximum iterations (1) reached and the optimization hasn't "
            "converged yet.",
        }


REFUSED = {
    "no width": ("MLPClassifier", {"hidden_layer_sizes": (3, 0)}),
    "negative width": ("MLPRegressor", {"hidden_layer_sizes": [-1]}),
    "alpha": ("MLPClassifier", {"alpha": -1.0}),
    "solver": ("MLPClassifier", {"solver": "newton"}),
    "activation": ("MLPRegressor", {"activation": "step"}),
    "loss": ("MLPRegressor", {"loss": "hinge"}),
    "batch_size": ("MLPClassifier", {"batch_size": 0}),
    "momentum": ("MLPClassifier", {"momentum": 1.5}),
    "beta_1": ("MLPClassifier", {"beta_1": 1.0}),
    "validation set": ("MLPClassifier", {"early_stopping": True, "validation_fraction": 0.005}),
}


# What the messages name beyond scikit-learn's: choices that it does not have.
MORE = {
    *map(repr, ACTIVATIONS),
    *("'prelu'", "'adamw'", "an", "instance", "of", "or", "a", "callable", "'list'", "'tuple'"),
    *map(repr, OF_NUMBERS),
    *("'fastmlp", "losses", *(f"{type(loss).__name__}'" for loss in OF_NUMBERS.values())),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_are_scikit_learn_s(case, data):
    kind, parameters = REFUSED[case]
    caught = []
    for estimator in both(kind, **parameters):
        with pytest.raises(ValueError) as error:  # noqa: PT011
            estimator.fit(*data("iris"))
        # A set of options is printed in any order.
        caught.append((type(error.value), re.split("[ ,{}.]+", str(error.value))))
    (kind_of_ours, ours), (kind_of_theirs, theirs) = caught
    assert kind_of_ours is kind_of_theirs
    assert not set(theirs) - set(ours)
    assert set(ours) - set(theirs) <= MORE


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (lambda y: y + 0.5, r"^Unknown label type: "),
        (lambda y: np.column_stack([y, y]), "Multioutput target data is not supported"),
        (lambda y: y[:-1], "Found input variables with inconsistent numbers of samples"),
    ],
)
def test_labels_that_are_refused_as_scikit_learn_does(y, message, data):
    X, labels = data("iris")
    for clf in both("MLPClassifier"):
        with pytest.raises(ValueError, match=message):
            clf.fit(X, y(labels))


@pytest.mark.parametrize("layers", [(50,), [50, 20], 50])
def test_the_classifier_s_first_argument_given_to_the_regressor(layers, data):
    start = "The 'loss' parameter of MLPRegressor must be a str among "
    end = f" Got {layers} instead. Did you mean hidden_layer_sizes={layers}?"
    with pytest.raises(InvalidParameterError, match=f"^{start}.*{re.escape(end)}$"):
        MLPRegressor(layers).fit(*data("diabetes"))


def test_partial_fit_is_refused_as_scikit_learn_does(data):
    X, y = data("iris")
    for clf in both("MLPClassifier", early_stopping=True):
        with pytest.raises(ValueError, match=r"^partial_fit does not support early_stopping=True$"):
            clf.partial_fit(X, y, classes=[0, 1, 2])
    for clf in both("MLPClassifier"):
        with pytest.raises(ValueError, match=r"^classes must be passed on the first call to"):
            clf.partial_fit(X, y)
        clf.partial_fit(X, y, classes=[0, 1, 2])
        with pytest.raises(ValueError, match=r"^`classes=.* is not the same as on last call"):
            clf.partial_fit(X, y, classes=[0, 1])
        with pytest.raises(ValueError, match=r"^`y` has classes not in `self\.classes_`"):
            clf.partial_fit(X, y + 1)


@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor"])
def test_lbfgs_has_no_partial_fit(kind, data):
    estimator = getattr(fastmlp, kind)(solver="lbfgs")
    assert not hasattr(estimator, "partial_fit")
    with pytest.raises(AttributeError) as caught:
        estimator.partial_fit(*data("iris"))
    assert str(caught.value.__cause__) == (
        "partial_fit is only available for stochastic optimizers. lbfgs is not stochastic."
    )


def test_a_random_state_may_be_a_generator_and_else_is_what_scikit_learn_takes(data):
    message = (
        "The 'random_state' parameter of MLPClassifier must be .* an instance of "
        "'numpy.random.mtrand.RandomState'.* 'numpy.random._generator.Generator'.* Got 'seed'"
    )
    with pytest.raises(InvalidParameterError, match=message):
        MLPClassifier(random_state="seed").fit(*data("iris"))


@pytest.mark.parametrize(
    "parameters",
    [
        {"solver": "adam"},
        {"solver": "sgd", "early_stopping": True},
    ],
    ids=str,
)
@pytest.mark.usefixtures("sigint")
def test_ctrl_c_keeps_what_was_trained(parameters, data, monkeypatch):
    X, y = data("digits")
    clf = MLPClassifier(
        (300, 300), max_iter=10**6, tol=0.0, n_iter_no_change=10**6, random_state=0, **parameters
    )
    # Most likely in the middle of a later epoch.
    timer = threading.Timer(0.1, signal.raise_signal, [signal.SIGINT])

    def print_and_interrupt(line):
        if line.startswith("Iteration 30,"):
            timer.start()

    monkeypatch.setattr("builtins.print", print_and_interrupt)
    with pytest.warns(UserWarning, match=r"^Training interrupted by user\.$"):
        clf.set_params(verbose=True).fit(X, y)
    timer.join()
    assert clf.n_iter_ == len(clf.loss_curve_) >= 30
    assert np.isfinite(clf.network_.parameters).all()
    assert clf.score(X, y) > 0.2


@pytest.mark.parametrize("ending", ["max_iter", "max_fun", "line_search"])
def test_lbfgs_says_as_scikit_learn_does_how_it_ended(ending, data):
    X, y = data("diabetes")
    limits = {"max_iter": {"max_iter": 4}, "max_fun": {"max_fun": 4}, "line_search": {}}[ending]
    messages, n_iterations = [], []
    for reg in both(
        "MLPRegressor", hidden_layer_sizes=(3,), solver="lbfgs", random_state=0, **limits
    ):
        if ending == "line_search":
            # The gradient points the wrong way.
            if isinstance(reg, MLPRegressor):
                reg.set_params(loss=lambda y, raw: ((raw[:, 0] - y) ** 2 / 2, y[:, None] - raw))
            else:
                right = reg._backprop
                reg._backprop = lambda *args, right=right: negative(*right(*args))
        with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge") as caught:
            reg.fit(X, y)
        messages.append([str(warning.message) for warning in caught])
        n_iterations.append(reg.n_iter_)
    assert messages[0] == messages[1]
    assert n_iterations[0] == n_iterations[1]


def negative(loss, coef_grads, intercept_grads):
    """A gradient that points the wrong way."""
    return loss, [-grad for grad in coef_grads], [-grad for grad in intercept_grads]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_lbfgs_makes_the_same_iterations_whoever_listens(dtype, data, fit):
    """Without a listener the engine makes several before it tells of them."""
    X, y = data("diabetes")
    X = X.astype(dtype)
    told = []
    alone, heard = (
        fit(
            MLPRegressor(
                "squared_error", (5,), solver="lbfgs", max_iter=40, random_state=0, **more
            ),
            X,
            y,
        )
        for more in ({}, {"callback": lambda info: told.append(info.loss)})
    )
    assert alone.loss_curve_ == heard.loss_curve_ == told
    np.testing.assert_array_equal(alone.network_.parameters, heard.network_.parameters)
    assert alone.network_.dtype == dtype


@pytest.mark.usefixtures("sigint")
def test_ctrl_c_under_lbfgs_keeps_the_last_iteration(data, monkeypatch, fit):
    X, y = data("digits")
    expected = fit(MLPClassifier((30,), solver="lbfgs", max_iter=4, random_state=0), X, y)

    def print_and_interrupt(line):
        if line.startswith("Iteration 4,"):
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("builtins.print", print_and_interrupt)
    clf = MLPClassifier((30,), solver="lbfgs", verbose=True, random_state=0)
    with pytest.warns(UserWarning, match=r"^Training interrupted by user\.$"):
        clf.fit(X, y)
    assert clf.n_iter_ == 4
    assert clf.loss_curve_ == expected.loss_curve_
    np.testing.assert_array_equal(clf.network_.parameters, expected.network_.parameters)


def interrupted_measures(monkeypatch, interrupted):
    """What the validation rows give, with a KeyboardInterrupt at these calls, counted from 1."""
    measure, calls = Validation.measure, []

    def measured(self, network):
        calls.append(measure(self, network))
        if len(calls) in interrupted:
            raise KeyboardInterrupt
        return calls[-1]

    monkeypatch.setattr(Validation, "measure", measured)
    return calls


def test_ctrl_c_in_the_midst_of_a_callback_counts_whole_epochs(data, monkeypatch):
    X, y = data("iris")
    clf = MLPClassifier(max_iter=50, early_stopping=True, random_state=0)
    calls = interrupted_measures(monkeypatch, range(4, 5))
    with pytest.warns(UserWarning, match=r"^Training interrupted by user\.$"):
        clf.fit(X, y)
    # The fourth epoch was made, and is measured again.
    assert calls[4:] == [calls[3]]
    scores, losses = map(list, zip(*calls[:4], strict=True))
    assert clf.n_iter_ == len(clf.loss_curve_) == 4
    assert clf.validation_scores_ == scores
    assert clf.validation_loss_curve_ == losses
    assert clf.best_validation_score_ == max(scores)


def test_ctrl_c_twice_in_a_callback_ends_with_what_is_counted(data, monkeypatch):
    X, y = data("iris")
    clf = MLPClassifier(max_iter=50, early_stopping=True, random_state=0)
    calls = interrupted_measures(monkeypatch, range(4, 6))
    with pytest.warns(UserWarning, match=r"^Training interrupted by user\.$"):
        clf.fit(X, y)
    assert len(calls) == 5
    assert clf.n_iter_ == len(clf.loss_curve_) == len(clf.validation_scores_) == 3


def test_early_stopping_ends_with_the_best_parameters(data, fit):
    X, y = data("digits")
    clf = fit(MLPClassifier((30,), max_iter=40, early_stopping=True, tol=0.0, random_state=0), X, y)
    held_back = sklearn.neural_network.MLPClassifier(
        (30,), max_iter=40, early_stopping=True, tol=0.0, random_state=0
    )
    fit(held_back, X, y)
    assert clf.best_validation_score_ == max(clf.validation_scores_)
    np.testing.assert_allclose(clf.coefs_[0], held_back.coefs_[0], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("change", [{"hidden_layer_sizes": (5,)}, {"hidden_layer_sizes": (4, 4)}])
def test_a_warm_start_refuses_other_sizes(change, data, fit):
    X, y = data("iris")
    clf = fit(MLPClassifier((4,), warm_start=True, max_iter=2), X, y)
    before = clf.network_.parameters.copy()
    clf.set_params(**change)
    asked = [4, *change["hidden_layer_sizes"], 3]
    message = (
        "warm_start and partial_fit go on with the network that is there, whose layers have sizes "
        f"[4, 4, 3]; the parameters and data ask for {asked}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        clf.fit(X, y)
    np.testing.assert_array_equal(clf.network_.parameters, before)


def test_a_warm_start_may_change_the_solver(data, fit):
    X, y = data("iris")
    clf = fit(MLPClassifier((8,), solver="lbfgs", max_iter=5, warm_start=True), X, y)
    for solver in ("adam", "sgd", "lbfgs"):
        for early_stopping in (True, False):
            clf.set_params(solver=solver, early_stopping=early_stopping)
            before = len(clf.loss_curve_)
            fit(clf, X, y)
            assert len(clf.loss_curve_) == before + clf.n_iter_
            watched = early_stopping and solver != "lbfgs"
            assert (clf.validation_scores_ is not None) == watched
            assert (clf.best_loss_ is None) == watched


def test_a_power_too_large_for_a_rate_only_ends_progress(data, fit):
    reg = MLPRegressor(
        solver="sgd", learning_rate="invscaling", power_t=1e6, momentum=0.0, max_iter=4
    )
    fit(reg, *data("diabetes"))
    assert reg._optimizer.learning_rate == np.finfo(np.float64).tiny
    assert reg.loss_curve_[2] == pytest.approx(reg.loss_curve_[1], rel=1e-12)
