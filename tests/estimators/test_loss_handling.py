"""What else goes with a loss: copies, files, changes of it, checks of targets, validation."""

import copy
import io
import pickle
import re

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse
from estimators.loss_table import (
    ESTIMATORS,
    LEVELS,
    SMALL,
    Unlike,
    huber,
    numbers,
)
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.utils._param_validation import InvalidParameterError

from fastmlp import MLP, MLPClassifier, MLPRegressor, losses


@pytest.fixture
def X(rng):
    return rng.standard_normal((40, 3))


@pytest.fixture
def weights(rng):
    return rng.uniform(0.2, 2.0, 40)


@pytest.fixture(params=ESTIMATORS)
def estimator(request):
    return ESTIMATORS[request.param]()


def targets(estimator, rng):
    if isinstance(estimator, MLPClassifier):
        return np.concatenate([np.arange(3), rng.integers(3, size=37)])
    return numbers(rng)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sparse_rows_are_trained_alike(dtype, estimator, X, rng, fit):
    y = targets(estimator, rng)
    X = np.where(X > 0, X, 0).astype(dtype)
    dense, sparse = clone(estimator).fit(X, y), clone(estimator).fit(scipy.sparse.csr_array(X), y)
    assert dense.network_.dtype == sparse.network_.dtype == dtype
    tolerance = {"float32": 1e-5, "float64": 1e-12}[dtype]
    assert_allclose(sparse.loss_curve_, dense.loss_curve_, rtol=tolerance)
    assert_allclose(
        sparse.network_.parameters, dense.network_.parameters, rtol=tolerance, atol=tolerance
    )


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_copies_predict_alike_and_go_on_alike(estimator, X, rng):
    y = targets(estimator, rng)
    estimator.fit(X, y)
    expected = estimator.predict(X)
    copies = [pickle.loads(pickle.dumps(estimator)), copy.deepcopy(estimator), copy.copy(estimator)]
    for again in copies:
        assert_array_equal(again.predict(X), expected)
        assert again.network_.loss_function == again._loss
    estimator.set_params(warm_start=True).fit(X, y)
    for again in copies:
        again.set_params(warm_start=True).fit(X, y)
        assert_array_equal(again.network_.parameters, estimator.network_.parameters)
    fresh = clone(estimator)
    assert repr(fresh.loss) == repr(estimator.loss) or isinstance(estimator.loss, Unlike)
    assert not hasattr(fresh, "coefs_")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_files_have_the_loss_unless_it_is_a_function(estimator, X, rng):
    y = targets(estimator, rng)
    estimator.fit(X, y)
    file = io.BytesIO()
    if callable(estimator.loss):
        message = (
            "the estimator cannot be saved: loss is a function, which a file without code cannot "
            "hold"
        )
        with pytest.raises(ValueError, match=f"^{message}$"):
            estimator.save(file)
        return
    estimator.save(file)
    again = type(estimator).load(file.getvalue())
    assert again.loss == estimator.loss
    assert again.network_.loss_function == estimator.network_.loss_function
    assert_array_equal(again.predict(X), estimator.predict(X))
    for each in (again, estimator):
        each._optimizer = None  # no file has one
        each.__dict__.pop("_optimizer")
        each.set_params(warm_start=True).fit(X, y)
    assert_array_equal(again.network_.parameters, estimator.network_.parameters)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_partial_fit_is_an_epoch(estimator, X, rng):
    y = targets(estimator, rng)
    whole = clone(estimator).set_params(shuffle=False).fit(X, y)
    parts = clone(estimator).set_params(shuffle=False)
    given = {"classes": np.arange(3)} if isinstance(estimator, MLPClassifier) else {}
    for _ in range(5):
        parts.partial_fit(X, y, **given)
    assert_array_equal(parts.network_.parameters, whole.network_.parameters)
    assert parts.loss_curve_ == whole.loss_curve_


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_another_loss_takes_over_all_that_the_network_learned(X, rng):
    y = numbers(rng)
    reg = MLPRegressor(normalization="layer", activation="prelu", warm_start=True, **SMALL)
    reg.fit(X, y)
    before = reg.network_.parameters.copy()
    reg.set_params(loss="gamma", solver="sgd", learning_rate_init=1e-300, max_iter=1).fit(X, y)
    assert reg.out_activation_ == reg.network_.output == "exp"
    assert reg.network_.loss_function == losses.Gamma()
    assert_array_equal(reg.network_.parameters, before)
    assert {"gain", "shift", "slope"} <= {block.role for block in reg.network_.parameter_blocks}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("loss", ["gamma", losses.Quantile(LEVELS), huber], ids=str)
def test_a_parameter_that_is_set_counts_from_the_next_fit_on(loss, X, rng):
    y = numbers(rng)
    reg = MLPRegressor(**SMALL).fit(X, y)
    expected, network = reg.predict(X), reg.network_
    reg.set_params(loss=loss)
    assert_array_equal(reg.predict(X), expected)
    assert reg.network_ is network
    assert pickle.loads(pickle.dumps(reg)).network_.loss_function == losses.SquaredError()
    reg.fit(X, y)
    assert reg.network_.loss_function == (losses.Gamma() if loss == "gamma" else loss)


def test_states_of_earlier_versions_have_the_loss_of_their_output(X, rng, fit):
    for estimator, y in (
        (MLPRegressor("poisson", **SMALL), numbers(rng)),
        (MLPClassifier(**SMALL), rng.integers(2, size=40)),
    ):
        fit(estimator, X, y)
        state = estimator.__getstate__()
        del state["_loss"]
        state.pop("loss") if isinstance(estimator, MLPClassifier) else None
        again = type(estimator).__new__(type(estimator))
        again.__setstate__(state)
        assert_array_equal(again.predict(X), estimator.predict(X))
        assert again.get_params()["loss"] == estimator.loss


@pytest.mark.parametrize(
    ("network", "parameter"),
    [
        (MLP([3, 2], seed=0), "log_loss"),
        (MLP([3, 2], seed=0, loss="focal"), "focal"),
        (MLP([3, 2], seed=0, loss=losses.Focal(1.0)), losses.Focal(1.0)),
        (MLP([3, 1], "relu", "sigmoid", loss=losses.CrossEntropy(0.1)), losses.CrossEntropy(0.1)),
        (MLP([3, 2], output="identity", seed=0), "squared_error"),
        (MLP([3, 2], loss="poisson", seed=0), "poisson"),
        (MLP([3, 2], loss=losses.Huber(2.0), seed=0), losses.Huber(2.0)),
        (MLP([3, 3], loss=losses.Quantile(LEVELS), seed=0), losses.Quantile(LEVELS)),
        (MLP([3, 2], loss=huber, seed=0), huber),
    ],
    ids=str,
)
def test_an_estimator_of_a_network_has_its_loss(network, parameter):
    kind = MLPClassifier if network.output in ("softmax", "sigmoid") else MLPRegressor
    estimator = kind.from_network(network)
    assert estimator.loss == parameter
    assert estimator.network_ is network
    assert estimator._validate_params() is None


def test_a_network_whose_loss_has_another_output_is_refused():
    network = MLP([3, 2], output="exp", loss="squared_error")
    message = (
        "a regressor's network with output 'exp' must have a loss with that default output, "
        "got SquaredError()"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        MLPRegressor.from_network(network)


NAMES = {
    MLPClassifier: "'cross_entropy', 'focal', 'log_loss'",
    MLPRegressor: (
        "'absolute_error', 'gamma', 'huber', 'poisson', 'quantile', 'squared_error', 'tweedie'"
    ),
}


@pytest.mark.parametrize(
    ("kind", "loss"),
    [
        (MLPClassifier, "squared_error"),
        (MLPClassifier, losses.Huber()),
        (MLPClassifier, huber),
        (MLPClassifier, None),
        (MLPRegressor, "log_loss"),
        (MLPRegressor, losses.Focal()),
        (MLPRegressor, None),
    ],
)
def test_a_loss_of_another_kind_is_refused(kind, loss, X, rng):
    with pytest.raises(InvalidParameterError) as caught:
        kind(loss=loss).fit(X, rng.integers(2, size=40))
    message = str(caught.value)
    assert message.startswith(f"The 'loss' parameter of {kind.__name__} must be a str among")
    assert set(re.findall(r"'\w+'", NAMES[kind])) <= set(re.findall(r"'\w+'", message))
    assert ("hidden_layer_sizes" in message) == (kind is MLPRegressor and loss is None)


def test_a_class_in_place_of_an_object_is_refused(X, rng):
    message = (
        "loss must be an object, such as Huber(), got the class <class 'fastmlp.losses.Huber'>"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        MLPRegressor(losses.Huber).fit(X, numbers(rng))


@pytest.mark.parametrize(
    ("loss", "least", "expected"),
    [
        ("poisson", -1.0, ">= 0"),
        (losses.Tweedie(1.5), -1.0, ">= 0"),
        ("gamma", 0.0, "> 0"),
        (losses.Tweedie(2.5), 0.0, "> 0"),
    ],
    ids=str,
)
def test_targets_out_of_range_are_refused(loss, least, expected, X, rng):
    y, bad = numbers(rng), numbers(rng)
    bad[7] = least
    reg = MLPRegressor(loss, **SMALL)
    message = f"must be {expected} for loss={loss!r}, got {least}"
    with pytest.raises(ValueError, match=f"^y {re.escape(message)}$"):
        reg.fit(X, bad)
    with pytest.raises(ValueError, match=f"^y_val {re.escape(message)}$"):
        reg.fit(X, y, X_val=X, y_val=bad)
    assert vars(reg) == reg.get_params()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_zeros_are_taken_where_the_loss_is_defined(X, rng):
    y = np.where(numbers(rng) > 1.5, numbers(rng), 0.0)
    for loss in ("poisson", losses.Tweedie(1.5)):
        assert np.isfinite(MLPRegressor(loss, **SMALL).fit(X, y).loss_)
    for loss in (losses.Tweedie(0.0), losses.Tweedie(-1.0)):
        assert np.isfinite(MLPRegressor(loss, **SMALL).fit(X, y - 0.5).loss_)


@pytest.mark.parametrize("loss", ["quantile", losses.Quantile(LEVELS)], ids=str)
def test_quantiles_are_of_one_column(loss, X, rng):
    message = f"y has shape (40, 3), expected (40,) for loss={loss!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        MLPRegressor(loss).fit(X, numbers(rng, 3))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_rows_for_validation_are_measured_by_the_loss(estimator, X, rng):
    y, y_val = targets(estimator, rng), targets(estimator, rng)
    estimator.fit(X, y, X_val=X[::-1], y_val=y_val)
    encoded = estimator._encode_validation(y_val)
    assert_allclose(
        estimator.validation_loss_curve_[-1], estimator.network_.loss(X[::-1].copy(), encoded)
    )
    assert_allclose(estimator.validation_scores_[-1], estimator.score(X[::-1], y_val), rtol=1e-10)


@pytest.mark.parametrize("scoring", [None, "loss"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_early_stopping_keeps_the_best_epoch(scoring, estimator, X, rng):
    y = targets(estimator, rng)
    estimator.set_params(early_stopping=True, scoring=scoring, max_iter=20, n_iter_no_change=3)
    estimator.fit(X, y, X_val=X[:15], y_val=y[:15])
    measured = estimator.validation_scores_
    assert estimator.best_validation_score_ == max(measured)
    if scoring == "loss":
        loss = estimator.network_.loss(X[:15], estimator._encode_validation(y[:15]))
        assert_allclose(loss, -max(measured))
    else:
        assert_allclose(estimator.score(X[:15], y[:15]), max(measured))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_search_takes_objects_and_names(X, rng):
    grid = {"loss": ["huber", losses.Huber(0.1), "absolute_error", huber]}
    search = GridSearchCV(MLPRegressor(**SMALL), grid, cv=2).fit(X, numbers(rng))
    assert search.best_params_["loss"] in grid["loss"]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_errors_of_a_function_pass_through(X, rng):
    class Own(Exception):
        pass

    def fails(y, raw):
        raise Own("mine")

    for solver in ("adam", "lbfgs"):
        reg = MLPRegressor(fails, solver=solver)
        with pytest.raises(Own, match=r"^mine$"):
            reg.fit(X, numbers(rng))
        assert vars(reg) == reg.get_params()


def test_staged_quantiles_do_not_cross(X, rng, fit):
    reg = fit(MLPRegressor(losses.Quantile(LEVELS), keep_every=1, **SMALL), X, numbers(rng))
    stages = list(reg.staged_predict(X))
    assert len(stages) == 5
    assert all((np.diff(stage, axis=1) >= 0).all() for stage in stages)
