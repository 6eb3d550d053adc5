"""Parameters that change between fits and predictions."""

import dataclasses
import io
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.utils._param_validation import InvalidParameterError

from fastmlp import MLP, MLPClassifier, MLPRegressor, losses

SMALL = {"hidden_layer_sizes": (5,), "random_state": 0, "warm_start": True}


@pytest.fixture
def rows(rng):
    X = rng.standard_normal((200, 3))
    return X, 0.3 * X[:, 0] + 0.01 * rng.standard_normal(200)


@dataclasses.dataclass
class Weighted:
    """A loss that cannot be compared with another one, as a dataclass with an array cannot."""

    weights: np.ndarray

    def __call__(self, y, raw):
        error = raw[:, 0] - y
        return self.weights[0] * error**2, self.weights[0] * 2 * error[:, None]


@pytest.mark.parametrize(
    "options",
    [{}, {"early_stopping": True}, {"early_stopping": True, "scoring": "loss"}],
    ids=["loss", "score", "validation loss"],
)
def test_the_record_of_progress_begins_anew_with_another_loss(options, rows):
    reg = MLPRegressor(**SMALL, learning_rate_init=0.01, n_iter_no_change=2, **options)
    reg.fit(*rows)
    before, n_before = reg.network_.parameters.copy(), len(reg.loss_curve_)
    reg.set_params(loss="absolute_error", tol=1e-3).fit(*rows)
    assert reg.n_iter_ > 3
    assert (reg.network_.parameters != before).any()
    if options:
        assert reg.best_iteration_ <= len(reg.validation_scores_) == reg.n_iter_
    else:
        assert reg.best_loss_ == min(reg.loss_curve_[n_before:])


def test_the_record_of_progress_begins_anew_with_another_score(rows):
    reg = MLPRegressor(**SMALL, early_stopping=True, scoring="r2", max_iter=20, tol=1.0).fit(*rows)
    reg.set_params(scoring="neg_mean_squared_error").fit(*rows)
    made = len(reg.validation_scores_)
    assert made == reg.n_iter_ < len(reg.loss_curve_)
    assert_allclose(reg.best_validation_score_, max(reg.validation_scores_))
    reg.fit(*rows)
    assert len(reg.validation_scores_) == made + reg.n_iter_


@pytest.mark.parametrize("trained", ["batch", "layer", None])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_another_normalization_counts_from_the_next_fit_on(trained, rows):
    other = None if trained else "layer"
    reg = MLPRegressor(**SMALL, normalization=trained, max_iter=3).fit(*rows)
    expected, network = reg.predict(rows[0]), reg.network_
    reg.set_params(normalization=other)
    assert_array_equal(reg.predict(rows[0]), expected)
    assert reg.network_ is network
    reg.fit(*rows)
    assert reg.network_.normalization == other


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_epochs_of_another_architecture_are_dropped(rows):
    reg = MLPRegressor(**SMALL, normalization="batch", keep_every=1, max_iter=2).fit(*rows)
    reg.set_params(normalization=None).fit(*rows)
    assert reg.staged_epochs_ == [3, 4]
    *_, last = reg.staged_predict(rows[0])
    assert_array_equal(last, reg.predict(rows[0]))
    again = MLPRegressor.load(save(reg))
    assert again.staged_epochs_ == [3, 4]


def save(estimator):
    file = io.BytesIO()
    estimator.save(file)
    return file.getvalue()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("change", [{}, {"loss": "huber"}, {"solver": "lbfgs"}], ids=str)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_frozen_layers_stay_frozen(change, dtype, rows):
    reg = MLPRegressor(**SMALL, dtype=dtype, max_iter=3).fit(*rows)
    reg.network_.freeze(0)
    before = [coef.copy() for coef in reg.coefs_]
    reg.set_params(**change).fit(*rows)
    assert reg.network_.frozen == (0,)
    assert_array_equal(reg.coefs_[0], before[0])
    assert (reg.coefs_[1] != before[1]).all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_functions_are_told_apart_by_identity(rows):
    reg = MLPRegressor(Weighted(np.array([1.0, 2.0])), max_iter=2, **SMALL).fit(*rows)
    other = Weighted(np.array([3.0, 4.0]))
    reg.set_params(loss=other).fit(*rows)
    assert reg.network_.loss_function is other
    network = MLP([3, 5, 1], loss=other, dtype="float64", seed=0)
    assert MLPRegressor.from_network(network).loss is other


def test_a_function_is_not_taken_for_layer_sizes(rows):
    with pytest.raises(InvalidParameterError, match=r"^The 'alpha' parameter") as caught:
        MLPRegressor(Weighted(np.ones(1)), alpha=-1.0).fit(*rows)
    assert "hidden_layer_sizes" not in str(caught.value)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_file_goes_on_with_the_record_of_its_loss(rows):
    X, y = rows[0], (rows[1] > 0).astype(int)
    clf = MLPClassifier(early_stopping=True, max_iter=3, **SMALL).fit(X, y)
    again = MLPClassifier.load(save(clf)).set_params(warm_start=True).fit(X, y)
    assert len(again.validation_scores_) == 6
    changed = MLPClassifier.load(save(clf)).set_params(loss="focal").fit(X, y)
    assert len(changed.validation_scores_) == 3


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_another_number_of_levels_is_refused(rows):
    reg = MLPRegressor(losses.Quantile([0.1, 0.9]), max_iter=2, **SMALL).fit(*rows)
    expected = reg.predict(rows[0])
    message = (
        "warm_start and partial_fit go on with the network that is there, whose layers have sizes "
        "[3, 5, 2]; the parameters and data ask for [3, 5, 3]"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        reg.set_params(loss=losses.Quantile([0.1, 0.5, 0.9])).fit(*rows)
    assert_array_equal(reg.predict(rows[0]), expected)
