"""Predictions by epochs that were kept are those of trainings that ended there."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import InvalidParameterError

from fastmlp import MLPClassifier, MLPRegressor, ModelFileError
from fastmlp._core import load_network, save_network

SMALL = {"hidden_layer_sizes": (6,), "max_iter": 5, "random_state": 0}
SOLVERS = ("adam", "sgd", "lbfgs")


@pytest.mark.parametrize("layout", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_each_epoch_predicts_as_a_shorter_training(solver, dtype, layout, data, fit):
    X, y = data("iris")
    X = layout(X.astype(dtype))
    clf = fit(MLPClassifier(solver=solver, keep_every=1, **SMALL), X, y)
    assert clf.staged_epochs_ == [1, 2, 3, 4, 5]
    staged, likely = list(clf.staged_predict(X)), list(clf.staged_predict_proba(X))
    for n in range(1, 6):
        shorter = fit(MLPClassifier(solver=solver, **SMALL | {"max_iter": n}), X, y)
        np.testing.assert_array_equal(staged[n - 1], shorter.predict(X))
        np.testing.assert_array_equal(likely[n - 1], shorter.predict_proba(X))
    np.testing.assert_array_equal(likely[-1], clf.predict_proba(X))


@pytest.mark.parametrize("name", ["diabetes", "several targets"])
def test_a_regressor_has_stages(name, data, fit):
    X, y = data(name)
    reg = fit(MLPRegressor(keep_every=2, **SMALL), X, y)
    assert reg.staged_epochs_ == [2, 4]
    shorter = fit(MLPRegressor(**SMALL | {"max_iter": 4}), X, y)
    *_, last = reg.staged_predict(X)
    np.testing.assert_array_equal(last, shorter.predict(X))
    assert not hasattr(reg, "staged_predict_proba")


def test_labels_are_predicted_as_predict_does(data, fit):
    X, y = data("multilabel")
    clf = fit(MLPClassifier(keep_every=1, **SMALL), X, scipy.sparse.csr_matrix(y))
    *_, last = clf.staged_predict(X)
    assert (last != clf.predict(X)).nnz == 0


def test_later_fits_go_on_counting(data, fit):
    X, y = data("iris")
    clf = MLPClassifier(keep_every=3, warm_start=True, **SMALL)
    for _ in range(3):
        fit(clf, X, y)
    assert clf.staged_epochs_ == [3, 6, 9, 12, 15]
    assert len(clf.loss_curve_) == 15
    fit(clf.set_params(warm_start=False), X, y)
    assert clf.staged_epochs_ == [3]
    for _ in range(4):
        clf.partial_fit(X, y)
    assert clf.staged_epochs_ == [3, 6, 9]
    *_, last = clf.staged_predict_proba(X)
    np.testing.assert_array_equal(last, clf.predict_proba(X))


def test_epochs_after_the_best_are_kept_too(data, fit):
    X, y = data("iris")
    early = SMALL | {"early_stopping": True, "max_iter": 30, "learning_rate_init": 0.05}
    clf = fit(MLPClassifier(keep_every=1, **early), X, y)
    assert clf.staged_epochs_ == list(range(1, clf.n_iter_ + 1))
    best = list(clf.staged_predict_proba(X))[clf.best_iteration_ - 1]
    np.testing.assert_array_equal(best, clf.predict_proba(X))


def test_what_is_asked_for_stays_as_it_is(data, fit):
    """A stage is no view of the network, and the network none of a stage."""
    X, y = data("iris")
    clf = fit(MLPClassifier(keep_every=1, **SMALL), X, y)
    expected, before = list(clf.staged_predict_proba(X)), clf.network_.parameters.copy()
    stages = clf.staged_predict_proba(X)
    next(stages)
    np.testing.assert_array_equal(clf.network_.parameters, before)
    clf.coefs_[0][...] = 0.0
    for ours, theirs in zip(stages, expected[1:], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_rows_are_checked_once(data, fit):
    X, y = data("iris")
    frame = pd.DataFrame(X, columns=list("abcd"))
    clf = fit(MLPClassifier(keep_every=1, **SMALL), frame, y)
    assert len(list(clf.staged_predict(frame))) == 5
    with pytest.raises(ValueError, match="feature names should match"):
        clf.staged_predict(frame.rename(columns={"a": "z"}))
    with pytest.raises(ValueError, match="contains NaN"):
        clf.staged_predict(frame * np.nan)


def test_without_epochs_that_are_kept_there_is_no_such_method(data, fit):
    clf = fit(MLPClassifier(**SMALL), *data("iris"))
    assert clf.staged_epochs_ == []
    assert not hasattr(clf, "staged_predict")
    with pytest.raises(AttributeError) as caught:
        clf.staged_predict_proba(None)
    assert str(caught.value.__cause__) == (
        "staged predictions are only available where keep_every says which epochs are kept: "
        "keep_every=1 keeps each"
    )
    with pytest.raises(NotFittedError):
        MLPClassifier(keep_every=1).staged_predict(None)
    with pytest.raises(InvalidParameterError, match="'keep_every' parameter of MLPClassifier"):
        MLPClassifier(keep_every=0).fit(*data("iris"))


def test_copies_and_files_keep_stages(data, fit, tmp_path):
    X, y = data("iris")
    clf = fit(MLPClassifier(keep_every=2, **SMALL), X, y)
    clf.save(tmp_path / "clf")
    for twin in (pickle.loads(pickle.dumps(clf)), MLPClassifier.load(tmp_path / "clf")):
        assert twin.staged_epochs_ == clf.staged_epochs_ == [2, 4]
        for ours, theirs in zip(twin.staged_predict(X), clf.staged_predict(X), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert not hasattr(clone(clf), "_stages")


DAMAGE = {
    "too short": (lambda t: {"stages": t["stages"][:1]}, "stages must be float64 of shape (2, 45)"),
    "single precision": (lambda t: {"stages": t["stages"].astype("f4")}, "stages must be float64"),
    "not finite": (lambda t: {"stages": t["stages"] * np.nan}, "stages must be finite"),
    "not rising": (lambda t: {"staged_epochs": t["staged_epochs"][::-1]}, "staged_epochs must ri"),
    "too late": (lambda t: {"staged_epochs": t["staged_epochs"] * 5}, "staged_epochs must rise"),
    "none": (lambda t: {"staged_epochs": t["staged_epochs"][:0]}, "stages must be float64 of sh"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_forged_stages_are_refused(case, data, fit, tmp_path):
    clf = fit(MLPClassifier(keep_every=2, **SMALL), *data("iris"))
    clf.save(tmp_path / "clf")
    network, tensors, metadata = load_network(tmp_path / "clf")
    change, message = DAMAGE[case]
    changed = {name: np.ascontiguousarray(tensor) for name, tensor in change(tensors).items()}
    save_network(tmp_path / "clf", network, tensors | changed, metadata)
    message = message.replace("45", str(network.n_parameters))
    with pytest.raises(ModelFileError, match=re.escape(message)):
        MLPClassifier.load(tmp_path / "clf")
