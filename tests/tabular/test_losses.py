"""Losses train what they are for: means, medians, quantiles; and what they refuse is named."""

import io
import pickle
import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import d2_pinball_score, mean_poisson_deviance, r2_score

from fastmlp import TabularClassifier, TabularRegressor
from fastmlp.losses import CrossEntropy, Focal, Gamma, Huber, Poisson, Quantile, Tweedie

LEVELS = [0.9, 0.1, 0.5]
REGRESSIONS = [
    "absolute_error",
    "huber",
    Huber(0.3),
    "quantile",
    Quantile(LEVELS),
    "poisson",
    "gamma",
    Tweedie(1.3),
    Tweedie(0.0),
]


@pytest.fixture(scope="module")
def counts(prices):
    """Return numbers above 0 that depend on the table."""
    return np.exp((prices - prices.mean()) / prices.std() / 2)


@pytest.mark.parametrize("loss", REGRESSIONS, ids=str)
def test_every_loss_learns_and_comes_back(loss, quick, table, counts):
    reg = quick("regressor", loss=loss, max_iter=40, n_members=2).fit(table, counts)
    assert reg.score(table, counts) > 0.2
    scores = reg.validation_scores_[0]
    assert max(scores) > scores[0]
    file = io.BytesIO()
    reg.save(file)
    for other in (pickle.loads(pickle.dumps(reg)), TabularRegressor.load(file.getvalue())):
        assert other.loss == loss
        np.testing.assert_array_equal(other.predict(table), reg.predict(table))
    again = clone(reg).fit(table, counts)
    np.testing.assert_array_equal(again.predict(table), reg.predict(table))


@pytest.mark.parametrize(("loss", "score"), [("log_loss", 1), ("focal", 0), (Focal(1.0), 0)])
def test_every_loss_of_classes_learns_and_comes_back(loss, score, quick, table, kinds):
    clf = quick("classifier", loss=loss, max_iter=30).fit(table, kinds)
    assert clf.score(table, kinds) > 0.6
    file = io.BytesIO()
    clf.save(file)
    other = TabularClassifier.load(file.getvalue())
    assert other.loss == loss
    np.testing.assert_array_equal(other.predict_proba(table), clf.predict_proba(table))
    plain = quick("classifier", max_iter=30).fit(table, kinds)
    assert np.array_equal(clf.predict_proba(table), plain.predict_proba(table)) == score


def test_label_smoothing_of_a_loss_is_that_of_the_parameter(quick, table, kinds):
    ours = quick("classifier", loss=CrossEntropy(0.2)).fit(table, kinds)
    theirs = quick("classifier", label_smoothing=0.2).fit(table, kinds)
    np.testing.assert_array_equal(ours.predict_proba(table), theirs.predict_proba(table))
    assert ours.networks_[0].loss_function == CrossEntropy(0.2)


def squared(y, raw):
    return ((raw - y) ** 2).sum(axis=1) / 2, raw - y


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_function_is_lowered_as_the_loss_it_computes(n_jobs, quick, table, prices):
    given = {"max_iter": 6, "n_members": 2, "n_jobs": n_jobs, "max_time": 3600.0}
    y = np.column_stack([prices, -prices])
    expected = quick("regressor", **given).fit(table, y)
    reg = quick("regressor", loss=squared, **given).fit(table, y)
    np.testing.assert_allclose(reg.predict(table), expected.predict(table), rtol=1e-4)
    np.testing.assert_allclose(reg.loss_curves_, expected.loss_curves_, rtol=1e-4)
    again = pickle.loads(pickle.dumps(reg))
    np.testing.assert_array_equal(again.predict(table), reg.predict(table))
    message = "^the estimator cannot be saved: loss is a function, which a file without code cannot"
    with pytest.raises(ValueError, match=message):
        reg.save(io.BytesIO())


def test_deviances_know_no_unit(quick, table, counts):
    """A target in other units makes the same network, whose predictions have those units."""
    for loss in (Poisson(), Gamma(), Tweedie(1.5)):
        one, other = (
            quick("regressor", loss=loss).fit(table, factor * counts).predict(table)
            for factor in (1.0, 2.0**20)
        )
        np.testing.assert_array_equal(2.0**20 * one, other)


def test_a_poisson_regression_of_counts_beats_the_mean(quick, table, counts):
    y = np.random.default_rng(0).poisson(3 * counts)
    reg = quick("regressor", loss="poisson", max_iter=40).fit(table, y)
    predicted = reg.predict(table)
    assert predicted.min() > 0
    assert mean_poisson_deviance(y, predicted) < 0.8 * mean_poisson_deviance(
        y, np.full(len(y), y.mean())
    )


def test_quantiles_cover_what_their_levels_say():
    rng = np.random.default_rng(0)
    X = rng.uniform(0, 1, (3000, 1))
    y = X[:, 0] + (0.2 + X[:, 0]) * rng.standard_normal(3000)
    reg = TabularRegressor("fast", loss=Quantile(LEVELS), random_state=0, n_jobs=2).fit(X, y)
    fresh = rng.uniform(0, 1, (3000, 1))
    truth = fresh[:, 0] + (0.2 + fresh[:, 0]) * rng.standard_normal(3000)
    for column, level in zip(reg.predict(fresh).T, LEVELS, strict=True):
        assert np.mean(truth <= column) == pytest.approx(level, abs=0.03)
    assert reg.score(fresh, truth) == pytest.approx(
        np.mean(
            [
                d2_pinball_score(truth, reg.predict(fresh, quantiles=level), alpha=level)
                for level in LEVELS
            ]
        )
    )


def test_quantiles_never_cross_and_are_chosen_by_level(quick, table, prices):
    reg = quick("regressor", loss=Quantile(LEVELS), n_members=2).fit(table, prices)
    every = reg.predict(table)
    assert every.shape == (len(table), 3)
    high, low, middle = every.T
    assert (low <= middle).all()
    assert (middle <= high).all()
    np.testing.assert_array_equal(
        reg.predict(table, quantiles=[0.1, 0.9]), np.column_stack([low, high])
    )
    np.testing.assert_array_equal(reg.predict(table, quantiles=(0.5,)), middle[:, None])
    np.testing.assert_array_equal(reg.predict(table, quantiles=0.5), middle)
    one = quick("regressor", loss="quantile").fit(table, prices)
    assert one.predict(table).shape == one.predict(table, quantiles=0.5).shape == (len(table),)
    assert one.predict(table, quantiles=[0.5]).shape == (len(table), 1)
    assert one.score(table, prices) == r2_score(prices, one.predict(table))


@pytest.mark.parametrize(
    "quantiles", [0.3, [0.1, 0.3], [], [[0.1], [0.9]], [np.nan], ["low"], True], ids=str
)
def test_quantiles_that_were_not_trained_are_refused(quantiles, quick, table, prices):
    reg = quick("regressor", loss=Quantile(LEVELS)).fit(table, prices)
    message = (
        f"quantiles must be one or some of the levels that were trained, {LEVELS}; "
        f"got {quantiles!r}"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        reg.predict(table, quantiles=quantiles)


def test_a_loss_without_quantiles_has_none(quick, table, prices):
    reg = quick("regressor").fit(table, prices)
    message = (
        "quantiles needs a fit with loss=Quantile([...]), got quantiles=[0.5] after a fit with "
        "SquaredError()"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        reg.predict(table, quantiles=[0.5])


@pytest.mark.parametrize(
    ("kind", "parameters", "y", "message"),
    [
        ("regressor", {"loss": "poisson"}, -1.0, "y must be >= 0 for loss='poisson', got -1.0"),
        ("regressor", {"loss": Gamma()}, 0.0, "y must be > 0 for loss=Gamma(), got 0.0"),
        (
            "regressor",
            {"loss": Huber},
            0.0,
            "loss must be an object, such as Huber(), got the class <class 'fastmlp.losses.Huber'>",
        ),
        ("regressor", {"loss": "log_loss"}, 0.0, "The 'loss' parameter of TabularRegressor must"),
        (
            "classifier",
            {"loss": Focal(), "label_smoothing": 0.1},
            None,
            "label_smoothing=0.1 is for loss='log_loss', got loss=Focal(gamma=2.0)",
        ),
        ("classifier", {"loss": "poisson"}, None, "The 'loss' parameter of TabularClassifier must"),
    ],
)
def test_losses_that_do_not_suit_are_refused(kind, parameters, y, message, quick, table, kinds):
    target = kinds if y is None else np.r_[np.full(len(table) - 1, 2.0), y]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        quick(kind, **parameters).fit(table, target)


def test_quantiles_are_for_one_column(quick, table, prices):
    both = np.column_stack([prices, prices])
    message = "y has shape (120, 2), expected (120,) for loss=Quantile(levels=(0.9, 0.1, 0.5))"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        quick("regressor", loss=Quantile(LEVELS)).fit(table, both)


def test_targets_for_validation_must_suit_the_loss(quick, table, counts):
    message = "y_val must be >= 0 for loss='poisson', got -1.0"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        quick("regressor", loss="poisson").fit(
            table, counts, X_val=table[:2], y_val=np.array([1.0, -1.0])
        )


def test_what_was_trained_decides_and_not_what_was_set_since(quick, table, prices):
    reg = quick("regressor", loss=Quantile(LEVELS)).fit(table, prices)
    expected = reg.predict(table)
    reg.set_params(loss="squared_error")
    np.testing.assert_array_equal(reg.predict(table), expected)
