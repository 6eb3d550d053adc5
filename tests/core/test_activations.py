"""Activations: everything else names those of the core's table."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest
import reference

import fastmlp
from fastmlp._core import ACTIVATIONS

ROOT = Path(__file__).parents[2]
KEEPING = [
    name
    for name in ACTIVATIONS
    if name not in ("identity", "relu", "leaky_relu", "sigmoid", "tanh")
]


def names_in_the_stub():
    tree = ast.parse((ROOT / "python" / "fastmlp" / "_core.pyi").read_text("utf-8"))
    (literal,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and node.target.id == "Activation"
    )
    return ast.literal_eval(literal.slice)


def names_in_the_docs():
    text = (ROOT / "docs" / "1_model_and_gradients.md").read_text("utf-8")
    section = text.split("## 1.6 ")[1].split("## 1.7 ")[0]
    return tuple(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


def names_in_the_docstring():
    notes = fastmlp.MLP.__doc__.split("Activations::")[1].split("Initialisers")[0]
    return tuple(re.findall(r"^    (\w+) +f\(z\) = ", notes, re.MULTILINE))


def names_in_the_readme():
    (row,) = re.findall(
        r"^\| activations \| (.+);", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE
    )
    return tuple(row.split(", "))


@pytest.mark.parametrize(
    "names",
    [names_in_the_stub, names_in_the_docs, names_in_the_docstring, names_in_the_readme],
)
def test_every_list_has_every_name(names):
    # "prelu" learns: it is a stage, not a row of the table.
    assert tuple(name for name in names() if name != "prelu") == ACTIVATIONS


def test_the_reference_has_every_activation():
    assert tuple(reference.ACTIVATIONS) == ACTIVATIONS


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_value_and_slope_are_the_formulas(name, single_unit):
    x = np.linspace(-30.05, 30.05, 2002)[:, None]
    formula, derivative = reference.ACTIVATIONS[name]

    value, slope = single_unit(name, x)

    # Where the terms of a formula cancel, the result keeps their absolute error.
    np.testing.assert_allclose(value, formula(x[:, 0]), rtol=1e-13, atol=5e-15)
    np.testing.assert_allclose(slope, derivative(x[:, 0]), rtol=1e-13, atol=5e-15)


@pytest.mark.parametrize("name", ["gelu", "silu", "mish"])
def test_tails_keep_their_digits(name, single_unit):
    # Asymptotic series: exp(z) and exp(-z² / 2) underflow after some 700 and 38.
    z = np.array([-36.0, -30.0, -25.0])
    tails = {
        "gelu": -np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * (1 - z**-2 + 3 * z**-4 - 15 * z**-6),
        "silu": z * np.exp(z) * (1 - np.exp(z)),
        "mish": z * np.exp(z) * (1 - np.exp(z) / 2),
    }

    value, _ = single_unit(name, z[:, None])

    np.testing.assert_allclose(value, tails[name], rtol=1e-9)


@pytest.mark.parametrize("sizes", [[20, 30, 30, 3], [300, 150, 60, 3]], ids=["chunks", "blocks"])
@pytest.mark.parametrize("dropout", [0.0, 0.2])
@pytest.mark.parametrize("name", KEEPING)
def test_training_has_the_same_bits_on_two_threads(name, dropout, sizes, dtype, rng):
    X = rng.standard_normal((600, sizes[0])).astype(dtype)
    y = rng.integers(3, size=600)
    one, two = (fastmlp.MLP(sizes, activation=name, dtype=dtype, seed=0) for _ in range(2))

    one.fit(X, y, fastmlp.Adam(), epochs=2, dropout=dropout, seed=1, n_jobs=1)
    two.fit(X, y, fastmlp.Adam(), epochs=2, dropout=dropout, seed=1, n_jobs=2)

    assert one.parameters.tobytes() == two.parameters.tobytes()


@pytest.mark.parametrize("sizes", [[6, 20, 9, 4], [2, 20, 3]], ids=str)
@pytest.mark.parametrize("name", KEEPING)
def test_dropout_masks_values_and_their_derivatives(
    name, sizes, rng, random_mlp, flat, assert_agrees
):
    f, derivative = reference.ACTIVATIONS[name]
    mlp = random_mlp(sizes, name)
    X, y = rng.standard_normal((1, sizes[0])), np.zeros(1, int)

    _, gradient = mlp.loss_and_grad(X, y, dropout=0.4, seed=3)

    # For one row the derivative by a weight is the masked activation times the derivative by the
    # bias.
    inputs, slopes = [X], []
    d_W, d_b = mlp.unflatten(gradient)
    for k, (W, b) in enumerate(zip(mlp.weights[:-1], mlp.biases[:-1], strict=True)):
        unit = np.abs(d_b[k + 1]).argmax()
        z, masked = inputs[-1] @ W + b, d_W[k + 1][:, unit] / d_b[k + 1][unit]
        mask = masked / f(z)
        np.testing.assert_allclose(mask[mask != 0], 1 / 0.6, rtol=1e-9)
        inputs.append(masked[None])
        slopes.append(mask * derivative(z))
    d_Z = reference.softmax(inputs[-1] @ mlp.weights[-1] + mlp.biases[-1]) - np.eye(sizes[-1])[y]
    truth = []
    for k in reversed(range(len(mlp.weights))):
        truth = [inputs[k].T @ d_Z, d_Z[0], *truth]
        d_Z = d_Z @ mlp.weights[k].T * (slopes[k - 1] if k else 1.0)
    assert 0 < np.count_nonzero(slopes[0]) < slopes[0].size
    assert_agrees(gradient, flat(mlp, truth))
