"""The estimators for tables on Dask: columns learned over partitions, networks, predictions."""

import re
from inspect import signature
from itertools import pairwise

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score, r2_score

from fastmlp import TabularClassifier, TabularRegressor
from fastmlp.dask import (
    DaskTabularClassifier,
    DaskTabularRegressor,
    SmallFitWarning,
    SortedRowsWarning,
)
from fastmlp.dask.columns import columns_of, evidence, merged_columns
from fastmlp.dask.plan import held_out
from fastmlp.losses import Quantile
from fastmlp.tabular.category import Category
from fastmlp.tabular.front import learn_columns, learn_front
from fastmlp.tabular.table import Table, read_frame
from fastmlp.tabular.target import Classes, Rows

pytestmark = [
    pytest.mark.timeout(600),  # workers start, and import much
    pytest.mark.filterwarnings(f"ignore::{SmallFitWarning.__module__}.{SmallFitWarning.__name__}"),
]
SETTINGS = {
    "preset": "fast",
    "hidden_layer_sizes": (16,),
    "max_iter": 4,
    "random_state": 0,
    "n_shards": 2,
    "sync_every": 3,
}
N_PARTITIONS = 5


@pytest.fixture(scope="module")
def houses():
    """Houses of several kinds, with gaps: a frame, their prices, and whether these are high."""
    rng = np.random.default_rng(5)
    n = 600
    frame = pd.DataFrame(
        {
            "size": rng.lognormal(size=n),
            "kind": rng.choice(["flat", "house", "hut"], n, p=[0.5, 0.4, 0.1]),
            "rooms": rng.integers(1, 7, n),
            "built": pd.Timestamp("1990-01-01") + pd.to_timedelta(rng.integers(0, 9999, n), "D"),
        }
    )
    prices = np.log(frame["size"]) + (frame["kind"] == "house") + rng.normal(scale=0.1, size=n)
    frame.loc[rng.random(n) < 0.1, ["size", "kind"]] = None
    # In the rows of one partition alone.
    frame.loc[17, "kind"] = "castle"
    return frame, prices.rename("price"), pd.Series(np.where(prices > 0.4, "dear", "cheap"))


def parts(*values):
    """Cut frames and series into partitions."""
    return [dd.from_pandas(each, npartitions=N_PARTITIONS) for each in values]


def assert_same_front(found, expected):
    for a, b in zip(found.columns, expected.columns, strict=True):
        assert type(a) is type(b)
        for name, value in ({} if a is None else vars(a)).items():
            np.testing.assert_array_equal(value, getattr(b, name))


@pytest.fixture(scope="module")
def fitted(cluster, houses):
    """A classifier of the houses."""
    frame, _, labels = houses
    X, y = parts(frame, labels.rename("cost"))
    with cluster.get_client() as client:
        clf = DaskTabularClassifier(**SETTINGS, client=client).fit(X, y)
    return clf.set_params(client=None)


@pytest.mark.parametrize(
    ("ours", "local"),
    [(DaskTabularClassifier, TabularClassifier), (DaskTabularRegressor, TabularRegressor)],
)
def test_parameters_are_those_of_the_local_estimator_and_of_rounds(ours, local):
    theirs = signature(local).parameters
    own = {name: p.default for name, p in signature(ours).parameters.items() if name not in theirs}

    assert list(signature(ours).parameters)[: len(theirs)] == list(theirs)
    assert own == {
        "sync_every": "auto",
        "n_shards": None,
        "outer_optimizer": "nesterov",
        "outer_lr": 1.0,
        "outer_momentum": 0.6,
        "block_size": "128 MiB",
        "client": None,
    }
    assert all(f"\n{name} : " in ours.__doc__ for name in own)
    assert "%(" not in ours.__doc__
    assert (is_classifier(ours()), is_regressor(ours())) == (
        is_classifier(local()),
        is_regressor(local()),
    )
    assert clone(ours(n_shards=3, preset="best")).get_params()["n_shards"] == 3


def test_columns_are_learned_as_in_memory(fitted, houses):
    frame, _, labels = houses
    local = TabularClassifier(preset="fast", max_iter=1, random_state=0).fit(frame, labels)

    assert_same_front(fitted.estimator_._front, local._front)
    kind = fitted.estimator_._front.columns[1]
    assert kind.levels == ("castle", "flat", "house", "hut")
    assert fitted.feature_names_in_.tolist() == list(frame.columns)
    assert fitted.classes_.tolist() == ["cheap", "dear"]
    assert fitted.target_name_ == "cost"


def test_predictions_are_lazy_and_those_of_the_local_estimator(client, fitted, houses, tmp_path):
    frame, _, labels = houses
    X, y = parts(frame, labels)
    local = fitted.to_local()

    assert type(local) is TabularClassifier
    for name in ("predict", "predict_proba", "predict_log_proba"):
        lazy = getattr(fitted, name)(X)
        assert isinstance(lazy, da.Array)
        np.testing.assert_array_equal(lazy.compute(), getattr(local, name)(frame))
    # Columns are found by name, and a partition may have no row.
    some = X[X["rooms"] > 5][["rooms", "built", "kind", "size"]]
    np.testing.assert_array_equal(
        fitted.predict(some).compute(), local.predict(frame[frame["rooms"] > 5])
    )
    assert fitted.score(X, y) == accuracy_score(labels, local.predict(frame)) > 0.75
    local.save(tmp_path / "houses.safetensors")
    loaded = TabularClassifier.load(tmp_path / "houses.safetensors")
    np.testing.assert_array_equal(loaded.predict_proba(frame), local.predict_proba(frame))


def test_given_rows_choose_the_epoch_and_calibrate(client, houses):
    frame, _, labels = houses
    X, y = parts(frame, labels)
    validation = frame[:200], labels[:200]
    X_val, y_val = (dd.from_pandas(each, npartitions=3) for each in validation)
    weights = np.linspace(0, 2, 200)
    w_val = dd.from_pandas(pd.Series(weights), npartitions=3)

    clf = DaskTabularClassifier(**SETTINGS | {"n_members": 2}).fit(
        X, y, X_val=X_val, y_val=y_val, sample_weight_val=w_val
    )

    local = clf.to_local()
    codes = (validation[1] == "dear").to_numpy().astype(int)
    rows = Rows(local._front.inputs(read_frame(validation[0]), "float32"), codes, weights)
    for network, losses, scores in zip(
        local.networks_, clf.loss_curves_, clf.validation_scores_, strict=True
    ):
        assert len(losses) == len(scores) == clf.n_iter_ == 4
        assert Classes(2).score(network, rows, None) == pytest.approx(max(scores), abs=1e-6)
        before = network.parameters.copy()
        Classes(2).finish(network, rows, None)
        # It had the factor that suits these rows best.
        np.testing.assert_allclose(network.parameters, before, rtol=1e-3)


def test_each_network_is_validated_on_rows_of_its_own():
    folds = [held_out(seed=3, partition=1, n_rows=50, fraction=0.2, fold=f) for f in range(5)]
    assert np.sum(folds, axis=0).tolist() == [1] * 50
    assert [fold.sum() for fold in folds] == [10] * 5


def test_weights_count_as_in_memory(client, houses):
    frame, _, labels = houses
    weights = np.random.default_rng(0).integers(0, 4, len(frame)).astype(float)
    # Of the rows that have no weight, and of a class that has none.
    frame, labels = frame.copy(), labels.copy()
    frame.loc[weights == 0, "kind"] = "ruin"
    labels[:9], weights[:9] = "free", 1
    X, y, w = parts(frame, labels, pd.Series(weights))
    class_weight = {"cheap": 1, "dear": 2, "free": 0}

    clf = DaskTabularClassifier(**SETTINGS, class_weight=class_weight).fit(X, y, w)

    local = TabularClassifier(preset="fast", max_iter=1, class_weight=class_weight)
    local.fit(frame, labels, weights)
    assert_same_front(clf.estimator_._front, local._front)
    assert clf.classes_.tolist() == ["cheap", "dear", "free"]


def test_balanced_weights_are_those_of_all_rows(client, houses):
    frame, _, labels = houses
    data = parts(frame, labels)
    counts = labels.value_counts()
    explicit = {label: len(labels) / (2 * n) for label, n in counts.items()}

    balanced, given = (
        DaskTabularClassifier(**SETTINGS, class_weight=each).fit(*data)
        for each in ("balanced", explicit)
    )

    np.testing.assert_array_equal(balanced.networks_[0].parameters, given.networks_[0].parameters)


def test_a_regressor_of_several_outputs(client, houses):
    frame, prices, _ = houses
    both = pd.DataFrame({"price": prices, "twice": 2 * prices + 100})
    weights = pd.Series(np.linspace(0, 1, len(frame)))
    X, y, w = parts(frame, both, weights)
    settings = SETTINGS | {"max_iter": 12}

    reg = DaskTabularRegressor(**settings).fit(X, y, w)

    local = reg.to_local()
    means = np.average(both, axis=0, weights=weights)
    np.testing.assert_allclose(local._mean, means, rtol=1e-12)
    deviations = np.sqrt(np.average((both - means) ** 2, axis=0, weights=weights))
    np.testing.assert_allclose(local._scale, deviations, rtol=1e-12)
    # The first row has no weight.
    np.testing.assert_array_equal(local._low, both[1:].min())
    np.testing.assert_array_equal(reg.predict(X).compute(), local.predict(frame))
    expected = r2_score(both, local.predict(frame), sample_weight=weights)
    assert reg.score(X, y, w) == pytest.approx(expected)
    assert expected > 0.6


def test_losses_of_the_local_estimator(client, houses):
    frame, prices, _ = houses
    X, y = parts(frame, prices)
    reg = DaskTabularRegressor(**SETTINGS, loss=Quantile([0.1, 0.9])).fit(X, y)
    predicted = reg.predict(X).compute()
    assert predicted.shape == (600, 2)
    assert (predicted[:, 0] <= predicted[:, 1]).all()
    assert reg.score(X, y) == pytest.approx(reg.to_local().score(frame, prices))
    with pytest.raises(ValueError, match=r"^y must be > 0 for loss='gamma', got -"):
        DaskTabularRegressor(**SETTINGS, loss="gamma").fit(X, y)


def test_arrays_of_objects_and_of_few_rows(client):
    rows = [[31.5, "blue"], [None, "green"], [25.0, "blue"], [64.0, "green"]] * 20
    X = np.array(rows, dtype=object)
    y = np.array(["no", "yes"] * 40)
    dX, dy = da.from_array(X, chunks=(30, 1)), da.from_array(y, chunks=20)

    clf = DaskTabularClassifier(**SETTINGS | {"max_iter": 30}).fit(dX, dy)

    assert clf.score(dX, dy) == 1.0
    assert clf.networks_[0].dtype == "float64"
    # So few rows all train.
    assert clf.validation_scores_ == [[]]
    assert clf.target_name_ is None
    assert clf.predict(dX).shape == (80,)


def test_rows_that_do_not_fit_into_memory_give_the_same_bits(client, houses, fitted, monkeypatch):
    frame, _, labels = houses
    monkeypatch.setattr("fastmlp.dask.sizes._SHARE_OF_MEMORY", 0.0)
    streamed = DaskTabularClassifier(**SETTINGS).fit(*parts(frame, labels))
    np.testing.assert_array_equal(streamed.networks_[0].parameters, fitted.networks_[0].parameters)


def test_training_ends_with_the_epoch_in_which_the_time_is_over(client, houses):
    frame, _, labels = houses
    clf = DaskTabularClassifier(**SETTINGS | {"n_members": 2}, max_time=1e-9)
    clf.fit(*parts(frame, labels))
    assert [len(losses) for losses in clf.loss_curves_] == [1, 1]


@pytest.mark.parametrize("is_given", [False, True])
def test_a_regressor_also_has_networks_with_periodic_features(client, houses, is_given):
    frame, prices, _ = houses
    X, y = parts(frame, prices)
    given = {"X_val": X, "y_val": y} if is_given else {}
    reg = DaskTabularRegressor(**SETTINGS | {"n_members": 2, "max_iter": 8}).fit(X, y, **given)
    networks = reg.estimator_.networks_

    n_numbers = 2 * 3 + 1  # ranks and numbers, and whether a size is missing
    assert [network.periodic_inputs for network in networks] == [0, n_numbers]
    np.testing.assert_array_equal(reg.predict(X).compute(), reg.to_local().predict(frame))
    # Each is better than the mean of the prices.
    assert min(max(scores) for scores in reg.estimator_.validation_scores_) > 0.2


class TestColumns:
    """What is found in parts of a table, without a cluster."""

    @pytest.fixture
    def table(self, rng):
        n = 1000
        names = np.array([f"n{i}" for i in range(40)], dtype=object)
        rows = np.empty((n, 3), dtype=object)
        rows[:, 0] = rng.standard_normal(n)
        rows[:, 1] = names[rng.integers(0, 40, n)]
        rows[:, 2] = rng.integers(0, 9, n)
        # One of a kind, which a sample is likely to miss.
        rows[700, 0], rows[701, 0], rows[702, 0], rows[703, 1] = 50.0, -50.0, None, "rare"
        return Table(rows, None)

    @staticmethod
    def found(table, bounds, weights=None):
        is_category = np.array([False, False, True])
        return [
            columns_of(
                table.take(slice(start, end)),
                None if weights is None else weights[start:end],
                is_category,
                seed=8,
                partition=number,
            )
            for number, (start, end) in enumerate(pairwise(bounds))
        ]

    def test_parts_are_the_same_in_any_groups(self, table, monkeypatch):
        monkeypatch.setattr("fastmlp.dask.columns._SAMPLE_ROWS", 100)
        parts = self.found(table, [0, 10, 500, 600, 1000])
        at_once = merged_columns(parts)
        grouped = merged_columns([merged_columns(parts[:2]), merged_columns(parts[2:])])

        assert len(at_once.keys) == 100
        assert at_once.n_rows == 1000
        np.testing.assert_array_equal(at_once.keys, grouped.keys)
        np.testing.assert_array_equal(at_once.columns[0].sample, grouped.columns[0].sample)
        assert at_once.columns[1] == grouped.columns[1]

    def test_a_sample_is_uniform_over_parts_of_different_size(self, monkeypatch):
        monkeypatch.setattr("fastmlp.dask.columns._SAMPLE_ROWS", 2000)
        table = Table(np.arange(20_000.0)[:, None].repeat(3, axis=1), None)
        found = merged_columns(self.found(table, [0, 500, 15_000, 20_000]))
        sample = found.columns[0].sample

        assert len(np.unique(sample)) == 2000
        # Within five deviations of the shares of the parts.
        counts = np.histogram(sample, [0, 500, 15_000, 20_000])[0]
        shares = np.array([0.025, 0.725, 0.25])
        assert (abs(counts - 2000 * shares) < 5 * np.sqrt(2000 * shares)).all()

    def test_what_a_sample_misses_is_learned(self, table, monkeypatch):
        monkeypatch.setattr("fastmlp.dask.columns._SAMPLE_ROWS", 50)
        found = merged_columns(self.found(table, [0, 400, 1000]))
        assert np.nanmax(np.abs(found.columns[0].sample)) < 50
        is_category = np.array([False, False, True])
        numbers, names, digits = learn_columns(evidence(found), is_category, n_bins=8).columns

        assert numbers.marks_missing
        assert (numbers.edges[0], numbers.edges[-1]) == (-50, 50)
        assert abs(numbers.centre) < 0.6
        assert len(names.levels) == 41
        assert digits.levels == tuple("012345678")

    def test_weights_of_a_whole_table_count_as_in_memory(self, table, rng):
        weights = rng.random(1000) + 0.1
        is_category = np.array([False, False, True])
        found = merged_columns(self.found(table, [0, 400, 1000], weights))
        learned = learn_columns(evidence(found), is_category, n_bins=8, with_ranks=True)
        expected = learn_front(table, is_category, weights, n_bins=8, with_ranks=True)
        assert found.largest_weight == weights.max()
        assert_same_front(learned, expected)
        assert learned.ranks.keys() == expected.ranks.keys() == {0}
        np.testing.assert_array_equal(learned.ranks[0].knots, expected.ranks[0].knots)

    def test_the_rarest_of_many_texts_are_forgotten(self, monkeypatch):
        names = np.array(["a"] * 6 + ["b"] * 4 + list("cdefghij"), dtype=object)
        table = Table(names[:, None].repeat(3, axis=1), None)
        monkeypatch.setattr("fastmlp.dask.columns._MOST_TEXTS", 3)
        found = merged_columns(self.found(table, [0, 12, 18]))
        column = found.columns[1]
        assert dict(column.counts) == {"a": (6.0, 6), "b": (4.0, 4), "c": (1.0, 1)}
        assert (column.n_forgotten, column.n_rows_forgotten) == (7, 7)
        text = evidence(found)[1]
        assert (text.n_levels, text.n_texts) == (10, 18)

    def test_a_part_without_values_fits_a_column_of_text(self):
        rows = np.array(
            [[1.0, None, 1], [2.0, None, 2], [3.0, "a", 3], [4.0, "b", 3]], dtype=object
        )
        found = merged_columns(self.found(Table(rows, None), [0, 2, 4]))
        front = learn_columns(evidence(found), np.array([False, False, True]), n_bins=0)
        (_, names, _) = front.columns
        assert names == Category(("a", "b"), False)

    def test_numbers_in_one_part_and_text_in_another_are_refused(self):
        rows = np.array([[1.0, 5, 1], [2.0, "a", 2]], dtype=object)
        message = "column 1 of X has numbers in some partitions and text in others, expected one of"
        with pytest.raises(ValueError, match=f"^{message} them: name the column in"):
            merged_columns(self.found(Table(rows, None), [0, 1, 2]))


def test_bad_arguments_are_refused(client, houses):
    frame, prices, labels = houses
    X, y = parts(frame, labels)

    def refuses(kind, message, *arguments, settings=None, **named):
        clf = DaskTabularClassifier(**SETTINGS | (settings or {}))
        with pytest.raises(kind, match=f"^{re.escape(message)}"):
            clf.fit(*(arguments or (X, y)), **named)
        assert not hasattr(clf, "estimator_")

    refuses(TypeError, "X is of type DataFrame, expected a Dask Array or DataFrame", frame, labels)
    sparse = da.from_array(np.eye(600), chunks=(120, 600)).map_blocks(csr_array)
    refuses(TypeError, "Sparse data was passed", sparse, da.from_array(labels.to_numpy(), 120))
    refuses(
        ValueError,
        "scoring must be None or 'loss', which add up over partitions, got 'roc_auc'",
        settings={"scoring": "roc_auc"},
    )
    refuses(
        ValueError,
        "The 'preset' parameter of TabularClassifier must be",
        settings={"preset": "worst"},
    )
    refuses(
        ValueError,
        "The 'sync_every' parameter of DaskTabularClassifier must be",
        settings={"sync_every": 0},
    )
    refuses(
        ValueError,
        "categorical_features names ['color']",
        settings={"categorical_features": ["color"]},
    )
    refuses(ValueError, "n_shards is 9, expected at most 5", settings={"n_shards": 9})
    zeros, negative = parts(0 * prices, 0 * prices - 1)
    refuses(ValueError, "X has no rows of a weight above 0", X, y, zeros)
    refuses(ValueError, "sample_weight must be >= 0, got -1.0", X, y, negative)
    refuses(ValueError, "y must have at least 2 classes", X, parts(labels * 0 + "a")[0])
    refuses(ValueError, "y_val must have classes of y", X, y, X_val=X, y_val=y + "ish")
    infinite = frame.assign(size=np.where(frame.index == 300, np.inf, frame["size"]))
    refuses(ValueError, "Input X contains infinity in column 'size'", parts(infinite)[0], y)
    refuses(ValueError, "X lacks columns", X, y, X_val=X[["size"]], y_val=y)
    with pytest.raises(NotFittedError, match=r"^This DaskTabularRegressor instance is not fitted"):
        DaskTabularRegressor().predict(X)


def test_sorted_rows_are_warned_of(client, houses):
    frame, _, labels = houses
    order = np.argsort(labels.to_numpy(), kind="stable")
    X, y = (
        dd.from_pandas(each.iloc[order].reset_index(drop=True), npartitions=2)
        for each in (frame, labels)
    )
    with pytest.warns(SortedRowsWarning, match="^Shard 0 has other targets") as caught:
        DaskTabularClassifier(**SETTINGS | {"max_iter": 1}).fit(X, y)
    assert caught[0].filename == __file__
