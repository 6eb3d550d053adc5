"""Batch normalisation in the estimators: the network's own, with batches that it can take."""

import copy
import pickle
import re

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone

import fastmlp
from fastmlp import MLP, MLPClassifier, MLPRegressor

SMALL = {"hidden_layer_sizes": (8, 6), "normalization": "batch", "max_iter": 5, "random_state": 0}


def running_statistics(estimator):
    blocks = estimator.network_.parameter_blocks
    return np.concatenate([b.view for b in blocks if b.role in ("mean", "variance")])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_fit_is_that_of_the_network(dtype, data, fit):
    X, y = data("iris")
    X = X.astype(dtype)
    network = MLP([4, 8, 6, 3], "tanh", dtype=dtype, seed=1, normalization="batch")
    options = {"activation": "tanh", "shuffle": False, "batch_size": 40, "alpha": 0.1}
    clf = MLPClassifier.from_network(copy.copy(network), solver="sgd", momentum=0.0, **options)
    clf.set_params(learning_rate_init=0.05)

    for _ in range(3):
        clf.partial_fit(X, y)

    network.fit(X, y, fastmlp.SGD(0.05), epochs=3, batch_size=40, shuffle=False, alpha=0.1)
    np.testing.assert_array_equal(clf.network_.parameters, network.parameters)
    np.testing.assert_array_equal(clf.predict_proba(X), network.predict_proba(X))
    assert (running_statistics(clf)[:8] != 0.0).all()


@pytest.mark.parametrize("solver", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("name", ["iris", "diabetes"])
def test_copies_keep_the_running_statistics(name, solver, data, fit, tmp_path):
    X, y = data(name)
    kind = MLPRegressor if name == "diabetes" else MLPClassifier
    estimator = fit(kind(solver=solver, early_stopping=True, **SMALL), X, y)
    estimator.save(tmp_path / "model")

    for other in (pickle.loads(pickle.dumps(estimator)), kind.load(tmp_path / "model")):
        np.testing.assert_array_equal(running_statistics(other), running_statistics(estimator))
        np.testing.assert_array_equal(other.predict(X), estimator.predict(X))
    again = fit(clone(estimator), X, y)
    np.testing.assert_array_equal(again.network_.parameters, estimator.network_.parameters)


@pytest.mark.parametrize(("n", "batch_size"), [(201, "auto"), (201, 200), (201, 40), (201, 67)])
def test_no_number_of_rows_leaves_a_batch_of_a_single_row(n, batch_size, rng, fit):
    X, y = rng.standard_normal((n, 3)), rng.integers(2, size=n)
    clf = fit(MLPClassifier(batch_size=batch_size, **SMALL), X, y)
    assert clf.n_iter_ == SMALL["max_iter"]
    if batch_size in ("auto", 200):
        whole = fit(MLPClassifier(batch_size=201, **SMALL), X, y)
        np.testing.assert_array_equal(clf.network_.parameters, whole.network_.parameters)


def test_a_batch_of_a_single_row_is_refused(data):
    X, y = data("iris")
    why = 'normalization="batch" takes the variance of each batch'
    message = f"batch_size is 1, expected a number >= 2: {why}"
    clf = MLPClassifier(batch_size=1, **SMALL)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        clf.fit(X, y)
    message = f"X has shape (1, 4), expected at least 2 rows: {why}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        MLPClassifier(**SMALL).partial_fit(X[:1], y[:1], classes=[0, 1, 2])


def test_lbfgs_has_no_batches(data):
    message = "normalization='batch' is for solver 'sgd', 'adam' or 'adamw', got solver='lbfgs'"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        MLPClassifier(solver="lbfgs", **SMALL).fit(*data("iris"))


def test_a_networks_normalisation_is_refused_by_lbfgs_too(data):
    network = MLP([4, 8, 3], dtype="float64", normalization="batch")
    with pytest.raises(ValueError, match=r"^normalization='batch' is for solver 'sgd', "):
        MLPClassifier.from_network(network, solver="lbfgs").fit(*data("iris"))


def test_early_stopping_restores_the_best_running_statistics(data, fit):
    X, y = data("iris")
    held = {"X_val": X[::3], "y_val": y[::3]}
    options = {**SMALL, "max_iter": 60, "batch_size": 20, "learning_rate_init": 0.02}
    clf = fit(MLPClassifier(early_stopping=True, n_iter_no_change=4, **options), X, y, **held)

    best = clf.best_iteration_
    assert best < clf.n_iter_ < 60
    as_then = fit(MLPClassifier(**{**options, "max_iter": best}), X, y)
    np.testing.assert_array_equal(clf.network_.parameters, as_then.network_.parameters)
    assert clf.score(X[::3], y[::3]) == max(clf.validation_scores_)


def test_stages_keep_the_running_statistics_of_their_epochs(data, fit):
    X, y = data("iris")
    options = {**SMALL, "batch_size": 20}
    clf = fit(MLPClassifier(keep_every=1, **options), X, y)

    stages = list(clf.staged_predict_proba(X))

    assert len(stages) == 5
    for n, found in enumerate(stages, 1):
        as_then = fit(MLPClassifier(**{**options, "max_iter": n}), X, y)
        np.testing.assert_array_equal(found, as_then.predict_proba(X))


def test_a_warm_start_continues_from_the_running_statistics(data, fit):
    X, y = data("iris")
    options = {**SMALL, "solver": "sgd", "momentum": 0.0, "shuffle": False}
    clf = MLPClassifier(warm_start=True, **options)
    through = fit(MLPClassifier(**{**options, "max_iter": 10}), X, y)

    fit(fit(clf, X, y), X, y)

    np.testing.assert_array_equal(clf.network_.parameters, through.network_.parameters)


@pytest.mark.parametrize("sparse", [False, True])
def test_weights_of_rows_and_classes_do_not_count_for_the_statistics(sparse, data, fit):
    X, y = data("iris")
    X = sp.csr_matrix(X) if sparse else X
    clf = MLPClassifier(shuffle=False, class_weight={1: 3.0}, **{**SMALL, "max_iter": 1})
    fit(clf, X, y, sample_weight=np.linspace(0.1, 2.0, 150))
    alike = fit(MLPClassifier(shuffle=False, **{**SMALL, "max_iter": 1}), X, y)

    # After a single batch the statistics of the first layer are those of its initial weights.
    first = slice(0, 8)
    np.testing.assert_array_equal(running_statistics(clf)[first], running_statistics(alike)[first])
    assert (clf.network_.biases[1] != alike.network_.biases[1]).all()
