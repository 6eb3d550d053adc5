"""Weights of classes are weights of samples, worked out by hand here."""

import pickle
import re

import numpy as np
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.utils._param_validation import InvalidParameterError

from fastmlp import MLPClassifier

NAMES = np.array(["ant", "bee", "cow"])
WEIGHTS = {"ant": 1.0, "bee": 4.0, "cow": 0.25}
SMALL = {"hidden_layer_sizes": (6,), "max_iter": 4, "random_state": 0}


@pytest.fixture
def iris(data):
    X, y = data("iris")
    rows = np.r_[0:50, 50:90, 100:112]
    return X[rows], NAMES[y[rows]]


def by_hand(y, weights):
    return np.array([weights[label] for label in y])


@pytest.mark.parametrize("layout", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_a_dict_weighs_each_sample_by_its_class(solver, dtype, layout, iris, fit):
    X, y = iris
    X = layout(X.astype(dtype))
    weighted = fit(MLPClassifier(solver=solver, class_weight=WEIGHTS, **SMALL), X, y)
    same = fit(MLPClassifier(solver=solver, **SMALL), X, y, sample_weight=by_hand(y, WEIGHTS))
    plain = fit(MLPClassifier(solver=solver, **SMALL), X, y)
    assert weighted.loss_curve_ == same.loss_curve_ != plain.loss_curve_
    np.testing.assert_array_equal(weighted.network_.parameters, same.network_.parameters)


def test_balanced_weighs_classes_by_their_rarity(iris, fit):
    X, y = iris
    weights = {name: len(y) / (3 * np.count_nonzero(y == name)) for name in NAMES}
    balanced = fit(MLPClassifier(class_weight="balanced", **SMALL), X, y)
    same = fit(MLPClassifier(**SMALL), X, y, sample_weight=by_hand(y, weights))
    np.testing.assert_allclose(balanced.loss_curve_, same.loss_curve_, rtol=1e-12)


def test_weights_of_classes_and_of_samples_are_multiplied(iris, fit, rng):
    X, y = iris
    given = rng.uniform(0.5, 2.0, len(y))
    both = fit(MLPClassifier(class_weight=WEIGHTS, **SMALL), X, y, sample_weight=given)
    same = fit(MLPClassifier(**SMALL), X, y, sample_weight=given * by_hand(y, WEIGHTS))
    assert both.loss_curve_ == same.loss_curve_


def test_a_class_that_is_left_out_weighs_1(iris, fit):
    X, y = iris
    some = fit(MLPClassifier(class_weight={"bee": 4.0}, **SMALL), X, y)
    all_ = fit(MLPClassifier(class_weight={"ant": 1, "bee": 4, "cow": 1}, **SMALL), X, y)
    assert some.loss_curve_ == all_.loss_curve_


def test_several_labels_have_a_dict_each(data, fit):
    X, y = data("multilabel")
    dicts = [{0: 1.0, 1: 1.0 + label} for label in range(y.shape[1])]
    weights = np.prod([np.where(y[:, j] == 1, 1.0 + j, 1.0) for j in range(y.shape[1])], axis=0)
    weighted = fit(MLPClassifier(class_weight=dicts, **SMALL), X, y)
    same = fit(MLPClassifier(**SMALL), X, y, sample_weight=weights)
    assert weighted.loss_curve_ == same.loss_curve_
    sparse = fit(MLPClassifier(class_weight=dicts, **SMALL), X, scipy.sparse.csr_array(y))
    assert sparse.loss_curve_ == same.loss_curve_


def test_several_labels_are_balanced_one_by_one(data, fit):
    X, y = data("multilabel")
    share = y.mean(axis=0)
    weights = np.prod(np.where(y == 1, 0.5 / share, 0.5 / (1 - share)), axis=1)
    balanced = fit(MLPClassifier(class_weight="balanced", **SMALL), X, y)
    same = fit(MLPClassifier(**SMALL), X, y, sample_weight=weights)
    np.testing.assert_allclose(balanced.loss_curve_, same.loss_curve_, rtol=1e-12)


def test_rows_that_are_kept_back_are_weighted_likewise(iris, fit):
    X, y = iris
    early = SMALL | {"early_stopping": True, "validation_fraction": 0.3}
    weighted = fit(MLPClassifier(class_weight=WEIGHTS, **early), X, y)
    same = fit(MLPClassifier(**early), X, y, sample_weight=by_hand(y, WEIGHTS))
    plain = fit(MLPClassifier(**early), X, y)
    assert weighted.validation_scores_ == same.validation_scores_ != plain.validation_scores_


def test_partial_fit_weighs_batches_that_lack_classes(iris):
    X, y = iris
    weighted, same = MLPClassifier(class_weight={"bee": 4.0}, **SMALL), MLPClassifier(**SMALL)
    for name in NAMES:
        rows = y == name
        weight = np.full(rows.sum(), 4.0 if name == "bee" else 1.0)
        weighted.partial_fit(X[rows], y[rows], classes=NAMES)
        same.partial_fit(X[rows], y[rows], classes=NAMES, sample_weight=weight)
    assert weighted.loss_curve_ == same.loss_curve_


def test_partial_fit_cannot_balance_and_says_what_can(iris):
    X, y = iris
    clf = MLPClassifier(class_weight="balanced")
    message = (
        "class_weight='balanced' is not supported for partial_fit: a part of the data does not "
        "tell how frequent the classes are. Compute the weights once, from labels `y` of all data "
        "or of a large sample of it, and give them as a dict: "
        "dict(zip(classes, compute_class_weight('balanced', classes=classes, y=y)))"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        clf.partial_fit(X, y, classes=NAMES)
    assert vars(clf) == clf.get_params()


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ([WEIGHTS], "class_weight is a list, which is for an indicator of several labels; for"),
        ({"ant": -1.0}, "class_weight must have finite weights >= 0, got {'ant': -1.0}"),
        ({"ant": np.inf}, "class_weight must have finite weights >= 0, got {'ant': inf}"),
        (
            dict.fromkeys(NAMES.tolist(), 0.0),
            "class_weight must give some sample a weight above 0, got {'ant': 0.0, 'bee': 0.0",
        ),
        ({"dog": 1.0}, "The classes, ['ant', 'bee', 'cow'], are not in class_weight"),
    ],
)
def test_weights_that_are_none_are_refused(class_weight, message, iris):
    clf = MLPClassifier(class_weight=class_weight)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        clf.fit(*iris)
    assert vars(clf) == clf.get_params()


def test_what_is_no_weight_at_all_is_refused(iris, data):
    with pytest.raises(InvalidParameterError, match="'class_weight' parameter of MLPClassifier"):
        MLPClassifier(class_weight="even").fit(*iris)
    message = r"^For multi-output, class_weight should be a list of dicts, or the string 'balanced'"
    with pytest.raises(ValueError, match=message):
        MLPClassifier(class_weight={0: 1, 1: 2}).fit(*data("multilabel"))


def test_copies_keep_the_weights(iris, fit):
    X, y = iris
    clf = MLPClassifier(class_weight=WEIGHTS, **SMALL)
    for twin in (clone(clf), pickle.loads(pickle.dumps(clf))):
        assert fit(twin, X, y).loss_curve_ == fit(clf, X, y).loss_curve_


@pytest.mark.parametrize(
    ("labels", "class_weight"),
    [
        (["a", "ü"], {"a": 1, "ü": 2.5}),
        ([-3, 7], {np.int64(-3): np.float32(0.5), 7: 1.0}),
        ([False, True], {False: 3.0, True: 1.0}),
        ([0.0, 1.0], {0.0: 3.0, 1.0: 1.0}),
        ([0, 1], "balanced"),
    ],
    ids=str,
)
def test_a_file_keeps_the_weights(labels, class_weight, data, fit, tmp_path):
    X = data("iris")[0]
    y = np.asarray(labels)[np.arange(len(X)) % 2]
    clf = fit(MLPClassifier(class_weight=class_weight, **SMALL), X, y)
    clf.save(tmp_path / "clf")
    loaded = MLPClassifier.load(tmp_path / "clf")
    assert loaded.class_weight == clf.class_weight
    assert fit(loaded, X, y).loss_curve_ == clf.loss_curve_


def test_a_file_keeps_the_weights_of_many_labels(fit, tmp_path, rng):
    X, y = rng.standard_normal((50, 3)), rng.integers(2, size=(50, 600))
    dicts = [{0: 1.0, 1: 2.0} for _ in range(600)]
    clf = fit(MLPClassifier((2,), max_iter=1, class_weight=dicts), X, y)
    clf.save(tmp_path / "clf")
    assert MLPClassifier.load(tmp_path / "clf").class_weight == dicts
