"""Every array that can be read where it lies gives the right result; any other is refused."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastmlp

N, D_IN, D_OUT = 37, 5, 3

LAYOUTS = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "transposed": lambda a: np.ascontiguousarray(a.T).T,
    "rows of a larger array": lambda a: np.repeat(a, 2, axis=0)[::2],
    "columns of a larger array": lambda a: np.repeat(a, 3, axis=a.ndim - 1)[..., ::3],
    "offset in a larger array": lambda a: np.pad(a, 2)[(slice(2, -2),) * a.ndim],
    "rows reversed": lambda a: a[::-1].copy()[::-1],
    "columns reversed": lambda a: a[..., ::-1].copy()[..., ::-1],
    "both reversed": lambda a: np.flip(np.flip(a).copy()),
    "read-only": lambda a: read_only(a),
    "misaligned": lambda a: misaligned(a),
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "in a record": lambda a: in_a_record(a),
    "swapped axes of a stack": lambda a: np.stack([a, a + 1], axis=a.ndim)[..., 0],
}


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


def misaligned(a):
    """The same numbers, one byte off."""
    memory = np.zeros(a.nbytes + 1, np.uint8)
    view = memory[1:].view(a.dtype).reshape(a.shape)
    view[...] = a
    return view


def in_a_record(a):
    """One field of a packed record: strides that are not a multiple of the item size."""
    records = np.zeros(a.shape, dtype=[("flag", np.uint8), ("value", a.dtype)])
    records["value"] = a
    return records["value"]


@pytest.fixture(scope="module", params=["float32", "float64"])
def mlp(request):
    return fastmlp.MLP([D_IN, 8, D_OUT], activation="tanh", dtype=request.param, seed=0)


@pytest.fixture(scope="module")
def data(mlp):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N, D_IN)).astype(mlp.dtype)
    d_output = rng.standard_normal((N, D_OUT)).astype(mlp.dtype)
    return X, rng.integers(D_OUT, size=N), rng.uniform(size=N).astype(mlp.dtype), d_output


def results(mlp, X, y, sample_weight, d_output):
    """Every number that the calls with array arguments return."""
    trained = fastmlp.MLP(mlp.layer_sizes, activation="tanh", dtype=mlp.dtype, seed=0)
    loss = trained.step(X, y, fastmlp.SGD(0.1))
    history = trained.fit(X, y, epochs=2, batch_size=8, seed=0, sample_weight=sample_weight)
    return (
        mlp.forward(X),
        mlp.predict_proba(X),
        mlp.predict(X),
        mlp.loss(X, y, sample_weight),
        *mlp.loss_and_grad(X, y, sample_weight),
        *mlp.backward(X, d_output),
        loss,
        history.loss,
        trained.parameters,
    )


ARGUMENTS = ("X", "y", "sample_weight", "d_output")


def refusal(array):
    """The class of the error if an array cannot be read where it lies, else None."""
    if not array.dtype.isnative:
        return TypeError
    whole = all(stride % array.itemsize == 0 for stride in array.strides)
    return None if array.flags.aligned and whole else ValueError


def assert_right_or_refused(mlp, data, arguments):
    """Assert that arrays are read if they all can be, and that one which cannot is named if not."""
    refused = {
        name: error
        for name, array in zip(ARGUMENTS, arguments, strict=True)
        if (error := refusal(array))
    }
    if refused:
        with pytest.raises(tuple(refused.values())) as raised:
            results(mlp, *arguments)
        name = str(raised.value).partition(" ")[0]
        assert raised.type is refused.get(name), raised.value
    else:
        actual = results(mlp, *arguments)
        for got, expected in zip(actual, results(mlp, *data), strict=True):
            np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("argument", ARGUMENTS)
def test_each_argument_in_each_layout(layout, argument, mlp, data):
    position = ARGUMENTS.index(argument)
    arguments = list(data)
    arguments[position] = LAYOUTS[layout](data[position])
    np.testing.assert_array_equal(arguments[position], data[position])

    assert_right_or_refused(mlp, data, arguments)

    refused = {"misaligned": ValueError, "big-endian": TypeError, "in a record": ValueError}
    assert refusal(arguments[position]) is refused.get(layout)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(layouts=st.tuples(*[st.lists(st.sampled_from(sorted(LAYOUTS)), max_size=3)] * 4))
def test_layouts_on_top_of_each_other(layouts, mlp, data):
    arguments = list(data)
    for i, names in enumerate(layouts):
        for name in names:
            arguments[i] = LAYOUTS[name](arguments[i])

    assert_right_or_refused(mlp, data, arguments)


CODES = (*"?bBhHiIqQefdgFDO", "S8", "U8")


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("argument", ["X", "sample_weight", "d_output"])
def test_only_the_network_s_dtype_is_taken(code, argument, mlp, data):
    position = ARGUMENTS.index(argument)
    arguments = list(data)
    arguments[position] = np.ones_like(data[position]).astype(code)
    # Weights are one number per row, of either type.
    taken = {"float32", "float64"} if argument == "sample_weight" else {mlp.dtype}

    if arguments[position].dtype.name in taken:
        results(mlp, *arguments)
    else:
        with pytest.raises(TypeError, match=f"^{argument} "):
            results(mlp, *arguments)


@pytest.mark.parametrize("code", "bBhHiIqQ")
@pytest.mark.parametrize("order", ["=", "S"])
def test_labels_of_every_integer_dtype(code, order, mlp, data):
    X, y, *rest = data
    labels = y.astype(np.dtype(code).newbyteorder(order))

    assert_right_or_refused(mlp, data, [X, labels, *rest])

    if order == "=":
        assert mlp.loss(X, labels) == mlp.loss(X, y)


def test_a_memory_map_is_read(mlp, data, tmp_path):
    X, y, *rest = data
    X.tofile(tmp_path / "X.bin")
    mapped = np.memmap(tmp_path / "X.bin", dtype=mlp.dtype, mode="r", shape=X.shape)

    assert refusal(mapped) is None
    assert_right_or_refused(mlp, data, [mapped, y, *rest])


@pytest.mark.parametrize("axis", [0, 1])
def test_broadcast_rows_and_columns(axis, mlp, data):
    X = np.broadcast_to(data[0][:1] if axis == 0 else data[0][:, :1], (N, D_IN))
    assert X.strides[axis] == 0

    np.testing.assert_array_equal(mlp.forward(X), mlp.forward(X.copy()))


def test_subclasses_of_ndarray_are_read(mlp, data):
    np.testing.assert_array_equal(mlp.forward(data[0].view(np.matrix)), mlp.forward(data[0]))


@pytest.mark.parametrize("shape", [(), (D_IN,), (1, N, D_IN), (N, D_IN + 1), (N, 0)])
def test_wrong_shapes_of_X_are_refused(shape, mlp):
    expected = rf"\(n, {D_IN}\)" if len(shape) == 2 else r"two dimensions, \(rows, columns\)"
    message = rf"^X has shape {re.escape(str(shape))}, expected {expected}$"
    with pytest.raises(ValueError, match=message):
        mlp.forward(np.zeros(shape, mlp.dtype))


class OwnInterface:
    """Not an ndarray, but an object that describes one."""

    def __init__(self, a):
        self.__array_interface__ = a.__array_interface__
        self.keep = a


def test_what_only_describes_an_array_is_refused(mlp, data):
    with pytest.raises(TypeError, match=r"^X "):
        mlp.forward(OwnInterface(data[0]))


ALIASES = {
    "X itself": lambda X: X,
    "a view of X": lambda X: X[:],
    "X through its buffer": lambda X: np.frombuffer(memoryview(X), X.dtype).reshape(X.shape),
    "X through its interface": lambda X: np.asarray(OwnInterface(X)),
}


OVER_X = "^out is in the same memory as X, expected an array with memory of its own$"


@pytest.mark.parametrize("alias", ALIASES)
@pytest.mark.parametrize("method", ["forward", "predict_proba"])
def test_out_over_X_is_refused(alias, method, dtype):
    mlp = fastmlp.MLP([3, 8, 3], activation="tanh", dtype=dtype, seed=0)
    X = np.random.default_rng(0).standard_normal((300, 3)).astype(dtype)
    before = X.copy()

    with pytest.raises(ValueError, match=OVER_X):
        getattr(mlp, method)(X, out=ALIASES[alias](X))

    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("shift", [1, 150, 299])
def test_out_over_part_of_X_is_refused(shift, dtype):
    mlp = fastmlp.MLP([3, 8, 3], activation="tanh", dtype=dtype, seed=0)
    memory = np.random.default_rng(0).standard_normal((300 + shift, 3)).astype(dtype)
    before = memory.copy()

    with pytest.raises(ValueError, match=OVER_X):
        mlp.forward(memory[:300], out=memory[shift:])

    np.testing.assert_array_equal(memory, before)


@pytest.mark.parametrize("shift", [0, 300])
def test_out_beside_X_in_one_array_is_filled(shift, dtype):
    mlp = fastmlp.MLP([3, 8, 3], activation="tanh", dtype=dtype, seed=0)
    memory = np.random.default_rng(0).standard_normal((600, 3)).astype(dtype)
    X, out = memory[300 - shift :][:300], memory[shift:][:300]
    expected = mlp.forward(X.copy())

    mlp.forward(X, out=out)

    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_out_is_filled_in_C_order_and_else_refused(layout, mlp, data):
    out = LAYOUTS[layout](np.zeros((N, D_OUT), mlp.dtype))
    found = {
        "misaligned": "misaligned in memory",
        "in a record": "misaligned in memory",
        "big-endian": f"dtype {out.dtype}",
        "read-only": "read-only",
    }.get(layout, "not C-contiguous")
    error = TypeError if layout == "big-endian" else ValueError

    if layout == "C":
        mlp.forward(data[0], out=out)
        np.testing.assert_array_equal(out, mlp.forward(data[0]))
    else:
        with pytest.raises(error, match=f"^out (is|has) {found}, expected "):
            mlp.forward(data[0], out=out)
        assert not out.any()


def test_out_over_the_parameters_is_refused(dtype):
    mlp = fastmlp.MLP([3, 3], dtype=dtype, seed=0)
    X = np.random.default_rng(0).standard_normal((3, 3)).astype(dtype)
    before = mlp.parameters.copy()

    with pytest.raises(ValueError, match=r"^out is in the same memory as the network's parameters"):
        mlp.forward(X, out=mlp.weights[0])

    np.testing.assert_array_equal(mlp.parameters, before)


def test_X_may_be_a_view_of_the_parameters(dtype):
    mlp = fastmlp.MLP([3, 3], dtype=dtype, seed=0)

    np.testing.assert_array_equal(mlp.forward(mlp.weights[0]), mlp.forward(mlp.weights[0].copy()))
