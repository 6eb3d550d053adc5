"""Inputs of estimators: dtypes, layouts, frames, sparse data, names, weights."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
import sklearn.neural_network
from sklearn.utils import check_X_y

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.estimators.inputs import are_plainly_right


def misaligned(X):
    raw = np.empty(X.nbytes + 1, dtype=np.uint8)
    copy = raw[1:].view(X.dtype).reshape(X.shape)
    copy[...] = X
    assert not copy.flags.aligned
    return copy


def read_only(X):
    copy = X.copy()
    copy.setflags(write=False)
    return copy


def strided(X):
    wide = np.full((2 * len(X), 2 * X.shape[1]), np.nan)
    wide[::2, 1::2] = X
    return wide[::2, 1::2]


LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "strided": strided,
    "reversed": lambda X: X[::-1].copy()[::-1],
    "misaligned": misaligned,
    "read-only": read_only,
    "big-endian": lambda X: X.astype(">f8"),
    "object": lambda X: X.astype(object),
    "list": np.ndarray.tolist,
    "pandas": lambda X: pd.DataFrame(X, columns=list("abcd")),
    "polars": lambda X: pl.DataFrame(X, schema=list("abcd")),
    "CSR": scipy.sparse.csr_matrix,
    "CSC array": scipy.sparse.csc_array,
    "COO": scipy.sparse.coo_matrix,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor"])
def test_one_result_for_each_layout(kind, layout, data, fit):
    X, y = data("iris")
    estimator = getattr(fastmlp, kind)(hidden_layer_sizes=(5,), max_iter=5, random_state=0)
    expected = fit(estimator, X, y).predict(X)
    same = LAYOUTS[layout](X)

    fit(estimator, same, y)

    np.testing.assert_allclose(estimator.predict(same), expected, rtol=1e-9)


@pytest.mark.parametrize("dtype", ["float16", "int8", "uint64", "bool", "longdouble"])
def test_other_dtypes_are_trained_in_float64(dtype, data, fit):
    X, y = data("iris")
    X = X.astype(dtype)
    clf = fit(MLPClassifier((5,), max_iter=3, random_state=0), X, y)
    same = fit(MLPClassifier((5,), max_iter=3, random_state=0), X.astype(np.float64), y)
    assert clf.network_.dtype == "float64"
    np.testing.assert_array_equal(clf.predict_proba(X), same.predict_proba(X))


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_results_have_the_dtype_of_training(dtype, solver, data, fit):
    X, y = data("digits")
    clf = fit(MLPClassifier((5,), solver=solver, max_iter=3), X.astype(dtype), y)
    reg = fit(MLPRegressor("squared_error", (5,), solver=solver, max_iter=3), X.astype(dtype), y)
    for asked in ("float32", "float64"):
        asked_about = X.astype(asked)
        for result in (
            clf.predict_proba(asked_about),
            clf.predict_log_proba(asked_about),
            reg.predict(asked_about),
            *clf.coefs_,
            *reg.intercepts_,
        ):
            assert result.dtype == dtype


def test_float32_and_float64_may_take_turns(data):
    X, y = data("iris")
    clf = MLPClassifier((5,), random_state=0).partial_fit(X.astype("f4"), y, classes=[0, 1, 2])
    clf.partial_fit(X, y)
    assert clf.network_.dtype == "float32"


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_names_of_features_are_kept_and_compared(frame, data, fit):
    X, y = data("iris")
    table = frame(dict(zip("abcd", X.T, strict=True)))
    clf = fit(MLPClassifier((5,), max_iter=3, random_state=0), table, y)
    assert clf.feature_names_in_.tolist() == list("abcd")
    clf.predict(table)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        clf.predict(X)
    with pytest.raises(ValueError, match=r"The feature names should match"):
        clf.predict(frame(dict(zip("abce", X.T, strict=True))))


BAD = {
    "NaN": lambda X: np.where(X.max() == X, np.nan, X),
    "infinity": lambda X: np.where(X.max() == X, np.inf, X),
    "a column less": lambda X: X[:, 1:],
    "no rows": lambda X: X[:0],
    "1-D": lambda X: X[0],
    "3-D": lambda X: X[None],
    "complex": lambda X: X + 1j,
    "text": lambda X: X.astype(str)[:, :0].tolist(),
    "sparse NaN": lambda X: scipy.sparse.csr_matrix(np.where(X.max() == X, np.nan, X)),
}


@pytest.mark.parametrize("case", BAD)
def test_input_that_predict_refuses_as_scikit_learn_does(case, data, fit):
    X, y = data("iris")
    caught = []
    for package in (fastmlp, sklearn.neural_network):
        clf = fit(package.MLPClassifier((5,), max_iter=2, random_state=0), X, y)
        with pytest.raises(ValueError) as error:  # noqa: PT011
            clf.predict(BAD[case](X))
        caught.append((type(error.value), str(error.value)))
    ours, theirs = caught
    assert ours == theirs


def unsorted(X):
    """The same numbers in another order, and one of them in two parts."""
    rows = scipy.sparse.csr_matrix(X)
    parts = [slice(rows.indptr[i], rows.indptr[i + 1]) for i in range(rows.shape[0])]
    data = np.concatenate([np.r_[rows.data[part][::-1] / 2, rows.data[part] / 2] for part in parts])
    columns = [np.r_[rows.indices[part][::-1], rows.indices[part]] for part in parts]
    return scipy.sparse.csr_matrix((data, np.concatenate(columns), 2 * rows.indptr), rows.shape)


def wide_indices(X):
    rows = scipy.sparse.csr_array(X)
    rows.indices, rows.indptr = rows.indices.astype("i8"), rows.indptr.astype("i8")
    return rows


ROWS = {
    "matrix": scipy.sparse.csr_matrix,
    "array": scipy.sparse.csr_array,
    "counts": lambda X: scipy.sparse.csr_matrix(np.round(X).astype("i8")),
    "bytes": lambda X: scipy.sparse.csr_array(np.round(X).astype("u1")),
    "bits": lambda X: scipy.sparse.csr_matrix(X > 1),
    "single precision": lambda X: scipy.sparse.csr_matrix(X.astype("f4")),
    "unsorted": unsorted,
    "wide indices": wide_indices,
    "empty rows": lambda X: scipy.sparse.csr_matrix(0 * X),
    "columns": scipy.sparse.csc_array,
}


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("layout", ROWS)
def test_sparse_rows_predict_as_dense_ones(layout, dtype, data, fit):
    """Those that are plainly right are not validated, and others are."""
    X, y = data("iris")
    clf = fit(MLPClassifier((5,), max_iter=5, random_state=0), X.astype(dtype), y)
    reg = fit(MLPRegressor("squared_error", (5,), max_iter=5, random_state=0), X.astype(dtype), y)
    sparse = ROWS[layout](X)
    for rows in (sparse, sparse[:1]):
        dense = rows.toarray().astype(dtype)
        np.testing.assert_array_equal(clf.predict(rows), clf.predict(dense))
        tolerance = {"rtol": 1e-12 if dtype == "f8" else 1e-5}
        np.testing.assert_allclose(clf.predict_proba(rows), clf.predict_proba(dense), **tolerance)
        np.testing.assert_allclose(reg.predict(rows), reg.predict(dense), **tolerance)


def test_sparse_rows_that_are_damaged_are_refused(data, fit):
    X, y = data("iris")
    clf = fit(MLPClassifier((5,), max_iter=2, random_state=0), X, y)
    rows = scipy.sparse.csr_matrix(X)
    rows.indices[3] = 4
    with pytest.raises(ValueError, match=r"indices\[3\] = 4, expected columns from 0 to below 4"):
        clf.predict(rows)
    rows = scipy.sparse.csr_matrix(X)
    rows.indptr[2] = 10**6
    with pytest.raises(ValueError, match=r"indptr\[2\] = 1000000, expected numbers that rise"):
        clf.predict(rows)


def test_names_of_features_are_missed_in_sparse_rows_too(data, fit):
    X, y = data("iris")
    clf = fit(MLPClassifier((5,), max_iter=2), pd.DataFrame(X, columns=list("abcd")), y)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        clf.predict(scipy.sparse.csr_matrix(X))


@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor"])
def test_negative_weights_are_refused(kind, data):
    X, y = data("iris")
    weights = np.ones(len(X))
    weights[3] = -1.0
    with pytest.raises(ValueError, match=r"^Negative values in data passed to `sample_weight`"):
        getattr(fastmlp, kind)().fit(X, y, sample_weight=weights)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(bad, data):
    X, y = data("iris")
    with pytest.raises(ValueError, match=r"^Input sample_weight contains (NaN|infinity)"):
        MLPClassifier().fit(X, y, sample_weight=np.where(y == 0, bad, 1.0))


def test_weights_stand_for_repeated_rows(data, fit):
    X, y = data("iris")
    times = np.random.default_rng(3).integers(0, 4, len(X))
    parameters = {"solver": "lbfgs", "max_iter": 15, "random_state": 0, "alpha": 0.1}
    weighted = fit(MLPClassifier((5,), **parameters), X, y, sample_weight=times)
    repeated = fit(MLPClassifier((5,), **parameters), X.repeat(times, axis=0), y.repeat(times))
    assert weighted.loss_ == pytest.approx(repeated.loss_, rel=1e-6)


def test_negative_counts_are_refused(data):
    X, y = data("counts")
    with pytest.raises(ValueError, match=re.escape("y must be >= 0 for loss='poisson', got -1.0")):
        MLPRegressor("poisson").fit(X, y - 1)


def test_training_changes_neither_data_nor_labels(data, fit):
    X, y = data("digits")
    before = X.copy(), y.copy()
    fit(MLPClassifier(max_iter=2), X, y)
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(y, before[1])


def test_sparse_labels_come_back_sparse(data, fit):
    X, y = data("multilabel")
    ours, theirs = (
        fit(package.MLPClassifier(max_iter=20, random_state=0), X, scipy.sparse.csr_matrix(y))
        for package in (fastmlp, sklearn.neural_network)
    )
    predicted = ours.predict(X)
    assert scipy.sparse.issparse(predicted)
    np.testing.assert_array_equal(predicted.toarray(), theirs.predict(X).toarray())


@pytest.mark.parametrize(
    "labels",
    [
        lambda y: np.array(["b", "a", "c"])[y],
        lambda y: np.array(["b", "a", "c"], dtype=object)[y],
        lambda y: y - 5,
        lambda y: y.astype(np.float64),
        lambda y: (y > 0).tolist(),
        lambda y: np.array(["no", "yes"])[(y > 0).astype(int)],
        lambda y: pd.Series(y, dtype="category"),
        lambda y: pl.Series(y),
    ],
)
def test_labels_of_many_kinds(labels, data, fit):
    X, y = data("iris")
    y = labels(y)
    ours, theirs = (
        fit(package.MLPClassifier((20,), max_iter=30, random_state=0), X, y)
        for package in (fastmlp, sklearn.neural_network)
    )
    np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    assert ours.predict(X).dtype == theirs.predict(X).dtype
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-6)
    np.testing.assert_allclose(ours.predict_log_proba(X), theirs.predict_log_proba(X), rtol=1e-6)
    assert ours.score(X, y) == theirs.score(X, y)


def test_a_column_of_labels_is_flattened_with_a_warning(data, fit):
    X, y = data("iris")
    with pytest.warns(match="A column-vector y was passed when a 1d array was expected"):
        fit(MLPClassifier(max_iter=2), X, y.reshape(-1, 1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_probability_is_0_or_1_and_each_logarithm_finite(dtype, data, fit):
    X, y = data("digits")
    X = X.astype(dtype)
    for labels in (y, y == 0, np.column_stack([y == 0, y == 1])):
        clf = fit(MLPClassifier((5,), max_iter=1, random_state=0), X, labels)
        expected = clf.predict(X)
        clf.coefs_[-1][...] *= 1e4
        clf.intercepts_[-1][...] *= 1e4
        probabilities = clf.predict_proba(X)
        assert probabilities.dtype == dtype
        limits = np.finfo(dtype)
        assert probabilities.min() == limits.tiny
        assert probabilities.max() == 1 - limits.epsneg
        np.testing.assert_array_equal(clf.predict_log_proba(X), np.log(probabilities))
        np.testing.assert_array_equal(clf.predict(X), expected)


def test_the_less_likely_of_two_classes_keeps_its_digits(data, fit):
    X, y = data("two digits")
    clf = fit(MLPClassifier((5,), max_iter=1, random_state=0), X, y)
    clf.coefs_[-1][...] = 0.0
    clf.intercepts_[-1][...] = 30.0
    np.testing.assert_allclose(clf.predict_proba(X)[:, 0], np.exp(-30.0), rtol=1e-12)
    np.testing.assert_allclose(clf.predict_log_proba(X)[:, 0], -30.0, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_after_one_class_there_is_one_column(solver, dtype, data, fit):
    X, y = data("iris")
    X, y = X.astype(dtype), np.full(len(y), "only")
    clf = fit(MLPClassifier((5,), solver=solver, max_iter=5, random_state=0), X, y)
    assert clf.predict(X).tolist() == ["only"] * len(X)
    probabilities = clf.predict_proba(X)
    assert probabilities.shape == (150, len(clf.classes_))
    assert probabilities.dtype == dtype
    # The largest probability below 1.
    np.testing.assert_array_equal(probabilities, 1 - np.finfo(dtype).epsneg)
    assert np.isfinite(clf.predict_log_proba(X)).all()
    assert clf.score(X, y) == 1.0


def dense(X):
    return X


@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor"])
@pytest.mark.parametrize("layout", [dense, scipy.sparse.csr_array, pd.DataFrame])
def test_numbers_too_large_for_the_dtype_of_training_are_refused(kind, layout, data, fit):
    X, y = data("iris")
    estimator = getattr(fastmlp, kind)(hidden_layer_sizes=(5,), max_iter=2, random_state=0)
    fit(estimator, layout(X.astype("f4")), y)
    before = estimator.network_.parameters.copy()
    marked = X.copy()
    marked[3, 1] = 1e39  # no data
    marked = layout(marked)
    doors = {
        "predict": lambda: estimator.predict(marked),
        "score": lambda: estimator.score(marked, y),
        "partial_fit": lambda: estimator.partial_fit(marked, y),
        "warm start": lambda: estimator.set_params(warm_start=True).fit(marked, y),
    }
    if kind == "MLPClassifier":
        doors["predict_proba"] = lambda: estimator.predict_proba(marked)
        doors["predict_log_proba"] = lambda: estimator.predict_log_proba(marked)
    message = r"^Input X contains infinity or a value too large for dtype\('float32'\)\.$"
    for door in doors.values():
        with pytest.raises(ValueError, match=message):
            door()
    np.testing.assert_array_equal(estimator.network_.parameters, before)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_no_class_follows_from_sums_that_overflow(n_classes, data, fit):
    X, y = data("iris")
    X, y = X[y < n_classes].astype("f4"), y[y < n_classes]
    clf = fit(MLPClassifier((50,), max_iter=20, random_state=0), X, y)
    clf.coefs_[1][...] = np.where(np.arange(50) % 2, 1.0, -1.0)[:, None]
    clf.coefs_[0][...] = 3e38  # a hidden unit is infinite
    for method in (clf.predict, clf.predict_proba, clf.predict_log_proba):
        with pytest.raises(ValueError, match=r"not a number|sums are NaN"):
            method(X)


X_OF_3 = np.arange(6.0).reshape(3, 2)
EXAMPLES = {
    "right": (X_OF_3, [0, 1, 1], True),
    "float32": (X_OF_3.astype(np.float32), [0.5, 1.0, 2.0], True),
    "every second column": (np.ones((3, 4))[:, ::2], [True, False, True], True),
    "integers": (X_OF_3.astype(int), [0, 1, 1], False),
    "the other byte order": (X_OF_3.astype(X_OF_3.dtype.newbyteorder()), [0, 1, 1], False),
    "not a number": (np.where(X_OF_3 == 4, np.nan, X_OF_3), [0, 1, 1], False),
    "infinite": (np.where(X_OF_3 == 4, np.inf, X_OF_3), [0, 1, 1], False),
    "no columns": (X_OF_3[:, :0], [0, 1, 1], False),
    "no rows": (X_OF_3[:0], [], False),
    "one dimension": (X_OF_3[:, 0], [0, 1, 1], False),
    "a label too many": (X_OF_3, [0, 1, 1, 0], False),
    "labels in a column": (X_OF_3, [[0], [1], [1]], False),
    "text": (X_OF_3, ["a", "b", "b"], False),
    "labels that are missing": (X_OF_3, [0.0, np.nan, 1.0], False),
    "many": (np.zeros((2**15 + 1, 2)), np.zeros(2**15 + 1), False),
}


@pytest.mark.parametrize("case", EXAMPLES)
def test_only_what_scikit_learn_returns_as_it_is_needs_no_check(case):
    X, y, expected = EXAMPLES[case]
    y = np.asarray(y)
    assert are_plainly_right(X, y, None) is expected
    if expected:
        checked = check_X_y(X, y, dtype=(np.float64, np.float32), multi_output=True)
        assert checked[0] is X
        assert checked[1] is y
        assert are_plainly_right(X, y, X.dtype.name)
        assert not are_plainly_right(X, y, "float32" if X.dtype == "float64" else "float64")
        assert not are_plainly_right(X.tolist(), y, None)
        assert not are_plainly_right(X, y.tolist(), None)
