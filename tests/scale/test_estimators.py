"""The estimators for Dask collections: parameters, training, predictions, scores."""

import copy
import pickle
import re
from inspect import signature

import dask.array as da
import numpy as np
import pytest
from distributed import Client
from scale.settings import MARKS, SETTINGS
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score, log_loss, r2_score
from sklearn.utils.class_weight import compute_class_weight

from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.dask import (
    DaskMLPClassifier,
    DaskMLPRegressor,
)
from fastmlp.losses import Quantile

pytestmark = MARKS


@pytest.mark.parametrize(
    ("ours", "local"), [(DaskMLPClassifier, MLPClassifier), (DaskMLPRegressor, MLPRegressor)]
)
def test_parameters_are_those_of_the_local_estimator_and_of_rounds(ours, local):
    theirs = signature(local).parameters
    own = {name: p.default for name, p in signature(ours).parameters.items() if name not in theirs}

    assert list(signature(ours).parameters)[: len(theirs)] == list(theirs)
    assert all(signature(ours).parameters[name] == p for name, p in theirs.items())
    assert own == {
        "sync_every": "auto",
        "n_shards": None,
        "outer_optimizer": "nesterov",
        "outer_lr": 1.0,
        "outer_momentum": 0.6,
        "standardize": False,
        "block_size": "128 MiB",
        "client": None,
    }
    assert set(ours().get_params()) == set(signature(ours).parameters)
    assert ours.__doc__.count("%(") == 0
    assert all(f"\n{name} : " in ours.__doc__ for name in own)
    assert is_classifier(ours()) == is_classifier(local())
    assert is_regressor(ours()) == is_regressor(local())


def test_arguments_by_place_are_those_of_the_local_estimator():
    assert DaskMLPClassifier((3,), "tanh", n_shards=2).activation == "tanh"
    assert DaskMLPRegressor("huber", (3,)).hidden_layer_sizes == (3,)
    with pytest.raises(TypeError, match=r"^got an unexpected keyword argument 'shards'$"):
        DaskMLPClassifier(shards=2)


def test_predictions_are_lazy_and_those_of_the_local_estimator(fitted, rows):
    clf, (dX, dy) = fitted
    X, y = rows
    local = clf.to_local()

    for name in ("predict", "predict_proba", "predict_log_proba"):
        lazy, expected = getattr(clf, name)(dX), getattr(local, name)(X)
        assert isinstance(lazy, da.Array)
        assert (lazy.shape, lazy.dtype) == (expected.shape, expected.dtype)
        assert lazy.chunks[0] == dX.chunks[0]
        found = lazy.compute()
        assert (found == expected).all()
        assert found.dtype == expected.dtype
    assert clf.score(dX, dy) == accuracy_score(y, local.predict(X)) > 0.5
    weights = np.linspace(0, 1, len(y))
    (weighted,) = (da.from_array(weights, chunks=120),)
    expected = accuracy_score(y, local.predict(X), sample_weight=weights)
    assert clf.score(dX, dy, weighted) == pytest.approx(expected)


def test_the_local_estimator_is_a_copy_that_knows_nothing_of_dask(fitted, rows):
    clf, (dX, _) = fitted
    X, _ = rows
    before = clf.predict_proba(dX).compute()

    local = clf.to_local()
    assert type(local) is MLPClassifier
    assert local.get_params() == {
        name: value for name, value in clf.get_params().items() if name in local.get_params()
    }
    local.coefs_[0][...] = 0
    assert (clf.predict_proba(dX).compute() == before).all()
    assert clf.classes_.tolist() == ["blue", "green", "red"]
    assert len(clf.loss_curve_) == clf.n_iter_ == 4
    assert clf.n_features_in_ == X.shape[1]


def test_pickles_and_clones(fitted, client):
    clf, (dX, _) = fitted
    clf.client = client
    loaded = pickle.loads(pickle.dumps(clf))
    cloned, copied = clone(clf), copy.copy(clf)

    assert loaded.client is None
    assert (loaded.predict(dX).compute() == clf.predict(dX).compute()).all()
    assert cloned.client is client
    assert cloned.get_params() == clf.get_params()
    assert not hasattr(cloned, "estimator_")
    assert (copied.predict(dX).compute() == clf.predict(dX).compute()).all()


def test_a_cluster_of_one_s_own_is_used(rows, cut):
    options = {"processes": False, "n_workers": 1, "dashboard_address": ":0"}
    with Client(**options, set_as_default=False) as own:
        data = cut(*rows, rows=300)
        with pytest.raises(ValueError, match=r"^No clients found"):
            DaskMLPClassifier(**SETTINGS).fit(*data)
        clf = DaskMLPClassifier(**SETTINGS, client=own).fit(*data)
        assert clf.score(*data) == clf.to_local().score(*rows)


@pytest.mark.parametrize("given", [False, True], ids=["held out", "given"])
def test_early_stopping_keeps_the_best_parameters(client, rows, cut, given):
    X, y = rows
    dX, dy = cut(X, y, rows=120)
    settings = SETTINGS | {"early_stopping": True, "max_iter": 12, "n_iter_no_change": 2}
    settings |= {"learning_rate_init": 1.0, "tol": 0.0}
    validation = {"X_val": dX[:240], "y_val": dy[:240]} if given else {}
    states = []

    clf = DaskMLPClassifier(
        **settings, callback=lambda info: states.append(info.estimator.network_.parameters.copy())
    ).fit(dX, dy, **validation)

    scores = clf.validation_scores_
    assert len(scores) == len(states) == clf.n_iter_
    assert clf.best_validation_score_ == max(scores)
    assert clf.best_iteration_ == 1 + scores.index(max(scores))
    assert (clf.network_.parameters == states[clf.best_iteration_ - 1]).all()
    if given:
        local = clf.to_local()
        assert max(scores) == accuracy_score(y[:240], local.predict(X[:240]))
        loss = clf.validation_loss_curve_[clf.best_iteration_ - 1]
        assert loss == pytest.approx(log_loss(y[:240], local.predict_proba(X[:240])), rel=1e-9)
        assert clf.t_ == clf.n_iter_ * len(X)
    else:
        assert clf.t_ == clf.n_iter_ * (len(X) - 60)


def test_a_regressor_is_scored_by_r_squared_over_all_partitions(client, rows, cut):
    X, _ = rows
    y = np.column_stack([X[:, 0] + 30, X[:, 1] * X[:, 2], np.full(len(X), 2.0)])
    w = np.linspace(0.1, 2, len(X))
    dX, dy, dw = cut(X, y, w, rows=120)

    reg = DaskMLPRegressor(**SETTINGS | {"learning_rate_init": 0.01}).fit(
        dX, dy, dw, X_val=dX, y_val=dy, sample_weight_val=dw
    )

    predicted = reg.to_local().predict(X)
    expected = r2_score(y, predicted, sample_weight=w)
    assert reg.validation_scores_[-1] == pytest.approx(expected, rel=1e-9)
    assert reg.score(dX, dy, dw) == pytest.approx(expected)
    halved = np.average(np.square(predicted - y).mean(axis=1), weights=w) / 2
    assert reg.validation_loss_curve_[-1] == pytest.approx(halved, rel=1e-9)
    assert reg.predict(dX).shape == y.shape


def test_several_quantiles_are_scored_as_in_memory(client, rows, cut):
    X, _ = rows
    dX, dy = cut(X, X[:, 0], rows=120)
    settings = SETTINGS | {"learning_rate_init": 0.01, "loss": Quantile([0.1, 0.5, 0.9])}
    reg = DaskMLPRegressor(**settings).fit(dX, dy)
    assert reg.predict(dX).shape == (len(X), 3)
    assert reg.score(dX, dy) == pytest.approx(reg.to_local().score(X, X[:, 0]))


def test_balanced_weights_are_those_of_all_rows(client, rows, cut):
    X, y = rows
    data = cut(X, y, rows=120)
    weights = compute_class_weight("balanced", classes=np.unique(y), y=y)
    explicit = dict(zip(np.unique(y), weights, strict=True))

    balanced = DaskMLPClassifier(**SETTINGS, class_weight="balanced").fit(*data)
    given = DaskMLPClassifier(**SETTINGS, class_weight=explicit).fit(*data)

    assert (balanced.network_.parameters == given.network_.parameters).all()
    assert balanced.class_weight == "balanced"


def test_several_labels(client, rows, cut):
    X, y = rows
    labels = np.column_stack([y == "red", X[:, 3] > 0]).astype(int)
    dX, dy = cut(X, labels, rows=120)

    clf = DaskMLPClassifier(**SETTINGS | {"max_iter": 10}, class_weight="balanced").fit(dX, dy)

    predicted = clf.predict(dX).compute()
    assert predicted.shape == labels.shape
    assert (predicted == labels).mean(axis=0).min() > 0.7
    with pytest.raises(ValueError, match=r"^y has 2 dimensions, expected an indicator of 0 and 1$"):
        clf.fit(dX, dy + 1)


BAD_PARAMETERS = [
    ({"sync_every": 0}, "The 'sync_every' parameter of DaskMLPClassifier must be"),
    ({"outer_momentum": 1.0}, "The 'outer_momentum' parameter of DaskMLPClassifier must be"),
    ({"alpha": -1.0}, "The 'alpha' parameter of MLPClassifier must be"),
    ({"solver": "lbfgs"}, "solver must be 'sgd', 'adam' or 'adamw' for rounds, got 'lbfgs'"),
    ({"block_size": "many"}, "block_size must be a number of bytes, or text such as '128 MiB'"),
    ({"n_shards": 6}, "n_shards is 6, expected at most 5, the partitions that have rows"),
    (
        {"early_stopping": True, "scoring": "f1_macro"},
        "scoring must be None, 'accuracy' or 'loss', which add up over partitions, got 'f1_macro'",
    ),
    (
        {"early_stopping": True, "validation_fraction": 0.001},
        "The validation set is too small. Increase 'validation_fraction'",
    ),
]


@pytest.mark.parametrize(("changed", "message"), BAD_PARAMETERS, ids=str)
def test_bad_parameters_are_refused(client, rows, cut, changed, message):
    clf = DaskMLPClassifier(**SETTINGS | changed)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        clf.fit(*cut(*rows, rows=120))
    assert not hasattr(clf, "estimator_")


def test_an_estimator_that_is_not_fitted_says_so(client, rows, cut):
    (dX,) = cut(rows[0], rows=120)
    message = "^This DaskMLPClassifier instance is not fitted yet. Call 'fit'"
    with pytest.raises(NotFittedError, match=message):
        DaskMLPClassifier().predict(dX)
    with pytest.raises(NotFittedError, match=message):
        DaskMLPClassifier().to_local()
    with pytest.raises(AttributeError, match=r"^'DaskMLPClassifier' object has no attribute"):
        _ = DaskMLPClassifier().classes_


def test_training_that_diverges_keeps_the_last_whole_epoch(client, rows, cut):
    X, _ = rows
    data = cut(X, X[:, 0], rows=120)
    settings = SETTINGS | {"n_shards": 2, "hidden_layer_sizes": ()}

    with pytest.raises(
        ValueError, match=r"Training diverged in epoch 1\. learning_rate_init=1e\+2"
    ):
        DaskMLPRegressor(**settings | {"learning_rate_init": 1e200}).fit(*data)
    reg = DaskMLPRegressor(**settings | {"learning_rate_init": 5.0, "max_iter": 100})
    with pytest.raises(
        ValueError, match=r"^Solver produced non-finite parameter weights"
    ) as caught:
        reg.fit(*data)
    message = str(caught.value)
    kept = int(re.search(r"the parameters after epoch (\d+);", message)[1])
    assert f"Training diverged in epoch {kept + 1}." in message
    assert len(reg.loss_curve_) == kept
    assert np.isfinite(reg.network_.parameters).all()
