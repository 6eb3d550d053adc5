"""Networks end at their best epoch; weights, folds, time and chance count as they are said to."""

import re
import threading

import numpy as np
import pandas as pd
import pytest
from scipy.special import log_softmax
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastmlp import MLP, TabularClassifier, TabularRegressor
from fastmlp.tabular.ensemble import deal
from fastmlp.tabular.member import train_member
from fastmlp.tabular.recipe import Recipe
from fastmlp.tabular.target import Classes, Rows, Values


@pytest.fixture
def parts(table, kinds, prices):
    """Half to train on, half to validate on: (X, kinds, prices) each."""
    half = len(table) // 2
    return [(table[part], kinds[part], prices[part]) for part in (slice(half), slice(half, None))]


def test_each_network_has_the_parameters_of_its_best_epoch(quick, parts):
    (X, y, _), (X_val, y_val, _) = parts
    clf = quick("classifier", n_members=3, max_iter=12).fit(X, y, X_val=X_val, y_val=y_val)
    alone = quick("classifier").fit(X, y)
    for network, scores in zip(clf.networks_, clf.validation_scores_, strict=True):
        assert len(scores) == 12
        alone.__dict__ |= {name: vars(clf)[name] for name in ("_front", "classes_")}
        alone.networks_ = [network]
        assert accuracy_score(y_val, alone.predict(X_val)) == pytest.approx(max(scores))


def test_a_regressor_s_score_is_r_squared_with_the_variance_of_training(quick, parts):
    (X, _, y), (X_val, _, y_val) = parts
    reg = quick("regressor", max_iter=12).fit(X, y, X_val=X_val, y_val=y_val)
    best = max(reg.validation_scores_[0])
    predicted = reg._mean + reg._scale * reg.networks_[0].predict(
        reg._front.inputs(table_of(X_val), "float64")
    )
    assert best == pytest.approx(1 - np.mean((predicted[:, 0] - y_val) ** 2) / np.var(y), rel=1e-6)


def table_of(X):
    from fastmlp.tabular.table import read_frame

    return read_frame(X)


def test_an_ensemble_is_the_mean_of_its_networks(quick, table, kinds, prices):
    clf = quick("classifier", n_members=3).fit(table, kinds)
    reg = quick("regressor", n_members=3).fit(table, prices)
    assert len({network.parameters.tobytes() for network in clf.networks_}) == 3
    for estimator, answer in ((clf, "predict_proba"), (reg, "predict")):
        networks, answers = estimator.networks_, []
        whole = getattr(estimator, answer)(table)
        for network in networks:
            estimator.networks_ = [network]
            answers.append(getattr(estimator, answer)(table))
        np.testing.assert_allclose(np.mean(answers, axis=0), whole, rtol=1e-6)


@pytest.mark.parametrize("n_members", [1, 3])
def test_results_depend_on_the_seed_and_not_on_threads(n_members, quick, table, kinds):
    answers = [
        quick("classifier", n_members=n_members, **given).fit(table, kinds).predict_proba(table)
        for given in ({}, {"n_jobs": 2}, {"n_jobs": -1}, {"random_state": 1})
    ]
    np.testing.assert_array_equal(answers[0], answers[1])
    np.testing.assert_array_equal(answers[0], answers[2])
    assert (answers[0] != answers[3]).any()


def test_networks_of_large_tables_train_one_after_the_other(quick, table, kinds, monkeypatch):
    """So that the inputs of one are in memory; the threads are those of each."""
    expected = quick("classifier", n_members=3, n_jobs=2).fit(table, kinds)
    seen = []

    def record(*given, **named):
        seen.append((threading.current_thread().name, named["n_jobs"]))
        return train_member(*given, **named)

    monkeypatch.setattr("fastmlp.tabular.ensemble.train_member", record)
    monkeypatch.setattr("fastmlp.tabular.base._MOST_AT_ONCE", len(table))
    clf = quick("classifier", n_members=3, n_jobs=2).fit(table, kinds)
    assert seen == [(threading.current_thread().name, 2)] * 3
    np.testing.assert_array_equal(clf.predict_proba(table), expected.predict_proba(table))


@pytest.mark.parametrize("source", [np.random.RandomState, np.random.default_rng])
def test_a_generator_gives_another_network_each_time(source, quick, table, prices):
    def two():
        random_state = source(7)
        return [
            quick("regressor", random_state=random_state).fit(table, prices).predict(table)
            for _ in range(2)
        ]

    (first, second), again = two(), two()
    assert (first != second).any()
    np.testing.assert_array_equal(again, [first, second])


def test_rows_of_weight_0_count_for_nothing(quick, table, kinds):
    weights = np.where(np.arange(len(table)) % 3, 1.0, 0.0)
    noisy = table.copy()
    noisy.loc[weights == 0, "size"] = 1e9
    weighted = quick("classifier").fit(noisy, kinds, sample_weight=weights)
    without = quick("classifier").fit(table[weights > 0], kinds[weights > 0])
    np.testing.assert_array_equal(weighted.predict_proba(table), without.predict_proba(table))


def test_a_class_of_weight_0_is_never_predicted(quick, table, kinds):
    clf = quick("classifier", class_weight={"fair": 0.0}, max_iter=40).fit(table, kinds)
    assert clf.classes_.tolist() == ["cheap", "dear", "fair"]
    assert set(clf.predict(table)) == {"cheap", "dear"}
    rows = kinds != "fair"
    alone = quick("classifier", max_iter=40).fit(table[rows], kinds[rows])
    for ours, theirs in zip(clf._front.columns, alone._front.columns, strict=True):
        assert repr(ours) == repr(theirs)


def test_the_scale_of_weights_has_no_meaning(quick, table, prices):
    weights = np.random.default_rng(0).random(len(table)) + 0.1
    expected = quick("regressor").fit(table, prices, weights).predict(table)
    for factor in (2.0**-1000, 2.0**500):
        answer = quick("regressor").fit(table, prices, weights * factor).predict(table)
        np.testing.assert_array_equal(answer, expected)


def test_class_weights_are_weights_of_rows(quick, table, kinds):
    weights = {"cheap": 5.0, "fair": 0.5, "dear": 1.0}
    by_class = quick("classifier", class_weight=weights).fit(table, kinds)
    by_row = quick("classifier").fit(table, kinds, [weights[kind] for kind in kinds])
    np.testing.assert_array_equal(by_class.predict_proba(table), by_row.predict_proba(table))
    balanced = quick("classifier", class_weight="balanced").fit(table, kinds)
    counts = {kind: np.sum(kinds == kind) for kind in weights}
    by_row = quick("classifier").fit(
        table, kinds, [len(kinds) / 3 / counts[kind] for kind in kinds]
    )
    np.testing.assert_allclose(
        balanced.predict_proba(table), by_row.predict_proba(table), rtol=1e-4
    )


def test_folds_are_equal_parts_of_every_class():
    classes = np.repeat([0, 1, 2], [40, 11, 1])
    folds = deal(5, classes, len(classes), np.random.RandomState(0))
    assert folds[-1] == -1  # the only one of its class
    assert np.bincount(folds[:40]).tolist() == [8] * 5
    assert sorted(np.bincount(folds[40:-1])) == [2, 2, 2, 2, 3]
    other = deal(5, classes, len(classes), np.random.RandomState(1))
    assert (folds != other).any()
    assert np.bincount(deal(4, None, 10, np.random.RandomState(0))).tolist() == [3, 3, 2, 2]


def test_networks_validate_on_rows_of_their_own(quick, table, prices, monkeypatch):
    seen = []

    def record(recipe, target, training, validation, **others):
        seen.append((len(training.X), {row.tobytes() for row in validation.X}))
        return train_member(recipe, target, training, validation, **others)

    monkeypatch.setattr("fastmlp.tabular.ensemble.train_member", record)
    quick("regressor", n_members=2, validation_fraction=0.25).fit(table, prices)
    (first, rows), (second, others) = seen
    assert first == second == 90
    assert len(rows) == len(others) == 30
    assert not rows & others
    seen.clear()
    quick("regressor", n_members=6).fit(table, prices)
    assert [len(rows) for _, rows in seen] == [20] * 6
    assert len(set.union(*(rows for _, rows in seen))) == 120


def test_few_rows_all_train(quick, table, prices):
    reg = quick("regressor").fit(table[:99], prices[:99])
    assert reg.validation_scores_ == [[]]
    assert reg.networks_[0].dtype == "float64"


def test_time_that_is_too_short_is_one_epoch_for_each_network(quick, table, kinds):
    clf = quick("classifier", max_iter=50, n_members=2, max_time=1e-9).fit(table, kinds)
    assert [len(curve) for curve in clf.loss_curves_] == [1, 1]


def test_time_that_is_long_enough_changes_nothing(quick, table, kinds):
    plain = quick("classifier").fit(table, kinds)
    timed = quick("classifier", max_time=3600).fit(table, kinds)
    np.testing.assert_array_equal(timed.predict_proba(table), plain.predict_proba(table))


def test_a_stop_ends_training_after_the_epoch(rng):
    X, y = rng.standard_normal((20, 2)).astype(np.float32), np.arange(20) % 2
    recipe = Recipe("selu", max_iter=9, batch_size=5)
    stop = threading.Event()
    stop.set()
    trained = train_member(
        recipe,
        Classes(2),
        Rows(X, y, None),
        Rows(X, y, None),
        seed=0,
        n_jobs=None,
        seconds=None,
        stops=stop.is_set,
    )
    assert len(trained.losses) == 1


def test_probabilities_are_calibrated(rng):
    """The factor on the outputs is that of the smallest log loss, found here on a grid."""
    X = rng.standard_normal((400, 3)).astype(np.float32)
    y = (X[:, 0] + rng.standard_normal(400) > 0).astype(np.int64)
    weights = rng.random(400).astype(np.float32)
    network = MLP([3, 2], seed=0)
    network.weights[0][...] = 0
    network.weights[0][0] = [-3, 3]  # too sure of itself
    outputs = network.forward(X).astype(np.float64)
    Classes(2).finish(network, Rows(X, y, weights), None)
    factors = np.linspace(0.25, 1.5, 500)
    losses = [
        -np.average(log_softmax(factor * outputs, axis=1)[np.arange(400), y], weights=weights)
        for factor in factors
    ]
    best = factors[np.argmin(losses)]
    np.testing.assert_allclose(network.forward(X), best * outputs, rtol=0.01, atol=0.01)
    assert best < 1


def test_predictions_stay_within_the_targets_of_training(quick, table, prices):
    reg = quick("regressor", max_iter=30).fit(table, prices)
    far = table.assign(size=1e6 * table["size"])
    assert reg.predict(far).min() >= prices.min()
    assert reg.predict(far).max() <= prices.max()


def test_small_data_is_learned_as_well_as_by_a_linear_model():
    X, y = load_wine(return_X_y=True)
    parts = train_test_split(X, y, train_size=50, stratify=y, random_state=0)
    X_train, X_test, y_train, y_test = parts
    clf = TabularClassifier("fast", random_state=0).fit(X_train, y_train)
    linear = make_pipeline(StandardScaler(), LogisticRegression()).fit(X_train, y_train)
    assert clf.score(X_test, y_test) >= linear.score(X_test, y_test) - 0.03
    assert log_loss(y_test, clf.predict_proba(X_test)) < 0.25


@pytest.mark.parametrize(
    ("hidden_layer_sizes", "expected"),
    [
        ((), ()),
        ((5,), (5,)),
        ([20, 10, 7, 4], (20, 10, 7, 4)),
        (np.array([3, 3]), (3, 3)),
        (6, (6,)),
        ("5x2-3", (5, 5, 3)),
    ],
    ids=str,
)
def test_layers_of_every_number_and_width(hidden_layer_sizes, expected, quick, table, prices):
    reg = quick("regressor", hidden_layer_sizes=hidden_layer_sizes, max_iter=20)
    reg.fit(table, prices)
    assert reg.networks_[0].layer_sizes[1:-1] == expected
    assert reg.score(table, prices) > 0.3


def test_targets_that_are_all_equal_are_predicted(quick, table):
    reg = quick("regressor").fit(table, np.full(len(table), 3.25))
    np.testing.assert_array_equal(reg.predict(table), 3.25)


@pytest.mark.parametrize(
    ("kind", "parameters", "y", "message"),
    [
        (
            "classifier",
            {},
            "one",
            "y must have at least 2 classes to train a TabularClassifier, got ",
        ),
        ("classifier", {}, "reals", "Unknown label type: continuous"),
        ("classifier", {}, "none", "y must have a label for each row, got None in row 1"),
        ("classifier", {}, "NA", "y must have a label for each row, got <NA> in row 1"),
        ("regressor", {}, "huge", "y must have a finite variance, got numbers that are too large"),
        ("regressor", {"learning_rate_init": 1e30}, "prices", "training diverged before the first"),
        (
            "regressor",
            {"hidden_layer_sizes": (4, 0)},
            "prices",
            "hidden_layer_sizes must be > 0, got [4, 0].",
        ),
        (
            "regressor",
            {"preset": "slow"},
            "prices",
            "The 'preset' parameter of TabularRegressor must",
        ),
        (
            "classifier",
            {"class_weight": {"x": 2}},
            "kinds",
            "The classes, ['cheap', 'dear', 'fair'], are not",
        ),
    ],
)
def test_a_fit_that_fails_changes_nothing(
    kind, parameters, y, message, quick, table, kinds, prices
):
    targets = {
        "kinds": kinds,
        "prices": prices,
        "reals": prices,
        "one": np.full(len(kinds), "a"),
        "huge": prices * 1e300,
        "none": np.array(["a", None] * (len(kinds) // 2)),
        "NA": pd.Series(["a", None] * (len(kinds) // 2), dtype="string"),
    }
    estimator = quick(kind).fit(table, kinds if kind == "classifier" else prices)
    before, answer = dict(vars(estimator)), estimator.predict(table)
    estimator.set_params(**parameters)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        estimator.fit(table, targets[y])
    np.testing.assert_array_equal(estimator.predict(table), answer)
    assert vars(estimator) == before | parameters


@pytest.mark.filterwarnings("ignore:The number of unique classes")
def test_a_network_without_rows_for_validation_takes_the_last_epoch(quick, table, prices):
    reg = quick("regressor", n_members=len(table) + 2, hidden_layer_sizes=(2,), max_iter=1)
    reg.fit(table, prices)
    found = [len(scores) for scores in reg.validation_scores_]
    assert found == [1] * len(table) + [0] * 2
    # Each class of one row is always trained on.
    clf = quick("classifier").fit(table, np.arange(len(table)))
    assert clf.validation_scores_ == [[]]
    assert len(clf.loss_curves_[0]) == 3


@pytest.mark.parametrize("dtype", ["datetime64[us]", "timedelta64[s]"])
def test_dates_as_a_target_are_refused(dtype, quick, table, prices):
    message = f"^y has dates or durations of dtype {re.escape(dtype)}, expected numbers: "
    with pytest.raises(TypeError, match=message):
        quick("regressor").fit(table, prices.astype(np.int64).astype(dtype))


def test_an_interrupt_changes_nothing(quick, table, kinds, monkeypatch):
    clf = quick("classifier", n_members=2).fit(table, kinds)
    before = dict(vars(clf))

    def interrupted(*arguments, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr(Classes, "score", interrupted)
    for n_jobs in (None, 2):
        with pytest.raises(KeyboardInterrupt):
            clf.set_params(n_jobs=n_jobs).fit(table, kinds)
        assert vars(clf) == before | {"n_jobs": n_jobs}


def test_validation_that_does_not_fit_is_refused(quick, parts):
    (X, y, prices), (X_val, y_val, prices_val) = parts
    for given, message in (
        ({"X_val": X_val}, "X_val is given without y_val, expected both or neither"),
        ({"y_val": y_val}, "y_val is given without X_val, expected both or neither"),
        ({"sample_weight_val": [1.0]}, "sample_weight_val is given without X_val and y_val"),
    ):
        with pytest.raises(ValueError, match=f"^{message}$"):
            quick("classifier").fit(X, y, **given)
    with pytest.raises(
        ValueError, match=r"^X_val lacks columns that were there in training: size$"
    ):
        quick("classifier").fit(X, y, X_val=X_val.drop(columns="size"), y_val=y_val)
    other = y_val.astype(object)
    other[3] = "unknown"
    message = r"^y_val must have classes of y, \['cheap' 'dear' 'fair'\], got \['unknown'\]$"
    with pytest.raises(ValueError, match=message):
        quick("classifier").fit(X, y, X_val=X_val, y_val=other)
    message = r"^y_val must have 1 outputs as y has, got 2$"
    with pytest.raises(ValueError, match=message):
        quick("regressor").fit(X, prices, X_val=X_val, y_val=np.column_stack([prices_val] * 2))


def test_validation_rows_may_have_columns_in_another_order_and_weights(quick, parts):
    (X, y, _), (X_val, y_val, _) = parts
    weights = np.r_[np.ones(30), np.zeros(len(y_val) - 30)]
    ours = quick("classifier").fit(
        X, y, X_val=X_val[X_val.columns[::-1]], y_val=y_val, sample_weight_val=weights
    )
    theirs = quick("classifier").fit(X, y, X_val=X_val[:30], y_val=y_val[:30])
    np.testing.assert_allclose(ours.validation_scores_, theirs.validation_scores_, rtol=1e-6)


def test_real_tables_are_learned():
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)
    clf = TabularClassifier("fast", random_state=0).fit(X_train, y_train)
    assert clf.score(X_test, y_test) > 0.93
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    reg = TabularRegressor("fast", random_state=0).fit(X_train, y_train)
    assert reg.score(X_test, y_test) > 0.25
    assert isinstance(X_train, pd.DataFrame)


def test_values_have_the_mean_of_their_outputs(rng):
    X = rng.standard_normal((6, 2)).astype(np.float32)
    y = rng.standard_normal((6, 2)).astype(np.float32)
    network = MLP([2, 2], output="identity", seed=0)
    expected = 1 - np.mean((network.predict(X) - y) ** 2)
    assert Values(2).score(network, Rows(X, y, None), None) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("n_rows", [60, 120])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_listener_is_told_of_each_epoch_of_each_network(quick, table, kinds, n_rows, n_jobs):
    told = []
    clf = quick("classifier", n_members=3, n_jobs=n_jobs)
    clf._listener = told.append
    clf.fit(table[:n_rows], kinds[:n_rows])
    for place, losses in enumerate(clf.loss_curves_):
        scores = clf.validation_scores_[place] or [None] * len(losses)
        best = clf.validation_scores_[place] and np.maximum.accumulate(scores).tolist()
        expected = zip(range(1, 4), losses, scores, best or scores, strict=True)
        for epoch, loss, score, best_score in expected:
            told.remove((epoch, 3, 3, loss, score, best_score))
    assert told == []
