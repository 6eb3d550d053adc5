"""An estimator in a file comes back as it was, and what is no such file is refused."""

import copy
import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from fastmlp import MLP, MLPClassifier, ModelFileError, TabularClassifier, TabularRegressor
from fastmlp._core import load_network, save_network
from fastmlp.losses import Poisson, Quantile, SquaredError

NOTE = [f"note {row}" for row in range(120)]


def back(estimator):
    file = io.BytesIO()
    estimator.save(file)
    loaded = type(estimator).load(file.getvalue())
    again = io.BytesIO()
    loaded.save(again)
    assert again.getvalue() == file.getvalue()
    return loaded


def assert_same(loaded, estimator, X):
    assert str(loaded.get_params()) == str(estimator.get_params())
    for name in ("n_iter_", "n_features_in_", "loss_curves_", "validation_scores_"):
        assert getattr(loaded, name) == getattr(estimator, name), name
    np.testing.assert_array_equal(loaded.predict(X), estimator.predict(X))
    assert loaded.predict(X).dtype == estimator.predict(X).dtype


@pytest.mark.parametrize("n_members", [1, 3])
@pytest.mark.parametrize("n_rows", [60, 120])
def test_estimators_come_back(n_members, n_rows, quick, table, kinds, prices):
    X = table[:n_rows]
    clf = quick("classifier", n_members=n_members).fit(X, kinds[:n_rows])
    loaded = back(clf)
    assert_same(loaded, clf, table)
    np.testing.assert_array_equal(loaded.predict_proba(table), clf.predict_proba(table))
    np.testing.assert_array_equal(loaded.feature_names_in_, clf.feature_names_in_)
    reg = quick("regressor", n_members=n_members).fit(X, prices[:n_rows])
    assert_same(back(reg), reg, table)
    both = quick("regressor").fit(X, np.column_stack([prices, prices])[:n_rows])
    assert_same(back(both), both, table)


@pytest.mark.parametrize(("series", "key"), [(pd.Series, "data"), (pl.Series, "values")])
def test_the_name_of_the_target_comes_back(quick, table, kinds, prices, series, key):
    for kind, y in (("classifier", np.array(kinds)), ("regressor", np.array(prices))):
        estimator = quick(kind).fit(table, series(name="prix, €", **{key: y}))
        assert estimator.target_name_ == "prix, €"
        assert back(estimator).target_name_ == "prix, €"
        estimator.fit(table, y)
        assert estimator.target_name_ is None
        assert back(estimator).target_name_ is None
    assert quick("classifier").fit(table, pd.Series(kinds, name=3)).target_name_ is None


def test_columns_of_every_fate_come_back(quick, prices, warned):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "note": NOTE,
            "constant": 1.0,
            "codes": [f"{code}" for code in rng.exponential(9, 120).astype(int)],
            "bins": rng.integers(0, 3, 120),
            "gaps": np.where(rng.random(120) < 0.5, np.nan, 7.0),
            "nothing": None,
        }
    )
    reg, _ = warned(quick("regressor").fit, table, prices)
    assert_same(back(reg), reg, table)


def test_an_array_without_names_comes_back(quick, frames, kinds):
    clf = quick("classifier").fit(frames["array"], kinds)
    loaded = back(clf)
    assert not hasattr(loaded, "feature_names_in_")
    assert_same(loaded, clf, frames["array"])


@pytest.mark.parametrize(
    "labels",
    [[False, True], [-3, 7, 9], np.array([1, 2], np.int8), [0.0, 1.0], ["a", "ü"]],
    ids=str,
)
@pytest.mark.parametrize("class_weight", [None, "balanced", "dict"])
def test_labels_and_their_weights_come_back(labels, class_weight, quick, table):
    labels = np.asarray(labels)
    y = labels[np.arange(len(table)) % len(labels)]
    weights = {labels.tolist()[0]: 2.0} if class_weight == "dict" else class_weight
    clf = quick("classifier", class_weight=weights).fit(table, y)
    loaded = back(clf)
    assert_same(loaded, clf, table)
    assert loaded.class_weight == weights
    assert loaded.classes_.dtype == clf.classes_.dtype


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"categorical_features": np.array([True] + [False] * 8)}, [True] + [False] * 8),
        ({"categorical_features": ["rooms", "size"]}, ["rooms", "size"]),
        ({"hidden_layer_sizes": np.array([3, 2])}, (3, 2)),
        ({"hidden_layer_sizes": []}, ()),
        ({"hidden_layer_sizes": "3x2"}, "3x2"),
        ({"random_state": np.random.RandomState(0)}, None),
        ({"max_time": np.float32(60.0)}, 60.0),
        ({"scoring": "neg_mean_absolute_error"}, "neg_mean_absolute_error"),
        ({"scoring": lambda *_: 1.0}, None),
        ({"learning_rate": "linear"}, "linear"),
    ],
    ids=str,
)
def test_parameters_come_back_as_plain_values(given, expected, quick, table, prices):
    reg = quick("regressor", **given).fit(table, prices)
    (name,) = given
    assert getattr(back(reg), name) == expected


def test_a_parameter_that_is_out_of_range_is_not_saved(quick, table, prices):
    reg = quick("regressor").fit(table, prices).set_params(dropout=2)
    message = "^the estimator cannot be saved: The 'dropout' parameter of TabularRegressor must be"
    with pytest.raises(ValueError, match=message):
        reg.save(io.BytesIO())


def test_files_of_others_are_refused(quick, table, kinds, prices, tmp_path):
    path = tmp_path / "model.safetensors"
    quick("regressor").fit(table, prices).save(path)
    message = f"^{re.escape(str(path))} is no TabularClassifier's file: its estimator is "
    with pytest.raises(ModelFileError, match=message):
        TabularClassifier.load(path)
    MLPClassifier((3,), solver="lbfgs").fit(np.eye(4), [0, 1, 0, 1]).save(path)
    with pytest.raises(ModelFileError, match=message):
        TabularClassifier.load(path)
    MLP([2, 3]).save(path)
    message = f"^{re.escape(str(path))} is no TabularRegressor's file: it holds something else$"
    with pytest.raises(ModelFileError, match=message):
        TabularRegressor.load(path)


@pytest.fixture(scope="module")
def contents(quick, table, kinds, prices):
    """What files of both kinds hold: (class, network, tensors, text)."""
    rows = table.head(40)
    estimators = (
        quick("classifier", n_members=2, class_weight={"fair": 2.0}).fit(rows, kinds[:40]),
        quick("regressor", n_members=2).fit(rows, prices[:40]),
        quick("regressor", n_members=2, loss=Quantile([0.2, 0.8])).fit(rows, prices[:40]),
        # Enough rows for a network with periodic features.
        quick("regressor", n_members=2).fit(table, prices),
    )
    found = []
    for estimator in estimators:
        file = io.BytesIO()
        estimator.save(file)
        network, tensors, metadata = load_network(file.getvalue())
        found.append((type(estimator), network, tensors, json.loads(metadata["estimator"])))
    return found


def assert_sound_or_refused(cls, network, tensors, content, table):
    """Load it: it is refused, or it is an estimator that predicts and can be saved."""
    file = io.BytesIO()
    save_network(file, network, tensors, {"estimator": json.dumps(content)})
    try:
        loaded = cls.load(file.getvalue())
    except ModelFileError:
        return False
    loaded.save(io.BytesIO())
    answer = loaded.predict(pd.DataFrame(table, columns=loaded.feature_names_in_))
    assert len(answer) == len(table)
    if cls is TabularRegressor:
        assert np.isfinite(answer).all()
    assert all(type(loss) is float for curve in loaded.loss_curves_ for loss in curve)
    assert repr(loaded)
    return True


ODD = [None, True, -1, 0, 10**30, 0.5, "x", "", [], [1], ["a"], {}, {"a": 1}, "best", "<i8"]
ARRAYS = [
    *(np.zeros(0), np.zeros(1), np.ones(3), np.ones((2, 2)), np.array(1.0), np.full(9, np.nan)),
    *(np.ones(3, np.float32), np.arange(3), np.array([-1, 0, 1]), np.array([0, 9])),
    *(np.array([2**63 - 1, -(2**63)]), np.arange(9, dtype=np.uint8), np.zeros(0, np.int64)),
    *(np.full(4, 255, np.uint8), np.zeros(0, np.uint8), np.ones(9, np.uint8)),
    *(np.full((4, 1), np.inf), np.ones((4, 1)), np.array([[0.0], [-1.0], [0.0], [1.0]])),
]


def test_every_forged_tensor_is_sound_or_refused(contents, table):
    for cls, network, tensors, content in contents:
        outcomes = [0, 0]
        for name in [*tensors, "colour"]:
            for odd in [*ARRAYS, None]:
                other = {key: value for key, value in tensors.items() if key != name}
                if odd is not None:
                    other[name] = odd
                sound = assert_sound_or_refused(cls, network, other, content, table)
                assert not (sound and name == "colour" and odd is not None)
                outcomes[sound] += 1
        assert outcomes[0] > 200


def test_every_forged_text_is_sound_or_refused(contents, table):
    for cls, network, tensors, content in contents:
        outcomes = [0, 0]
        for place in [(key,) for key in content] + [
            ("parameters", key) for key in content["parameters"]
        ]:
            for odd in ODD:
                other = copy.deepcopy(content)
                inside = other if len(place) == 1 else other["parameters"]
                inside[place[-1]] = odd
                outcomes[assert_sound_or_refused(cls, network, tensors, other, table)] += 1
            del inside[place[-1]]
            # An earlier version may not have had the parameter.
            sound = assert_sound_or_refused(cls, network, tensors, other, table)
            assert sound == (place[0] == "parameters" and len(place) == 2)
        assert min(outcomes) > 20


def test_another_network_is_sound_or_refused(contents, table):
    for cls, network, tensors, content in contents[:2]:
        n_inputs, *_, n_outputs = network.layer_sizes
        for sizes in ([n_inputs, n_outputs], [n_inputs + 1, 8, n_outputs], [n_inputs, 8, 9]):
            for output in ("softmax", "identity", "exp"):
                other = MLP(sizes, output=output, dtype=network.dtype, seed=0)
                tensors = {**tensors, "networks": np.zeros((1, other.n_parameters))}
                sound = assert_sound_or_refused(cls, other, tensors, content, table)
                assert sound == (sizes == [n_inputs, n_outputs] and output in cls._outputs)


@pytest.mark.parametrize(
    ("n_outputs", "loss", "is_sound"),
    [
        (2, Quantile([0.1, 0.9]), True),
        (3, Quantile([0.1, 0.5, 0.9]), True),
        (2, SquaredError(), False),
        (1, SquaredError(), True),
        (2, Poisson(), False),
    ],
    ids=str,
)
def test_the_loss_of_a_network_says_how_many_targets_there_are(
    n_outputs, loss, is_sound, contents, table
):
    cls, network, tensors, content = contents[2]
    other = MLP([network.layer_sizes[0], n_outputs], loss=loss, dtype=network.dtype, seed=0)
    tensors = {**tensors, "networks": np.zeros((1, other.n_parameters))}
    assert assert_sound_or_refused(cls, other, tensors, content, table) == is_sound


@pytest.mark.parametrize(
    ("name", "are_periodic"),
    [("regressor", [False] * 3), ("periodic_regressor", [False, False, True])],
)
def test_a_file_of_an_earlier_version_answers_as_ever(name, are_periodic):
    """There were no networks with periodic features, and then ones that read ranks alone."""
    folder = Path(__file__).parent / "golden"
    expected = json.loads((folder / f"{name}.json").read_text())
    reg = TabularRegressor.load(folder / f"{name}.safetensors")
    found = reg.predict(pd.DataFrame(expected["rows"]))
    np.testing.assert_allclose(found, expected["predictions"], rtol=1e-4)
    assert [network.parametric_activation for network in reg.networks_] == are_periodic
    assert_same(back(reg), reg, pd.DataFrame(expected["rows"]))


@pytest.mark.parametrize("hidden_layer_sizes", [(3,), None])
def test_networks_of_both_kinds_come_back_in_their_order(hidden_layer_sizes, quick, table, prices):
    given = {"n_members": 4, "max_iter": 2, "hidden_layer_sizes": hidden_layer_sizes}
    reg = quick("regressor", **given).fit(table, prices)
    loaded = back(reg)
    for ours, theirs in zip(reg.networks_, loaded.networks_, strict=True):
        assert repr(ours) == repr(theirs)
        np.testing.assert_array_equal(ours.parameters, theirs.parameters)
    kinds = [network.parametric_activation for network in loaded.networks_]
    assert kinds == [False, True, True, True]


def test_networks_with_periodic_features_alone_come_back(quick, table, prices):
    reg = quick("regressor", n_members=4, max_iter=2).fit(table, prices)
    for name in ("networks_", "loss_curves_", "validation_scores_"):
        setattr(reg, name, getattr(reg, name)[1:])
    assert_same(back(reg), reg, table)
