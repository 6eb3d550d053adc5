"""Any object given for an array: the right result, or one clear error that names the argument."""

import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import fastmlp

D_IN, N_CLASSES = 4, 3

DTYPES = (
    *("<f8", "<f4", ">f8", "<f2", "<g", "<i8", "<i4", "<i2", "|i1", "<u8", "|u1", ">i8", "|b1"),
    *("<c16", "O", "<U3", "|S3", "<M8[s]", "<m8[s]", [("a", "<f8"), ("b", "<i4")]),
)
ODD = (None, 3, 2.5, "X", [], [[1.0] * D_IN], {}, object(), range(4), b"bytes", np.float64(1.0))


def strided(array):
    gaps = np.zeros((*array.shape[:-1], 3 * array.shape[-1]), array.dtype) if array.ndim else array
    if array.ndim:
        gaps[..., ::3] = array
        return gaps[..., ::3]
    return array


def misaligned(array):
    raw = np.zeros(array.nbytes + 1, np.uint8)
    if array.dtype.hasobject:
        return array
    view = raw[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


def read_only(array):
    array.setflags(write=False)
    return array


LAYOUTS = {
    "C": lambda array: array,
    "Fortran": np.asfortranarray,
    "strided": strided,
    "reversed": lambda array: array[::-1] if array.ndim else array,
    "backwards": lambda array: np.flip(array) if array.ndim else array,
    "misaligned": misaligned,
    "read-only": read_only,
    "subclass": lambda array: array.view(type("Sub", (np.ndarray,), {})),
    "broadcast": lambda array: np.broadcast_to(array[:1], array.shape) if array.ndim else array,
    "masked": lambda array: np.ma.masked_array(array, mask=False),
    "matrix": lambda array: array.view(np.matrix) if array.ndim == 2 else array,
}


@dataclass
class Case:
    """An argument, and the same numbers as a plain array if their kind is accepted."""

    given: Any
    plain: Any
    is_taken: bool


@st.composite
def arrays(draw, shapes, dtypes, numbers):
    """Mostly an array that could be accepted, and sometimes one that is far from it."""
    if draw(st.integers(0, 19)) == 0:
        return Case(draw(st.sampled_from(ODD)), None, False)
    good_shape = draw(st.integers(0, 9)) > 0
    shape = draw(shapes if good_shape else hnp.array_shapes(min_dims=0, max_dims=3, min_side=0))
    dtype = np.dtype(draw(st.sampled_from(dtypes if draw(st.integers(0, 9)) else DTYPES)))
    if dtype.kind in "fiu" and dtype.itemsize <= 8:
        seed = draw(st.integers(0, 2**32 - 1))
        array = numbers(np.random.default_rng(seed), shape).astype(dtype)
    else:
        array = np.zeros(shape, dtype)
    if draw(st.integers(0, 9)) == 0 and array.size and dtype.kind == "f":
        special = draw(st.sampled_from([np.nan, np.inf, -np.inf, 1e300, 5e-324]))
        with np.errstate(over="ignore"):
            array.flat[draw(st.integers(0, array.size - 1))] = special
    for layout in draw(st.lists(st.sampled_from(sorted(LAYOUTS)), max_size=2)):
        array = LAYOUTS[layout](array)
    is_taken = (
        any(array.dtype == np.dtype(known) for known in dtypes)
        and array.dtype.isnative
        and array.flags.aligned
        and not isinstance(array, np.ma.MaskedArray)
    )
    return Case(array, np.array(array, subok=False, order="C"), is_taken)


@st.composite
def inputs(draw, n):
    """X: dense, or sparse of one format or another."""
    case = draw(arrays(st.just((n, D_IN)), ("<f8",), lambda rng, shape: rng.standard_normal(shape)))
    if not (case.is_taken and case.plain.ndim == 2 and draw(st.integers(0, 3)) == 0):
        return case
    name = draw(st.sampled_from(["csr", "csr", "csr", "csc", "coo", "lil"]))
    sparse = sp.csr_array(case.plain).asformat(name)
    if name != "csr":
        return Case(sparse, None, False)
    if draw(st.booleans()):
        sparse.indices, sparse.indptr = sparse.indices.astype("i8"), sparse.indptr.astype("i8")
    return Case(sparse, case.plain, True)


LABELS = ("<i8", "<i4", "|i1", "<u8", "|u1", "<i2")


@st.composite
def calls(draw):
    """A method and its arguments."""
    n = draw(st.integers(0, 6))
    method = draw(
        st.sampled_from(
            ["forward", "predict", "predict_proba", "loss", "loss_and_grad", "fit", "minimize"]
        )
    )
    arguments = {"X": draw(inputs(n))}
    if method not in ("forward", "predict", "predict_proba"):
        arguments["y"] = draw(
            arrays(st.just((n,)), LABELS, lambda rng, shape: rng.integers(0, N_CLASSES, shape))
        )
        if draw(st.booleans()):
            arguments["sample_weight"] = draw(
                arrays(st.just((n,)), ("<f8", "<f4"), lambda rng, shape: rng.random(shape))
            )
    return method, arguments


N_DIMENSIONS = {"X": 2, "y": 1, "sample_weight": 1}


def outcome(method, arguments):
    """Result and parameters, or class and message of the error, of a call of a new network."""
    mlp = fastmlp.MLP([D_IN, 5, N_CLASSES], dtype="float64", seed=0)
    given = {"fit": {"epochs": 2, "batch_size": 3}, "minimize": {"max_iter": 2}}.get(method, {})
    before = mlp.parameters.copy()
    try:
        result = getattr(mlp, method)(**arguments, **given)
    except (TypeError, ValueError, ArithmeticError) as error:
        if not isinstance(error, fastmlp.DivergenceError) and "expected finite" not in str(error):
            np.testing.assert_array_equal(mlp.parameters, before)
        return type(error), str(error)
    parts = result if isinstance(result, tuple) else (result,)
    parts = [getattr(part, "loss", part) for part in parts]
    return [np.asarray(part) for part in parts], mlp.parameters.copy()


def same(one, other, tolerance):
    if isinstance(one[0], type) or isinstance(other[0], type):
        assert one == other
        return
    for a, b in zip([*one[0], one[1]], [*other[0], other[1]], strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@settings(
    max_examples=2000,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(calls())
def test_the_right_result_or_an_error_that_names_the_argument(call):
    method, arguments = call
    found = outcome(method, {name: case.given for name, case in arguments.items()})
    note(f"{method}: {found}")
    refused = [
        name
        for name, case in arguments.items()
        if not case.is_taken and not (name == "sample_weight" and case.given is None)
    ]
    if refused:
        assert found[0] in (TypeError, ValueError)
        # Arguments are looked at one after the other; shapes are compared when all were taken.
        misshapen = [
            name
            for name, case in arguments.items()
            if case.is_taken and case.plain.ndim != N_DIMENSIONS[name]
        ]
        assert re.match(rf"({'|'.join(refused + misshapen)})\b", found[1]), found[1]
        return
    plain = {name: case.plain for name, case in arguments.items()}
    # Rows of a sparse matrix are added up in a different order from dense ones.
    same(found, outcome(method, plain), 1e-12)


@pytest.mark.parametrize("method", ["forward", "predict", "predict_proba"])
def test_rows_without_number_are_refused_memory(method):
    X = np.broadcast_to(np.zeros((1, D_IN)), (2**45, D_IN))
    mlp = fastmlp.MLP([D_IN, 5, N_CLASSES], dtype="float64", seed=0)
    with pytest.raises(MemoryError):
        getattr(mlp, method)(X)


LIMITED = """
import resource, sys
import numpy as np
import fastmlp
limit = int(sys.argv[1])
rng = np.random.default_rng(0)
X, y = rng.standard_normal((3000, 200)), rng.integers(3, size=3000)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
refused = 0
for width in (10, 100, 1000, 4000, 20_000):
    for call in ("fit", "minimize", "predict", "step", "loss_and_grad", "copy"):
        try:
            mlp = fastmlp.MLP([200, width, 3], dtype="float64", seed=0)
            if call == "fit":
                mlp.fit(X, y, fastmlp.Adam(), epochs=1, batch_size=1000, n_jobs=2)
            elif call == "minimize":
                mlp.minimize(X, y, max_iter=2, n_jobs=2)
            elif call == "predict":
                mlp.predict_proba(X, n_jobs=2)
            elif call == "step":
                mlp.step(X, y, fastmlp.Adam())
            elif call == "copy":
                import copy
                copy.deepcopy(mlp)
            else:
                mlp.loss_and_grad(X, y)
        except MemoryError:
            refused += 1
print("done", refused)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not hold to RLIMIT_AS")
@pytest.mark.parametrize("spare", [40, 80, 160, 320])
def test_memory_that_the_system_refuses_is_an_exception(spare):
    size = "open('/proc/self/statm').read().split()[0]"
    base = subprocess.run(
        [sys.executable, "-c", f"import numpy, fastmlp; print(int({size}) * 4096)"],
        capture_output=True,
        text=True,
        check=True,
    )
    limit = int(base.stdout) + (spare << 20)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(limit)],
        capture_output=True,
        text=True,
        check=False,
        env={"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": ":".join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    refused = re.fullmatch(r"done (\d+)\n", done.stdout)
    assert refused
    assert 0 < int(refused[1]) < 25
    assert "panicked" not in done.stderr
