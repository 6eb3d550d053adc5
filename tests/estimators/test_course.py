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

PACKAGES = (fastmlp, sklearn.neural_network)
NOT_FINITE = (
    r"^Solver produced non-finite parameter weights\. The input data may contain large values "
    r"and need to be preprocessed\. Or learning_rate_init or alpha is too large, or sample_weight "
    r"too small\.$"
)


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
    "activation": ("MLPRegressor", {"activation": "gelu"}),
    "loss": ("MLPRegressor", {"loss": "huber"}),
    "batch_size": ("MLPClassifier", {"batch_size": 0}),
    "momentum": ("MLPClassifier", {"momentum": 1.5}),
    "beta_1": ("MLPClassifier", {"beta_1": 1.0}),
    "validation set": ("MLPClassifier", {"early_stopping": True, "validation_fraction": 0.005}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_are_scikit_learn_s(case, data):
    kind, parameters = REFUSED[case]
    caught = []
    for estimator in both(kind, **parameters):
        with pytest.raises(ValueError) as error:  # noqa: PT011
            estimator.fit(*data("iris"))
        # A set of options is printed in any order.
        caught.append((type(error.value), sorted(re.split("[ ,{}.]+", str(error.value)))))
    ours, theirs = caught
    assert ours == theirs


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
    theirs = sklearn.neural_network.MLPRegressor(layers)
    with pytest.raises(InvalidParameterError) as expected:
        theirs.fit(*data("diabetes"))
    message = re.escape(f"{expected.value} Did you mean hidden_layer_sizes={layers}?")
    with pytest.raises(InvalidParameterError, match=f"^{message}$"):
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


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_divergence_is_an_error_that_leaves_nothing_behind(solver, data):
    X, y = data("diabetes")
    reg = MLPRegressor(solver=solver, learning_rate_init=1e300, random_state=0)
    with pytest.raises(ValueError, match=NOT_FINITE) as caught:
        reg.fit(X, y)
    assert isinstance(caught.value.__cause__, fastmlp.DivergenceError)
    assert vars(reg) == reg.get_params()


@pytest.mark.parametrize("scale", [1e200, 1e300])
def test_lbfgs_that_cannot_begin_is_the_same_error(scale, data):
    """SciPy would end after 0 steps, as if there were nothing to gain."""
    X, y = data("diabetes")
    reg = MLPRegressor(solver="lbfgs", random_state=0)
    with pytest.raises(ValueError, match=NOT_FINITE):
        reg.fit(scale * X, y)
    assert vars(reg) == reg.get_params()


def test_lbfgs_in_float32_may_begin_where_float32_could_not(data, fit):
    X, y = data("diabetes")
    reg = fit(MLPRegressor(solver="lbfgs", max_iter=5, random_state=0), (1e30 * X).astype("f4"), y)
    assert reg.loss_ < 1e300
    assert np.isfinite(reg.network_.parameters).all()


def test_divergence_with_early_stopping_ends_with_the_best_parameters(data):
    X, y = data("diabetes")
    reg = MLPRegressor(
        solver="sgd",
        activation="identity",
        learning_rate_init=5.0,
        early_stopping=True,
        random_state=0,
    )
    with pytest.warns(ConvergenceWarning, match=r"^Training diverged in epoch \d+\. "):
        reg.fit(X, y)
    assert np.isnan(reg.validation_scores_[-1])
    assert len(reg.validation_scores_) == len(reg.loss_curve_) == reg.n_iter_
    assert np.isfinite(reg.predict(X)).all()


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


def test_ctrl_c_in_the_midst_of_a_callback_counts_whole_epochs(data, monkeypatch):
    X, y = data("iris")
    clf = MLPClassifier(max_iter=50, early_stopping=True, random_state=0)
    score, calls = MLPClassifier._validation_score, []

    def interrupted(self, *arguments):
        calls.append(score(self, *arguments))
        if len(calls) == 4:
            raise KeyboardInterrupt
        return calls[-1]

    monkeypatch.setattr(MLPClassifier, "_validation_score", interrupted)
    with pytest.warns(UserWarning, match=r"^Training interrupted by user\.$"):
        clf.fit(X, y)
    assert clf.validation_scores_ == calls[:3]
    assert clf.best_validation_score_ == max(calls[:3])


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
