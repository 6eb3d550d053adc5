"""Plain labels are read as by scikit-learn's own functions, which take longer."""

import warnings

import numpy as np
import pytest
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.multiclass import unique_labels

from fastmlp import MLPClassifier
from fastmlp.estimators.labels import distinct_labels, plain_classes

LABELS = {
    "two": np.array([3, 1, 1, 3, 3, 1]),
    "three": np.array([0, 7, 0, -2, 7, -2], dtype=np.int8),
    "bool": np.array([True, False, True, True]),
    "one": np.array([5, 5, 5], dtype=np.uint16),
    "big": np.array([2**64 - 1, 0, 0, 2**64 - 1], dtype=np.uint64),
    "many": np.arange(6),
    "text": np.array(["b", "a", "b", "a"]),
    "float": np.array([0.0, 1.0, 1.0, 0.0]),
}


@pytest.mark.parametrize("name", LABELS)
def test_classes_and_encoding_are_those_of_scikit_learn(name):
    y = LABELS[name]
    clf = MLPClassifier()._draft()
    clf._encode(y, fresh=True, incremental=False)

    expected, found = LabelBinarizer().fit(y), clf._label_binarizer
    assert found.classes_.dtype == expected.classes_.dtype
    np.testing.assert_array_equal(found.classes_, expected.classes_)
    assert {**vars(found), "classes_": None} == {**vars(expected), "classes_": None}
    np.testing.assert_array_equal(distinct_labels(y), unique_labels(y))
    encoded = clf._indices_or_indicator(y)
    if found.y_type_ == "binary":
        transformed = expected.transform(y).ravel()
        np.testing.assert_array_equal(encoded, transformed)
        assert encoded.dtype == transformed.dtype


def test_which_labels_are_plain():
    plain = {name for name, y in LABELS.items() if plain_classes(y) is not None}
    assert plain == {"two", "three", "bool", "one", "big"}
    assert plain_classes([0, 1, 0, 1]) is None
    assert plain_classes(np.array([[0, 1], [1, 1]])) is None


def test_many_classes_are_warned_of_where_scikit_learn_does():
    y = np.arange(30)
    with warnings.catch_warnings(record=True) as expected:
        warnings.simplefilter("always")
        LabelBinarizer().fit(y)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        MLPClassifier()._draft()._encode(y, fresh=True, incremental=False)
    assert [str(each.message) for each in found] == [str(each.message) for each in expected]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", [int, bool, str, float])
def test_the_score_is_the_accuracy(kind):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((40, 3))
    y = (X[:, 0] > 0).astype(kind)
    clf = MLPClassifier((4,), max_iter=10, solver="lbfgs", random_state=0).fit(X[:20], y[:20])
    weights = rng.random(20)
    predicted = clf.predict(X[20:])

    assert clf.score(X[20:], y[20:]) == accuracy_score(y[20:], predicted)
    assert clf.score(X[20:], list(y[20:])) == accuracy_score(y[20:], predicted)
    weighted = accuracy_score(y[20:], predicted, sample_weight=weights)
    assert clf.score(X[20:], y[20:], weights) == weighted
    with pytest.raises(ValueError, match=r"^Found input variables with inconsistent numbers"):
        clf.score(X[20:], y)
