"""An estimator in a file is restored as it was, and any other file is refused."""

import io
import json
import re

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.exceptions import NotFittedError

from fastmlp import MLP, MLPClassifier, MLPRegressor, ModelFileError
from fastmlp._core import load_network, save_network

FOUND = (
    *("n_iter_", "t_", "loss_", "best_loss_", "loss_curve_", "validation_scores_"),
    *("validation_loss_curve_", "best_iteration_", "staged_epochs_"),
)


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


@pytest.mark.parametrize("label", [7, "only", True, 1.0, np.longdouble(2)], ids=repr)
def test_a_classifier_that_saw_one_class_comes_back(label, data, fit, tmp_path):
    X = data("iris")[0]
    clf = fit(MLPClassifier((3,), max_iter=2), X, np.full(len(X), label))
    loaded = back(clf, tmp_path / "clf.safetensors")
    assert_same(loaded, clf, X)
    assert loaded.classes_.tolist() == [label]
    np.testing.assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    loaded.partial_fit(X, np.full(len(X), label))


def test_classes_that_no_float64_can_be_are_refused(data, fit, tmp_path):
    X = data("iris")[0]
    wide = np.longdouble(2**60) + 1
    if wide == np.float64(wide):
        pytest.skip("longdouble is float64 here")
    network = MLP([X.shape[1], 2], seed=0)
    clf = MLPClassifier.from_network(network, classes=np.array([1, wide]))
    with pytest.raises(
        ValueError, match=r"^the estimator cannot be saved: classes of dtype .*128 do"
    ):
        clf.save(tmp_path / "clf.safetensors")


def test_a_history_of_any_length_is_saved(data, fit, tmp_path):
    X, y = data("iris")
    clf = fit(MLPClassifier((2,), max_iter=1, early_stopping=True), X, y)
    clf.loss_curve_ = np.random.default_rng(0).random(200_000).tolist()
    clf.validation_scores_ = clf.validation_loss_curve_ = clf.loss_curve_[::-1]
    assert_same(back(clf, tmp_path / "clf.safetensors"), clf, X)


def test_any_number_of_names_of_features_is_saved(fit, tmp_path):
    names = [f"{'ü' * 40} {i}" for i in range(30_000)]
    frame = pd.DataFrame(np.zeros((3, len(names)), np.float32), columns=names)
    reg = fit(MLPRegressor("squared_error", (1,), max_iter=1), frame, [0.0, 1.0, 2.0])
    loaded = back(reg, tmp_path / "reg.safetensors")
    assert loaded.feature_names_in_.tolist() == names


def test_any_number_of_classes_is_saved(tmp_path):
    classes = np.array([f"{'x' * 90} {i:05}" for i in range(20_000)])
    clf = MLPClassifier.from_network(MLP([1, 20_000], seed=0), classes=classes)
    loaded = back(clf, tmp_path / "clf.safetensors")
    assert loaded.classes_.tolist() == classes.tolist()


def test_the_text_is_json_for_every_reader(tmp_path):
    """JSON has neither NaN nor infinity; a classifier that was not trained has an infinite loss."""
    clf = MLPClassifier.from_network(MLP([2, 3], seed=0), n_iter_no_change=np.inf)
    clf.loss_ = np.nan
    clf.save(tmp_path / "clf.safetensors")
    _, _, metadata = load_network(tmp_path / "clf.safetensors")

    def refuse(constant):
        raise AssertionError(constant)

    content = json.loads(metadata["estimator"], parse_constant=refuse)
    assert content["found"]["loss_"] == {"float": "nan"}
    assert content["found"]["best_loss_"] == {"float": "inf"}
    assert content["parameters"]["n_iter_no_change"] == {"float": "inf"}
    loaded = MLPClassifier.load(tmp_path / "clf.safetensors")
    assert np.isnan(loaded.loss_)
    assert (loaded.best_loss_, loaded.n_iter_no_change) == (np.inf, np.inf)


def first_layout(**changes):
    """The content that earlier versions wrote for a classifier of two features, three classes."""
    clf = MLPClassifier.from_network(MLP([2, 3], seed=0))
    found = {
        **{"n_iter_": 3, "t_": 9, "loss_": 0.5, "best_loss_": 0.5, "loss_curve_": [1, 0.75, 0.5]},
        **{"validation_scores_": None, "best_validation_score_": None, "_no_improvement_count": 0},
    }
    content = {
        **{"estimator": "MLPClassifier", "parameters": clf.get_params(), "found": found},
        **{"out_activation": "softmax", "feature_names": ["a", "b"], "classes": ["x", "y", "z"]},
        **{"dtype": "U", "several": False, "sparse": False},
    }
    return clf.network_, {}, {"estimator": json.dumps({**content, **changes})}


def test_a_file_of_the_first_layout_is_loaded(tmp_path):
    path = tmp_path / "clf.safetensors"
    save_network(path, *first_layout())
    loaded = MLPClassifier.load(path)

    assert loaded.loss_curve_ == [1.0, 0.75, 0.5]
    assert loaded.feature_names_in_.tolist() == ["a", "b"]
    assert loaded.classes_.tolist() == ["x", "y", "z"]
    assert_same(back(loaded, path), loaded, pd.DataFrame([[0.5, -0.5]], columns=["a", "b"]))


OLD_DAMAGE = {
    "a curve that is text": {"found": {"loss_curve_": "text"}},
    "a key more": {"colour": 1},
    "findings that are none": {"found": []},
    "few names": {"feature_names": ["a"]},
    "names that are none": {"feature_names": [1, 2]},
    "names that are text": {"feature_names": "ab"},
    "few classes": {"classes": ["x", "y"]},
    "classes twice": {"classes": ["x", "x", "y"]},
    "classes that are none": {"classes": 7},
    "numbers for text": {"classes": [0, 1, 2]},
    "text for numbers": {"dtype": "<i8"},
    "classes beyond their type": {"classes": [0, 1, 2**70], "dtype": "<i8"},
    "classes beyond a byte": {"classes": [0, 1, 300], "dtype": "|u1"},
    "a bad dtype": {"dtype": "x"},
    "a dtype that is none": {"dtype": []},
    "a huge dtype": {"dtype": "<U1000000000"},
    "several labels": {"several": True},
}


@pytest.mark.parametrize("changes", OLD_DAMAGE.values(), ids=OLD_DAMAGE)
def test_a_file_of_the_first_layout_is_checked(changes, tmp_path):
    path = tmp_path / "clf.safetensors"
    save_network(path, *first_layout(**changes))
    with pytest.raises(ModelFileError, match="is no MLPClassifier's file: "):
        MLPClassifier.load(path)


def test_two_layouts_in_one_file_are_refused(tmp_path):
    path = tmp_path / "clf.safetensors"
    network, _, metadata = first_layout()
    save_network(path, network, {"loss_curve_": np.zeros(3)}, metadata)
    with pytest.raises(ModelFileError, match=r"tensors must be \[\], got \['loss_curve_'\]$"):
        MLPClassifier.load(path)


def test_objects_and_bytes_hold_an_estimator(data, fit, tmp_path):
    X, y = data("iris")
    clf = fit(MLPClassifier((3,), max_iter=2), X, y)
    clf.save(tmp_path / "clf")
    file = io.BytesIO()
    clf.save(file)
    assert file.getvalue() == (tmp_path / "clf").read_bytes()
    file.seek(0)
    for source in (file, file.getvalue(), memoryview(file.getvalue())):
        assert_same(MLPClassifier.load(source), clf, X)
    with pytest.raises(ModelFileError, match=r"^<bytes> is no MLPRegressor's file: "):
        MLPRegressor.load(file.getvalue())


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
    with pytest.raises(
        ValueError, match=r"^the estimator cannot be saved: 1j is not text, a number"
    ):
        clf.save(path)
    clf.set_params(alpha=-1.0)
    with pytest.raises(
        ValueError, match=r"^the estimator cannot be saved: The 'alpha' parameter of"
    ):
        clf.save(path)
    clf.set_params(alpha=0.1, activation="step")
    with pytest.raises(ValueError, match=r"^the estimator cannot be saved: activation must be"):
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
    "sizes that are none": inside("parameters", hidden_layer_sizes=[-1]),
    "sizes that are an object": inside("parameters", hidden_layer_sizes={}),
    "an unknown finding": inside("found", colour=1),
    "a loss that is text": inside("found", loss_="x"),
    "a number that is negative": inside("found", n_iter_=-1),
    "a best loss that is none": inside("found", best_loss_=None),
    "no findings": lambda content: content.pop("found"),
    "another output": changed(out_activation="logistic"),
    "another layout": changed(layout=3),
    "a bad dtype": changed(dtype="x"),
    "a narrow dtype": changed(dtype="|b1"),
    "a huge dtype": changed(dtype="<U1000000000"),
    "an object dtype": changed(dtype="|O"),
    "several labels": changed(several=True),
    "sparse labels": changed(sparse=True),
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


def test_a_file_of_another_estimator_is_refused(data, fit, tmp_path):
    path = tmp_path / "clf.safetensors"
    fit(MLPClassifier((3,), max_iter=1), *data("iris")).save(path)
    message = r"is no MLPRegressor's file: its estimator is MLPClassifier$"
    with pytest.raises(ModelFileError, match=message):
        MLPRegressor.load(path)


def test_a_file_of_something_else_is_refused(data, fit, tmp_path):
    path = tmp_path / "clf.safetensors"
    clf = fit(MLPClassifier((3,), max_iter=1), *data("iris"))
    clf.network_.save(path)
    with pytest.raises(ModelFileError, match="is no MLPClassifier's file: it holds something else"):
        MLPClassifier.load(path)
    save_network(path, clf.network_, {}, {"estimator": "[" * 100_000})
    with pytest.raises(ModelFileError, match="is no MLPClassifier's file: "):
        MLPClassifier.load(path)
