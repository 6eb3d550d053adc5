"""An ensemble in one file."""

import io

import numpy as np
import pandas as pd
import pytest

from fastmlp import (
    EnsembleClassifier,
    EnsembleRegressor,
    MLPClassifier,
    MLPRegressor,
    ModelFileError,
)
from fastmlp._core import load_network, save_network
from fastmlp.ensembles.gaussian import gaussian_nll

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = {"hidden_layer_sizes": (6,), "max_iter": 4}


def stored(ensemble):
    file = io.BytesIO()
    ensemble.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    "ensemble",
    [
        EnsembleClassifier(MLPClassifier(**SMALL, class_weight={"a": 2.0}), 3, random_state=1),
        EnsembleClassifier(
            MLPClassifier((4, 4), max_iter=2, normalization="batch"), bootstrap=True
        ),
        EnsembleRegressor(MLPRegressor(**SMALL, early_stopping=True), 1, n_jobs=2),
        EnsembleRegressor(MLPRegressor(**SMALL), 2, gaussian_head=True, random_state=0),
    ],
    ids=["classifier", "bootstrap", "regressor", "gaussian head"],
)
def test_what_is_loaded_is_what_was_saved(ensemble, iris, tmp_path):
    X, y = iris
    frame = pd.DataFrame(X, columns=list("abcd"))
    is_classifier = isinstance(ensemble, EnsembleClassifier)
    ensemble.fit(frame, np.array(["a", "b", "c"])[y] if is_classifier else y)
    ensemble.save(tmp_path / "ensemble")
    loaded = type(ensemble).load(tmp_path / "ensemble")

    assert repr(loaded) == repr(ensemble)
    assert loaded.feature_names_in_.tolist() == list("abcd")
    assert loaded.n_features_in_ == 4
    if is_classifier:
        answers = [e.predict_proba(frame, return_std=True) for e in (loaded, ensemble)]
        np.testing.assert_array_equal(loaded.classes_, ensemble.classes_)
    else:
        answers = [e.predict(frame, return_std=True) for e in (loaded, ensemble)]
    np.testing.assert_array_equal(*answers)
    for member, other in zip(loaded.estimators_, ensemble.estimators_, strict=True):
        assert member.loss_curve_ == other.loss_curve_
        assert member.validation_scores_ == other.validation_scores_
        assert member.random_state == other.random_state
    assert stored(loaded) == stored(ensemble)


def test_a_loaded_gaussian_head_has_its_loss(iris):
    X, y = iris
    reg = EnsembleRegressor(MLPRegressor(**SMALL), 2, gaussian_head=True, random_state=0).fit(X, y)
    assert reg.estimators_[0].network_.loss_function is gaussian_nll
    loaded = EnsembleRegressor.load(stored(reg))
    for member in loaded.estimators_:
        assert member.loss is member.network_.loss_function is gaussian_nll
    # What is a parameter of the next fit says nothing of the last one.
    np.testing.assert_array_equal(
        EnsembleRegressor.load(stored(reg.set_params(gaussian_head=False))).predict(X),
        loaded.predict(X),
    )


def test_a_default_member_stays_the_default(iris):
    X, y = iris
    reg = EnsembleRegressor(n_estimators=1, random_state=0).fit(X[:20], y[:20])
    assert EnsembleRegressor.load(stored(reg)).estimator is None


def test_a_loss_that_is_a_function_cannot_be_saved(iris):
    def loss(y, raw):
        return np.square(raw[:, 0] - y), 2 * (raw - y[:, None])

    reg = EnsembleRegressor(MLPRegressor(loss, **SMALL), 2, random_state=0)
    reg.fit(*iris)
    with pytest.raises(ValueError, match=r"^the estimator cannot be saved: loss is a function"):
        reg.save(io.BytesIO())


def changed(content, change):
    network, tensors, metadata = load_network(content)
    tensors = {name: np.array(tensor) for name, tensor in tensors.items()}
    metadata = change(tensors, metadata["estimator"]) or metadata["estimator"]
    file = io.BytesIO()
    save_network(file, network, tensors, {"estimator": metadata})
    return file.getvalue()


def pop(name):
    return lambda tensors, text: tensors.pop(name) is None or None


def put(name, value):
    return lambda tensors, text: tensors.__setitem__(name, value)


def replace(old, new):
    def change(tensors, text):
        assert old in text
        return text.replace(old, new)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("networks", np.zeros((1, 3))), r"networks must be float64 of shape \(n, 51\), got"),
        (put("networks", np.full((1, 51), np.nan)), "networks must be finite"),
        (put("networks", np.zeros((2, 51))), "it holds 3 networks, and n_estimators is 2"),
        (pop("networks"), "networks"),
        (pop("members.utf8"), "it holds no members.utf8"),
        (pop("1.loss_curve_"), "it holds no loss_curve_"),
        (put("2.loss_curve_", np.zeros(2)), "tensors must be"),
        (put("1.classes", np.array([0, 1, 3])), "its members have different classes"),
        (replace('"layout": 1', '"layout": 2'), "its layout is 2, expected 1"),
        (replace('"bootstrap": false', '"bootstrap": 3'), "The 'bootstrap' parameter of"),
        (replace('"alpha": 0.0001', '"alpha": -1'), "The 'alpha' parameter of"),
        (replace('"n_estimators": 2', '"n_estimators": 2.0'), "The 'n_estimators' parameter of"),
        (replace('"n_jobs": null', '"n_job": null'), "n_job"),
    ],
)
def test_a_file_that_is_wrong_is_refused(change, message, iris):
    clf = EnsembleClassifier(MLPClassifier(**SMALL), 2, random_state=0).fit(*iris)
    content = stored(clf)
    assert EnsembleClassifier.load(content).n_estimators == 2
    with pytest.raises(ModelFileError, match=message):
        EnsembleClassifier.load(changed(content, change))
    with pytest.raises(ModelFileError, match=r"its estimator is EnsembleClassifier$"):
        EnsembleRegressor.load(content)
