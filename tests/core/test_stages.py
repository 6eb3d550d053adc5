"""Stages beyond dense layers: their initial values, and what they share with all networks."""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp

import fastmlp

ALL = {"normalization": "layer", "input_scale": True}
PERIODIC = ALL | {"periodic_inputs": 2}
PARAMETRIC = ALL | {"activation": ("mish", "relu"), "parametric_activation": True}
OPTIONS = pytest.mark.parametrize(
    "options", [ALL, PERIODIC, PARAMETRIC], ids=["all", "periodic", "parametric"]
)


def small(dtype="float64", **options):
    options = {"activation": ("prelu", "relu")} | ALL | options
    mlp = fastmlp.MLP([3, 5, 4, 2], dtype=dtype, seed=3, **options)
    rng = np.random.default_rng(4)
    mlp.parameters[...] += 0.1 * rng.standard_normal(mlp.n_parameters).astype(dtype)
    return mlp


def test_blocks_are_named_and_start_as_documented():
    mlp = fastmlp.MLP([3, 5, 4, 2], ("prelu", "relu"), seed=0, **ALL)

    found = [(block.stage, block.kind, block.role, block.shape) for block in mlp.parameter_blocks]

    assert found == [
        (0, "input_scale", "scale", (3,)),
        (1, "dense", "weight", (3, 5)),
        (1, "dense", "bias", (5,)),
        (2, "layer_norm", "gain", (5,)),
        (2, "layer_norm", "shift", (5,)),
        (3, "prelu", "slope", (5,)),
        (4, "dense", "weight", (5, 4)),
        (4, "dense", "bias", (4,)),
        (5, "layer_norm", "gain", (4,)),
        (5, "layer_norm", "shift", (4,)),
        (6, "dense", "weight", (4, 2)),
        (6, "dense", "bias", (2,)),
    ]
    first = {"scale": 1.0, "bias": 0.0, "gain": 1.0, "shift": 0.0, "slope": 0.25}
    for block in mlp.parameter_blocks:
        if block.role != "weight":
            assert (block.view == first[block.role]).all(), block
    assert repr(mlp.parameter_blocks[1]) == (
        "ParameterBlock(stage=1, kind='dense', role='weight', shape=(3, 5))"
    )


def test_periodic_features_are_named_and_come_first():
    mlp = fastmlp.MLP([3, 5, 2], seed=0, **PERIODIC)

    found = [(block.kind, block.role, block.shape) for block in mlp.parameter_blocks[:6]]

    assert found == [
        ("periodic", "frequency", (2, 16)),
        ("periodic", "phase", (2, 16)),
        ("periodic", "projection", (2, 48)),
        ("periodic", "offset", (2, 3)),
        ("input_scale", "scale", (9,)),
        ("dense", "weight", (9, 5)),
    ]
    assert (mlp.layer_sizes, mlp.periodic_inputs) == ((3, 5, 2), 2)
    assert fastmlp.MLP([3, 5, 2]).periodic_inputs == 0


def test_a_parametric_activation_begins_as_the_activation(dtype, rng):
    X = rng.standard_normal((9, 3)).astype(dtype)
    mlp = fastmlp.MLP([3, 6, 5, 2], "gelu", dtype=dtype, seed=0, parametric_activation=True)
    plain = fastmlp.MLP([3, 6, 5, 2], "gelu", dtype=dtype, seed=0)

    found = [(block.kind, block.role, block.shape) for block in mlp.parameter_blocks]

    assert found[1:4] == [
        ("dense", "bias", (6,)),
        ("parametric", "alpha", (6,)),
        ("dense", "weight", (6, 5)),
    ]
    assert (mlp.parametric_activation, plain.parametric_activation) == (True, False)
    np.testing.assert_allclose(mlp.forward(X), plain.forward(X), rtol=1e-5, atol=1e-6)
    for block in mlp.parameter_blocks:
        if block.role == "alpha":
            assert (block.view == 1).all()
            block.view[...] = 0
    (U, V, W), (a, b, c) = mlp.weights, mlp.biases
    linear = ((X @ U + a) @ V + b) @ W + c
    np.testing.assert_allclose(mlp.forward(X), linear, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("epochs", [1, 40])
def test_frozen_layers_keep_their_nonlinearity(epochs, rng):
    X, y = rng.standard_normal((50, 3)), rng.integers(2, size=50)
    mlp = small(**PARAMETRIC)
    before = {block.stage: block.view.copy() for block in mlp.parameter_blocks}
    mlp.freeze(0)

    mlp.fit(X, y, fastmlp.Adam(0.01), epochs=epochs, seed=2)

    first, second = (block for block in mlp.parameter_blocks if block.role == "alpha")
    np.testing.assert_array_equal(first.view, before[first.stage])
    assert (second.view != before[second.stage]).all()


def test_derivatives_reach_inputs_through_periodic_features(dtype, rng, assert_agrees):
    mlp = small(dtype, **PERIODIC)
    X = rng.standard_normal((20, 3)).astype(dtype)
    d_output = rng.standard_normal((20, 2)).astype(dtype)

    jacobian, vjp = mlp.input_gradients(X, of="logits"), mlp.input_vjp(X, d_output)

    wide = small("float64", **PERIODIC)
    wide.parameters[...] = mlp.parameters
    moved = np.repeat(X.astype("float64")[None], 3, axis=0)
    step = 1e-6 * np.eye(3)[:, None]
    pairs = zip(moved + step, moved - step, strict=True)
    differences = [wide.forward(above) - wide.forward(below) for above, below in pairs]
    expected = np.moveaxis(np.stack(differences), 0, 2) / 2e-6
    tolerance = 1e-7 if dtype == "float64" else 1e-4
    np.testing.assert_allclose(jacobian, expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(
        vjp, np.einsum("noi,no->ni", jacobian, d_output), rtol=1e-4, atol=1e-5
    )


def test_blocks_are_live_views_that_cover_the_parameters():
    mlp = small()
    joined = np.concatenate([block.view.ravel() for block in mlp.parameter_blocks])
    np.testing.assert_array_equal(joined, mlp.parameters)
    mlp.parameter_blocks[5].view[...] = 7.0
    assert (mlp.parameters == 7.0).sum() == 5
    weights, biases = mlp.unflatten(mlp.parameters)
    for name, views in (("weight", weights), ("bias", biases)):
        blocks = [block.view for block in mlp.parameter_blocks if block.role == name]
        assert len(blocks) == len(views) == 3
        assert all(np.shares_memory(a, b) for a, b in zip(blocks, views, strict=True))


def test_weights_are_drawn_as_without_stages():
    with_stages = fastmlp.MLP([3, 5, 4, 2], "relu", seed=3, **ALL)
    plain = fastmlp.MLP([3, 5, 4, 2], "relu", seed=3)
    for a, b in zip(with_stages.weights, plain.weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_prelu_with_its_first_slopes_is_a_leaky_rectifier(dtype, rng):
    X = rng.standard_normal((9, 3)).astype(dtype)
    mlp = fastmlp.MLP([3, 6, 2], "prelu", dtype=dtype, seed=0)
    (W, V), (b, c) = mlp.weights, mlp.biases

    z = X @ W + b

    np.testing.assert_allclose(
        mlp.forward(X), np.where(z > 0, z, 0.25 * z) @ V + c, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(
    "options", [ALL, {"input_scale": False}, {"normalization": None}, PERIODIC, PARAMETRIC]
)
def test_pickles_and_files_keep_every_bit(dtype, options, rng, tmp_path):
    mlp = small(dtype, **options)
    X = rng.standard_normal((9, 3)).astype(dtype)
    mlp.save(tmp_path / "model")

    for again in (pickle.loads(pickle.dumps(mlp)), fastmlp.MLP.load(tmp_path / "model")):
        assert repr(again) == repr(mlp)
        assert again.parameters.tobytes() == mlp.parameters.tobytes()
        assert again.forward(X).tobytes() == mlp.forward(X).tobytes()


def test_a_parameter_that_is_not_finite_is_named_by_its_role(tmp_path):
    mlp = small()
    mlp.parameter_blocks[3].view[2] = np.nan

    with pytest.raises(ValueError, match=r"^parameters is NaN at gains\[0\]\[2\], expected finite"):
        mlp.save(tmp_path / "model")


@OPTIONS
def test_sparse_rows_are_as_dense_ones(options, dtype, rng):
    dense = np.where(rng.random((40, 3)) < 0.5, 0.0, rng.standard_normal((40, 3))).astype(dtype)
    sparse, y = sp.csr_matrix(dense), rng.integers(2, size=40)
    mlp = small(dtype, **options)

    np.testing.assert_array_equal(mlp.forward(sparse), mlp.forward(dense))
    np.testing.assert_array_equal(mlp.loss_and_grad(sparse, y)[1], mlp.loss_and_grad(dense, y)[1])


@OPTIONS
@pytest.mark.parametrize("sizes", [[3, 17, 16, 4], [40, 200, 180, 5]], ids=["narrow", "wide"])
def test_bits_do_not_depend_on_threads(sizes, options, dtype, rng):
    X = rng.standard_normal((400, sizes[0])).astype(dtype)
    y = rng.integers(sizes[-1], size=400)

    def trained(n_jobs):
        mlp = fastmlp.MLP(sizes, dtype=dtype, seed=1, **{"activation": "prelu"} | options)
        optimizer = fastmlp.Adam(0.01)
        mlp.fit(X, y, optimizer, epochs=3, batch_size=150, seed=2, dropout=0.2, n_jobs=n_jobs)
        return mlp.parameters.tobytes()

    assert trained(1) == trained(2)


@OPTIONS
def test_training_moves_every_block_and_lowers_the_loss(options, dtype, rng):
    X = rng.standard_normal((200, 3)).astype(dtype)
    y = (X[:, 0] * X[:, 1] > 0).astype("int64")
    options = {"activation": "prelu"} | options
    mlp = fastmlp.MLP([3, 16, 8, 2], dtype=dtype, seed=1, **options)
    before = mlp.parameters.copy()

    history = mlp.fit(X, y, fastmlp.Adam(0.01), epochs=100, seed=2)

    assert history.loss[-1] < 0.2 * history.loss[0]
    at = 0
    for block in mlp.parameter_blocks:
        numbers = slice(at, at + block.view.size)
        assert (mlp.parameters[numbers] != before[numbers]).all(), block
        at += block.view.size


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"normalization": "rows"},
            ValueError,
            'normalization is "rows", expected None, "layer" or "batch"',
        ),
        ({"normalization": 1}, TypeError, "normalization is of type int, expected None or a str"),
        (
            {"activation": "prelu", "parametric_activation": True},
            ValueError,
            'parametric_activation is True, expected False with the activation "prelu", which '
            "learns its slopes",
        ),
        (
            {"parametric_activation": 1},
            TypeError,
            "parametric_activation is of type int, expected a bool",
        ),
        ({"input_scale": "yes"}, TypeError, "input_scale is of type str, expected a bool"),
        (
            {"periodic_inputs": 1.0},
            TypeError,
            "periodic_inputs is of type float, expected an integer",
        ),
        (
            {"periodic_inputs": -1},
            ValueError,
            "periodic_inputs is -1, expected an integer from 0 to 2**63 - 1",
        ),
        (
            {"periodic_inputs": 4},
            ValueError,
            "periodic_inputs is 4, expected at most the width of the input, 3",
        ),
    ],
)
def test_bad_arguments_are_named(options, error, message):
    with pytest.raises(error) as caught:
        fastmlp.MLP([3, 5, 2], **options)
    assert str(caught.value) == message
