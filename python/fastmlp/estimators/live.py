"""The network of an estimator, whose parameters are the arrays of `coefs_` and `intercepts_`."""

from collections.abc import Sequence
from copy import copy
from inspect import signature
from operator import is_
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import NotFittedError

from fastmlp import losses
from fastmlp._core import MLP
from fastmlp.estimators.architecture import OUTPUTS, Architecture, hidden_activations
from fastmlp.estimators.loss import is_same

if TYPE_CHECKING:
    from fastmlp._core import Normalization


class _Tie(NamedTuple):
    """A network, and what the estimator had when the two were the same."""

    network: MLP
    activation: Any
    normalization: str | None
    out_activation: str
    loss: Any
    coefs: tuple[NDArray[Any], ...]
    intercepts: tuple[NDArray[Any], ...]

    def holds(self, estimator: "LiveParameters") -> bool:
        return (
            bool(self.activation == estimator.activation)
            and self.normalization == estimator._normalization
            and self.out_activation == estimator.out_activation_
            and is_same(self.loss, estimator._loss)
            and len(self.coefs) == len(estimator.coefs_)
            and len(self.intercepts) == len(estimator.intercepts_)
            and all(map(is_, self.coefs, estimator.coefs_))
            and all(map(is_, self.intercepts, estimator.intercepts_))
        )


class LiveParameters:
    """Keeps `coefs_` and `intercepts_` views of one network, also when someone replaces them.

    What else the network learns, such as the gains of a normalisation, is in the network alone.
    """

    activation: Any
    out_activation_: str
    coefs_: list[NDArray[Any]]
    intercepts_: list[NDArray[Any]]
    # Those of the last training, which the parameters `loss` and `normalization` may differ from.
    _loss: Any
    _normalization: "Normalization | None"
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
            copy(self.activation),
            self._normalization,
            self.out_activation_,
            self._loss,
            tuple(self.coefs_),
            tuple(self.intercepts_),
        )

    def _adopt(self, network: MLP | None) -> MLP:
        """Copy the lists' arrays into the network that was there, or into one of their sizes."""
        coefs = [_apart(coef, network) for coef in self.coefs_]
        intercepts = [_apart(intercept, network) for intercept in self.intercepts_]
        single = all(array.dtype == np.float32 for array in coefs + intercepts)
        dtype = "float32" if single else "float64"
        architecture = self._architecture(layer_sizes_of(coefs, intercepts), dtype)
        if network is None or not (before := Architecture.of(network)).is_same(architecture):
            other = architecture.make()
            # Another loss changes nothing of what the network learned besides the arrays.
            as_now = {"output": architecture.output, "loss": architecture.loss}
            if network is not None and before._replace(**as_now).is_same(architecture):
                other.parameters[:] = network.parameters
                other.freeze(network.frozen)
            network = other
        for view, array in zip(network.weights + network.biases, coefs + intercepts, strict=True):
            view[...] = array
        self._set_network(network)
        return network

    def _architecture(self, layer_sizes: Sequence[int], dtype: str) -> Architecture:
        """Return what the parameters ask for, for layers of these sizes."""
        n_hidden = len(layer_sizes) - 2
        return Architecture(
            tuple(layer_sizes),
            hidden_activations(self.activation, n_hidden),
            self._normalization if n_hidden else None,
            OUTPUTS[self.out_activation_],
            dtype,
            self._loss,
        )

    def __getstate__(self) -> dict[str, Any]:
        """Return the state with the network in place of its views."""
        network = self.network_ if "coefs_" in self.__dict__ else None
        state: dict[str, Any] = dict(super().__getstate__())  # type: ignore[call-overload]
        if network is not None:
            for name in ("_tie", "coefs_", "intercepts_"):
                state.pop(name, None)
            # Who takes the state, as `copy.copy` does, has a network of its own.
            state["_network"] = copy(network)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the state, and make the views at once: they are what others will hold.

        A state of an earlier version may have arrays in place of the network, and lack parameters.
        """
        named = signature(type(self).__init__).parameters.values()
        defaults = {p.name: p.default for p in named if p.default is not p.empty}
        state = defaults | state
        network = state.pop("_network", None)
        if "out_activation_" in state:
            state.setdefault("_loss", losses._of_output(OUTPUTS[state["out_activation_"]]))
            state.setdefault("_normalization", state["normalization"])
        super().__setstate__(state)  # type: ignore[misc]
        if network is not None:
            self._set_network(network)
        elif "_tie" in state:
            _ = self.network_


def _apart(array: Any, network: MLP | None) -> NDArray[Any]:
    """Return an array that writing to the network does not change, in whichever order."""
    array = np.asarray(array)
    if network is not None and np.may_share_memory(array, network.parameters):
        return array.copy()
    return array


def layer_sizes_of(coefs: list[NDArray[Any]], intercepts: list[NDArray[Any]]) -> tuple[int, ...]:
    """Return the widths of the layers that these arrays are for, input first."""
    coefs, intercepts = list(map(np.asarray, coefs)), list(map(np.asarray, intercepts))
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
