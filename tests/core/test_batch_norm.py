"""Batch normalisation: running statistics as part of the network, and what it asks of batches."""

import os
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.utils import gen_batches

import fastmlp


def make(sizes, dtype="float64", activation="relu", **options):
    return fastmlp.MLP(sizes, activation, dtype=dtype, seed=1, normalization="batch", **options)


def data(rng, mlp, n=100):
    X = (2.0 * rng.standard_normal((n, mlp.layer_sizes[0])) + 1.0).astype(mlp.dtype)
    return X, (X[:, 0] * X[:, 1] > 1).astype("int64")


def trained(rng, sizes=(3, 20, 16, 2), dtype="float64", **options):
    mlp = make(sizes, dtype, **options)
    X, y = data(rng, mlp)
    mlp.fit(X, y, fastmlp.Adam(0.01), epochs=5, batch_size=20, seed=2)
    return mlp


def statistics(mlp):
    of = [block.view for block in mlp.parameter_blocks if block.role in ("mean", "variance")]
    return np.concatenate(of)


def test_blocks_are_named_and_start_as_documented():
    mlp = make([3, 5, 4, 2], activation=("prelu", "relu"))

    found = [(block.stage, block.kind, block.role, block.shape) for block in mlp.parameter_blocks]

    assert found == [
        (0, "dense", "weight", (3, 5)),
        (0, "dense", "bias", (5,)),
        (1, "batch_norm", "gain", (5,)),
        (1, "batch_norm", "shift", (5,)),
        (1, "batch_norm", "mean", (5,)),
        (1, "batch_norm", "variance", (5,)),
        (2, "prelu", "slope", (5,)),
        (3, "dense", "weight", (5, 4)),
        (3, "dense", "bias", (4,)),
        (4, "batch_norm", "gain", (4,)),
        (4, "batch_norm", "shift", (4,)),
        (4, "batch_norm", "mean", (4,)),
        (4, "batch_norm", "variance", (4,)),
        (5, "dense", "weight", (4, 2)),
        (5, "dense", "bias", (2,)),
    ]
    first = {"gain": 1.0, "shift": 0.0, "mean": 0.0, "variance": 1.0}
    for block in mlp.parameter_blocks:
        if block.kind == "batch_norm":
            assert (block.view == first[block.role]).all(), block
    assert mlp.normalization == "batch"
    assert repr(mlp) == (
        "MLP([3, 5, 4, 2], activation=('prelu', 'relu'), output='softmax', dtype='float64', "
        "normalization='batch')"
    )


@pytest.mark.parametrize("output", ["softmax", "sigmoid", "identity", "exp"])
@pytest.mark.parametrize("sizes", [[3, 20, 2], [3, 20, 16, 2], [40, 300, 200, 2]])
def test_a_prediction_is_that_of_the_layers_with_the_statistics_folded_in(
    sizes, output, dtype, rng, assert_agrees
):
    mlp = make(sizes, dtype, "prelu", output=output, input_scale=True)
    for block in mlp.parameter_blocks:
        drawn = 0.1 * rng.standard_normal(block.shape)
        block.view[...] = np.exp(drawn) if block.role == "variance" else block.view + drawn
    plain = fastmlp.MLP(sizes, "prelu", dtype="float64", output=output, input_scale=True, seed=0)
    kinds, stages = {}, {}
    for block in mlp.parameter_blocks:
        kinds[block.stage] = block.kind
        stages.setdefault(block.stage, []).append(block.view.astype("float64"))
    folded = []
    for stage, numbers in stages.items():
        if kinds.get(stage + 1) == "batch_norm":
            (weight, bias), (gain, shift, mean, variance) = numbers, stages[stage + 1]
            factor = gain / np.sqrt(variance + 1e-5)
            folded += [weight * factor, factor * (bias - mean) + shift]
        elif kinds[stage] != "batch_norm":
            folded += numbers
    plain.parameters[:] = np.concatenate([numbers.ravel() for numbers in folded])
    X = rng.standard_normal((70, sizes[0])).astype(dtype)

    assert_agrees(mlp.forward(X), plain.forward(X.astype("float64")), "sums")
    if output == "softmax":
        np.testing.assert_array_equal(mlp.predict(X), plain.predict(X.astype("float64")))


@pytest.mark.parametrize("sizes", [[3, 20, 2], [3, 20, 16, 2], [3, 300, 200, 2]])
def test_the_prediction_of_a_row_does_not_depend_on_others(sizes, dtype, rng):
    mlp = trained(rng, sizes, dtype)
    X, _ = data(rng, mlp, 1000)
    together = mlp.forward(X)
    for rows in (slice(0, 1), slice(7, 9), slice(100, 400)):
        assert mlp.forward(X[rows]).tobytes() == together[rows].tobytes()
    assert mlp.forward(X, n_jobs=2).tobytes() == together.tobytes()


def test_a_prediction_sees_what_was_written_to_the_parameters(rng):
    mlp = trained(rng)
    X, _ = data(rng, mlp, 10)
    (shift,) = (
        block.view for block in mlp.parameter_blocks if block.stage == 3 and block.role == "shift"
    )
    before = mlp.forward(X)
    shift[...] += 1.0
    assert (mlp.forward(X) != before).all()
    shift[...] -= 1.0
    np.testing.assert_allclose(mlp.forward(X), before, rtol=1e-12, atol=1e-14)


def test_what_does_not_train_leaves_the_statistics(rng):
    mlp = trained(rng)
    X, y = data(rng, mlp)
    before = mlp.parameters.copy()

    mlp.loss_and_grad(X, y)
    mlp.loss(X, y)
    mlp.predict(X)
    mlp.backward(X, np.ones((100, 2)))

    np.testing.assert_array_equal(mlp.parameters, before)


def test_an_optimizer_leaves_the_statistics(dtype, rng):
    mlp = trained(rng, dtype=dtype)
    before = statistics(mlp)
    gradient = np.ones(mlp.n_parameters, dtype)
    for optimizer in (
        fastmlp.SGD(0.1),
        fastmlp.SGD(0.1, momentum=0.9, nesterov=True),
        fastmlp.Adam(0.1),
        fastmlp.AdamW(0.1, weight_decay=0.5, lr_factors={"gain": 2.0}),
    ):
        for _ in range(3):
            optimizer.step(mlp, gradient)
    np.testing.assert_array_equal(statistics(mlp), before)


def test_a_batch_without_weight_leaves_the_statistics(rng):
    mlp = trained(rng)
    X, y = data(rng, mlp, 40)
    weight = np.repeat([1.0, 0.0], 20)
    twin = pickle.loads(pickle.dumps(mlp))

    mlp.fit(X, y, fastmlp.SGD(0.1), epochs=1, batch_size=20, shuffle=False, sample_weight=weight)

    # The losses are the means over the rows with weight, and nothing came of the other batch.
    twin.step(X[:20], y[:20], fastmlp.SGD(0.1))
    np.testing.assert_array_equal(mlp.parameters, twin.parameters)


@pytest.mark.parametrize("options", [{}, {"input_scale": True}, {"activation": "prelu"}])
def test_pickles_and_files_keep_every_bit(dtype, options, rng, tmp_path):
    mlp = trained(rng, dtype=dtype, **options)
    X, _ = data(rng, mlp, 9)
    mlp.save(tmp_path / "model")

    for again in (pickle.loads(pickle.dumps(mlp)), fastmlp.MLP.load(tmp_path / "model")):
        assert repr(again) == repr(mlp)
        assert again.parameters.tobytes() == mlp.parameters.tobytes()
        assert again.forward(X).tobytes() == mlp.forward(X).tobytes()


def test_a_variance_below_0_is_not_saved(rng, tmp_path):
    mlp = trained(rng)
    mlp.parameter_blocks[5].view[3] = -0.25
    with pytest.raises(
        ValueError, match=r"^parameters is -0\.25 at variances\[0\]\[3\], expected num"
    ):
        mlp.save(tmp_path / "model")


def test_a_training_goes_on_where_another_ended(rng):
    X, y = data(rng, make([3, 20, 16, 2]))
    options = {"batch_size": 30, "seed": 3, "dropout": 0.2}
    through, halved = make([3, 20, 16, 2]), make([3, 20, 16, 2])
    through.fit(X, y, fastmlp.Adam(), epochs=6, **options)

    optimizer = fastmlp.Adam()
    halved.fit(X, y, optimizer, epochs=2, **options)
    halved.fit(X, y, optimizer, epochs=6, initial_epoch=2, **options)

    assert halved.parameters.tobytes() == through.parameters.tobytes()


@pytest.mark.parametrize("sizes", [[3, 20, 16, 2], [40, 200, 180, 5]], ids=["narrow", "wide"])
@pytest.mark.parametrize("batch_size", [None, 150])
def test_bits_do_not_depend_on_threads(sizes, batch_size, dtype, rng):
    X = rng.standard_normal((1100, sizes[0])).astype(dtype)
    y = rng.integers(sizes[-1], size=1100)

    def bits(n_jobs):
        mlp = make(sizes, dtype, "prelu", input_scale=True)
        options = {"batch_size": batch_size, "seed": 2, "dropout": 0.2, "input_dropout": 0.1}
        options["n_jobs"] = n_jobs
        mlp.fit(X, y, fastmlp.Adam(0.01), epochs=2, X_val=X, y_val=y, **options)
        _, gradient = mlp.loss_and_grad(X, y, n_jobs=n_jobs)
        arrays = (mlp.parameters, gradient, mlp.forward(X, n_jobs=n_jobs))
        return [array.tobytes() for array in arrays]

    alone = bits(1)
    assert all(bits(n_jobs) == alone for n_jobs in (2, 3, 4))


SCRIPT = """
import hashlib
import numpy as np
import fastmlp
rng, digest = np.random.default_rng(0), hashlib.sha256()
for dtype in ("float32", "float64"):
    X, y = rng.standard_normal((200, 5)).astype(dtype), rng.integers(3, size=200)
    mlp = fastmlp.MLP([5, 33, 17, 3], "gelu", dtype=dtype, seed=0, normalization="batch")
    mlp.fit(X, y, epochs=3, batch_size=60)
    digest.update(mlp.parameters.tobytes() + mlp.forward(X).tobytes())
print(digest.hexdigest())
"""


def test_avx2_and_avx512_give_the_same_bits():
    # A machine without one of them uses the best it has, so that the test says nothing there.
    def digest(isa):
        environment = os.environ | {"FASTMLP_ISA": isa, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", SCRIPT]
        run = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True, timeout=100
        )
        assert len(run.stdout.strip()) == 64
        return run.stdout

    assert digest("avx2") == digest("avx512")


def test_sparse_rows_are_as_dense_ones(dtype, rng):
    mlp = trained(rng, dtype=dtype)
    dense = np.where(rng.random((40, 3)) < 0.5, 0.0, rng.standard_normal((40, 3))).astype(dtype)
    sparse, y = sp.csr_matrix(dense), rng.integers(2, size=40)

    np.testing.assert_array_equal(mlp.forward(sparse), mlp.forward(dense))
    np.testing.assert_array_equal(mlp.loss_and_grad(sparse, y)[1], mlp.loss_and_grad(dense, y)[1])


def test_columns_far_from_0_are_normalised_as_precisely_as_their_numbers_are(rng):
    # Deviations a thousandth of the mean: a difference of mean squares would have lost them all.
    X = (1000.0 + rng.standard_normal((5000, 1))).astype("float32")
    mlp = fastmlp.MLP([1, 1, 1], "identity", output="identity", seed=0, normalization="batch")
    mlp.parameters[:2] = 1.0, 0.0

    mlp.step(X, np.zeros(5000, "float32"), fastmlp.SGD(1e-30))

    mean, variance = (block.view[0] for block in mlp.parameter_blocks[4:6])
    truth = X.astype("float64")
    assert mean == pytest.approx(0.1 * truth.mean(), rel=1e-6)
    assert variance == pytest.approx(0.9 + 0.1 * truth.var(ddof=1), rel=1e-6)


def test_a_variance_that_overflows_is_refused(rng):
    mlp = make([2, 4, 2], "float32")
    X = np.array([[3e19, 0], [-3e19, 0]], "float32")
    before = mlp.parameters.copy()
    for train in (mlp.step, mlp.fit):
        with pytest.raises(
            fastmlp.DivergenceError, match="the gradient is not finite in epoch 1, batch 1"
        ):
            train(X, np.array([0, 1]), fastmlp.SGD(0.1))
    np.testing.assert_array_equal(mlp.parameters, before)


WHY = 'normalization="batch" takes the variance of each batch'


@pytest.mark.parametrize("method", ["loss_and_grad", "step", "fit"])
def test_a_single_row_is_refused(method):
    mlp = make([3, 4, 2])
    optimizer = [] if method == "loss_and_grad" else [fastmlp.SGD(0.1)]
    before = mlp.parameters.copy()
    message = f"X has shape (1, 3), expected at least 2 rows: {WHY}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        getattr(mlp, method)(np.ones((1, 3)), np.zeros(1, int), *optimizer)
    np.testing.assert_array_equal(mlp.parameters, before)
    assert mlp.loss(np.ones((1, 3)), np.zeros(1, int)) > 0


def test_batches_of_a_single_row_are_refused_before_training(rng):
    mlp = make([3, 4, 2])
    X, y = data(rng, mlp, 10)
    before = mlp.parameters.copy()
    message = f"batch_size is 1, expected a number >= 2: {WHY}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        mlp.fit(X, y, epochs=1, batch_size=1)
    np.testing.assert_array_equal(mlp.parameters, before)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(("n", "batch_size"), [(10, 3), (9, 2), (7, 6), (3, 2), (10, 4), (9, 20)])
def test_a_single_row_joins_the_batch_before_it(n, batch_size, shuffle, rng):
    def squared_error(y, raw):
        batches.append(y.astype(int).tolist())
        return 0.5 * (raw[:, 0] - y) ** 2, raw - y[:, None]

    batches = []
    mlp = make([3, 4, 1], output="identity", loss=squared_error)
    y = np.arange(float(n))

    options = {"batch_size": batch_size, "shuffle": shuffle, "seed": 0}
    mlp.fit(rng.standard_normal((n, 3)), y, fastmlp.SGD(0.01), epochs=2, **options)

    expected = list(gen_batches(n, batch_size, min_batch_size=2))
    assert [len(rows) for rows in batches] == [of.stop - of.start for of in expected] * 2
    of_epoch = len(expected)
    for epoch in (batches[:of_epoch], batches[of_epoch:]):
        order = [row for rows in epoch for row in rows]
        assert sorted(order) == list(range(n))
        assert (order == sorted(order)) == (not shuffle or of_epoch == 1)


def test_a_schedule_counts_the_batches_that_there_are(rng):
    mlp = make([3, 4, 2])
    X, y = data(rng, mlp, 13)
    twin, optimizer = pickle.loads(pickle.dumps(mlp)), fastmlp.SGD(0.1)

    options = {"batch_size": 4, "shuffle": False}
    mlp.fit(X, y, fastmlp.SGD(0.1, schedule="linear"), epochs=2, **options)

    for step in range(6):
        optimizer.learning_rate = 0.1 * (1 - step / 6)
        rows = slice(*((0, 4), (4, 8), (8, 13))[step % 3])
        twin.step(X[rows], y[rows], optimizer)
    np.testing.assert_allclose(mlp.parameters, twin.parameters, rtol=1e-12, atol=1e-15)


def test_without_hidden_layers_there_is_nothing_to_normalise(rng):
    mlp, plain = make([3, 2]), fastmlp.MLP([3, 2], dtype="float64", seed=1)
    for one in (mlp, plain):
        one.fit(np.ones((1, 3)), np.zeros(1, int), epochs=2)
    np.testing.assert_array_equal(mlp.parameters, plain.parameters)


def test_training_moves_every_block_and_lowers_the_loss(dtype, rng):
    mlp = make([3, 16, 8, 2], dtype, "prelu", input_scale=True)
    X, y = data(rng, mlp, 200)
    before = [block.view.copy() for block in mlp.parameter_blocks]

    history = mlp.fit(X, y, fastmlp.Adam(0.01), epochs=100, seed=2)

    assert history.loss[-1] < 0.3 * history.loss[0]
    for block, first in zip(mlp.parameter_blocks, before, strict=True):
        assert (block.view != first).all(), block
