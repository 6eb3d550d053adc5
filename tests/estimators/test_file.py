"""An estimator in a file comes back as it was, and what is no such file is refused."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.exceptions import NotFittedError

from fastmlp import MLP, MLPClassifier, MLPRegressor, ModelFileError
from fastmlp._core import load_network, save_network

FOUND = ("n_iter_", "t_", "loss_", "best_loss_", "loss_curve_", "validation_scores_")


def back(estimator, path):
    estimator.save(path)
    return type(estimator).load(path)


def assert_same(loaded, estimator, X):
    assert str(loaded.get_params()) == str(estimator.get_params())
    for name in (*FOUND, "n_layers_", "n_outputs_", "n_features_in_", "out_activation_"):
        assert getattr(loaded, name) == getattr(estimator, name), name
    for ours, theirs in zip(loaded.coefs_, estimator.coefs_, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(loaded.predict(X), estimator.predict(X))


@pytest.mark.parametrize("name", ["digits", "two digits", "iris", "multilabel"])
@pytest.mark.parametrize(
    "given", [{}, {"solver": "lbfgs"}, {"early_stopping": True, "solver": "sgd"}], ids=str
)
def test_a_classifier_comes_back(name, given, data, fit, tmp_path):
    X, y = data(name)
    for dtype in (np.float32, np.float64):
        clf = MLPClassifier((8, 5), max_iter=5, random_state=3, **given)
        fit(clf, X.astype(dtype), y)
        loaded = back(clf, tmp_path / "clf.safetensors")
        assert_same(loaded, clf, X.astype(dtype))
        np.testing.assert_array_equal(loaded.classes_, clf.classes_)
        assert loaded.classes_.dtype.kind == clf.classes_.dtype.kind
        np.testing.assert_array_equal(
            loaded.predict_proba(X.astype(dtype)), clf.predict_proba(X.astype(dtype))
        )


@pytest.mark.parametrize("name", ["diabetes", "several targets", "counts"])
def test_a_regressor_comes_back(name, data, fit, tmp_path):
    X, y = data(name)
    loss = "poisson" if name == "counts" else "squared_error"
    reg = fit(MLPRegressor(loss, (6,), max_iter=4, n_iter_no_change=np.inf), X, y)
    assert_same(back(reg, tmp_path / "reg.safetensors"), reg, X)


@pytest.mark.parametrize(
    "labels",
    [
        [False, True],
        [-3, 7, 9],
        np.array([1, 2, 3], np.int8),
        [0.0, 1.0],
        ["a", "bcd", "ü"],
        np.array(["x", "yz", "z"], object),
    ],
    ids=str,
)
def test_labels_of_every_kind_come_back(labels, data, fit, tmp_path):
    X = data("iris")[0]
    y = np.asarray(labels)[np.arange(len(X)) % len(labels)]
    clf = fit(MLPClassifier((), max_iter=2), X, y)
    loaded = back(clf, tmp_path / "clf.safetensors")
    assert loaded.classes_.dtype == clf.classes_.dtype
    assert loaded.predict(X).dtype == clf.predict(X).dtype
    np.testing.assert_array_equal(loaded.predict(X), clf.predict(X))


def test_names_of_features_and_sparse_labels_come_back(data, fit, tmp_path):
    X, y = data("multilabel")
    frame = pd.DataFrame(X, columns=[f"f{i}" for i in range(X.shape[1])])
    clf = fit(MLPClassifier((4,), max_iter=2), frame, sp.csr_matrix(y))
    loaded = back(clf, tmp_path / "clf.safetensors")
    np.testing.assert_array_equal(loaded.feature_names_in_, clf.feature_names_in_)
    assert (loaded.predict(frame) != clf.predict(frame)).nnz == 0


def test_training_goes_on_from_a_file(data, fit, tmp_path):
    X, y = data("iris")
    clf = fit(MLPClassifier((6,), max_iter=3, warm_start=True, random_state=0), X, y)
    loaded = back(clf, tmp_path / "clf.safetensors")
    for estimator in (clf, loaded):
        fit(estimator, X, y)
    assert loaded.loss_curve_ == clf.loss_curve_
    loaded.partial_fit(X, y)
    assert len(loaded.loss_curve_) == len(clf.loss_curve_) + 1


def test_a_random_state_is_not_kept(data, fit, tmp_path):
    clf = fit(MLPClassifier((3,), max_iter=1, random_state=np.random.RandomState(0)), *data("iris"))
    assert back(clf, tmp_path / "clf.safetensors").random_state is None


def test_what_cannot_be_saved_is_refused(data, fit, tmp_path):
    path = tmp_path / "clf.safetensors"
    with pytest.raises(NotFittedError):
        MLPClassifier().save(path)
    X, y = data("iris")
    years = np.array(["2001", "2002", "2003"], "M8[Y]")
    clf = MLPClassifier.from_network(MLP([4, 3], seed=0), classes=years)
    with pytest.raises(ValueError, match="classes must be text, numbers or booleans, got dtype"):
        clf.save(path)
    clf = fit(MLPClassifier((3,), max_iter=1), X, y).set_params(alpha=1j)
    with pytest.raises(ValueError, match=r"^the estimator cannot be saved: 1j is no text, number"):
        clf.save(path)
    assert not path.exists()


def changed(**changes):
    return lambda content: content.update(changes)


def inside(part, **changes):
    return lambda content: content[part].update(changes)


DAMAGE = {
    "another class": changed(estimator="MLPRegressor"),
    "no parameters": lambda content: content.pop("parameters"),
    "parameters that are none": changed(parameters=[]),
    "an unknown parameter": inside("parameters", colour=1),
    "a bad parameter": inside("parameters", alpha=-1),
    "another activation": inside("parameters", activation="tanh"),
    "a bad size": inside("parameters", hidden_layer_sizes="x"),
    "an unknown finding": inside("found", colour=1),
    "no findings": lambda content: content.pop("found"),
    "another output": changed(out_activation="logistic"),
    "few classes": changed(classes=[0, 1]),
    "classes twice": changed(classes=[0, 1, 1]),
    "classes that are none": changed(classes=7),
    "classes beyond their type": changed(classes=[0, 1, 2**70]),
    "a bad dtype": changed(dtype="x"),
    "a huge dtype": changed(dtype="<U1000000000"),
    "an object dtype": changed(dtype="|O"),
    "several labels": changed(several=True),
    "few names": changed(feature_names=["a"]),
    "names that are none": changed(feature_names=[1, 2, 3, 4]),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_file_is_checked_before_it_is_believed(damage, data, fit, tmp_path):
    path = tmp_path / "clf.safetensors"
    fit(MLPClassifier((3,), max_iter=1), *data("iris")).save(path)
    network, tensors, metadata = load_network(path)
    content = json.loads(metadata["estimator"])
    damage(content)
    save_network(path, network, tensors, {"estimator": json.dumps(content)})
    with pytest.raises(
        ModelFileError, match=f"^{re.escape(str(path))} is no MLPClassifier's file: "
    ):
        MLPClassifier.load(path)


def test_a_file_of_something_else_is_refused(data, fit, tmp_path):
    path = tmp_path / "clf.safetensors"
    clf = fit(MLPClassifier((3,), max_iter=1), *data("iris"))
    clf.network_.save(path)
    with pytest.raises(ModelFileError, match="is no MLPClassifier's file: it holds something else"):
        MLPClassifier.load(path)
    save_network(path, clf.network_, {}, {"estimator": "[" * 100_000})
    with pytest.raises(ModelFileError, match="is no MLPClassifier's file: "):
        MLPClassifier.load(path)
