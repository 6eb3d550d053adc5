"""Many fits of one call are the same as one after the other."""

import copy

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from fastmlp import MLP, SGD, Adam, MLPClassifier, MLPRegressor, fit_many
from fastmlp.estimators import FeatureScaleWarning, inputs

# Filters belong to all threads of a process.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

COURSES = [
    {},
    {"hidden_layer_sizes": (8, 4), "solver": "sgd", "learning_rate": "invscaling"},
    {"hidden_layer_sizes": [5, 5], "activation": "gelu", "normalization": "layer"},
    {"early_stopping": True, "n_iter_no_change": 1, "tol": 0.1},
    {"dropout": 0.3, "dtype": "float32", "batch_size": 32},
    {"solver": "lbfgs"},
    {"solver": "adamw", "learning_rate": "one_cycle", "shuffle": False},
    {"random_state": np.random.RandomState(3)},
    {"random_state": np.random.default_rng(3), "activation": "tanh"},
]


def estimators():
    """Estimators of both kinds with seeds of their own, anew with each call."""
    found = [
        cls(
            **{"hidden_layer_sizes": 7, "max_iter": 6, "random_state": seed} | copy.deepcopy(course)
        )
        for cls in (MLPClassifier, MLPRegressor)
        for seed, course in enumerate(COURSES)
    ]
    return [*found, MLPClassifier((3,), max_iter=2, random_state=0, class_weight="balanced")]


def pairs(dtype="float64"):
    """Networks with their optimizers."""
    return [
        (MLP([4, 6, 3], seed=0, dtype=dtype), Adam(), {"epochs": 3, "seed": 1}),
        (MLP([4, 3], seed=1, dtype=dtype), SGD(0.1), {"epochs": 2, "batch_size": 10, "seed": 2}),
    ]


@pytest.mark.parametrize("n_jobs", [1, 2, 5])
def test_each_fit_has_the_bits_that_it_has_alone(n_jobs, iris, assert_same):
    X, y = iris
    weights = np.linspace(0.5, 2, len(y))
    many = [*estimators(), *pairs()]
    fitted = fit_many(many, X, y, sample_weight=weights, n_jobs=n_jobs)

    assert all(map(lambda one, other: one is other, fitted, many))
    for estimator, alone in zip(fitted, estimators(), strict=False):
        assert_same(estimator, alone.fit(X, y, weights))
    for (network, _), (alone, optimizer, options) in zip(
        [pair[:2] for pair in fitted[-2:]], pairs(), strict=True
    ):
        alone.fit(X, y, optimizer, sample_weight=weights, **options)
        assert_same(network, alone)


def test_each_fit_has_its_own_rows(iris, assert_same, rng):
    X, y = iris
    weights = rng.uniform(0.5, 1, len(y))
    rows = [
        rng.integers(len(y), size=len(y)),
        y < 2,
        slice(20, 100),
        None,
        np.flatnonzero(y == 1).tolist(),
    ]
    many = [
        cls((5,) if cls is MLPClassifier else "squared_error", max_iter=3, random_state=seed)
        for cls in (MLPClassifier, MLPRegressor)
        for seed in range(len(rows))
    ]
    alone = [clone(estimator) for estimator in many]
    fit_many(many, X, y, rows=rows * 2, sample_weight=weights, n_jobs=2)
    for estimator, other, chosen in zip(many, alone, rows * 2, strict=True):
        chosen = slice(None) if chosen is None else chosen
        assert_same(estimator, other.fit(X[chosen], y[chosen], weights[chosen]))
    assert [len(clf.classes_) for clf in many[:5]] == [3, 2, 3, 3, 1]

    network, expected = pairs()[1], pairs()[1]
    fit_many([network], X, y, rows=[rows[0]])
    expected[0].fit(X[rows[0]], y[rows[0]], expected[1], **expected[2])
    assert_same(network[0], expected[0])


@pytest.mark.parametrize("kind", ["sparse", "frame", "list", "float32"])
@pytest.mark.parametrize("rows", [None, np.arange(0, 150, 2)], ids=["all", "half"])
def test_data_of_any_kind(kind, rows, iris, assert_same):
    X, y = iris
    chosen = slice(None) if rows is None else rows
    given, part = {
        "sparse": lambda: (csr_array(X), csr_array(X)[chosen]),
        "frame": lambda: (pd.DataFrame(X, columns=list("abcd")), X[chosen]),
        "list": lambda: (X.tolist(), X[chosen]),
        "float32": lambda: (X.astype(np.float32), X.astype(np.float32)[chosen]),
    }[kind]()
    labels = np.array(["a", "b", "c"])[y]
    many = [MLPClassifier((5,), max_iter=3, random_state=seed) for seed in range(2)]
    fit_many(many, given, labels, rows=[rows] * 2, n_jobs=2)
    for seed, clf in enumerate(many):
        alone = MLPClassifier((5,), max_iter=3, random_state=seed).fit(part, labels[chosen])
        assert_same(clf, alone)
        assert hasattr(clf, "feature_names_in_") == (kind == "frame")
    assert (many[0].predict(given) == many[0].predict(given)).all()


def test_several_labels(assert_same, rng):
    X = rng.standard_normal((40, 3))
    y = (X[:, :2] > 0).astype(int)
    rows = [None, np.arange(20)]
    many = [MLPClassifier((5,), max_iter=3, random_state=seed) for seed in range(2)]
    fit_many(many, X, y, rows=rows)
    for seed, clf in enumerate(many):
        chosen = slice(None) if rows[seed] is None else rows[seed]
        alone = MLPClassifier((5,), max_iter=3, random_state=seed).fit(X[chosen], y[chosen])
        assert_same(clf, alone)


def test_one_that_goes_on_does_so(iris, assert_same):
    X, y = iris
    clf, alone = (
        MLPClassifier((5,), max_iter=3, warm_start=True, random_state=0).fit(X, y) for _ in range(2)
    )
    network = clf.network_
    fit_many([clf], X, y)
    assert_same(clf, alone.fit(X, y))
    assert clf.network_ is network
    assert len(clf.loss_curve_) == 6


def test_an_estimator_forgets_what_it_was_trained_on(iris, assert_same):
    X, y = iris
    clf = MLPClassifier((5,), max_iter=3, random_state=0)
    clf.fit(pd.DataFrame(X[:, :2], columns=["a", "b"]), y == 1)
    fit_many([clf], X, y)
    assert_same(clf, MLPClassifier((5,), max_iter=3, random_state=0).fit(X, y))
    assert not hasattr(clf, "feature_names_in_")


def test_data_is_read_once_for_each_class_and_dtype(iris, monkeypatch):
    reads = []
    validate = inputs.validate_data

    def counting(estimator, *args, **kwargs):
        reads.append((type(estimator).__name__, estimator.dtype))
        return validate(estimator, *args, **kwargs)

    monkeypatch.setattr(inputs, "validate_data", counting)
    kinds = [(MLPClassifier, None), (MLPRegressor, None), (MLPClassifier, "float32")]
    many = [
        cls(hidden_layer_sizes=width, dtype=dtype, max_iter=1, random_state=0)
        for cls, dtype in kinds
        for width in range(1, 6)
    ]
    fit_many(many, *iris, n_jobs=2)
    assert reads == [(cls.__name__, dtype) for cls, dtype in kinds]


def test_threads_have_the_configuration_of_the_caller(iris):
    X, y = iris
    seen = []

    def callback(info):
        seen.append(sklearn.get_config()["working_memory"])

    with sklearn.config_context(working_memory=17):
        many = [MLPClassifier((2,), max_iter=1, callback=callback) for _ in range(4)]
        fit_many(many, X, y, n_jobs=2)
    assert seen == [17] * 4


def test_warnings_are_those_of_each_fit(iris):
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(2\) reached") as caught:
        fit_many([MLPClassifier((2,), max_iter=2, random_state=i) for i in range(3)], *iris)
    assert len(caught) == 3


@pytest.mark.parametrize("rows", [None, np.arange(100)], ids=["all", "some"])
def test_scales_are_warned_of_as_in_a_fit_alone(rows, iris):
    X, y = iris
    frame = pd.DataFrame(X * [1, 1e6, 1, 1], columns=list("abcd"))
    chosen = slice(None) if rows is None else rows
    with pytest.warns(FeatureScaleWarning) as alone:
        MLPClassifier((2,), max_iter=1).fit(frame.iloc[chosen], y[chosen])
    with pytest.warns(FeatureScaleWarning) as caught:
        fit_many([MLPClassifier((2,), max_iter=1) for _ in range(2)], frame, y, rows=[rows] * 2)
    of_scales = [
        [str(w.message) for w in found if w.category is FeatureScaleWarning]
        for found in (alone, caught)
    ]
    assert of_scales[1] == of_scales[0] * 2


def test_nothing_to_do(iris):
    assert fit_many([], *iris, n_jobs=2) == []
