"""The network of an estimator, whose parameters are the arrays of `coefs_` and `intercepts_`."""

from collections.abc import Sequence
from operator import is_
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError

from fastmlp._core import MLP

if TYPE_CHECKING:
    from fastmlp._core import Activation, Output

# scikit-learn's names, and the engine's for the same functions.
ACTIVATIONS: "dict[str, Activation]" = {
    "identity": "identity",
    "logistic": "sigmoid",
    "tanh": "tanh",
    "relu": "relu",
}
OUTPUTS: "dict[str, Output]" = {
    "identity": "identity",
    "exp": "exp",
    "logistic": "sigmoid",
    "softmax": "softmax",
}


class _Tie(NamedTuple):
    """A network, and what the estimator had when the two were the same."""

    network: MLP
    activation: str
    out_activation: str
    coefs: tuple[NDArray[Any], ...]
    intercepts: tuple[NDArray[Any], ...]

    def holds(self, estimator: "LiveParameters") -> bool:
        return (
            self.activation == estimator.activation
            and self.out_activation == estimator.out_activation_
            and len(self.coefs) == len(estimator.coefs_)
            and len(self.intercepts) == len(estimator.intercepts_)
            and all(map(is_, self.coefs, estimator.coefs_))
            and all(map(is_, self.intercepts, estimator.intercepts_))
        )


class LiveParameters:
    """Keeps `coefs_` and `intercepts_` views of one network, also when someone replaces them."""

    activation: str
    out_activation_: str
    coefs_: list[NDArray[Any]]
    intercepts_: list[NDArray[Any]]
    _tie: _Tie | None

    @property
    def network_(self) -> MLP:
        """The network itself; what changes it changes the estimator's predictions.

        Arrays that were put into `coefs_` or `intercepts_` by hand are copied into it first.
        """
        tie: _Tie | None = self.__dict__.get("_tie")
        if tie is not None and tie.holds(self):
            return tie.network
        if not hasattr(self, "coefs_"):
            raise NotFittedError(
                f"This {type(self).__name__} instance is not fitted yet. Call 'fit' with "
                "appropriate arguments before using this estimator."
            )
        return self._adopt(None if tie is None else tie.network)

    def _set_network(self, network: MLP) -> None:
        self.coefs_, self.intercepts_ = list(network.weights), list(network.biases)
        self._tie = _Tie(
            network,
            self.activation,
            self.out_activation_,
            tuple(self.coefs_),
            tuple(self.intercepts_),
        )

    def _adopt(self, network: MLP | None) -> MLP:
        """Copy the lists' arrays into the network that was there, or into one of their sizes."""
        coefs = [_apart(coef, network) for coef in self.coefs_]
        intercepts = [_apart(intercept, network) for intercept in self.intercepts_]
        sizes = _layer_sizes(coefs, intercepts)
        single = all(array.dtype == np.float32 for array in coefs + intercepts)
        dtype = "float32" if single else "float64"
        kind = (sizes, self.activation, self.out_activation_, dtype)
        if network is None or not _is_kind(network, *kind):
            network = make_network(*kind)
        for view, array in zip(network.weights + network.biases, coefs + intercepts, strict=True):
            view[...] = array
        self._set_network(network)
        return network

    def __getstate__(self) -> dict[str, Any]:
        """Return the state as plain arrays and numbers, which are enough to make the network."""
        state: dict[str, Any] = dict(super().__getstate__())  # type: ignore[call-overload]
        if "_tie" in state:
            state["_tie"] = None
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the state, and make the network at once: its views are what others will hold."""
        super().__setstate__(state)  # type: ignore[misc]
        if "_tie" in state:
            _ = self.network_


def make_network(
    layer_sizes: Sequence[int], activation: str, out_activation: str, dtype: Any
) -> MLP:
    """Make a network whose initial weights do not matter."""
    return MLP(
        layer_sizes,
        activation=ACTIVATIONS[activation],
        output=OUTPUTS[out_activation],
        dtype=np.dtype(dtype),
        seed=0,
    )


def _is_kind(
    network: MLP, layer_sizes: tuple[int, ...], activation: str, out_activation: str, dtype: str
) -> bool:
    return (
        network.layer_sizes == layer_sizes
        # Without hidden layers there is no activation to differ.
        and network.activation in (ACTIVATIONS[activation], ())
        and network.output == OUTPUTS[out_activation]
        and network.dtype == dtype
    )


def draw_parameters(network: MLP, activation: str, random_state: np.random.RandomState) -> None:
    """Draw weights and biases as scikit-learn does: uniform, in double, layer by layer.

    The bound is that of Glorot and Bengio, "Understanding the difficulty of training deep
    feedforward neural networks", AISTATS 2010, with 2 in place of 6 for the logistic function.
    """
    factor = 2.0 if activation == "logistic" else 6.0
    for weights, biases in zip(network.weights, network.biases, strict=True):
        bound = np.sqrt(factor / sum(weights.shape))
        weights[...] = random_state.uniform(-bound, bound, weights.shape)
        biases[...] = random_state.uniform(-bound, bound, biases.shape)


def _apart(array: Any, network: MLP | None) -> NDArray[Any]:
    """Return an array that writing to the network does not change, in whichever order."""
    array = np.asarray(array)
    if network is not None and np.may_share_memory(array, network.parameters):
        return array.copy()
    return array


def _layer_sizes(coefs: list[NDArray[Any]], intercepts: list[NDArray[Any]]) -> tuple[int, ...]:
    if not coefs or len(coefs) != len(intercepts):
        raise ValueError(
            "coefs_ and intercepts_ must have one array for each layer, "
            f"got {len(coefs)} and {len(intercepts)}"
        )
    for i, (coef, intercept) in enumerate(zip(coefs, intercepts, strict=True)):
        if coef.ndim != 2:
            raise ValueError(f"coefs_[{i}] must have 2 dimensions, got shape {coef.shape}")
        if i and len(coef) != coefs[i - 1].shape[1]:
            raise ValueError(
                f"coefs_[{i}] must have {coefs[i - 1].shape[1]} rows, as many as coefs_[{i - 1}] "
                f"has columns, got shape {coef.shape}"
            )
        if intercept.shape != coef.shape[1:]:
            raise ValueError(
                f"intercepts_[{i}] must have shape {coef.shape[1:]}, got {intercept.shape}"
            )
    return (len(coefs[0]), *(coef.shape[1] for coef in coefs))
