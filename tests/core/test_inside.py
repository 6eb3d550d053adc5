"""Activations of hidden layers, and derivatives with respect to the inputs."""

import threading

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.special import expit, softmax
from slopes import clear_of_kinks, slopes

import fastmlp
from fastmlp import losses

ALL = {"normalization": "layer", "input_scale": True}
OUTPUTS = {
    "softmax": lambda z: softmax(z, axis=1),
    "sigmoid": expit,
    "identity": lambda z: z,
    "exp": np.exp,
}
# One that is a kernel of its own, narrow and wide ones.
SIZES = [[2, 20, 3], [3, 17, 16, 4], [40, 200, 180, 5]]


def random_network(sizes, activation="tanh", dtype="float64", **options):
    mlp = fastmlp.MLP(sizes, activation, dtype=dtype, seed=3, **options)
    rng = np.random.default_rng(4)
    mlp.parameters[...] += 0.1 * rng.standard_normal(mlp.n_parameters).astype(dtype)
    return mlp


@pytest.mark.parametrize("sizes", SIZES)
def test_a_hidden_layer_has_the_activations_of_the_reference(
    sizes, activation, dtype, rng, reference_of, assert_agrees
):
    mlp = random_network(sizes, activation, dtype)
    X = rng.standard_normal((70, sizes[0])).astype(dtype)

    truth = reference_of(mlp).forward(X)[1:-1]

    for layer, activations in enumerate(truth):
        assert_agrees(mlp.transform(X, layer), activations, f"layer {layer}", dtype)
        from_the_end = mlp.transform(X, layer=layer - len(truth))
        np.testing.assert_array_equal(from_the_end, mlp.transform(X, layer))
    np.testing.assert_array_equal(mlp.transform(X), mlp.transform(X, len(truth) - 1))
    assert mlp.transform(X).dtype == dtype


@pytest.mark.parametrize("options", [{}, ALL])
def test_the_last_layer_of_the_activations_is_the_network(options, dtype, rng, assert_agrees):
    mlp = random_network([3, 9, 8, 4], "prelu", dtype, **options)
    X = rng.standard_normal((70, 3)).astype(dtype)

    logits = mlp.transform(X) @ mlp.weights[-1] + mlp.biases[-1]

    assert_agrees(mlp.forward(X), logits)


def test_a_normalised_layer_is_normalised_before_the_activation(rng):
    mlp = fastmlp.MLP([3, 50, 2], "identity", dtype="float64", seed=0, normalization="layer")

    features = mlp.transform(rng.standard_normal((9, 3)))

    np.testing.assert_allclose(features.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(features.var(axis=1), 1, rtol=1e-3)


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_gradients_are_the_slopes_of_the_sums(activation, depth, rng, random_mlp, reference_of):
    mlp = random_mlp([3, *(4, 3, 5)[:depth], 2], activation)
    X = clear_of_kinks(mlp, reference_of, rng, 4)

    gradients = mlp.input_gradients(X)

    for (i, k), of_one in zip(np.ndindex(4, 2), gradients.reshape(8, 3), strict=True):
        truth = slopes(lambda i=i, k=k: mlp.forward(X)[i, k], X[i])
        np.testing.assert_allclose(of_one, truth, rtol=0, atol=1e-9)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("options", [{}, ALL])
def test_gradients_are_the_slopes_of_the_predictions(output, options, rng):
    mlp = random_network([3, 8, 7, 4], "gelu", output=output, **options)
    X = rng.standard_normal((5, 3))

    def predictions():
        return OUTPUTS[output](mlp.forward(X))

    gradients = mlp.input_gradients(X, of="predictions")

    for i, k in np.ndindex(5, 4):
        truth = slopes(lambda i=i, k=k: predictions()[i, k], X[i])
        np.testing.assert_allclose(gradients[i, k], truth, rtol=0, atol=1e-9)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("n", [1, 2, 65, 1200])
def test_the_product_with_a_vector_is_that_of_the_jacobian(sizes, n, dtype, rng, assert_agrees):
    mlp = random_network(sizes, "elu", dtype, **ALL)
    X = rng.standard_normal((n, sizes[0])).astype(dtype)
    d_output = rng.standard_normal((n, sizes[-1])).astype(dtype)

    d_X = mlp.input_vjp(X, d_output)

    jacobian = mlp.input_gradients(X)
    assert jacobian.shape == (n, sizes[-1], sizes[0])
    assert d_X.dtype == jacobian.dtype == dtype
    assert_agrees(d_X, np.einsum("nk,nkj->nj", d_output, jacobian))
    np.testing.assert_array_equal(d_X, mlp.backward(X, d_output)[1])


def calls(mlp, n):
    d_output = np.random.default_rng(5).standard_normal((n, mlp.layer_sizes[-1]))
    d_output = d_output.astype(mlp.dtype)
    return {
        "transform": mlp.transform,
        "transform 0": lambda X, **n_jobs: mlp.transform(X, 0, **n_jobs),
        "input_gradients": mlp.input_gradients,
        "of predictions": lambda X, **n_jobs: mlp.input_gradients(X, "predictions", **n_jobs),
        "input_vjp": lambda X, **n_jobs: mlp.input_vjp(X, d_output, **n_jobs),
    }


@pytest.mark.parametrize("sizes", [*SIZES, [300, 500, 400, 6]])
@pytest.mark.parametrize("options", [{}, ALL])
def test_bits_depend_neither_on_threads_nor_on_strides(sizes, options, dtype, rng):
    mlp = random_network(sizes, "relu", dtype, **options)
    X = rng.standard_normal((700, sizes[0])).astype(dtype)
    apart = np.zeros((1400, 2 * sizes[0]), dtype)
    apart[::2, ::2] = X
    for name, call in calls(mlp, len(X)).items():
        bits = call(X).tobytes()
        for n_jobs in (2, 3, 7):
            assert call(X, n_jobs=n_jobs).tobytes() == bits, (name, n_jobs)
        assert call(apart[::2, ::2]).tobytes() == bits, name
        assert call(np.asfortranarray(X)).tobytes() == bits, name


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("options", [{}, ALL])
def test_a_row_has_the_same_bits_by_itself(sizes, options, dtype, rng):
    mlp = random_network(sizes, "relu", dtype, **options)
    X = rng.standard_normal((700, sizes[0])).astype(dtype)
    for name, call in calls(mlp, len(X)).items():
        if name != "input_vjp":
            np.testing.assert_array_equal(call(X)[123:124], call(X[123:124]))


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("options", [{}, ALL])
def test_sparse_rows_are_as_dense_ones(sizes, options, dtype, rng, assert_agrees):
    mlp = random_network(sizes, "relu", dtype, **options)
    dense = rng.standard_normal((90, sizes[0])).astype(dtype)
    dense[rng.random(dense.shape) < 0.6] = 0
    for name, call in calls(mlp, 90).items():
        assert_agrees(call(sp.csr_array(dense)), call(dense), name)


def test_there_may_be_no_rows(dtype):
    mlp = random_network([3, 6, 2], dtype=dtype)
    X = np.empty((0, 3), dtype)
    assert mlp.transform(X).shape == (0, 6)
    assert mlp.input_gradients(X).shape == (0, 2, 3)
    assert mlp.input_vjp(X, np.empty((0, 2), dtype)).shape == (0, 3)


def test_buffers_serve_calls_of_any_kind_in_any_order(dtype, rng):
    dense = [rng.standard_normal((n, 30)).astype(dtype) for n in (1, 400, 30, 900)]
    mlp = random_network([30, 40, 3], dtype=dtype)
    for X in [*map(sp.csr_array, dense), *dense, *map(sp.csr_array, dense)]:
        fresh = calls(random_network([30, 40, 3], dtype=dtype), X.shape[0])
        for name, call in calls(mlp, X.shape[0]).items():
            np.testing.assert_array_equal(call(X), fresh[name](X))


def test_calls_may_run_side_by_side(rng):
    mlp = random_network([30, 100, 80, 4])
    X = rng.standard_normal((500, 30))
    for call in calls(mlp, len(X)).values():
        results = [None] * 4

        def work(i, call=call, results=results):
            results[i] = call(X)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for result in results:
            np.testing.assert_array_equal(result, call(X))


def half_squared_error(y, raw):
    return 0.5 * ((raw - y) ** 2).sum(axis=1), raw - y


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize(
    "loss",
    [
        losses.CrossEntropy(0.1),
        losses.Focal(2.0),
        losses.Huber(0.7),
        losses.Quantile(0.1),
        losses.Tweedie(1.5),
        half_squared_error,
    ],
)
def test_the_loss_does_not_matter(sizes, loss, dtype, rng):
    if isinstance(loss, losses.Quantile):
        loss = losses.Quantile(np.linspace(0.1, 0.9, sizes[-1]))
    mlp = random_network(sizes, "gelu", dtype, loss=loss)
    plain = random_network(sizes, "gelu", dtype, output=mlp.output)
    X = rng.standard_normal((70, sizes[0])).astype(dtype)
    of_plain = calls(plain, 70)
    for name, call in calls(mlp, 70).items():
        np.testing.assert_array_equal(call(X), of_plain[name](X), err_msg=name)


def test_no_dropout_is_left_over(rng):
    mlp = random_network([3, 50, 2])
    X = rng.standard_normal((20, 3))
    before = mlp.transform(X), mlp.input_gradients(X)
    mlp.loss_and_grad(X, rng.integers(2, size=20), dropout=0.5, input_dropout=0.5, seed=0)
    np.testing.assert_array_equal(mlp.transform(X), before[0])
    np.testing.assert_array_equal(mlp.input_gradients(X), before[1])


X = np.zeros((4, 3))
LAYERS = "expected an integer from -2 to 1: the network has 2 hidden layers"
REFUSED = {
    "layer too high": (
        lambda mlp: mlp.transform(X, 2),
        ValueError,
        f"layer is 2, {LAYERS}",
    ),
    "layer too low": (lambda mlp: mlp.transform(X, -3), ValueError, f"layer is -3, {LAYERS}"),
    "layer None": (
        lambda mlp: mlp.transform(X, layer=None),
        TypeError,
        "layer is of type NoneType, expected an integer",
    ),
    "layer of text": (
        lambda mlp: mlp.transform(X, "last"),
        TypeError,
        "layer is of type str, expected an integer",
    ),
    "columns": (
        lambda mlp: mlp.transform(X[:, :2]),
        ValueError,
        "X has shape (4, 2), expected (n, 3)",
    ),
    "gradient columns": (
        lambda mlp: mlp.input_gradients(X[:, :2]),
        ValueError,
        "X has shape (4, 2), expected (n, 3)",
    ),
    "vjp columns": (
        lambda mlp: mlp.input_vjp(X[:, :2], X[:, :2]),
        ValueError,
        "X has shape (4, 2), expected (n, 3)",
    ),
    "rows of d_output": (
        lambda mlp: mlp.input_vjp(X, np.zeros((3, 2))),
        ValueError,
        "d_output has shape (3, 2), expected (4, 2)",
    ),
    "columns of d_output": (
        lambda mlp: mlp.input_vjp(X, X),
        ValueError,
        "d_output has shape (4, 3), expected (4, 2)",
    ),
    "dtype": (
        lambda mlp: mlp.input_gradients(X.astype("float32")),
        TypeError,
        "X has dtype float32, expected float64: use X.astype(numpy.float64)",
    ),
    "dtype of d_output": (
        lambda mlp: mlp.input_vjp(X, np.zeros((4, 2), "float32")),
        TypeError,
        "d_output has dtype float32, expected float64: use d_output.astype(numpy.float64)",
    ),
    "of": (
        lambda mlp: mlp.input_gradients(X, of="loss"),
        ValueError,
        'of is "loss", expected "logits" or "predictions"',
    ),
    "of None": (
        lambda mlp: mlp.input_gradients(X, of=None),
        TypeError,
        "of is of type NoneType, expected a str",
    ),
    "n_jobs": (
        lambda mlp: mlp.input_vjp(X, X[:, :2], n_jobs=0),
        ValueError,
        "n_jobs is 0, expected None, an integer >= 1, or -1 for all cores",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_arguments_are_named(case):
    call, error, message = REFUSED[case]
    with pytest.raises(error) as caught:
        call(random_network([3, 5, 4, 2]))
    assert str(caught.value) == message


def test_without_hidden_layers_there_is_none_to_look_at():
    with pytest.raises(ValueError, match=r"^layer is -1, expected a network with hidden layers$"):
        random_network([3, 2]).transform(X)
