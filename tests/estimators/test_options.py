"""Options of training that scikit-learn lacks: what they promise, and which solvers refuse them."""

import itertools
import re
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.utils._param_validation import InvalidParameterError

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.estimators.optimizers import Progress

SMALL = {"hidden_layer_sizes": (8,), "random_state": 0}
# So small that nothing moves: losses differ by the masks of dropout alone.
AT_REST = {"solver": "sgd", "learning_rate_init": 1e-300, "momentum": 0.0, "alpha": 0.0}
PLANS = ("cosine", "linear", "one_cycle")
SOLVERS = ("sgd", "adam", "adamw")


@pytest.fixture
def iris(data):
    return data("iris")


# === Solvers ===

REFUSED = [
    ({"solver": "lbfgs", "dropout": 0.5}, "dropout=0.5", "'sgd', 'adam' or 'adamw'"),
    ({"solver": "lbfgs", "dropout": [0.5]}, "dropout=[0.5]", "'sgd', 'adam' or 'adamw'"),
    ({"solver": "lbfgs", "input_dropout": 0.1}, "input_dropout=0.1", "'sgd', 'adam' or 'adamw'"),
    ({"solver": "lbfgs", "clip_norm": 1.0}, "clip_norm=1.0", "'sgd', 'adam' or 'adamw'"),
    ({"solver": "lbfgs", "warmup": 0.1}, "warmup=0.1", "'sgd', 'adam' or 'adamw'"),
    *(
        ({"solver": solver, "weight_decay": 0.1}, "weight_decay=0.1", "'adamw'")
        for solver in ("sgd", "adam", "lbfgs")
    ),
    *(
        (
            {"solver": "lbfgs", "learning_rate": rate},
            f"learning_rate={rate!r}",
            "'sgd', 'adam' or 'adamw'",
        )
        for rate in (*PLANS, "plateau")
    ),
    *(
        (
            {"solver": "adamw", "learning_rate": rate},
            f"learning_rate={rate!r}",
            "'sgd', 'adam' or 'lbfgs'",
        )
        for rate in ("invscaling", "adaptive")
    ),
]


@pytest.mark.parametrize(("parameters", "asked", "solvers"), REFUSED, ids=str)
def test_what_a_solver_cannot_honour_is_refused(parameters, asked, solvers, iris):
    clf = MLPClassifier(**SMALL | parameters)
    message = f"{asked} is for solver {solvers}, got solver={parameters['solver']!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        clf.fit(*iris)
    assert vars(clf) == clf.get_params()


@pytest.mark.parametrize("solver", ["lbfgs", "adam", "sgd"])
def test_what_asks_for_nothing_is_taken_by_every_solver(solver, iris, fit):
    nothing = {"dropout": (0.0,), "input_dropout": 0, "warmup": 0.0}
    plain = fit(MLPClassifier(**SMALL, solver=solver, max_iter=3), *iris)
    same = fit(MLPClassifier(**SMALL, solver=solver, max_iter=3, **nothing), *iris)
    assert same.loss_curve_ == plain.loss_curve_
    np.testing.assert_array_equal(same.network_.parameters, plain.network_.parameters)


@pytest.mark.parametrize("learning_rate", ["invscaling", "adaptive"])
def test_adam_has_no_use_for_the_rates_of_sgd(learning_rate, iris, fit):
    plain = fit(MLPClassifier(**SMALL, max_iter=5), *iris)
    other = fit(MLPClassifier(**SMALL, max_iter=5, learning_rate=learning_rate), *iris)
    assert other.loss_curve_ == plain.loss_curve_


@pytest.mark.parametrize(
    "parameters",
    [
        *({"dropout": value} for value in (1.0, -0.1, "x", None)),
        *({"input_dropout": value} for value in (1.0, -0.1, [0.1])),
        *({"normalization": value} for value in ("x", True)),
        *({"weight_decay": value} for value in (-1.0, np.inf, "x")),
        *({"clip_norm": value} for value in (0.0, np.inf, "x")),
        *({"warmup": value} for value in (1.0, -0.1)),
        *({"max_time": value} for value in (0.0, -1, np.inf)),
        *({"dtype": value} for value in ("float16", np.float32)),
        *({"n_jobs": value} for value in (0, 1.5, 10**6)),
        {"activation": 7},
        {"hidden_layer_sizes": None},
    ],
    ids=str,
)
def test_what_is_out_of_range_is_refused(parameters, iris):
    (name,) = parameters
    with pytest.raises(InvalidParameterError, match=f"^The '{name}' parameter of MLPClassifier"):
        MLPClassifier(**parameters).fit(*iris)


def test_dropout_has_one_rate_or_one_per_hidden_layer(iris, fit):
    X, y = iris
    given = {"hidden_layer_sizes": "6x2", "random_state": 0, "max_iter": 3}
    one, both, first = (
        fit(MLPClassifier(**given, dropout=dropout), X, y)
        for dropout in (0.5, np.array([0.5, 0.5]), [0.5, 0.0])
    )
    assert one.loss_curve_ == both.loss_curve_ != first.loss_curve_
    message = (
        "dropout must be one number, or have one number per hidden layer, of which there are 2; "
        "got (0.1,)"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        MLPClassifier(**given, dropout=(0.1,)).fit(X, y)
    with pytest.raises(ValueError, match=r"^dropout must be in \[0, 1\), got \[0.1, 1\]$"):
        MLPClassifier(**given, dropout=[0.1, 1]).fit(X, y)


# === Dropout ===


@pytest.mark.parametrize("dropout", [{"dropout": 0.5}, {"input_dropout": 0.5}], ids=str)
@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_masks_are_drawn_anew_and_follow_from_the_random_state(dropout, kind, iris, fit):
    def curve(random_state):
        given = {"hidden_layer_sizes": (30,), "max_iter": 6, "tol": 0.0, "shuffle": False}
        parameters = {**given, **AT_REST, **dropout, "random_state": random_state}
        return fit(kind(**parameters), *iris).loss_curve_

    assert len(set(curve(0))) == 6
    assert curve(0) == curve(0)
    assert not set(curve(0)) & set(curve(1))
    assert curve(np.random.RandomState(3)) == curve(3)


def test_masks_alone_follow_from_another_draw(iris, fit):
    """Initial parameters and orders of rows are those without dropout."""
    plain, dropped = (MLPClassifier(**SMALL, max_iter=1, dropout=rate) for rate in (0.0, 1e-300))
    for clf in (plain, dropped):
        fit(clf, *iris)
    np.testing.assert_array_equal(plain.network_.parameters, dropped.network_.parameters)
    np.testing.assert_array_equal(
        plain._random_state.get_state()[1], dropped._random_state.get_state()[1]
    )


def test_prediction_and_validation_leave_nothing_out(iris, fit):
    X, y = iris
    parameters = {"hidden_layer_sizes": (40,), "random_state": 0, "max_iter": 3, **AT_REST}
    validated = {"early_stopping": True, "validation_fraction": 0.5, "tol": 0.0}
    plain, dropped = (
        fit(MLPClassifier(**parameters, **validated, dropout=rate, input_dropout=rate), X, y)
        for rate in (0.0, 0.9)
    )
    np.testing.assert_array_equal(dropped.predict_proba(X), plain.predict_proba(X))
    assert dropped.validation_scores_ == plain.validation_scores_
    assert not set(dropped.loss_curve_) & set(plain.loss_curve_)


def test_the_loss_with_dropout_of_the_inputs_has_its_expectation(fit, rng):
    """For a linear model E[(m x w - y)^2] = (x w - y)^2 + r / (1 - r) sum (x w)^2."""
    X, w = rng.standard_normal((4000, 5)), rng.standard_normal(5)
    y = X @ w + 0.5 * rng.standard_normal(4000)
    reg = MLPRegressor(
        hidden_layer_sizes=(), input_dropout=0.2, max_iter=50, tol=0.0, random_state=0, **AT_REST
    )
    reg.n_iter_no_change = np.inf
    fit(reg, X, y)
    weights, bias = reg.coefs_[0][:, 0], reg.intercepts_[0]
    error = (X @ weights + bias - y) ** 2
    expected = 0.5 * (error + 0.25 * (X**2 @ weights**2)).mean()
    deviation = np.std(reg.loss_curve_) / np.sqrt(50)
    assert abs(np.mean(reg.loss_curve_) - expected) < 4 * deviation


@pytest.mark.parametrize("shuffle", [False, True])
def test_every_call_of_partial_fit_has_masks_of_its_own(shuffle, iris):
    given = {**AT_REST, "dropout": 0.5, "random_state": 0, "shuffle": shuffle}
    reg = MLPRegressor(hidden_layer_sizes=(30,), batch_size=150, **given)
    for _ in range(8):
        reg.partial_fit(*iris)
    assert len(set(reg.loss_curve_)) == 8


@pytest.mark.parametrize("random_state", [0, np.random.RandomState(0)], ids=["int", "state"])
def test_every_warm_start_has_masks_of_its_own(random_state, iris, fit):
    given = {**AT_REST, "dropout": 0.5, "random_state": random_state, "warm_start": True}
    reg = MLPRegressor(hidden_layer_sizes=(30,), batch_size=150, max_iter=2, tol=0.0, **given)
    for _ in range(4):
        fit(reg, *iris)
    assert len(set(reg.loss_curve_)) == 8


# === Plans of the learning rate ===


@pytest.mark.parametrize(
    ("solver", "rate"),
    list(itertools.product(SOLVERS, [*({"learning_rate": it} for it in PLANS), {"warmup": 0.4}])),
    ids=str,
)
def test_calls_of_partial_fit_are_the_epochs_of_a_plan(solver, rate, iris):
    X, y = iris
    given = {**SMALL, "solver": solver, "shuffle": False, "batch_size": 20, "tol": 0.0, **rate}
    whole, parts = (MLPRegressor(max_iter=9, n_iter_no_change=np.inf, **given) for _ in range(2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        whole.fit(X, y)
    for _ in range(9):
        parts.partial_fit(X, y)
    assert parts.loss_curve_ == whole.loss_curve_
    np.testing.assert_array_equal(parts.network_.parameters, whole.network_.parameters)

    if "warmup" in rate:
        parts.partial_fit(X, y)
        return
    before = parts.network_.parameters.copy()
    message = (
        f"learning_rate={rate['learning_rate']!r} is planned for max_iter=9 epochs, and 9 were made"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parts.partial_fit(X, y)
    np.testing.assert_array_equal(parts.network_.parameters, before)
    parts.set_params(max_iter=10).partial_fit(X, y)


@pytest.mark.parametrize("learning_rate", PLANS)
def test_a_plan_is_gone_through_to_its_end_and_without_a_warning(learning_rate, iris):
    clf = MLPClassifier(**SMALL, learning_rate=learning_rate, tol=1e9, n_iter_no_change=1)
    clf.set_params(max_iter=15).fit(*iris)
    assert clf.n_iter_ == len(clf.loss_curve_) == 15


@pytest.mark.parametrize("learning_rate", PLANS)
def test_early_stopping_ends_a_plan(learning_rate, iris):
    clf = MLPClassifier(**SMALL, learning_rate=learning_rate, tol=1e9, n_iter_no_change=1)
    clf.set_params(max_iter=15, early_stopping=True).fit(*iris)
    assert clf.n_iter_ == 3


def test_a_second_fit_begins_its_plan_anew(iris):
    reg = MLPRegressor(**SMALL, learning_rate="linear", solver="adamw", max_iter=4)
    first = reg.fit(*iris).loss_curve_
    assert reg.fit(*iris).loss_curve_ == first
    reg.set_params(warm_start=True).fit(*iris)
    assert len(reg.loss_curve_) == 8


def test_small_steps_are_progress_on_a_plateau_once_they_add_up():
    progress, failed = Progress(), []
    for value in (1.0, 0.95, 0.9, 0.85, 0.8, np.nan, 0.6):
        progress, this = progress.after(value, tol=0.12)
        failed.append(this)
    assert failed == [False, True, True, False, True, True, False]
    assert progress.best == 0.6


# === Time ===


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", SOLVERS)
def test_time_ends_training_with_an_epoch(solver, early_stopping, iris):
    X, y = iris
    given = {**SMALL, "solver": solver, "early_stopping": early_stopping}
    clf = MLPClassifier(**given, max_time=1e-9)
    message = (
        "Stochastic Optimizer: max_time=1e-09 seconds were over after epoch 1 and the optimization "
        "hasn't converged yet."
    )
    with pytest.warns(ConvergenceWarning, match=f"^{re.escape(message)}$"):
        clf.fit(X, y)
    with pytest.warns(ConvergenceWarning, match="Maximum iterations"):
        expected = MLPClassifier(**given, max_iter=1).fit(X, y)
    np.testing.assert_array_equal(clf.predict_proba(X), expected.predict_proba(X))
    assert clf.n_iter_ == len(clf.loss_curve_) == 1


def test_time_ends_lbfgs_with_an_iteration(iris, fit):
    X, y = iris
    clf = MLPClassifier(**SMALL, solver="lbfgs", max_time=1e-9)
    message = (
        "lbfgs: max_time=1e-09 seconds were over after iteration 1 and the optimization hasn't "
        "converged yet."
    )
    with pytest.warns(ConvergenceWarning, match=f"^{re.escape(message)}$"):
        clf.fit(X, y)
    expected = fit(MLPClassifier(**SMALL, solver="lbfgs", max_iter=1), X, y)
    np.testing.assert_array_equal(clf.predict_proba(X), expected.predict_proba(X))
    assert clf.loss_curve_ == expected.loss_curve_


@pytest.mark.parametrize("solver", [*SOLVERS, "lbfgs"])
def test_time_that_is_not_over_changes_nothing(solver, iris, fit):
    plain, timed = (
        fit(MLPClassifier(**SMALL, solver=solver, max_iter=4, max_time=time), *iris)
        for time in (None, 1e9)
    )
    assert timed.loss_curve_ == plain.loss_curve_
    plain_clf = MLPClassifier(**SMALL, solver="adam", max_time=1e-9)
    plain_clf.partial_fit(*iris, classes=[0, 1, 2])  # which is one epoch in any case


# === dtype and n_jobs ===


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("solver", [*SOLVERS, "lbfgs"])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_dtype_is_what_x_is_converted_to(kind, solver, sparse, dtype, iris, fit):
    X, y = iris
    other = np.float32 if dtype == "float64" else np.float64
    wrap = sp.csr_array if sparse else np.asarray
    given = {**SMALL, "solver": solver, "max_iter": 4}
    asked = fit(kind(**given, dtype=dtype), wrap(X.astype(np.float32).astype(other)), y)
    same = fit(kind(**given), wrap(X.astype(np.float32).astype(dtype)), y)

    assert {array.dtype.name for array in asked.coefs_ + asked.intercepts_} == {dtype}
    assert asked.loss_curve_ == same.loss_curve_
    np.testing.assert_array_equal(asked.network_.parameters, same.network_.parameters)
    np.testing.assert_array_equal(asked.predict(wrap(X)), same.predict(wrap(X).astype(dtype)))
    if kind is MLPRegressor:
        assert asked.predict(X).dtype == dtype


def test_a_network_that_is_there_has_its_dtype(iris):
    X, y = iris
    reg = MLPRegressor(**SMALL).partial_fit(X, y)
    before = reg.network_.parameters.copy()
    message = (
        "warm_start and partial_fit go on with the network that is there, whose dtype is "
        "'float64'; the parameters ask for 'float32'"
    )
    with pytest.raises(ValueError, match=f"^{message}$"):
        reg.set_params(dtype="float32").partial_fit(X, y)
    np.testing.assert_array_equal(reg.network_.parameters, before)
    reg.set_params(dtype="float64").partial_fit(X.astype(np.float32), y)
    assert reg.network_.dtype == "float64"


def test_what_float32_cannot_hold_is_refused(iris):
    X, y = iris
    with pytest.raises(ValueError, match=r"Input X contains infinity or a value too large"):
        MLPRegressor(**SMALL, dtype="float32").fit(1e50 * X, y)


@pytest.mark.parametrize("sizes", [(50,), (300, 300)], ids=str)
@pytest.mark.parametrize("solver", ["adamw", "sgd", "lbfgs"])
def test_results_have_the_same_bits_for_any_number_of_threads(solver, sizes, fit, rng):
    X = rng.standard_normal((1500, 20))
    y = (X[:, :3].sum(axis=1) > 0) + (X[:, 3] > 0)
    given = {"hidden_layer_sizes": sizes, "solver": solver, "random_state": 0, "max_iter": 3}
    if solver != "lbfgs":
        given |= {"dropout": 0.2, "input_dropout": 0.1, "batch_size": 700, "clip_norm": 0.1}
        given |= {"early_stopping": True, "normalization": "layer", "activation": "gelu"}
    one, *others = (
        fit(MLPClassifier(**given, n_jobs=n_jobs), X, y) for n_jobs in (None, 1, 2, 3, -1)
    )
    for other in others:
        assert other.loss_curve_ == one.loss_curve_
        assert other.validation_scores_ == one.validation_scores_
        np.testing.assert_array_equal(other.network_.parameters, one.network_.parameters)
        np.testing.assert_array_equal(other.predict_proba(X), one.predict_proba(X))
        np.testing.assert_array_equal(other.predict(X), one.predict(X))


# === Together ===

EVERYTHING = {
    "hidden_layer_sizes": "12-8",
    "activation": ("gelu", "prelu"),
    "normalization": "layer",
    "dropout": (0.2, 0.1),
    "input_dropout": 0.1,
    "clip_norm": 1.0,
    "n_jobs": 2,
    "random_state": 0,
}


@pytest.mark.parametrize("name", ["digits", "two digits", "multilabel", "diabetes", "counts"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("learning_rate", [*PLANS, "plateau"])
def test_all_options_learn_on_dense_and_sparse_data(name, solver, learning_rate, data, fit):
    X, y = data(name)
    kind = MLPRegressor if name in ("diabetes", "counts") else MLPClassifier
    given = {**EVERYTHING, "solver": solver, "learning_rate": learning_rate, "warmup": 0.1}
    given |= {"max_iter": 12, "learning_rate_init": 0.02, "batch_size": 50}
    if name == "counts":
        given["loss"] = "poisson"
    dense, sparse = (fit(kind(**given), wrap(X), y) for wrap in (np.asarray, sp.csr_array))
    np.testing.assert_allclose(sparse.loss_curve_, dense.loss_curve_, rtol=1e-8)
    call = "predict" if kind is MLPRegressor else "predict_proba"
    found, expected = (getattr(it, call)(X[:9]) for it in (sparse, dense))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)
    assert dense.loss_curve_[-1] < dense.loss_curve_[0]


def test_a_search_goes_through_options(iris):
    X, y = iris
    grid = {
        "hidden_layer_sizes": ["8", "8x2", 6],
        "activation": ["silu", "relu"],
        "dropout": [0.0, 0.1],
    }
    given = {"solver": "adamw", "learning_rate": "one_cycle", "learning_rate_init": 0.05}
    clf = MLPClassifier(**given, max_iter=20, random_state=0)
    search = GridSearchCV(clf, grid, cv=3).fit(X, y)
    assert search.best_score_ > 0.9
    assert len(search.cv_results_["params"]) == 12
