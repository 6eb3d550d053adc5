"""Rounds against a loop in plain Python, and against training in one process."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.dask import DaskMLPClassifier, DaskMLPRegressor, SmallFitWarning
from fastmlp.dask.plan import Plan
from fastmlp.dask.rounds import Outcome, Recipe, State, average, combine

pytestmark = [
    pytest.mark.timeout(600),  # workers start, and import much
    *(
        pytest.mark.filterwarnings(f"ignore::{kind.__module__}.{kind.__name__}")
        for kind in (SmallFitWarning, ConvergenceWarning)
    ),
]


def serial_loop(start, X, y, plan, optimizer, epochs, outer_lr, outer_momentum):
    """Train in rounds by a loop over shards: parameters, and the loss of each epoch."""
    per_partition = len(X) // sum(len(b.partitions) for blocks in plan.shards for b in blocks)
    places = np.arange(len(X)).reshape(-1, per_partition)
    x, velocity = start.parameters.copy(), np.zeros(start.n_parameters)
    inner, losses = optimizer.state_dict(), []
    for epoch in range(epochs):
        total = 0.0
        for pieces in plan.epoch(epoch):
            ends, states, sizes = [], [], []
            for piece in pieces:
                block = plan.shards[piece.shard][piece.block]
                chosen = piece.rows(block.n_rows, plan.batch_size, plan.seed, True)
                rows = np.concatenate([places[number] for number in block.partitions])[chosen]
                network = start.copy()
                network.parameters[:] = x
                optimizer.load_state_dict(inner)
                history = network.fit(
                    *(X[rows], y[rows], optimizer),
                    epochs=1,
                    batch_size=min(plan.batch_size, len(rows)),
                    seed=piece.seed(plan.seed),
                    alpha=1e-4,
                    report="scikit-learn",
                )
                ends.append(network.parameters.copy())
                states.append(optimizer.state_dict())
                sizes.append(len(rows))
                total += history.loss[0] * len(rows)
            shares = np.array(sizes) / sum(sizes)

            def mean_of(vectors, shares=shares, dtype=x.dtype):
                terms = zip(shares, vectors, strict=True)
                return sum(share * vector.astype("f8") for share, vector in terms).astype(dtype)

            inner = {key: mean_of([s[key] for s in states]) for key in states[0] if key != "step"}
            inner["step"] = max(s["step"] for s in states)
            mean = mean_of(ends)
            change = mean - x.astype("f8")
            velocity = outer_momentum * velocity + change
            x = (x + outer_lr * (change + outer_momentum * velocity)).astype(x.dtype)
            velocity = velocity.astype(x.dtype).astype("f8")
        losses.append(total / len(X))
    return x, losses


def beginning(estimator, classes):
    """Return the network that a fit starts from, and the seed that it draws next."""
    draft = estimator._draft()
    draft._encode(classes, fresh=True, incremental=False)
    network = draft._begin_network(6, "float32", fresh=True)
    return network, int(draft._random_state.randint(2**32, dtype=np.uint64))


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_rounds_on_a_cluster_are_those_of_a_serial_loop(client, rows, cut, solver):
    X, labels = rows[0].astype(np.float32), rows[1]
    classes, y = np.unique(labels, return_inverse=True)
    rate, epochs = (0.1 if solver == "sgd" else 0.01), 3
    clf = DaskMLPClassifier(
        (8,),
        solver=solver,
        learning_rate_init=rate,
        max_iter=epochs,
        batch_size=16,
        random_state=0,
        n_shards=3,
        sync_every=4,
        outer_lr=0.9,
        outer_momentum=0.5,
        block_size=240 * 6 * 4,
    ).fit(*cut(X, labels, rows=60))

    network, seed = beginning(MLPClassifier((8,), random_state=0), classes)
    plan = Plan.of(
        [60] * 10,
        n_shards=3,
        block_rows=240,
        batch_size=16,
        sync_every=4,
        seed=seed,
        shuffle=True,
    )
    optimizer = (
        fastmlp.SGD(rate, 0.9, nesterov=True, scaled_velocity=True)
        if solver == "sgd"
        else fastmlp.Adam(rate, epsilon_hat=True)
    )
    expected, losses = serial_loop(network, X, y, plan, optimizer, epochs, 0.9, 0.5)

    assert (clf.network_.parameters == expected).all()
    assert clf.loss_curve_ == pytest.approx(losses, rel=1e-12)
    assert (clf.n_shards_, clf.n_rounds_) == (3, plan.n_rounds)


SAME = [
    {"solver": "sgd", "learning_rate_init": 0.1},
    {"solver": "sgd", "learning_rate_init": 0.1, "learning_rate": "invscaling"},
    {"solver": "adam", "learning_rate_init": 0.01, "learning_rate": "cosine", "warmup": 0.2},
    {"solver": "adamw", "learning_rate_init": 0.01, "clip_norm": 0.3, "normalization": "layer"},
]


@pytest.mark.parametrize("settings", SAME, ids=str)
def test_one_shard_without_an_outer_step_trains_as_one_process(client, rows, cut, settings):
    settings = {
        "hidden_layer_sizes": (8,),
        "max_iter": 3,
        "batch_size": 100,
        "shuffle": False,
        "random_state": 0,
        **settings,
    }
    X, y = rows

    there = DaskMLPClassifier(**settings, n_shards=1, sync_every=1, outer_optimizer=None)
    there.fit(*cut(X, y, rows=200))
    here = MLPClassifier(**settings).fit(X, y)

    assert (there.network_.parameters == here.network_.parameters).all()
    assert there.loss_curve_ == pytest.approx(here.loss_curve_, rel=1e-12)
    assert there.n_rounds_ == len(X) // 100
    assert there.t_ == here.t_


def test_shards_that_meet_after_every_step_train_as_one_process_with_larger_batches(
    client, rows, cut
):
    X, labels = rows
    y = (labels == "red") + X[:, 3]
    settings = {
        "hidden_layer_sizes": (8,),
        "solver": "sgd",
        "learning_rate_init": 0.05,
        "max_iter": 2,
        "shuffle": False,
        "random_state": 0,
        "alpha": 0.0,
    }

    there = DaskMLPRegressor(
        **settings, batch_size=50, n_shards=3, sync_every=1, outer_optimizer=None
    ).fit(*cut(X, y, rows=200))
    # The first batch of each shard, then the second of each, ...
    order = np.arange(600).reshape(3, 4, 50).swapaxes(0, 1).ravel()
    here = MLPRegressor(**settings, batch_size=150).fit(X[order], y[order])

    np.testing.assert_allclose(there.network_.parameters, here.network_.parameters, rtol=1e-10)
    assert there.loss_curve_ == pytest.approx(here.loss_curve_, rel=1e-3)


def test_standardising_is_that_of_a_pipeline(client, rows, cut):
    X, y = rows
    X = X * [1, 100, 0.01, 5, 1e4, 1] + [0, 30, 1, -7, 1e4, 0]
    X[:, 5] = 2.5
    settings = {
        "hidden_layer_sizes": (8,),
        "max_iter": 3,
        "batch_size": 100,
        "shuffle": False,
        "random_state": 0,
    }

    there = DaskMLPClassifier(
        **settings, n_shards=1, sync_every=1, outer_optimizer=None, standardize=True
    )
    there.fit(*cut(X, y, rows=150))
    here = make_pipeline(StandardScaler(), MLPClassifier(**settings)).fit(X, y)

    np.testing.assert_allclose(
        there.to_local().predict_proba(X), here.predict_proba(X), rtol=1e-8, atol=1e-12
    )


def test_training_goes_on_from_a_network_with_folded_scaling(client, rows, cut):
    X, y = rows
    settings = {"hidden_layer_sizes": (8,), "random_state": 0, "standardize": True}
    data = cut(X * 50 + 20, y, rows=150)
    clf = DaskMLPClassifier(**settings, max_iter=4, n_shards=2, warm_start=True).fit(*data)
    before, losses = clf.network_, list(clf.loss_curve_)

    clf.fit(*data)

    assert clf.network_ is before
    assert clf.loss_curve_[: len(losses)] == losses
    assert clf.loss_curve_[len(losses)] < losses[-1] + 0.02 < losses[0]


def recipe_of(network, outer_lr=1.0, outer_momentum=0.6):
    optimizer = fastmlp.SGD(0.1)
    return Recipe(network, optimizer, 10, 0, True, outer_lr, outer_momentum, {})


def test_an_average_is_weighted_by_rows(rng):
    vectors = [rng.standard_normal(5).astype("f4") for _ in range(3)]
    outcomes = [
        Outcome(v, {"step": i, "m": 2 * v}, n, loss)
        for i, (v, n, loss) in enumerate(zip(vectors, [10, 30, 60], [1.0, 2.0, 4.0], strict=True))
    ]

    found = average(outcomes)

    expected = np.average(vectors, axis=0, weights=[10, 30, 60])
    np.testing.assert_allclose(found.parameters, expected, rtol=1e-6)
    np.testing.assert_allclose(found.optimizer["m"], 2 * expected, rtol=1e-6)
    assert found.parameters.dtype == np.float32
    assert (found.optimizer["step"], found.n_rows) == (2, 100)
    assert found.loss == pytest.approx(0.1 * 1 + 0.3 * 2 + 0.6 * 4)
    grouped = average([average(outcomes[:2]), outcomes[2]])
    np.testing.assert_allclose(grouped.parameters, found.parameters, rtol=1e-6)


def test_the_outer_step_is_torch_s_nesterov(rng):
    torch = pytest.importorskip("torch")
    network = fastmlp.MLP([3, 4, 2], dtype="float64", seed=0)
    state = State.first(network, fastmlp.SGD(0.1))
    parameter = torch.nn.Parameter(torch.from_numpy(network.parameters.copy()))
    peer = torch.optim.SGD([parameter], lr=0.7, momentum=0.9, nesterov=True)

    for _ in range(4):
        end = state.parameters + rng.standard_normal(network.n_parameters)
        parameter.grad = torch.from_numpy(state.parameters - end)
        peer.step()
        outcome = Outcome(end, {"step": 1}, 10, 0.0)
        state = combine(recipe_of(network, 0.7, 0.9), state, [outcome])
        np.testing.assert_allclose(state.parameters, parameter.detach().numpy(), rtol=1e-12)


def test_running_statistics_are_averages_without_momentum():
    network = fastmlp.MLP([3, 4, 2], normalization="batch", seed=0)
    variance = next(b.view for b in network.parameter_blocks if b.role == "variance")
    state = State.first(network, fastmlp.SGD(0.1))
    for value in (0.1, 1e-3, 1e-5):
        variance[...] = value
        outcome = Outcome(network.parameters.copy(), {"step": 1}, 10, 0.0)
        state = combine(recipe_of(network), state, [outcome])

    ended = network.copy()
    ended.parameters[:] = state.parameters
    found = next(b.view for b in ended.parameter_blocks if b.role == "variance")
    assert (found == np.float32(1e-5)).all()
