"""Copies, soft updates, and layers that training leaves unchanged."""

import copy
import gc
import pickle
import threading
import weakref

import numpy as np
import pytest

import fastmlp
from fastmlp import losses

ALL = {"normalization": "layer", "input_scale": True}
OPTIMIZERS = {
    "sgd": lambda **options: fastmlp.SGD(0.1, **options),
    "nesterov": lambda **options: fastmlp.SGD(0.1, momentum=0.9, nesterov=True, **options),
    "adam": lambda **options: fastmlp.Adam(0.01, **options),
    "adamw": lambda **options: fastmlp.AdamW(0.01, weight_decay=0.1, **options),
}
# One with a kernel of its own, one cut into chunks, one with stages, one that goes block by block.
NETWORKS = {
    "tiny": ([2, 20, 3], "relu", {}),
    "chunks": ([5, 17, 16, 4], "tanh", {}),
    "stages": ([5, 17, 16, 4], "prelu", ALL),
    "blocks": ([40, 200, 180, 5], "relu", {}),
}


def network(kind="stages", dtype="float64", seed=3, loss=None):
    sizes, activation, options = NETWORKS[kind]
    return fastmlp.MLP(sizes, activation, dtype=dtype, seed=seed, loss=loss, **options)


def data(mlp, n=300):
    rng = np.random.default_rng(6)
    X = rng.standard_normal((n, mlp.layer_sizes[0])).astype(mlp.dtype)
    return X, rng.integers(mlp.layer_sizes[-1], size=n)


def half_squared_error(y, raw):
    return 0.5 * ((raw - y) ** 2).sum(axis=1), raw - y


# Makers of losses for a number of outputs; the targets are positive numbers.
LOSSES = {
    "huber": lambda n: losses.Huber(0.7),
    "gamma": lambda n: losses.Gamma(),
    "quantiles": lambda n: losses.Quantile(np.linspace(0.1, 0.9, n)),
    "a function": lambda n: half_squared_error,
}


def with_loss(name, kind, dtype="float64"):
    """A network, and data for its loss."""
    mlp = network(kind, dtype, loss=LOSSES[name](NETWORKS[kind][0][-1]))
    X, _ = data(mlp)
    shape = len(X) if name == "quantiles" else (len(X), mlp.layer_sizes[-1])
    y = np.random.default_rng(9).uniform(0.1, 2, shape).astype(dtype)
    return mlp, X, y


def layer_of(mlp):
    """The layer that each parameter belongs to."""
    layers, n_dense = [], 0
    for block in mlp.parameter_blocks:
        n_dense += block.role == "weight"
        layers.append(np.full(block.view.size, max(n_dense - 1, 0)))
    return np.concatenate(layers)


COPIES = {
    "copy": lambda mlp: mlp.copy(),
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "pickle": lambda mlp: pickle.loads(pickle.dumps(mlp)),
}


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("kind", NETWORKS)
def test_a_copy_goes_on_as_the_original_and_apart_from_it(way, kind, dtype):
    mlp = network(kind, dtype)
    X, y = data(mlp)
    mlp.freeze(-2)
    mlp.fit(X, y, epochs=1, batch_size=50)

    twin = COPIES[way](mlp)

    assert repr(twin) == repr(mlp)
    assert twin.frozen == mlp.frozen == (len(mlp.weights) - 2,)
    assert not np.shares_memory(twin.parameters, mlp.parameters)
    np.testing.assert_array_equal(twin.parameters, mlp.parameters)
    before = mlp.parameters.copy()
    twin.fit(X, y, epochs=2, batch_size=50, dropout=0.2)
    np.testing.assert_array_equal(mlp.parameters, before)
    mlp.fit(X, y, epochs=2, batch_size=50, dropout=0.2)
    np.testing.assert_array_equal(twin.parameters, mlp.parameters)


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("name", LOSSES)
def test_a_copy_has_the_loss_of_the_original(way, name):
    mlp, X, y = with_loss(name, "stages")
    mlp.freeze(0)
    twin = COPIES[way](mlp)
    assert twin.loss_function == mlp.loss_function
    assert twin.frozen == (0,)
    mlp.fit(X, y, epochs=2)
    twin.fit(X, y, epochs=2)
    np.testing.assert_array_equal(twin.parameters, mlp.parameters)


class Holder:
    """A loss that holds networks which have it."""

    def __call__(self, y, raw):
        return half_squared_error(y, raw)


def test_the_garbage_collector_sees_the_function_of_every_copy():
    loss = Holder()
    mlp = network(loss=loss)
    loss.networks = [mlp, mlp.copy(), mlp.copy().copy()]
    X, _ = data(mlp, 5)
    y, seen = np.zeros((5, 4)), weakref.ref(loss)
    del loss

    gc.collect()
    assert mlp.loss(X, y) == seen().networks[2].loss(X, y)

    del mlp
    gc.collect()
    assert seen() is None


def test_a_loss_function_may_copy_its_network_but_not_change_it():
    messages = []

    def loss(y, raw):
        for call in (mlp.freeze, lambda: mlp.soft_update(other, 0.5)):
            with pytest.raises(RuntimeError) as caught:
                call()
            messages.append(str(caught.value))
        np.testing.assert_array_equal(mlp.copy().parameters, mlp.parameters)
        return half_squared_error(y, raw)

    mlp, other = network(loss=loss), network()
    mlp.loss_and_grad(data(mlp)[0], np.zeros((300, 4)))
    assert set(messages) == {
        "the network's loss function is at work in another call: wait for it to return"
    }
    assert mlp.frozen == ()


def test_a_copy_outlives_the_original(rng):
    mlp = network()
    X, twin, parameters = rng.standard_normal((9, 5)), mlp.copy(), mlp.parameters.copy()
    logits = mlp.forward(X)
    del mlp
    np.testing.assert_array_equal(twin.parameters, parameters)
    np.testing.assert_array_equal(twin.forward(X), logits)


@pytest.mark.parametrize("tau", [0.0, 0.005, 0.5, 0.999, 1.0])
def test_a_soft_update_is_the_weighted_mean(tau, dtype):
    target, online = network(dtype=dtype), network(dtype=dtype, seed=8)
    before, towards = target.parameters.copy(), online.parameters.copy()
    view = target.weights[0]

    assert target.soft_update(online, tau) is None

    truth = tau * towards.astype("float64") + (1 - tau) * before.astype("float64")
    np.testing.assert_allclose(
        target.parameters, truth, rtol=0, atol=np.finfo(dtype).eps * np.abs(truth).max()
    )
    np.testing.assert_array_equal(online.parameters, towards)
    assert np.shares_memory(view, target.parameters)
    if tau == 1:
        assert target.parameters.tobytes() == towards.tobytes()


def test_a_hard_update_leaves_nothing_behind_that_is_not_finite():
    target, online = network(), network(seed=8)
    target.parameters[:5] = np.nan, np.inf, -np.inf, 1e308, -0.0
    target.soft_update(online, 1)
    assert target.parameters.tobytes() == online.parameters.tobytes()


def test_a_network_may_be_updated_towards_itself():
    mlp = network()
    before = mlp.parameters.copy()
    mlp.soft_update(mlp, 0.3)
    np.testing.assert_allclose(mlp.parameters, before, rtol=1e-15)


def test_what_does_not_shape_the_parameters_does_not_matter():
    ours = fastmlp.MLP([3, 5, 2], "relu", output="identity", seed=0)
    theirs = fastmlp.MLP([3, 5, 2], "tanh", output="softmax", seed=1)
    ours.soft_update(theirs, 1.0)
    np.testing.assert_array_equal(ours.parameters, theirs.parameters)


HERE = "expected one with the layers [3, 5, 2] and 32 parameters of this one"
REFUSED = {
    "sizes": (
        (fastmlp.MLP([3, 4, 2]), 0.5),
        ValueError,
        f"other is a network with layers [3, 4, 2] and 26 parameters, {HERE}",
    ),
    "stages": (
        (fastmlp.MLP([3, 5, 2], normalization="layer"), 0.5),
        ValueError,
        f"other is a network with layers [3, 5, 2] and 42 parameters, {HERE}",
    ),
    "dtype": (
        (fastmlp.MLP([3, 5, 2], dtype="float64"), 0.5),
        TypeError,
        "other has dtype float64, expected float32",
    ),
    "an array": (
        (np.zeros(32), 0.5),
        TypeError,
        "other is of type ndarray, expected an MLP",
    ),
    "text": (
        (fastmlp.MLP([3, 5, 2]), "half"),
        TypeError,
        "tau is of type str, expected a number",
    ),
    "above 1": (
        (fastmlp.MLP([3, 5, 2]), 1.5),
        ValueError,
        "tau is 1.5, expected a number from 0 to 1",
    ),
    "below 0": (
        (fastmlp.MLP([3, 5, 2]), -0.1),
        ValueError,
        "tau is -0.1, expected a number from 0 to 1",
    ),
    "NaN": (
        (fastmlp.MLP([3, 5, 2]), float("nan")),
        ValueError,
        "tau is NaN, expected a number from 0 to 1",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_soft_update_that_is_refused_changes_nothing(case):
    arguments, error, message = REFUSED[case]
    mlp = fastmlp.MLP([3, 5, 2], seed=0)
    before = mlp.parameters.copy()
    with pytest.raises(error) as caught:
        mlp.soft_update(*arguments)
    assert str(caught.value) == message
    np.testing.assert_array_equal(mlp.parameters, before)


def test_networks_may_be_updated_towards_each_other_at_once():
    networks = [fastmlp.MLP([50, 300, 10], seed=seed) for seed in (0, 1)]
    refused = []

    def work(mine, other):
        for _ in range(300):
            try:
                mine.soft_update(other, 0.1)
            except RuntimeError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=work, args=pair) for pair in (networks, networks[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(refused) <= {"the network is being trained by another call: wait for it to return"}


def frozen_sets(mlp):
    n = len(mlp.weights)
    return [(0,), (n - 1,), tuple(range(n - 1)), tuple(range(1, n)), tuple(range(n))]


def test_layers_have_their_numbers():
    mlp = network()
    assert np.unique(layer_of(mlp), return_counts=True)[1].tolist() == [
        5 + 5 * 17 + 4 * 17,
        17 * 16 + 4 * 16,
        16 * 4 + 4,
    ]


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("kind", NETWORKS)
def test_training_leaves_frozen_layers_as_they_are(name, kind, dtype):
    X, y = data(network(kind, dtype))
    for frozen in frozen_sets(network(kind, dtype)):
        mlp, optimizer = network(kind, dtype), OPTIMIZERS[name](clip_norm=1.0)
        is_frozen = np.isin(layer_of(mlp), frozen)
        start = mlp.parameters.copy()

        mlp.freeze(frozen)
        mlp.fit(X, y, optimizer, epochs=2, batch_size=100, alpha=0.1, dropout=0.1)
        mlp.step(X, y, optimizer)
        optimizer.step(mlp, np.full(mlp.n_parameters, 0.1, dtype))

        assert mlp.frozen == frozen
        assert mlp.parameters[is_frozen].tobytes() == start[is_frozen].tobytes()
        assert (mlp.parameters == start)[~is_frozen].sum() <= 0.1 * (~is_frozen).sum()
        for key, vector in optimizer.state_dict().items():
            assert key == "step" or (vector[is_frozen] == 0).all()


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("n", [1, 40, 3000])
def test_the_gradient_of_a_frozen_layer_is_0_and_that_of_others_what_it_was(
    kind, n, dropout, dtype, assert_agrees
):
    mlp = network(kind, dtype)
    X, y = data(mlp, n)
    options = {"dropout": dropout, "seed": 1, "alpha": 0.3}
    loss, gradient = mlp.loss_and_grad(X, y, **options)
    d_output = mlp.predict_proba(X)
    pulled_back, d_X = mlp.backward(X, d_output)
    for frozen in frozen_sets(mlp):
        is_frozen = np.isin(layer_of(mlp), frozen)
        mlp.freeze(frozen)

        frozen_loss, frozen_gradient = mlp.loss_and_grad(X, y, **options)
        of_backward, d_X_of_backward = mlp.backward(X, d_output)

        assert frozen_loss == loss
        assert (frozen_gradient[is_frozen] == 0).all()
        assert (of_backward[is_frozen] == 0).all()
        np.testing.assert_array_equal(frozen_gradient[~is_frozen], gradient[~is_frozen])
        np.testing.assert_array_equal(of_backward[~is_frozen], pulled_back[~is_frozen])
        np.testing.assert_array_equal(d_X_of_backward, d_X)
        mlp.unfreeze()
    np.testing.assert_array_equal(mlp.loss_and_grad(X, y, **options)[1], gradient)


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("name", LOSSES)
def test_the_gradient_of_every_loss_is_0_for_a_frozen_layer(name, kind, dtype):
    mlp, X, y = with_loss(name, kind, dtype)
    options = {"dropout": 0.3, "input_dropout": 0.1, "seed": 1, "alpha": 0.3, "n_jobs": 2}
    loss, gradient = mlp.loss_and_grad(X, y, **options)
    for frozen in frozen_sets(mlp):
        is_frozen = np.isin(layer_of(mlp), frozen)
        mlp.freeze(frozen)
        frozen_loss, frozen_gradient = mlp.loss_and_grad(X, y, **options)
        assert frozen_loss == loss
        assert (frozen_gradient[is_frozen] == 0).all()
        np.testing.assert_array_equal(frozen_gradient[~is_frozen], gradient[~is_frozen])
        start = mlp.parameters.copy()
        mlp.fit(X, y, epochs=1, batch_size=100, dropout=0.1)
        assert mlp.parameters[is_frozen].tobytes() == start[is_frozen].tobytes()
        mlp.parameters[:] = start
        mlp.unfreeze()


@pytest.mark.parametrize("kind", NETWORKS)
def test_bits_do_not_depend_on_threads(kind, dtype):
    def trained(n_jobs):
        mlp = network(kind, dtype)
        mlp.freeze(0)
        mlp.fit(*data(mlp, 2000), fastmlp.Adam(), epochs=2, batch_size=700, n_jobs=n_jobs)
        return mlp.parameters.tobytes()

    assert trained(1) == trained(2) == trained(3)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_along_a_gradient_ignores_what_it_says_of_frozen_layers(name, dtype):
    gradient = np.random.default_rng(7).standard_normal(network().n_parameters).astype(dtype)
    (mlp, optimizer), (other, of_other) = (
        (network(dtype=dtype), OPTIMIZERS[name](clip_norm=0.5)) for _ in range(2)
    )
    mlp.freeze(1)
    other.freeze(1)
    changed = gradient.copy()
    changed[layer_of(mlp) == 1] = 1e30
    copied = changed.copy()
    for _ in range(3):
        optimizer.step(mlp, gradient)
        of_other.step(other, changed)
    np.testing.assert_array_equal(mlp.parameters, other.parameters)
    np.testing.assert_array_equal(changed, copied)


def test_unfrozen_layers_are_trained_again(dtype):
    mlp, adam = network(dtype=dtype), fastmlp.Adam(0.01)
    X, y = data(mlp)
    mlp.freeze()
    assert mlp.frozen == (0, 1, 2)
    mlp.unfreeze([-1, 0])
    assert mlp.frozen == (1,)
    mlp.fit(X, y, adam, epochs=3)
    mlp.unfreeze(1)
    assert mlp.frozen == ()
    start = mlp.parameters.copy()
    mlp.step(X, y, adam)
    assert (mlp.parameters != start).all()


def test_to_freeze_again_adds_layers():
    mlp = network()
    assert mlp.frozen == ()
    mlp.freeze(-1)
    mlp.freeze(np.array([0, 2]))
    mlp.freeze(())
    assert mlp.frozen == (0, 2)
    mlp.freeze(np.int64(1))
    assert mlp.frozen == (0, 1, 2)


def test_a_callback_may_unfreeze_layers_for_the_next_epoch():
    mlp = network()
    mlp.freeze([0, 1])
    seen = []

    def callback(epoch):
        seen.append(mlp.parameters.copy())
        if epoch.epoch == 2:
            mlp.unfreeze()

    start = mlp.parameters.copy()
    mlp.fit(*data(mlp), epochs=3, callback=callback)
    first = layer_of(mlp) < 2
    np.testing.assert_array_equal(seen[1][first], start[first])
    assert (seen[2] != seen[1])[first].mean() > 0.9


def test_writes_and_soft_updates_change_frozen_layers():
    mlp, other = network(), network(seed=8)
    mlp.freeze()
    mlp.soft_update(other, 1.0)
    np.testing.assert_array_equal(mlp.parameters, other.parameters)
    mlp.parameters[:] = 0
    assert not mlp.parameters.any()


def test_a_file_keeps_what_is_frozen(tmp_path, dtype):
    mlp = network(dtype=dtype)
    mlp.save(tmp_path / "trained")
    mlp.freeze([0, 2])
    mlp.save(tmp_path / "frozen")

    assert fastmlp.MLP.load(tmp_path / "frozen").frozen == (0, 2)
    assert fastmlp.MLP.load(tmp_path / "trained").frozen == ()
    assert b"frozen" not in (tmp_path / "trained").read_bytes()


def test_a_checkpoint_goes_on_with_what_is_frozen(tmp_path):
    from fastmlp.checkpoint import Checkpoint

    def checkpoint():
        mlp = network()
        mlp.freeze(0)
        return Checkpoint(mlp, fastmlp.Adam(), seed=0)

    X, y = data(network())
    whole = checkpoint()
    whole.fit(X, y, epochs=6, batch_size=100)
    checkpoint().fit(X, y, epochs=3, batch_size=100, path=tmp_path / "training")
    resumed = Checkpoint.load(tmp_path / "training")
    resumed.fit(X, y, epochs=6, batch_size=100)
    np.testing.assert_array_equal(resumed.network.parameters, whole.network.parameters)


OF_TWO = "expected an integer from -2 to 1: the network has 2 layers"


@pytest.mark.parametrize("method", ["freeze", "unfreeze"])
@pytest.mark.parametrize(
    ("layers", "error", "message"),
    [
        (2, ValueError, f"layers is 2, {OF_TWO}"),
        ([0, -3], ValueError, f"layers is -3, {OF_TWO}"),
        (0.0, TypeError, "layers is of type float, expected None, an integer or a sequence of in"),
        ([0, "1"], TypeError, "layers is of type str, expected an integer"),
    ],
)
def test_layers_that_are_none_are_refused(method, layers, error, message):
    mlp = fastmlp.MLP([3, 4, 2])
    mlp.freeze(1)
    with pytest.raises(error) as caught:
        getattr(mlp, method)(layers)
    assert str(caught.value).startswith(message)
    assert mlp.frozen == (1,)
