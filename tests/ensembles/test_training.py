"""Members of ensembles, their means and their spread."""

import copy

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.metrics import d2_pinball_score, r2_score
from sklearn.utils._param_validation import InvalidParameterError

from fastmlp import EnsembleClassifier, EnsembleRegressor, MLPClassifier, MLPRegressor
from fastmlp.ensembles import base
from fastmlp.losses import Quantile

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL = {"hidden_layer_sizes": (6,), "max_iter": 10}


def classifier(**parameters):
    return EnsembleClassifier(MLPClassifier(**SMALL), 3, random_state=0, **parameters)


def regressor(**parameters):
    return EnsembleRegressor(MLPRegressor(**SMALL), 3, random_state=0, **parameters)


def test_a_member_is_a_classifier_with_a_seed_of_its_own(iris):
    X, y = iris
    weights = np.linspace(0, 1, len(y))
    clf = classifier().fit(X, y, weights)
    assert len({member.random_state for member in clf.estimators_}) == 3
    answers = []
    for member in clf.estimators_:
        alone = MLPClassifier(**SMALL, random_state=member.random_state).fit(X, y, weights)
        np.testing.assert_array_equal(alone.predict_proba(X), member.predict_proba(X))
        answers.append(alone.predict_proba(X))
    mean, std = clf.predict_proba(X, return_std=True)
    np.testing.assert_allclose(mean, np.mean(answers, axis=0), rtol=1e-12)
    np.testing.assert_allclose(std, np.std(answers, axis=0), rtol=1e-9)
    np.testing.assert_array_equal(clf.predict_proba(X), mean)
    np.testing.assert_array_equal(clf.predict(X), np.mean(answers, axis=0).argmax(axis=1))
    np.testing.assert_allclose(clf.predict_log_proba(X), np.log(mean))


def test_the_regressor_has_mean_and_standard_deviation(diabetes):
    X, y = diabetes
    both = np.column_stack([y, -y])
    for targets in (y, both):
        reg = regressor().fit(X, targets)
        answers = [member.predict(X) for member in reg.estimators_]
        mean, std = reg.predict(X, return_std=True)
        np.testing.assert_allclose(mean, np.mean(answers, axis=0), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(std, np.std(answers, axis=0), rtol=1e-7)
        assert mean.shape == std.shape == targets.shape
        assert reg.score(X, targets) == pytest.approx(r2_score(targets, mean))


@pytest.mark.parametrize("bootstrap", [False, True])
@pytest.mark.parametrize("kind", [classifier, regressor])
def test_the_number_of_threads_changes_no_bit(kind, bootstrap, iris):
    X, y = iris
    one, two = (kind(bootstrap=bootstrap, n_jobs=n_jobs).fit(X, y) for n_jobs in (None, 2))
    for member, other in zip(one.estimators_, two.estimators_, strict=True):
        np.testing.assert_array_equal(member.network_.parameters, other.network_.parameters)
    assert one.estimators_[0].loss_ != one.estimators_[1].loss_


def test_a_bootstrap_sample_has_as_many_rows_of_each_class_as_there_are(rng):
    # The classes are seen by their shares in an unpenalised network without features.
    y = np.repeat([0, 1, 2], [2, 30, 100])
    X = np.zeros((len(y), 1))
    member = MLPClassifier((), solver="lbfgs", alpha=0.0, max_iter=500, tol=1e-9)
    clf = EnsembleClassifier(member, 4, bootstrap=True, random_state=0).fit(X, y)
    for member in clf.estimators_:
        shares = member.predict_proba(X[:1])[0]
        np.testing.assert_allclose(shares, [2 / 132, 30 / 132, 100 / 132], rtol=1e-4)


def test_a_bootstrap_sample_repeats_rows_and_leaves_others_out(monkeypatch, diabetes):
    samples = []
    train = base.fit_many

    def seeing(*args, rows, **kwargs):
        samples.extend(rows)
        return train(*args, rows=rows, **kwargs)

    monkeypatch.setattr(base, "fit_many", seeing)
    X, y = diabetes
    regressor(bootstrap=True).fit(X, y)
    assert [sample.shape for sample in samples] == [y.shape] * 3
    # The mean and five standard deviations of the number of different rows; both limits for many
    # rows are those of an occupancy problem: 1 - 1/e and (1/e - 2/e**2)**0.5 = 0.312.
    n = len(y)
    for sample in samples:
        assert abs(len(set(sample)) - (1 - np.exp(-1)) * n) < 5 * 0.312 * n**0.5
    assert len({tuple(sample) for sample in samples}) == 3


def test_several_labels_and_sparse_data(iris, rng):
    X, _ = iris
    y = (X[:, :2] > 0).astype(int)
    member = MLPClassifier((8,), solver="lbfgs", max_iter=100)
    clf = EnsembleClassifier(member, 2, bootstrap=True, random_state=0).fit(csr_array(X), y)
    assert (clf.predict(X) == y).mean() > 0.9
    np.testing.assert_array_equal(clf.predict(X), (clf.predict_proba(X) > 0.5).astype(int))
    sparse = EnsembleClassifier(member, 2, random_state=0).fit(X, csr_array(y))
    assert (sparse.predict(X).toarray() == y).mean() > 0.9


def test_text_as_classes_and_one_class(iris):
    X, y = iris
    names = np.array(["a", "b", "c"])[y]
    clf = classifier().fit(X, names)
    assert clf.classes_.tolist() == ["a", "b", "c"]
    assert set(clf.predict(X)) <= set(names)
    single = classifier(bootstrap=True).fit(X, np.full(len(y), "x"))
    assert single.predict(X[:2]).tolist() == ["x", "x"]
    assert single.predict_proba(X[:2]).shape == (2, 1)


def test_quantiles_of_several_levels(diabetes):
    X, y = diabetes
    levels = [0.1, 0.9]
    reg = EnsembleRegressor(MLPRegressor(Quantile(levels), **SMALL), 2, random_state=0).fit(X, y)
    predicted = reg.predict(X)
    assert (predicted[:, 0] <= predicted[:, 1]).all()
    scores = [
        d2_pinball_score(y, column, alpha=level)
        for column, level in zip(predicted.T, levels, strict=True)
    ]
    assert reg.score(X, y) == pytest.approx(np.mean(scores))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_is_that_of_the_data_or_of_the_members(dtype, diabetes):
    X, y = diabetes
    reg = regressor().fit(X.astype(dtype), y)
    assert {member.network_.dtype for member in reg.estimators_} == {dtype}
    reg = regressor().set_params(estimator__dtype=dtype).fit(X, y)
    assert {member.network_.dtype for member in reg.estimators_} == {dtype}


def test_what_is_wrong_is_refused_before_anything_changes(iris):
    X, y = iris
    clf = classifier().fit(X, y)
    before = copy.copy(clf.__dict__)
    with pytest.raises(InvalidParameterError, match="'alpha' parameter of MLPClassifier"):
        clone(clf).set_params(estimator__alpha=-1).fit(X, y)
    with pytest.raises(InvalidParameterError, match="'estimator' parameter of EnsembleClassifier"):
        EnsembleClassifier(MLPRegressor()).fit(X, y)
    with pytest.raises(ValueError, match=r"^weight_decay=0\.1 is for solver 'adamw'"):
        clone(clf).set_params(estimator__weight_decay=0.1).fit(X, y)
    clf.set_params(estimator__solver="sgd", estimator__learning_rate_init=1e300)
    clf.set_params(estimator__batch_size=10)
    with pytest.raises(ValueError, match="diverged in epoch 1") as caught:
        clf.fit(X, y)
    assert isinstance(caught.value.__cause__, ExceptionGroup)
    assert clf.__dict__ == before
