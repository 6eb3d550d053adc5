"""The network of a recipe and its optimizer, in the tangent-kernel parametrisation.

There a layer is ``x W / sqrt(d_in) + b`` with W and b from a normal distribution, so that one
learning rate suits layers of every width [1]_. The engine's layers have no such factor. It is in
their weights here, and in the rates: a hidden layer's weights are smaller by the square root of its
width, and so are their steps. The first layer has another width than the rest: the learnable scale
of the inputs, which begins at ``sqrt(width / d_in)`` in place of 1, makes its weights those of a
hidden layer.

References
----------
.. [1] A. Jacot, F. Gabriel and C. Hongler, "Neural tangent kernel: convergence and generalization
   in neural networks", NeurIPS 2018.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastmlp._core import MLP, AdamW
from fastmlp.tabular.recipe import Recipe
from fastmlp.tabular.target import Target

# RealMLP's factors on the learning rate: of the scale of inputs, of biases, and of periodic
# features and the nonlinearity. Its memory, and the share of steps that warm up.
_SCALE_FACTOR, _BIAS_FACTOR, _FEATURE_FACTOR = 6.0, 0.1, 0.1
_BETAS = (0.9, 0.95)
_WARMUP = 0.05


def reads_ranks(network: MLP) -> bool:
    """Say whether a network has periodic features of ranks, where its table has numbers."""
    return network.parametric_activation


def make_network(
    recipe: Recipe, target: Target, n_inputs: int, seed: int, n_periodic: int = 0
) -> MLP:
    """Make a network with initial parameters; its outputs are all 0.

    Parameters
    ----------
    recipe : Recipe
        Of the network.
    target : Target
        What the outputs stand for.
    n_inputs : int
        Columns of its input.
    seed : int
        Of the parameters.
    n_periodic : int, default=0
        How many of the inputs, from the first on, have periodic features if the recipe has some.
    """
    network = MLP(
        [n_inputs, *recipe.hidden_layer_sizes, target.n_outputs],
        activation=recipe.activation if recipe.hidden_layer_sizes else (),  # type: ignore[arg-type]
        output=target.output,
        dtype=recipe.dtype,  # type: ignore[arg-type]
        seed=seed,
        input_scale=True,
        loss=target.loss(recipe),
        periodic_inputs=n_periodic if recipe.is_periodic else 0,
        parametric_activation=recipe.is_periodic,
    )
    rng = np.random.default_rng(seed)
    width = _width(recipe.hidden_layer_sizes)
    for block in network.parameter_blocks:
        if block.role == "frequency":
            block.view[...] *= recipe.frequency
        if block.role == "scale":
            block.view[...] = np.sqrt(width / block.shape[0])
    for layer, (weights, biases) in enumerate(
        zip(network.weights[:-1], network.biases[:-1], strict=True)
    ):
        weights[...] = rng.standard_normal(weights.shape) / np.sqrt(
            len(weights) if layer else width
        )
        biases[...] = rng.standard_normal(biases.shape)
    network.weights[-1][...] = 0
    network.biases[-1][...] = 0
    return network


def make_optimizer(recipe: Recipe, network: MLP, *, is_planned: bool = True) -> AdamW:
    """Make the optimizer: a step of the weights is that of the other parametrisation.

    Without a plan the learning rate is constant.
    """
    width = _width(recipe.hidden_layer_sizes)
    scale = np.sqrt(width)
    (n_scaled,) = next(block.shape for block in network.parameter_blocks if block.role == "scale")
    feature = _FEATURE_FACTOR * scale
    return AdamW(
        recipe.learning_rate_init / scale,
        *_BETAS,
        weight_decay=recipe.weight_decay * scale,
        schedule=recipe.schedule if is_planned else None,  # type: ignore[arg-type]
        warmup=_WARMUP if is_planned else None,
        lr_factors={
            "bias": _BIAS_FACTOR * scale,
            "scale": _SCALE_FACTOR * scale * np.sqrt(width / n_scaled),
            **dict.fromkeys(("alpha", "frequency", "projection", "offset"), feature),
            # Which count in turns, and not in radians.
            "phase": feature / (2 * np.pi),
        },
        decay_roles=["weight"],
    )


def _width(hidden_layer_sizes: Sequence[int]) -> Any:
    """Return the width that the rates are for: the mean of the hidden layers'."""
    return np.mean(hidden_layer_sizes) if hidden_layer_sizes else 1.0
