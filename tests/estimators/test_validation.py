"""Rows for validation of the caller's, what is measured on them, and what decides about the end."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn
import torch
from sklearn.base import clone
from sklearn.metrics import accuracy_score, f1_score, make_scorer, r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from fastmlp import MLPClassifier, MLPRegressor

SMALL = {"hidden_layer_sizes": (8,), "max_iter": 6, "random_state": 0}
DATA = {
    "digits": MLPClassifier,
    "two digits": MLPClassifier,
    "multilabel": MLPClassifier,
    "diabetes": MLPRegressor,
    "several targets": MLPRegressor,
}


@pytest.fixture
def parts(data):
    """Rows to train on and others: (X, y, X_val, y_val) by name."""

    def call(name):
        X, X_val, y, y_val = train_test_split(*data(name), test_size=0.3, random_state=1)
        return X, y, X_val, y_val

    return call


def score_of(estimator, X, y, sample_weight=None):
    """scikit-learn's score: accuracy or R squared."""
    own = accuracy_score if isinstance(estimator, MLPClassifier) else r2_score
    return own(y, estimator.predict(X), sample_weight=sample_weight)


def loss_of(estimator, X, y, weight):
    """torch's loss of the network's sums, averaged over outputs as `loss_curve_` is."""
    sums = torch.from_numpy(np.float64(estimator.network_.forward(X)))
    weight = torch.from_numpy(np.float64(weight))
    if estimator.out_activation_ == "softmax":
        y = torch.from_numpy(np.searchsorted(estimator.classes_, y))
        losses = torch.nn.functional.cross_entropy(sums, y, reduction="none")
    elif estimator.out_activation_ == "logistic":
        y = y if y.ndim == 2 else (y == estimator.classes_[1])[:, None]
        yes = torch.from_numpy(np.float64(y))
        with_logits = torch.nn.functional.binary_cross_entropy_with_logits
        losses = with_logits(sums, yes, reduction="none").sum(axis=1)
    else:
        y = torch.from_numpy(np.float64(y.reshape(len(y), -1)))
        losses = torch.nn.functional.mse_loss(sums, y, reduction="none").mean(axis=1) / 2
    return float((weight * losses).sum() / weight.sum())


@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", DATA)
def test_score_and_loss_are_recorded_after_each_epoch(name, dtype, is_weighted, parts, fit, rng):
    X, y, X_val, y_val = parts(name)
    X, X_val = X.astype(dtype), X_val.astype(dtype)
    weight = rng.uniform(0.1, 2.0, len(X_val)) if is_weighted else None
    estimator = DATA[name](keep_every=1, **SMALL)
    fit(estimator, X, y, X_val=X_val, y_val=y_val, sample_weight_val=weight)
    plain = fit(DATA[name](**SMALL), X, y)
    # They take no part in training.
    np.testing.assert_array_equal(estimator.network_.parameters, plain.network_.parameters)
    assert estimator.best_loss_ == plain.best_loss_

    tolerance = 1e-12 if dtype == "float64" else 1e-5
    stage = pickle.loads(pickle.dumps(estimator))
    for i, (_, parameters) in enumerate(estimator._stages):
        stage.network_.parameters[:] = parameters
        loss = loss_of(stage, X_val, y_val, np.ones(len(X_val)) if weight is None else weight)
        score = score_of(stage, X_val, y_val, weight)
        assert estimator.validation_loss_curve_[i] == pytest.approx(loss, rel=tolerance)
        assert estimator.validation_scores_[i] == pytest.approx(score, rel=tolerance, abs=tolerance)
    scores = estimator.validation_scores_
    assert len(scores) == len(estimator.validation_loss_curve_) == estimator.n_iter_
    assert estimator.best_validation_score_ == max(scores)
    assert estimator.best_iteration_ == scores.index(max(scores)) + 1


@pytest.mark.parametrize("name", DATA)
def test_rows_that_are_kept_back_are_the_same_rows_given(name, data, fit):
    """With early stopping the caller's rows take the place of those that are split off."""
    X, y = data(name)
    early = SMALL | {"early_stopping": True, "validation_fraction": 0.2, "max_iter": 12}
    estimator = fit(DATA[name](**early), X, y)
    rows = held_rows(estimator, X, y)
    rest = np.setdiff1d(np.arange(len(X)), rows)
    measured = score_of(estimator, X[rows], y[rows])
    assert measured == pytest.approx(estimator.best_validation_score_, rel=1e-12)
    given = fit(DATA[name](**early), X[rest], y[rest], X_val=X[rows], y_val=y[rows])
    score = score_of(given, X[rows], y[rows])
    assert score == pytest.approx(max(given.validation_scores_), rel=1e-12)
    assert len(estimator.validation_loss_curve_) == estimator.n_iter_


def held_rows(estimator, X, y):
    """Rows that a fit keeps back, after the draws of its parameters."""
    random = np.random.RandomState(estimator.random_state)
    for weights, biases in zip(estimator.coefs_, estimator.intercepts_, strict=True):
        random.uniform(size=weights.shape)
        random.uniform(size=biases.shape)
    strata = None
    if isinstance(estimator, MLPClassifier) and estimator.n_outputs_ == 1:
        strata = (y == estimator.classes_[1]).astype(str)
    return train_test_split(
        np.arange(len(X)),
        random_state=random,
        test_size=estimator.validation_fraction,
        stratify=strata,
    )[1]


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_training_ends_where_the_score_does_not_rise_and_with_the_best(solver, parts, fit):
    X, y, X_val, y_val = parts("diabetes")
    reg = MLPRegressor(
        hidden_layer_sizes=(30,),
        solver=solver,
        learning_rate_init=0.01,
        early_stopping=True,
        n_iter_no_change=3,
        max_iter=400,
        tol=1e-4 if solver != "lbfgs" else 1e-9,
        random_state=0,
    )
    reg.fit(X, y, X_val=X_val, y_val=y_val)
    scores = np.array(reg.validation_scores_)
    assert reg.n_iter_ == len(scores) < 400
    # The last four failed to pass the best before each of them by tol, and none earlier in a row.
    before = np.maximum.accumulate(np.r_[-np.inf, scores])[:-1]
    failed = scores < before + reg.tol
    runs = [failed[i : i + 4].all() for i in range(len(scores) - 3)]
    assert runs == [False] * (len(runs) - 1) + [True]
    assert reg.best_loss_ is None
    assert reg.best_iteration_ < reg.n_iter_
    assert reg.score(X_val, y_val) == pytest.approx(scores.max(), rel=1e-9)
    assert reg.validation_loss_curve_[reg.best_iteration_ - 1] == pytest.approx(
        np.mean((reg.predict(X_val) - y_val) ** 2) / 2, rel=1e-9
    )


@pytest.mark.parametrize("name", ["digits", "several targets"])
def test_the_loss_may_decide(name, parts, fit):
    X, y, X_val, y_val = parts(name)
    estimator = DATA[name](scoring="loss", early_stopping=True, keep_every=1, **SMALL)
    fit(estimator, X, y, X_val=X_val, y_val=y_val)
    losses = estimator.validation_loss_curve_
    assert estimator.validation_scores_ == [-loss for loss in losses]
    assert estimator.best_iteration_ == losses.index(min(losses)) + 1
    _, best = estimator._stages[estimator.best_iteration_ - 1]
    np.testing.assert_array_equal(estimator.network_.parameters, best)


def macro(estimator, X, y, sample_weight=None):
    return f1_score(y, estimator.predict(X), average="macro", sample_weight=sample_weight)


@pytest.mark.parametrize("scoring", ["f1_macro", macro, make_scorer(f1_score, average="macro")])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_any_scorer_may_decide(scoring, is_weighted, parts, fit, rng):
    X, y, X_val, y_val = parts("digits")
    names = np.array(list("abcdefghij"))
    weight = rng.uniform(0.1, 2.0, len(X_val)) if is_weighted else None
    clf = MLPClassifier(scoring=scoring, early_stopping=True, **SMALL)
    fit(clf, X, names[y], X_val=X_val, y_val=names[y_val], sample_weight_val=weight)
    score = macro(clf, X_val, names[y_val], weight)
    assert score == clf.best_validation_score_ == max(clf.validation_scores_)
    held = MLPClassifier(scoring=scoring, early_stopping=True, **SMALL)
    fit(held, X, names[y], sample_weight=rng.uniform(0.1, 2.0, len(X)) if is_weighted else None)
    assert len(held.validation_scores_) == held.n_iter_


@pytest.mark.parametrize("name", ["multilabel", "several targets"])
def test_a_scorer_sees_all_outputs(name, parts, fit):
    X, y, X_val, y_val = parts(name)
    seen = []

    def scorer(estimator, X, y):
        seen.append((X.shape, y.shape))
        return score_of(estimator, X, y)

    named = fit(DATA[name](scoring=scorer, **SMALL), X, y, X_val=X_val, y_val=y_val)
    own = fit(DATA[name](**SMALL), X, y, X_val=X_val, y_val=y_val)
    np.testing.assert_allclose(named.validation_scores_, own.validation_scores_, rtol=1e-12)
    assert seen == [(X_val.shape, y_val.shape)] * named.n_iter_


@pytest.mark.parametrize("own", ["accuracy", None])
def test_accuracy_by_its_name_is_the_default(own, parts, fit):
    X, y, X_val, y_val = parts("digits")
    clf = fit(MLPClassifier(scoring=own, **SMALL), X, y, X_val=X_val, y_val=y_val)
    assert clf.validation_scores_[-1] == accuracy_score(y_val, clf.predict(X_val))


def test_after_one_class_the_score_is_1(data, fit):
    X = data("iris")[0]
    y = np.full(len(X), "only")
    clf = fit(MLPClassifier(early_stopping=True, **SMALL), X, y)
    assert set(clf.validation_scores_) == {1.0}


@pytest.mark.parametrize("layout", ["CSR", "pandas", "list"])
def test_validation_data_of_any_layout(layout, parts, fit):
    X, y, X_val, y_val = parts("digits")
    layouts = {
        "CSR": scipy.sparse.csr_matrix,
        "pandas": lambda X: pd.DataFrame(X, columns=[f"p{j}" for j in range(64)]),
        "list": np.ndarray.tolist,
    }
    clf = fit(MLPClassifier(**SMALL), X, y, X_val=X_val, y_val=y_val)
    same = fit(
        MLPClassifier(**SMALL),
        layouts[layout](X),
        y.tolist(),
        X_val=layouts[layout](X_val),
        y_val=y_val.tolist(),
        sample_weight_val=[1.0] * len(y_val),
    )
    np.testing.assert_allclose(same.validation_scores_, clf.validation_scores_, rtol=1e-12)


def test_rows_with_names_are_scored_without_a_warning(data, fit):
    X, y = data("iris")
    frame = pd.DataFrame(X, columns=list("abcd"))
    named = MLPClassifier(scoring="f1_macro", early_stopping=True, **SMALL)
    plain = MLPClassifier(scoring="f1_macro", early_stopping=True, **SMALL)
    fit(named, frame, y)
    assert named.validation_scores_ == fit(plain, X, y).validation_scores_
    fit(named, frame, y, X_val=frame, y_val=y)
    assert named.validation_scores_[-1] == macro(named, frame, y)


def test_a_warm_start_goes_on_with_the_record(parts, fit):
    X, y, X_val, y_val = parts("digits")
    val = {"X_val": X_val, "y_val": y_val}
    whole = fit(MLPClassifier(**SMALL | {"max_iter": 12}), X, y, **val)
    clf = MLPClassifier(warm_start=True, **SMALL)
    for _ in range(2):
        fit(clf, X, y, **val)
    assert clf.validation_scores_[:6] == whole.validation_scores_[:6]
    assert len(clf.validation_scores_) == len(clf.validation_loss_curve_) == 12
    fit(clf, X, y)
    assert clf.validation_scores_ is clf.validation_loss_curve_ is clf.best_iteration_ is None
    assert clf.best_validation_score_ is None


def test_a_pipeline_scales_validation_rows_too(parts, fit):
    X, y, X_val, y_val = parts("digits")
    scaler = StandardScaler().fit(X)
    expected = fit(
        MLPClassifier(**SMALL),
        scaler.transform(X),
        y,
        X_val=scaler.transform(X_val),
        y_val=y_val,
    )
    with sklearn.config_context(enable_metadata_routing=True):
        clf = MLPClassifier(**SMALL).set_fit_request(X_val=True, y_val=True)
        model = Pipeline([("scale", StandardScaler()), ("net", clf)], transform_input=["X_val"])
        fit(model, X, y, X_val=X_val, y_val=y_val)
    assert model["net"].validation_scores_ == expected.validation_scores_


def test_copies_keep_the_scoring(parts, fit, tmp_path):
    X, y, X_val, y_val = parts("digits")
    clf = MLPClassifier(scoring="f1_macro", early_stopping=True, **SMALL)
    for twin in (clone(clf), pickle.loads(pickle.dumps(clf))):
        fit(twin, X, y, X_val=X_val, y_val=y_val)
    clf = twin
    clf.save(tmp_path / "clf")
    loaded = MLPClassifier.load(tmp_path / "clf")
    for copy in (loaded, pickle.loads(pickle.dumps(clf))):
        assert copy.scoring == "f1_macro"
        assert copy.validation_scores_ == clf.validation_scores_
        assert copy.validation_loss_curve_ == clf.validation_loss_curve_
        assert copy.best_iteration_ == clf.best_iteration_
    clf.set_params(scoring=macro).save(tmp_path / "clf")
    assert MLPClassifier.load(tmp_path / "clf").scoring is None


WRONG = {
    "no y": (
        lambda X, y: {"X_val": X},
        "X_val is given without y_val, expected both or neither",
    ),
    "no X": (
        lambda X, y: {"y_val": y},
        "y_val is given without X_val, expected both or neither",
    ),
    "weights alone": (
        lambda X, y: {"sample_weight_val": np.ones(len(X))},
        "sample_weight_val is given without X_val and y_val",
    ),
    "a column less": (
        lambda X, y: {"X_val": X[:, 1:], "y_val": y},
        "X_val has 9 features, expected 10, as X has",
    ),
    "a row less": (lambda X, y: {"X_val": X[1:], "y_val": y}, "X_val has 132 rows, and y_val 133"),
    "NaN": (lambda X, y: {"X_val": X * np.nan, "y_val": y}, "Input X_val contains NaN."),
    "NaN in y": (lambda X, y: {"X_val": X, "y_val": y * np.nan}, "Input y_val contains NaN."),
    "two columns": (
        lambda X, y: {"X_val": X, "y_val": np.column_stack([y, y])},
        "y_val has shape (133, 2), expected (n,), as y has",
    ),
    "few weights": (
        lambda X, y: {"X_val": X, "y_val": y, "sample_weight_val": np.ones(3)},
        "sample_weight_val has shape (3,), expected (133,)",
    ),
    "negative weights": (
        lambda X, y: {"X_val": X, "y_val": y, "sample_weight_val": -np.ones(len(X))},
        "sample_weight_val must be >= 0, and not all 0",
    ),
    "no weight": (
        lambda X, y: {"X_val": X, "y_val": y, "sample_weight_val": np.zeros(len(X))},
        "sample_weight_val must be >= 0, and not all 0",
    ),
    "one row": (
        lambda X, y: {"X_val": X[:1], "y_val": y[:1]},
        "X_val has 1 row, expected 2 or more for R squared",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_refused(case, parts):
    X, y, X_val, y_val = parts("diabetes")
    arguments, message = WRONG[case]
    reg = MLPRegressor()
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        reg.fit(X, y, **arguments(X_val, y_val))
    assert vars(reg) == reg.get_params()


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("digits", lambda y: y + 5, "y_val has classes that y has not: [10 11 12 13 14]"),
        (
            "two digits",
            lambda y: np.full(len(y), "two"),
            "y_val has classes that y has not: ['two'",
        ),
        ("digits", lambda y: y[:, None] == range(10), "y_val has shape (108, 10), expected one cl"),
        ("multilabel", lambda y: y[:, :3], "y_val has shape (45, 3), expected (n, 5), as y has"),
        ("multilabel", lambda y: y[:, 0], "y_val has shape (45,), expected (n, 5), as y has"),
    ],
)
def test_classes_that_training_has_not_are_refused(name, change, message, parts):
    X, y, X_val, y_val = parts(name)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        MLPClassifier().fit(X, y, X_val=X_val, y_val=change(y_val))


def test_times_and_sparse_targets_are_refused(parts):
    X, y, X_val, y_val = parts("diabetes")
    times = y_val.astype("timedelta64[s]")
    with pytest.raises(TypeError, match=r"^y_val has dates or durations of dtype timedelta64\[s\]"):
        MLPRegressor().fit(X, y, X_val=X_val, y_val=times)
    with pytest.raises(TypeError, match=r"^y_val is of type csr_array, expected a dense array"):
        MLPRegressor().fit(X, y, X_val=X_val, y_val=scipy.sparse.csr_array(y_val[:, None]))


def test_an_unknown_scorer_and_one_that_fails_end_the_fit(parts):
    X, y, X_val, y_val = parts("diabetes")
    reg = MLPRegressor(scoring="charm")
    with pytest.raises(ValueError, match="'charm' is not a valid scoring value"):
        reg.fit(X, y, X_val=X_val, y_val=y_val)

    def fails(estimator, X, y):
        raise ZeroDivisionError("of the scorer's own")

    reg.set_params(scoring=fails)
    with pytest.raises(ZeroDivisionError, match="of the scorer's own"):
        reg.fit(X, y, X_val=X_val, y_val=y_val)
    assert vars(reg) == reg.get_params()


def test_scoring_without_rows_for_validation_changes_nothing(data, fit):
    X, y = data("diabetes")
    reg = fit(MLPRegressor(scoring="r2", **SMALL), X, y)
    assert reg.validation_scores_ is None
    assert reg.loss_curve_ == fit(MLPRegressor(**SMALL), X, y).loss_curve_
