"""What a film records: the parameters of some epochs, and the losses of all."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._core import MLP
from fastmlp._page.content import Recorded


class Recording:
    """A callback that records one training; `fastmlp.film.Film` says more."""

    def __init__(self, network: MLP | None = None, *, frames: int = 48) -> None:
        if network is not None and not isinstance(network, MLP):
            raise TypeError(f"network must be an MLP or None, got {type(network).__name__}")
        if not isinstance(frames, int | np.integer) or frames < 2:
            raise ValueError(f"frames must be an integer >= 2, got {frames!r}")
        self.frames = frames
        self._given = network
        self._network = network
        self._classes: Any = None
        if network is not None:
            _check_network(network)
        self._start(None if network is None else network.parameters.copy())

    def _start(self, parameters: NDArray[Any] | None) -> None:
        self._epochs: list[int] = [] if parameters is None else [0]
        self._parameters: list[NDArray[Any]] = [] if parameters is None else [parameters]
        self._losses: dict[str, list[float]] = {"loss": [], "val_loss": []}
        self._last = 0

    def __call__(self, info: Any) -> None:
        """Record an epoch.

        Parameters
        ----------
        info : Epoch or FitInfo
            What a callback is told.

        Raises
        ------
        TypeError
            If the film has a network and an estimator is trained, or the other way round.
        ValueError
            If the estimator's network does not have two inputs.
        """
        network = self._trained(info)
        if info.epoch <= self._last:
            self._start(self._parameters[-1] if self._given is not None else None)
        if self._last == 0:
            _check_network(network)
        self._network, self._last = network, info.epoch
        for name, losses in self._losses.items():
            if (loss := getattr(info, name)) is not None:
                losses.append(loss)
        self._record(info.epoch, network.parameters)

    def _trained(self, info: Any) -> MLP:
        estimator = getattr(info, "estimator", None)
        if self._given is not None:
            if estimator is not None:
                raise TypeError("Film(network) records MLP.fit: for an estimator it must be Film()")
            return self._given
        if estimator is None:
            raise TypeError("Film() records estimators: for MLP.fit it must be Film(network)")
        self._classes = getattr(estimator, "classes_", None)
        network: MLP = estimator.network_
        return network

    def _record(self, epoch: int, parameters: NDArray[Any]) -> None:
        """Keep the parameters of an epoch; they replace the latest if these came too early.

        The gap between recorded epochs grows with the epoch, so that their number grows as its
        logarithm, and is never wider than the gap between the last frames of a page.
        """
        if not np.isfinite(parameters).all():
            return
        if len(self._epochs) > 1:
            before, latest = self._epochs[-2:]
            if latest - before < latest // self.frames:
                del self._epochs[-1], self._parameters[-1]
        self._epochs.append(epoch)
        self._parameters.append(parameters.copy())

    @property
    def epochs(self) -> NDArray[np.int64]:
        """The recorded epochs, shape (n,); 0 stands for the parameters before training."""
        return np.array(self._epochs, np.int64)

    @property
    def parameters(self) -> NDArray[Any]:
        """The parameters after these epochs, shape (n, n_parameters), of the network's dtype."""
        return np.array(self._parameters)

    def recorded(self) -> Recorded:
        """Return the frames that a page has.

        Raises
        ------
        ValueError
            If nothing was recorded.
        """
        if self._network is None or not self._last:
            raise ValueError("the film is empty: give it to a training as its callback")
        film = Recorded(self._network, self.epochs, self.parameters, self._losses)
        return film.thinned(self.frames)


def is_classifier(network: MLP) -> bool:
    """Say whether a network predicts one class of several."""
    return network.output == "softmax" or (
        network.output == "sigmoid" and network.layer_sizes[-1] == 1
    )


def count_classes(network: MLP) -> int:
    """Return the number of classes of a classifier; a single sigmoid has two."""
    return max(network.layer_sizes[-1], 2)


def _check_network(network: MLP) -> None:
    n_inputs, *_, n_outputs = network.layer_sizes
    if n_inputs != 2:
        raise ValueError(f"a film needs a network with two inputs, got {n_inputs}")
    if n_outputs > 1 and not is_classifier(network):
        raise ValueError(
            f"a film needs a network for classes or with one output, got {n_outputs} outputs "
            f"{network.output!r}"
        )
