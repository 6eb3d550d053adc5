"""Properties of the data helpers, and their agreement with NumPy and scikit-learn."""

import re
from math import ceil

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_class_weight

from fastmlp.data import (
    class_counts,
    class_weights,
    make_spiral,
    shuffle,
    split,
    standardize,
)

seeds = st.integers(0, 2**32 - 1)
fraction_lists = st.lists(st.integers(1, 20), min_size=2, max_size=5).map(
    lambda shares: tuple(share / sum(shares) for share in shares)
)


@given(st.integers(1, 9), st.integers(0, 200), st.floats(0, 1), seeds)
@settings(max_examples=60, deadline=None)
def test_spiral_follows_its_formula(n_classes, extra, noise, seed):
    n_samples = n_classes + extra
    X, y = make_spiral(n_samples, n_classes, noise=noise, random_state=seed)
    assert (X.shape, X.dtype, y.dtype) == ((n_samples, 2), np.float64, np.int64)

    sizes = np.bincount(y, minlength=n_classes)
    first_arms_have_one_more = np.full(n_classes, n_samples // n_classes)
    first_arms_have_one_more[: n_samples % n_classes] += 1
    np.testing.assert_array_equal(sizes, first_arms_have_one_more)
    np.testing.assert_array_equal(y, np.sort(y))

    rng = np.random.default_rng(seed)
    for c in range(n_classes):
        arm = X[y == c]
        step = np.arange(sizes[c]) / max(sizes[c] - 1, 1)
        angle = 4 * (c + step) + noise * rng.standard_normal(sizes[c])
        np.testing.assert_allclose(np.hypot(*arm.T), step, atol=1e-15)
        np.testing.assert_allclose(arm, step[:, None] * np.c_[np.sin(angle), np.cos(angle)])


def test_spiral_defaults_and_noise():
    X, y = make_spiral(random_state=0)
    np.testing.assert_array_equal(np.bincount(y), [500, 500, 500])
    radius = np.hypot(*X.T)
    turned = np.arctan2(X[:, 0], X[:, 1]) - (4 * y + 4 * radius)
    noise = np.angle(np.exp(1j * turned[radius > 0]))
    assert abs(noise.mean()) < 0.02
    assert noise.std() == pytest.approx(0.2, rel=0.06)  # three standard errors of 1,497 draws


@pytest.mark.parametrize("make", [np.random.default_rng, np.random.RandomState])
def test_spiral_draws_from_the_given_generator(make):
    generator = make(5)
    first, _ = make_spiral(random_state=generator)
    second, _ = make_spiral(random_state=generator)
    again, _ = make_spiral(random_state=make(5))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, second)


def test_no_random_state_means_new_points():
    assert not np.array_equal(make_spiral()[0], make_spiral()[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_classes": 0}, "n_classes must be at least 1, got 0"),
        ({"n_samples": 2}, "n_samples must be at least n_classes = 3, got 2"),
        ({"noise": -0.1}, "noise must be finite and >= 0, got -0.1"),
        ({"noise": np.nan}, "noise must be finite and >= 0, got nan"),
        ({"noise": np.inf}, "noise must be finite and >= 0, got inf"),
        (
            {"random_state": -1},
            "random_state must be None, an int >= 0, a Generator or a RandomState, got -1",
        ),
    ],
)
def test_spiral_rejects(arguments, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make_spiral(**arguments)


def test_random_state_of_a_wrong_type():
    message = "^random_state must be None, an int >= 0, a Generator or a RandomState, got 'one'$"
    with pytest.raises(TypeError, match=message):
        make_spiral(random_state="one")


@pytest.mark.parametrize("name", ["n_samples", "n_classes"])
def test_spiral_counts_are_integers(name):
    with pytest.raises(TypeError, match=rf"^{name} must be an integer, got 30\.0$"):
        make_spiral(**{name: 30.0})


@pytest.mark.parametrize("noise", ["a", None, 1j])
def test_spiral_noise_is_a_number(noise):
    message = f"noise must be a real number, got {noise!r}"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        make_spiral(noise=noise)


@given(st.integers(0, 50), seeds)
@settings(max_examples=50, deadline=None)
def test_shuffle_keeps_rows_together(n, seed):
    X, y = np.arange(2 * n).reshape(n, 2), np.arange(n)
    X_mixed, y_mixed = shuffle(X, y, random_state=seed)
    np.testing.assert_array_equal(np.sort(y_mixed), y)
    np.testing.assert_array_equal(X_mixed, X[y_mixed])
    again = shuffle(X, y, random_state=seed)
    np.testing.assert_array_equal(again[1], y_mixed)


def test_shuffle_mixes():
    y = np.arange(1000)
    _, mixed = shuffle(y, y, random_state=0)
    assert np.mean(mixed == y) < 0.02
    np.testing.assert_array_equal(y, np.arange(1000))


def test_shuffle_and_split_need_the_same_rows():
    X, y = np.zeros((4, 2)), np.zeros(3, dtype=np.int64)
    message = re.escape("X and y must have the same rows, got shapes (4, 2) and (3,)")
    for function in (shuffle, split):
        with pytest.raises(ValueError, match=f"^{message}$"):
            function(X, y)


@st.composite
def labelled_splits(draw):
    fractions = draw(fraction_lists)
    # From 1 / fraction rows on, no part of a class is empty.
    fewest = ceil(1 / min(fractions))
    counts = draw(st.lists(st.integers(fewest, fewest + 60), min_size=1, max_size=8))
    y = np.repeat(np.arange(len(counts)), counts)
    return fractions, np.random.default_rng(draw(seeds)).permutation(y), draw(seeds)


@given(labelled_splits())
@settings(max_examples=200, deadline=None)
def test_split_is_stratified_disjoint_and_complete(case):
    fractions, y, seed = case
    rows = np.arange(len(y))
    parts = split(rows, y, fractions=fractions, random_state=seed)
    assert len(parts) == len(fractions)
    np.testing.assert_array_equal(np.sort(np.concatenate([X for X, _ in parts])), rows)
    counts = np.bincount(y)
    for fraction, (X, labels) in zip(fractions, parts, strict=True):
        np.testing.assert_array_equal(labels, y[X])
        off = np.bincount(labels, minlength=len(counts)) - fraction * counts
        assert np.abs(off).max() < 1 + 1e-9

    again = split(rows, y, fractions=fractions, random_state=seed)
    for (X, labels), (X_again, labels_again) in zip(parts, again, strict=True):
        np.testing.assert_array_equal(X, X_again)
        np.testing.assert_array_equal(labels, labels_again)


def test_split_of_the_spiral():
    X, y = make_spiral(random_state=0)
    parts = split(X, y, random_state=0)
    assert [len(labels) for _, labels in parts] == [1050, 225, 225]
    for (_, labels), count in zip(parts, [350, 75, 75], strict=True):
        np.testing.assert_array_equal(np.bincount(labels), [count] * 3)
        assert np.any(np.diff(labels) < 0)  # rows of the classes are mixed
    other = split(X, y, random_state=1)
    assert not np.array_equal(parts[0][0], other[0][0])


def test_split_roundings_cancel_over_classes():
    y = np.repeat(np.arange(100), 3)
    sizes = [len(labels) for _, labels in split(y, y, random_state=0)]
    np.testing.assert_allclose(sizes, [210, 45, 45], atol=1)


def test_split_takes_labels_of_any_kind_and_keeps_dtypes():
    y = np.array(["b", "a"] * 10)
    X = np.zeros((20, 3), dtype=np.float32)
    for features, labels in split(X, y, fractions=(0.5, 0.5), random_state=0):
        assert features.dtype == np.float32
        assert sorted(labels) == ["a"] * 5 + ["b"] * 5


@pytest.mark.parametrize("fractions", [(1.0,), (0.5, 0.6), (0.5, 0.4), (1.5, -0.5), (1.0, 0.0), ()])
def test_split_rejects_fractions(fractions):
    message = f"fractions must be two or more numbers > 0 that sum to 1, got {fractions}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        split(np.zeros((9, 1)), np.zeros(9), fractions=fractions)


@pytest.mark.parametrize("fractions", [None, 0.5, "half", (0.5, None)])
def test_split_rejects_what_are_no_fractions(fractions):
    message = f"fractions must be two or more numbers > 0 that sum to 1, got {fractions!r}"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        split(np.zeros((9, 1)), np.zeros(9), fractions=fractions)


def test_split_rejects_labels_of_mixed_kinds():
    y = np.array([0, "a"] * 10, dtype=object)
    with pytest.raises(TypeError, match=r"^y must hold labels of one kind: '<' not supported"):
        split(y, y)


def test_split_rejects_a_rare_class():
    y = np.array([0] * 10 + [7] * 2)
    message = "^a split into 3 parts needs as many rows of each class, but class 7 has 2$"
    with pytest.raises(ValueError, match=message):
        split(y, y)


def test_split_rejects_an_empty_part():
    y = np.zeros(10, dtype=np.int64)
    with pytest.raises(ValueError, match=r"^a part with fraction 0\.01 of 10 rows would be empty$"):
        split(y, y, fractions=(0.98, 0.01, 0.01))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=80), st.integers(0, 3))
def test_class_counts_by_hand(labels, extra):
    n_classes = max(labels) + 1 + extra
    counts = class_counts(labels, n_classes)
    assert counts.dtype == np.int64
    assert counts.tolist() == [labels.count(c) for c in range(n_classes)]
    assert class_counts(labels).tolist() == counts[: max(labels) + 1].tolist()


@pytest.mark.parametrize("dtype", ["int8", "uint64", ">i4"])
def test_class_counts_of_any_integer_dtype(dtype):
    assert class_counts(np.array([2, 0, 2], dtype)).tolist() == [1, 0, 2]


def test_class_counts_of_the_largest_class():
    counts = class_counts([2**24 - 1])
    assert (len(counts), counts[-1], counts.sum()) == (2**24, 1, 1)


@pytest.mark.parametrize("function", [class_counts, class_weights])
@pytest.mark.parametrize("dtype", ["int64", "uint64"])
@pytest.mark.parametrize("top", [2**24, 10**12, 2**63 - 1, 2**64 - 1])
def test_counts_and_weights_bound_the_classes(function, dtype, top):
    y = np.array([0, min(top, np.iinfo(dtype).max)], dtype)
    message = f"y must hold classes below 16,777,216, got {y[1]}"
    for n_classes in (None, 3):
        with pytest.raises(ValueError, match=f"^{message}$"):
            function(y, n_classes=n_classes)


@pytest.mark.parametrize("function", [class_counts, class_weights])
def test_counts_and_weights_bound_the_number_of_classes(function):
    message = "^n_classes must be at most 16,777,216, got 1000000000000$"
    with pytest.raises(ValueError, match=message):
        function([0], n_classes=10**12)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6))
def test_class_weights_even_out_the_classes(counts):
    y = np.repeat(np.arange(len(counts)), counts)
    inverse, balanced = class_weights(y, "inverse"), class_weights(y)
    np.testing.assert_allclose(inverse * counts, 1, rtol=1e-15)
    expected = compute_class_weight("balanced", classes=np.arange(len(counts)), y=y)
    np.testing.assert_allclose(balanced, expected, rtol=1e-15)
    assert balanced[y].mean() == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("function", [class_counts, class_weights])
@pytest.mark.parametrize(
    ("y", "n_classes", "error", "message"),
    [
        ([[0, 1]], None, ValueError, "y must be 1-D and hold rows, got shape (1, 2)"),
        ([], None, ValueError, "y must be 1-D and hold rows, got shape (0,)"),
        ([0.0, 1.0], None, TypeError, "y must hold integer classes, got float64"),
        ([0, -1], None, ValueError, "y must hold classes from 0, got -1"),
        ([0, 3], 3, ValueError, "y has class 3, but there are 3 classes"),
    ],
)
def test_counts_and_weights_reject(function, y, n_classes, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        function(y, n_classes=n_classes)


def test_class_weights_need_rows_of_every_class():
    with pytest.raises(ValueError, match=r"^class 1 has no rows in y, so it has no weight$"):
        class_weights([0, 2])


def test_class_weights_reject_a_scheme():
    with pytest.raises(ValueError, match=r"^scheme must be 'balanced' or 'inverse', got 'none'$"):
        class_weights([0, 1], "none")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_standardize_by_the_training_part(dtype):
    rng = np.random.default_rng(0)
    X_train = rng.normal([5, -3, 7], [2, 0.1, 0], size=(50, 3))
    X_test = rng.normal(size=(20, 3))
    scaler, (train, test) = standardize(X_train, X_test, dtype=dtype)
    assert isinstance(scaler, StandardScaler)
    mean, scale = X_train.mean(axis=0), X_train.std(axis=0)
    scale[2] = 1  # a constant feature is shifted only
    tolerance = 10 * np.finfo(dtype).eps
    for before, after in ((X_train, train), (X_test, test)):
        assert after.dtype == dtype
        assert after.flags.c_contiguous
        np.testing.assert_allclose(after, (before - mean) / scale, rtol=tolerance, atol=tolerance)


def test_standardize_computes_in_float64():
    X = np.float32(1e6) + np.arange(100, dtype=np.float32)[:, None]
    _, (train,) = standardize(X)
    exact = (np.arange(100) - 49.5) / np.arange(100).std()
    np.testing.assert_allclose(train[:, 0], exact, rtol=1e-6)


def test_standardize_rejects_other_dtypes():
    with pytest.raises(ValueError, match=r"^dtype must be 'float32' or 'float64', got 'float16'$"):
        standardize(np.zeros((4, 2)), dtype="float16")


def test_standardize_rejects_other_features():
    with pytest.raises(ValueError, match=r"^others\[0\] has 3 features, but X_train has 2$"):
        standardize(np.zeros((4, 2)), np.zeros((4, 3)))


GOOD = [[0.0, 1.0], [2.0, 4.0]]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (([[np.nan, 1], [2, 3]],), "X_train must be finite, got nan in row 0, column 0"),
        (([[0, 1], [2, -np.inf]],), "X_train must be finite, got -inf in row 1, column 1"),
        ((GOOD, GOOD, [[0, np.nan]]), "others[1] must be finite, got nan in row 0, column 1"),
        (
            (GOOD, [[0, 1], [1e39, 1]]),
            "others[0] must be finite once standardized to float32, got 1e+39 in row 1, column 0",
        ),
        (
            ([[0, 1], [1, 1], [0, 1e300]],),
            "X_train must have a finite variance, got 1e+300 in row 2, column 1",
        ),
        (([1.0, 2.0],), "X_train must be 2-D and not empty, got shape (2,)"),
        ((GOOD, np.zeros((0, 2))), "others[0] must be 2-D and not empty, got shape (0, 2)"),
    ],
)
def test_standardize_names_what_it_rejects(arrays, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        standardize(*arrays)


def test_standardize_to_float64_has_its_range():
    _, (_, other) = standardize(GOOD, [[1e39, 1.0]], dtype="float64")
    np.testing.assert_allclose(other, [[1e39, -1.0]])
    message = "X_train must have a finite variance, got 1e+300 in row 1, column 0"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        standardize([[1.0], [1e300]], dtype="float64")


@pytest.mark.parametrize("kind", ["datetime64[s]", "timedelta64[D]"])
def test_times_are_standardized_in_no_unit_that_nobody_named(kind):
    X = np.arange(6).reshape(3, 2).astype(kind)
    message = f"others[0] has dtype {X.dtype}, expected numbers: divide by a unit of time"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        standardize(np.eye(2), X)


def test_sparse_rows_are_not_standardized():
    X = scipy.sparse.csr_array(np.eye(3))
    message = "X_train is of type csr_array, expected a dense array: use X_train.toarray()"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        standardize(X)
