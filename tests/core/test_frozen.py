"""Layers that training leaves unchanged."""

import numpy as np
import pytest
from networks import LOSSES, NETWORKS, OPTIMIZERS, data, layer_of, network, with_loss

import fastmlp


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
