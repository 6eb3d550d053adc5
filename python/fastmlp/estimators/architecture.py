"""The network that the parameters ask for, and where its training starts."""

import re
from operator import index
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from fastmlp._core import ACTIVATIONS as FUNCTIONS
from fastmlp._core import MLP
from fastmlp.estimators.loss import is_same
from fastmlp.estimators.random_state import next_seed

if TYPE_CHECKING:
    from fastmlp._core import Activation, Normalization, Output

# scikit-learn's names, and the engine's for the same functions.
ACTIVATIONS: "dict[str, Activation]" = {
    **{name: name for name in FUNCTIONS},
    "prelu": "prelu",  # which learns, and is no function of the engine's table
    "logistic": "sigmoid",
}
OUTPUTS: "dict[str, Output]" = {
    "identity": "identity",
    "exp": "exp",
    "logistic": "sigmoid",
    "softmax": "softmax",
}
# Numerators of the bounds that scikit-learn draws initial parameters in, for all that it has.
_NUMERATORS = {"identity": 6.0, "relu": 6.0, "sigmoid": 2.0, "tanh": 6.0}

# "64-32", "64x3" and "128x2-64".
_TEXT = re.compile(r"[0-9]+(x[0-9]+)?(-[0-9]+(x[0-9]+)?)*")
# More are a mistake, or a file that asks for all of the memory.
_MOST_LAYERS = 1000


class Architecture(NamedTuple):
    """All that makes two networks interchangeable but for their parameters."""

    layer_sizes: tuple[int, ...]
    activations: "tuple[Activation, ...]"
    # None without hidden layers, which have nothing to normalise.
    normalization: "Normalization | None"
    output: "Output"
    dtype: str
    # One of `fastmlp.losses`, or a function.
    loss: Any

    @classmethod
    def of(cls, network: MLP) -> Self:
        """Return that of a network."""
        activation, n_hidden = network.activation, len(network.layer_sizes) - 2
        return cls(
            network.layer_sizes,
            (activation,) * n_hidden if isinstance(activation, str) else activation,
            network.normalization if n_hidden else None,
            network.output,
            network.dtype,
            network.loss_function,
        )

    def is_same(self, other: Self) -> bool:
        """Say whether two are the same; `==` would ask functions, which may answer anything."""
        return self[:-1] == other[:-1] and is_same(self.loss, other.loss)

    def make(self, seed: int = 0) -> MLP:
        """Make a network of it."""
        return MLP(
            self.layer_sizes,
            activation=self.activations,
            output=self.output,
            dtype=np.dtype(self.dtype),
            seed=seed,
            normalization=self.normalization,
            loss=self.loss,
        )

    def draw(self, activation: Any, random_state: np.random.RandomState, ahead: int) -> MLP:
        """Make a network with the initial parameters that a fit starts from.

        If scikit-learn has all activations, the draws are scikit-learn's: uniform, in double, layer
        by layer, with the bounds of Glorot and Bengio, "Understanding the difficulty of training
        deep feedforward neural networks", AISTATS 2010, and 2 in place of 6 for the logistic
        function. If not, they are the engine's for ``init="auto"``.
        """
        if not _NUMERATORS.keys() >= set(self.activations):
            return self.make(next_seed(random_state))
        # The masks of dropout, which come from the seed, are to follow from the random state, from
        # which scikit-learn draws nothing else: `ahead` is what `seed_ahead` says of it.
        network = self.make(ahead)
        # The output layer is drawn as if the activation followed it too.
        last = self.activations[-1] if self.activations else ACTIVATIONS.get(str(activation))
        numerators = [_NUMERATORS.get(str(name), 6.0) for name in (*self.activations, last)]
        for numerator, weights, biases in zip(
            numerators, network.weights, network.biases, strict=True
        ):
            bound = np.sqrt(numerator / sum(weights.shape))
            weights[...] = random_state.uniform(-bound, bound, weights.shape)
            biases[...] = random_state.uniform(-bound, bound, biases.shape)
        return network


def hidden_sizes(hidden_layer_sizes: Any) -> list[int]:
    """Return the widths that `hidden_layer_sizes` stands for: an int, a sequence, or text."""
    if isinstance(hidden_layer_sizes, str):
        sizes = _sizes_of_text(hidden_layer_sizes)
    else:
        one = not hasattr(hidden_layer_sizes, "__iter__")
        sizes = [hidden_layer_sizes] if one else list(hidden_layer_sizes)
    try:
        widths = [index(size) for size in sizes]
    except TypeError as error:
        raise TypeError(f"hidden_layer_sizes must be integers, got {sizes}: {error}") from None
    if any(width <= 0 for width in widths):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return widths


def _sizes_of_text(text: str) -> list[int]:
    if not _TEXT.fullmatch(text):
        raise ValueError(
            "hidden_layer_sizes must be widths such as '64-32', or '64x3' for three layers of 64, "
            f"got {text!r}"
        )
    parts = [part.partition("x") for part in text.split("-")]
    counts = [int(count or 1) for _, _, count in parts]
    if sum(counts) > _MOST_LAYERS:
        raise ValueError(
            f"hidden_layer_sizes must have at most {_MOST_LAYERS} layers, got {sum(counts)}"
        )
    return [
        int(width) for (width, _, _), count in zip(parts, counts, strict=True) for _ in range(count)
    ]


def hidden_activations(activation: Any, n_hidden: int) -> "tuple[Activation, ...]":
    """Return the engine's name for the activation of each hidden layer."""
    names = [activation] * n_hidden if isinstance(activation, str) else list(activation)
    if len(names) != n_hidden:
        raise ValueError(
            "activation must be one name, or a sequence with one name per hidden layer, of which "
            f"there are {n_hidden}; got {activation!r}"
        )
    for name in names:
        if not isinstance(name, str) or name not in ACTIVATIONS:
            raise ValueError(f"activation must be among {sorted(ACTIVATIONS)}, got {name!r}")
    return tuple(ACTIVATIONS[name] for name in names)
