"""What estimators take and refuse; columns are found by name."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp

from fastmlp import TabularClassifier, TabularRegressor


@pytest.fixture(scope="module")
def fitted(quick, table, kinds):
    return quick("classifier").fit(table, kinds)


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_every_library_trains_the_same_network(kind, quick, frames, kinds, prices):
    y = kinds if kind == "classifier" else prices
    first, *others = [quick(kind).fit(frame, y) for frame in frames.values()]
    for other in others:
        np.testing.assert_array_equal(other.networks_[0].parameters, first.networks_[0].parameters)
    for frame in list(frames.values())[:-1]:
        np.testing.assert_array_equal(first.predict(frame), first.predict(frames["pandas"]))


def test_targets_of_every_library(quick, table, kinds, prices):
    expected = quick("classifier").fit(table, kinds).predict(table)
    for y in (
        kinds.tolist(),
        pd.Series(kinds),
        pd.Series(kinds, dtype="category"),
        pl.Series(kinds),
    ):
        np.testing.assert_array_equal(quick("classifier").fit(table, y).predict(table), expected)
    expected = quick("regressor").fit(table, prices).predict(table)
    for y in (prices.tolist(), pd.Series(prices), pl.Series(prices.tolist())):
        np.testing.assert_array_equal(quick("regressor").fit(table, y).predict(table), expected)


def test_columns_are_found_by_name(fitted, table):
    shuffled = table[table.columns[::-1]]
    np.testing.assert_array_equal(fitted.predict_proba(shuffled), fitted.predict_proba(table))


def test_further_columns_are_ignored_with_a_warning(fitted, table, warned):
    further = table.assign(**{"more, of it": 1.0, "last": "x"})
    answer, messages = warned(fitted.predict, further)
    assert messages == [
        "X has columns that were not there in training, and are ignored: more, of it, last"
    ]
    np.testing.assert_array_equal(answer, fitted.predict(table))


def test_missing_columns_are_an_error(fitted, table):
    message = r"^X lacks columns that were there in training: size, side$"
    with pytest.raises(ValueError, match=message):
        fitted.predict(table.drop(columns=["side", "size"]))


def test_an_array_goes_by_place_with_scikit_learn_s_warning(fitted, frames, warned):
    answer, messages = warned(fitted.predict, frames["array"])
    assert messages == [
        "X does not have valid feature names, but TabularClassifier was fitted with feature names"
    ]
    np.testing.assert_array_equal(answer, fitted.predict(frames["pandas"]))


def test_a_frame_after_an_array_goes_by_place(quick, frames, kinds, warned):
    clf = quick("classifier").fit(frames["array"], kinds)
    assert not hasattr(clf, "feature_names_in_")
    _, messages = warned(clf.predict, frames["polars"])
    assert messages == [
        "X has feature names, but TabularClassifier was fitted without feature names"
    ]
    message = r"^X has 8 features, but TabularClassifier is expecting 9 features as input\.?$"
    with pytest.raises(ValueError, match=message):
        clf.predict(frames["array"][:, 1:])


def test_a_list_keeps_numbers_beside_text(quick):
    rows = [[1.5, "a"], [2.5, "b"], [9.0, "a"], [7.0, "b"]] * 5
    ours = quick("regressor").fit(rows, range(20))
    theirs = quick("regressor").fit(pd.DataFrame(rows), range(20))
    np.testing.assert_array_equal(ours.predict(rows), theirs.predict(pd.DataFrame(rows)))


def test_categories_that_training_did_not_see_count_as_missing(fitted, table):
    unseen, missing = table.head(3).copy(), table.head(3).copy()
    unseen["heating"], missing["heating"] = "sun", None
    np.testing.assert_array_equal(fitted.predict_proba(unseen), fitted.predict_proba(missing))


def test_no_row_has_no_answer(fitted, frames):
    message = (
        r"^Found a frame with 0 sample\(s\) \(shape=\(0, 9\)\) while a minimum of 1 is required"
    )
    for frame in (frames["pandas"][:0], frames["polars"][:0]):
        with pytest.raises(ValueError, match=message):
            fitted.predict(frame)


def test_many_rows_are_answered_in_blocks(fitted, table, monkeypatch):
    monkeypatch.setattr("fastmlp.tabular.base._BLOCK", 50)
    blocks = fitted.predict_proba(table)
    monkeypatch.undo()
    np.testing.assert_allclose(blocks, fitted.predict_proba(table), rtol=1e-5)


@pytest.mark.parametrize(
    "given",
    [["rooms"], [1], [-8 + 9], np.arange(9) == 1, pd.Index(["rooms"]), np.array([1])],
    ids=repr,
)
def test_categorical_features_by_name_place_and_mask(given, quick, table, prices):
    expected = quick("regressor").fit(table.astype({"rooms": "category"}), prices)
    ours = quick("regressor", categorical_features=given).fit(table, prices)
    np.testing.assert_array_equal(ours.predict(table), expected.predict(table))
    plain = quick("regressor", categorical_features=[]).fit(table, prices)
    assert (plain.predict(table) != ours.predict(table)).any()
    default = quick("regressor").fit(table, prices)
    np.testing.assert_array_equal(plain.predict(table), default.predict(table))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "all",
            "The 'categorical_features' parameter of TabularRegressor must be an array-like or a "
            "str among {'from_dtype'}. Got 'all' instead.",
        ),
        (
            [1.5],
            "categorical_features must be 'from_dtype' or a list of bools, integers or names, "
            "got [1.5]",
        ),
        ([True, False], "categorical_features must have one bool per column of X, 9, got 2"),
        ([9], "categorical_features must be places from 0 to 8, got [9]"),
        ([-1], "categorical_features must be places from 0 to 8, got [-1]"),
    ],
    ids=repr,
)
def test_categorical_features_that_are_none(given, message, quick, table, prices):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        quick("regressor", categorical_features=given).fit(table, prices)


def test_categorical_features_need_names(quick, table, prices, frames):
    message = r"^categorical_features names \['colour'\], but the columns of X are \['size', .*\]$"
    with pytest.raises(ValueError, match=message):
        quick("regressor", categorical_features=["colour", "size"]).fit(table, prices)
    message = (
        r"^categorical_features must be a mask or places of columns where X has no names of "
        r"columns, got \['size'\]$"
    )
    with pytest.raises(ValueError, match=message):
        quick("regressor", categorical_features=["size"]).fit(frames["array"], prices)


@pytest.mark.parametrize("cls", [TabularClassifier, TabularRegressor])
@pytest.mark.parametrize(
    ("X", "y", "error", "message"),
    [
        (np.zeros((3, 2)), None, ValueError, "requires y to be passed, but the target y is None$"),
        (np.zeros((3, 2)), [0, 1], ValueError, "^Found input variables with inconsistent numbers"),
        (np.zeros((2, 2)), [0, np.nan], ValueError, r"^Input y contains NaN"),
        (np.zeros(3), [0, 1, 1], ValueError, "^Expected 2D array, got 1D array instead"),
        (np.zeros((2, 2), complex), [0, 1], ValueError, "^Complex data not supported"),
        (sp.csr_matrix((2, 2)), [0, 1], TypeError, "^Sparse data was passed"),
        (
            np.array([[1.0], [np.inf]]),
            [0, 1],
            ValueError,
            "^Input X contains infinity in column 0$",
        ),
        (
            pd.DataFrame({"a": []}),
            [],
            ValueError,
            r"^Found a frame with 0 sample\(s\) \(shape=\(0, 1\)\) while a minimum of 1 is req",
        ),
        (
            pl.DataFrame(),
            [],
            ValueError,
            r"^Found a frame with 0 sample\(s\) \(shape=\(0, 0\)\) while a minimum of 1 is req",
        ),
        (
            pd.DataFrame(index=[0, 1]),
            [0, 1],
            ValueError,
            r"^Found a frame with 0 feature\(s\) \(shape=\(2, 0\)\) while a minimum of 1 is",
        ),
        (
            pd.DataFrame([[1, 2]], columns=["a", 1]),
            [0],
            TypeError,
            "^Feature names are only supported if all input features have string names",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_table_is_refused(cls, X, y, error, message):
    with pytest.raises(error, match=message):
        cls().fit(X, y)
