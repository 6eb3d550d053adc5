"""Changed parameters take effect at the next call; unchanged ones keep the course of training."""

import copy
import pickle

import numpy as np
import pytest
import sklearn.ensemble
from sklearn.base import clone
from sklearn.model_selection import train_test_split

from fastmlp import MLPClassifier, MLPRegressor

SMALL = {"hidden_layer_sizes": (6,), "random_state": 0}
GENERATORS = {
    "Generator": lambda: np.random.default_rng(0),
    "RandomState": lambda: np.random.RandomState(0),
    "RandomState with PCG64": lambda: np.random.RandomState(np.random.PCG64(0)),
}


@pytest.fixture
def trained(data):
    """Make a regressor of these parameters after some calls of `partial_fit`."""
    X, y = data("diabetes")

    def make(**parameters):
        reg = MLPRegressor(**SMALL | parameters)
        for _ in range(3):
            reg.partial_fit(X, y)
        return reg

    return make


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_new_learning_rate_counts_at_the_next_partial_fit(solver, trained, data):
    reg = trained(solver=solver)
    before = reg.network_.parameters.copy()
    reg.set_params(learning_rate_init=1e-12, momentum=0.0).partial_fit(*data("diabetes"))
    assert reg._optimizer.learning_rate == 1e-12
    assert np.abs(reg.network_.parameters - before).max() < 1e-9


CHANGES = [
    ("adam", {"learning_rate_init": 0.01}),
    ("adam", {"beta_1": 0.5}),
    ("adam", {"beta_2": 0.5}),
    ("adam", {"epsilon": 0.1}),
    ("sgd", {"learning_rate_init": 0.01}),
    ("sgd", {"momentum": 0.5}),
    ("sgd", {"momentum": 0.0}),
    ("sgd", {"nesterovs_momentum": False}),
]


@pytest.mark.parametrize(("solver", "change"), CHANGES, ids=str)
def test_a_change_is_that_of_the_optimizer_with_the_same_state(solver, change, trained, data):
    X, y = data("diabetes")
    reg = trained(solver=solver)
    network, state = copy.copy(reg.network_), reg._optimizer.state_dict()
    reg.set_params(**change).partial_fit(X, y)

    optimizer = reg._make_optimizer()
    if solver == "adam" or reg.momentum > 0:
        optimizer.load_state_dict(state)
    random = np.random.RandomState(0)
    network.fit(X, y, optimizer, epochs=1, batch_size=200, seed=random, alpha=reg.alpha)
    np.testing.assert_array_equal(reg.network_.parameters, network.parameters)


@pytest.mark.parametrize("change", [{"alpha": 100.0}, {"batch_size": 7}, {"solver": "sgd"}])
def test_other_changes_count_too(change, trained, data):
    changed, same = (trained() for _ in range(2))
    changed.set_params(**change).partial_fit(*data("diabetes"))
    same.partial_fit(*data("diabetes"))
    assert not np.array_equal(changed.network_.parameters, same.network_.parameters)


def test_the_rate_of_invscaling_follows_from_its_parameters(trained, data):
    reg = trained(solver="sgd", learning_rate="invscaling")
    for change in ({"learning_rate_init": 0.5}, {"power_t": 0.25}):
        reg.set_params(**change)
        t = reg.t_
        seen = reg._next_optimizer(incremental=True).learning_rate
        assert seen == reg.learning_rate_init / (t + 1) ** reg.power_t


def test_a_rate_that_adaptive_made_smaller_stays_until_its_parameter_changes(trained, data):
    X, y = data("diabetes")
    reg = trained(solver="sgd", learning_rate="adaptive", tol=1e9, n_iter_no_change=1)
    for _ in range(3):
        reg.partial_fit(X, y)
    small = reg._optimizer.learning_rate
    assert small < 0.001
    reg.set_params(tol=0.0, n_iter_no_change=1000, momentum=0.5).partial_fit(X, y)
    assert reg._optimizer.learning_rate == small
    reg.set_params(learning_rate="constant").partial_fit(X, y)
    assert reg._optimizer.learning_rate == 0.001


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize(
    "change", [{"solver": "newton"}, {"learning_rate_init": -1.0}, {"beta_1": 2.0, "momentum": 2.0}]
)
def test_a_change_out_of_range_is_refused(solver, change, trained, data):
    reg = trained(solver=solver)
    before = reg.network_.parameters.copy()
    with pytest.raises(ValueError, match=r"solver|learning_rate|beta_1|momentum"):
        reg.set_params(**change).partial_fit(*data("diabetes"))
    np.testing.assert_array_equal(reg.network_.parameters, before)


def test_lbfgs_leaves_no_moments_to_the_solver_after_it(trained, data, fit):
    X, y = data("diabetes")
    reg = trained(warm_start=True)
    fit(reg.set_params(solver="lbfgs", max_iter=3), X, y)
    reg.set_params(solver="adam").partial_fit(X, y)
    assert reg._optimizer.state_dict()["step"] == 3


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("make", GENERATORS.values(), ids=GENERATORS)
def test_a_generator_is_a_random_state(early_stopping, make, data, fit):
    X, y = data("iris")
    parameters = {"max_iter": 3, "early_stopping": early_stopping}

    def course(generator):
        clf = MLPClassifier((5,), random_state=generator, **parameters)
        return [fit(clf, X, y).loss_curve_ for _ in range(2)]

    first, second = course(make())
    assert first != second  # it continues where the first fit left it
    assert course(make()) == [first, second]


def test_a_generator_is_cloned_and_pickled_with_its_state(data, fit):
    X, y = data("iris")
    clf = MLPClassifier((5,), max_iter=3, random_state=np.random.default_rng(3))
    twins = [clone(clf), pickle.loads(pickle.dumps(clf)), copy.deepcopy(clf)]
    expected = fit(clf, X, y).loss_curve_
    for twin in twins:
        assert twin.random_state is not clf.random_state
        assert fit(twin, X, y).loss_curve_ == expected


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_validation_rows_that_weigh_nothing_are_exchanged(kind, data, fit):
    X, y = data("iris")
    parameters = {"early_stopping": True, "max_iter": 5, "random_state": 0}
    parameters["hidden_layer_sizes"] = (5,)
    plain = fit(kind(**parameters), X, y)
    X_val = plain_split(plain, X, y)
    # Exactly the rows that the split holds out.
    weights = 1.0 - (X[:, None] == X_val).all(axis=2).any(axis=1)
    assert 0 < np.count_nonzero(weights == 0) < 60

    clf = fit(kind(**parameters), X, y, sample_weight=weights)

    assert len(clf.validation_scores_) == clf.n_iter_
    assert np.isfinite(clf.validation_scores_).all()


def plain_split(estimator, X, y):
    """Split as a fit does, after the draws of its parameters."""
    random = np.random.RandomState(0)
    for shape in [(4, 5), 5, (5, estimator.n_outputs_), estimator.n_outputs_]:
        random.uniform(size=shape)
    return train_test_split(X, y, random_state=random, test_size=0.1)[1]


def test_too_few_rows_of_weight_say_what_to_do(data):
    X, y = data("iris")
    weights = np.zeros(len(X))
    weights[:3] = 1.0
    clf = MLPClassifier(early_stopping=True, validation_fraction=0.02, random_state=0)
    with pytest.raises(
        ValueError, match=r"^The validation set is too small\. Increase 'validation_"
    ):
        clf.fit(X, y, sample_weight=weights)


@pytest.mark.parametrize("n", [20, 60])
def test_a_bagging_may_stop_early(n, data):
    X, y = data("iris")
    rows = np.random.default_rng(0).permutation(len(X))[:n]
    member = MLPClassifier((4,), early_stopping=True, max_iter=3, validation_fraction=0.2)
    bag = sklearn.ensemble.BaggingClassifier(member, n_estimators=30, random_state=0)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        bag.fit(X[rows], y[rows])
    assert bag.predict_proba(X).shape == (150, 3)
    np.testing.assert_allclose(bag.predict_proba(X).sum(axis=1), 1.0, rtol=1e-9)
