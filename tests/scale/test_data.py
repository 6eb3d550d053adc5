"""The data of a fit: Arrays and DataFrames, partitions, surveys, warnings, errors."""

import re

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from dask.delayed import delayed
from scale.settings import MARKS, SETTINGS
from scipy.sparse import csr_array, csr_matrix

from fastmlp.dask import (
    DaskMLPClassifier,
    DaskMLPRegressor,
    SmallFitWarning,
    SortedRowsWarning,
)
from fastmlp.dask.survey import Moments, Reading, merged, survey
from fastmlp.estimators import FeatureScaleWarning

pytestmark = MARKS


def test_frames_are_read_by_names_and_give_the_same_bits_as_arrays(client, rows, fitted):
    X, y = rows
    of_arrays, _ = fitted
    names = [f"x{j}" for j in range(X.shape[1])]
    frame = dd.from_pandas(pd.DataFrame(X, columns=names), npartitions=5)
    labels = dd.from_pandas(pd.Series(y, name="color"), npartitions=5)

    clf = DaskMLPClassifier(**SETTINGS).fit(frame, labels)

    assert clf.feature_names_in_.tolist() == names
    assert (clf.network_.parameters == of_arrays.network_.parameters).all()
    lazy = clf.predict_proba(frame)
    assert np.isnan(lazy.shape[0])
    assert (lazy.compute() == of_arrays.to_local().predict_proba(X)).all()
    # Of a filter, which leaves partitions without rows.
    some = frame[frame["x0"] > frame["x0"].max() - 1e-9]
    assert clf.predict(some).compute().shape == (1,)
    assert clf.score(frame, labels) == of_arrays.to_local().score(X, y)
    with pytest.raises(ValueError, match="feature names should match"):
        clf.predict(frame.rename(columns={"x0": "z"})).compute()


def test_no_key_of_a_caller_is_computed(client, rows):
    X, y = rows
    # Chunks of which Dask makes one task each, if it is asked for them alone.
    dX = da.from_array(X, chunks=120)[:, :4].astype("float32").rechunk({1: -1})
    dy = da.from_array(y, chunks=120)
    frame = dd.from_pandas(pd.DataFrame(X[:, :4]), npartitions=5)
    labels = dd.from_pandas(pd.Series(y), npartitions=5)
    theirs = {
        key
        for values in (dX, dy, frame, labels)
        for each in (values, *dask.optimize(values))
        for key in each.__dask_graph__()
    }
    theirs |= {key for values in (frame, labels) for key in values.to_delayed()[0].dask}
    known = []

    def look(info):
        tasks = client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.tasks))
        known.extend(tasks)

    for data in ((dX, dy), (frame, labels)):
        clf = DaskMLPClassifier(**SETTINGS, callback=look).fit(*data)
        assert clf.score(*data) == clf.to_local().score(*(each.compute() for each in data))
    assert any(str(key).startswith("fastmlp-block") for key in known)
    assert not theirs & set(known)


def test_persisted_rows_are_used_as_they_are(client, rows, cut):
    dX, dy = dask.persist(*cut(*rows, rows=120))
    clf = DaskMLPClassifier(**SETTINGS).fit(dX, dy)
    assert clf.score(dX, dy) == clf.to_local().score(*rows)


def test_empty_and_uneven_partitions_are_read(client, rows):
    X, y = rows
    sizes = (0, 250, 1, 49, 0, 300)
    dX, dy = da.from_array(X, chunks=(sizes, (2, 4))), da.from_array(y, chunks=120)

    clf = DaskMLPClassifier(**SETTINGS).fit(dX, dy)

    assert clf.t_ == 4 * len(X)
    assert clf.n_shards_ == 2
    assert clf.score(dX, dy) > 0.5


def test_rows_that_do_not_fit_into_memory_are_read_in_each_epoch_and_give_the_same_bits(
    client, rows, tmp_path, monkeypatch
):
    X, y = rows

    def read(name, number, place):
        """Return a part; a new file says that it was read."""
        import tempfile

        tempfile.mkstemp(prefix=f"{name}-{number}-", dir=place)
        return X[number * 100 : (number + 1) * 100], y[number * 100 : (number + 1) * 100]

    def fit(name):
        parts = [delayed(read, nout=2, pure=False)(name, i, str(tmp_path)) for i in range(6)]
        dX = da.concatenate([da.from_delayed(x, (100, X.shape[1]), X.dtype) for x, _ in parts])
        dy = da.concatenate([da.from_delayed(y_, (100,), y.dtype) for _, y_ in parts])
        settings = SETTINGS | {"sync_every": 3, "block_size": 200 * X.shape[1] * 8}
        return DaskMLPClassifier(**settings).fit(dX, dy)

    kept = fit("kept")
    monkeypatch.setattr("fastmlp.dask.sizes._SHARE_OF_MEMORY", 0.0)
    streamed = fit("streamed")

    assert (streamed.network_.parameters == kept.network_.parameters).all()
    assert streamed.n_rounds_ > 2
    # Once for the survey, and once for the blocks or for each of four epochs, any of which may
    # begin with the block that the one before ended with.
    kept_reads, reads = (
        [len([*tmp_path.glob(f"{name}-{i}-*")]) for i in range(6)] for name in ("kept", "streamed")
    )
    assert kept_reads == [2] * 6
    assert all(2 < n <= 5 for n in reads)


@pytest.mark.parametrize("kind", [csr_matrix, csr_array])
def test_sparse_chunks_train_as_dense_ones(client, rows, kind):
    X, y = rows
    X = X * (X > 0.5)
    dense, dy = da.from_array(X, chunks=(120, X.shape[1])), da.from_array(y, chunks=120)
    sparse = dense.map_blocks(kind)
    # Several blocks of several partitions each, and rows that are held out.
    settings = SETTINGS | {"early_stopping": True, "block_size": 6000}

    expected = DaskMLPClassifier(**settings | {"block_size": 240 * 6 * 8}).fit(dense, dy)
    clf = DaskMLPClassifier(**settings).fit(sparse, dy)

    assert clf.n_rounds_ == expected.n_rounds_
    np.testing.assert_allclose(
        clf.network_.parameters, expected.network_.parameters, rtol=1e-9, atol=1e-12
    )
    assert clf.validation_scores_ == expected.validation_scores_
    lazy, local = clf.predict_proba(sparse), clf.to_local()
    assert (lazy.compute() == local.predict_proba(kind(X))).all()
    assert clf.score(sparse, dy) == local.score(X, y)
    with pytest.raises(ValueError, match=r"^standardize=True would make sparse X dense: scale it"):
        DaskMLPClassifier(**settings, standardize=True).fit(sparse, dy)


def test_moments_of_parts_are_those_of_the_whole(rng):
    X = rng.standard_normal((50, 3)) * [1, 10, 1e-3] + [1e6, 0, 1]
    w = rng.random(50)
    parts = [slice(0, 0), slice(0, 13), slice(13, 14), slice(14, 50)]

    whole = Moments.of(X[:0]).merged(Moments.of(X[:0]))
    weighted = Moments.of(X[:0], w[:0])
    for part in parts:
        whole = whole.merged(Moments.of(X[part]))
        weighted = weighted.merged(Moments.of(X[part], w[part]))

    np.testing.assert_allclose(whole.mean, X.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(whole.deviation, X.std(axis=0), rtol=1e-8)
    mean = np.average(X, axis=0, weights=w)
    np.testing.assert_allclose(weighted.mean, mean, rtol=1e-12)
    variance = np.average((X - mean) ** 2, axis=0, weights=w)
    np.testing.assert_allclose(weighted.deviation**2, variance, rtol=1e-6)


def test_a_survey_counts_classes_and_magnitudes():
    reading = Reading("float64", 2, "classes", None)
    X, y = np.array([[1.0, -5.0], [2.0, 0.0], [-3.0, 1.0]]), np.array(["a", "bb", "a"])

    found = merged([survey(reading, X[:2], y[:2], None), survey(reading, X[2:], y[2:], None)])

    assert found.classes == {"a": 2, "bb": 1}
    assert found.magnitudes.tolist() == [3.0, 5.0]
    assert found.n_rows == found.n_weighted == 3


class TestWarnings:
    def test_of_a_small_fit(self, client, rows, cut):
        message = (
            "4 epochs of 600 rows take about 2.6e-05 seconds on one core: below 10 minutes, "
            "MLPClassifier on one machine is likely to be faster"
        )
        with pytest.warns(SmallFitWarning, match=f"^{re.escape(message)}$") as caught:
            DaskMLPClassifier(**SETTINGS).fit(*cut(*rows, rows=120))
        assert caught[0].filename == __file__

    def test_of_sorted_rows(self, client, rows, cut):
        X, y = rows
        order = np.argsort(y)
        with pytest.warns(SortedRowsWarning, match="^Shard 0 has other targets than the rows as a"):
            # The first partition is that of the first shard.
            DaskMLPClassifier(**SETTINGS).fit(*cut(X[order], y[order], rows=300))
        x = np.sort(X[:, 0])
        with pytest.warns(SortedRowsWarning, match="^Shard 0 has other targets"):
            DaskMLPRegressor(**SETTINGS | {"learning_rate_init": 0.01}).fit(*cut(X, x, rows=300))

    def test_of_features_that_differ_in_scale(self, client, rows, cut):
        X, y = rows
        data = cut(X * [1, 1, 1, 1, 1, 1e-6], y, rows=300)
        with pytest.warns(FeatureScaleWarning, match=r"To scale them: standardize=True$"):
            DaskMLPClassifier(**SETTINGS).fit(*data)
        DaskMLPClassifier(**SETTINGS, standardize=True).fit(*data)


def test_bad_data_is_refused(client, rows, cut):
    X, y = rows
    dX, dy = cut(X, y, rows=120)
    clf = DaskMLPClassifier(**SETTINGS)

    def refuses(kind, message, *arguments, **named):
        with pytest.raises(kind, match=f"^{message}"):
            clf.fit(*arguments, **named)
        assert not hasattr(clf, "estimator_")

    refuses(TypeError, "X is of type ndarray, expected a Dask Array or DataFrame", X, dy)
    refuses(TypeError, "y is of type ndarray, expected a Dask Array or DataFrame", dX, y)
    refuses(ValueError, "X has 1 dimensions, expected 2", dy, dy)
    refuses(ValueError, "X has 600 rows, and y 480", dX, dy[:480])
    frame = dd.from_pandas(pd.DataFrame(X), npartitions=3)
    refuses(ValueError, "X has 3 partitions, and y 5, expected the same", frame, dy)
    uneven = da.from_array(y, chunks=((100, 300, 200),))
    refuses(ValueError, "a partition of X has 200 rows, and that of y 100", frame, uneven)
    bad = X.copy()
    bad[400, 2] = np.nan
    refuses(ValueError, "Input X contains NaN", cut(bad, rows=120)[0], dy)
    refuses(ValueError, "X has no rows", dX[:0], dy[:0])
    refuses(ValueError, "X_val is given without y_val", dX, dy, X_val=dX)
    refuses(ValueError, "y_val has classes that y has not", dX, dy, X_val=dX, y_val=dy + "ish")
    narrow = dX[:, :4]
    refuses(ValueError, "a partition of X_val has 4 features", dX, dy, X_val=narrow, y_val=dy)
    zeros, negative = cut(np.zeros(600), np.full(600, -1.0), rows=120)
    refuses(ValueError, "sample_weight must not be 0 for all rows", dX, dy, zeros)
    refuses(ValueError, "sample_weight must be >= 0, got -1.0", dX, dy, negative)
    with pytest.raises(ValueError, match=r"^y must be > 0 for loss='gamma', got -1.0$"):
        DaskMLPRegressor(**SETTINGS | {"loss": "gamma"}).fit(dX, negative)


def test_predictions_of_other_data_are_refused(fitted, rows):
    clf, (dX, _) = fitted
    with pytest.raises(TypeError, match=r"^X is of type ndarray, expected a Dask Array"):
        clf.predict(rows[0])
    with pytest.raises(ValueError, match=r"^X has 4 features, but MLPClassifier is expecting 6"):
        clf.predict(dX[:, :4]).compute()
