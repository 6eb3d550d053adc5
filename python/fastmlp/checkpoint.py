"""Training that can be interrupted: a file from which it goes on as if nothing had happened."""

import json
import zlib
from collections.abc import Callable
from os import PathLike
from time import monotonic
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fastmlp._core import (
    MLP,
    SGD,
    Adam,
    AdamW,
    Epoch,
    History,
    Optimizer,
    load_network,
    save_network,
)
from fastmlp._files import faults_of, json_object

_RULES: dict[str, tuple[type[Optimizer], tuple[str, ...]]] = {
    "SGD": (SGD, ("learning_rate", "momentum", "nesterov", "scaled_velocity")),
    "Adam": (Adam, ("learning_rate", "beta_1", "beta_2", "epsilon", "epsilon_hat")),
    "AdamW": (AdamW, ("learning_rate", "beta_1", "beta_2", "epsilon", "weight_decay")),
}
# Those that are not None follow the settings in a dict, so that a file without them has none.
_OPTIONS = ("clip_norm", "schedule", "warmup", "lr_factors", "decay_roles")
_SERIES = ("loss", "accuracy", "val_loss", "val_accuracy", "seconds")
_CONFIG = {"optimizer", "seed", "epoch", "step", "fingerprint"}


class Checkpoint:
    """A training at the end of one of its epochs.

    Network, optimizer, seed and number of epochs are all that the rest of a training depends on,
    besides the data and the other arguments of `fit`: k epochs, and the others after the file was
    loaded, give the same bits as all of them in one go.

    Parameters
    ----------
    network : MLP
        The network to train.
    optimizer : SGD, Adam or AdamW
        With its state.
    seed : int
        From 0 to 2**64 - 1: the orders of rows and the masks of dropout are functions of it and
        of the number of the epoch.

    Attributes
    ----------
    network : MLP
    optimizer : SGD, Adam or AdamW
    seed : int
    epoch : int
        Epochs made.
    history : History
        What each of them showed.

    Examples
    --------
    Train on, whatever happened last time:

    >>> from pathlib import Path
    >>> import numpy as np
    >>> import fastmlp
    >>> from fastmlp.checkpoint import Checkpoint
    >>> X, y = np.eye(8, dtype=np.float32), np.arange(8) % 2
    >>> path = Path("training.safetensors")
    >>> if path.exists():
    ...     training = Checkpoint.load(path)
    ... else:
    ...     training = Checkpoint(fastmlp.MLP([8, 4, 2], seed=0), fastmlp.Adam(), seed=0)
    >>> history = training.fit(X, y, epochs=20, batch_size=4, path=path)
    >>> training.epoch
    20
    >>> Checkpoint.load(path).epoch
    20
    >>> path.unlink()
    """

    def __init__(self, network: MLP, optimizer: Optimizer, seed: int) -> None:
        if type(optimizer).__name__ not in _RULES:
            found = type(optimizer).__name__
            raise TypeError(f"optimizer must be SGD, Adam or AdamW, got {found}")
        if not (isinstance(seed, int) and 0 <= seed < 2**64):
            raise ValueError(f"seed must be an integer from 0 to 2**64 - 1, got {seed!r}")
        self.network = network
        self.optimizer = optimizer
        self.seed = seed
        self.epoch = 0
        self._series: dict[str, list[float]] = {name: [] for name in _SERIES}
        self._fingerprint: dict[str, Any] | None = None

    def fit(
        self,
        X: Any,
        y: NDArray[Any],
        *,
        epochs: int,
        path: str | PathLike[str] | None = None,
        interval: float = 60.0,
        callback: Callable[[Epoch], bool | None] | None = None,
        **arguments: Any,
    ) -> History:
        """Train up to a number of epochs, from where the training stands.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n, d_in)
            As for `MLP.fit`; the same each time.
        y : ndarray of shape (n,) or (n, d_out)
            As for `MLP.fit`; the same each time.
        epochs : int
            Epochs of the whole training. Where the optimizer has a schedule, they are how long it
            is: a training goes on in its schedule if they are the same each time.
        path : str or path-like, default=None
            The file to keep: written at most every `interval` seconds, at the end, and when an
            error or Ctrl-C ends training, with the last whole epoch. None keeps none.
        interval : float, default=60.0
            Seconds between two writings; 0 writes after each epoch.
        callback : callable, default=None
            As for `MLP.fit`.
        **arguments : object
            Others of `MLP.fit`, such as `batch_size`; the same each time, but `n_jobs`, which
            changes no bits.

        Returns
        -------
        History
            Of the whole training, from its first epoch on.

        Raises
        ------
        ValueError
            If data or arguments differ from those that the training began with.
        OSError
            If the file cannot be written.
        TypeError, ValueError, DivergenceError, KeyboardInterrupt, RuntimeError, MemoryError
            As `MLP.fit` does. Network and optimizer are as they were after the last whole epoch.
        """
        for name in ("seed", "optimizer", "initial_epoch"):
            if name in arguments:
                raise TypeError(f"{name} belongs to the checkpoint: fit takes none")
        self._check_same(_fingerprint(X, y, arguments))
        written, kept = monotonic(), self._copied()

        def keep(epoch: Epoch) -> bool | None:
            nonlocal written, kept
            stop = callback(epoch) if callback is not None else None
            self.epoch = epoch.epoch
            for name, series in self._series.items():
                if (value := getattr(epoch, name)) is not None:
                    series.append(value)
            kept = self._copied()
            if path is not None and monotonic() - written >= interval:
                self.save(path)
                written = monotonic()
            return stop

        try:
            self.network.fit(
                X,
                y,
                self.optimizer,
                epochs=max(epochs, self.epoch),
                initial_epoch=self.epoch,
                seed=self.seed,
                callback=keep,
                **arguments,
            )
        except BaseException:
            parameters, self.optimizer.learning_rate, state = kept
            self.network.parameters[:] = parameters
            self.optimizer.load_state_dict(state)
            if path is not None:
                self.save(path)
            raise
        if path is not None:
            self.save(path)
        return self.history

    @property
    def history(self) -> History:
        """What each epoch showed: History."""
        arrays = {name: np.array(series) for name, series in self._series.items()}
        optional = {name: arrays[name] if arrays[name].size else None for name in _SERIES[1:4]}
        if self.epoch == 0 and self.network.output in ("softmax", "sigmoid"):
            optional["accuracy"] = arrays["accuracy"]
        return History(arrays["loss"], **optional, seconds=arrays["seconds"])

    def save(self, path: str | PathLike[str]) -> None:
        """Write the training as it is: between calls of `fit`, after its last whole epoch.

        Parameters
        ----------
        path : str or path-like
            The file to write; an existing one is replaced at once or not at all.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        state = self.optimizer.state_dict()
        rule, settings = _RULES[type(self.optimizer).__name__]
        values = [getattr(self.optimizer, name) for name in settings]
        options = {name: getattr(self.optimizer, name, None) for name in _OPTIONS}
        options = {name: value for name, value in options.items() if value is not None}
        config = {
            "optimizer": [rule.__name__, *values, *([options] if options else [])],
            "seed": str(self.seed),
            "epoch": self.epoch,
            "step": state["step"],
            "fingerprint": self._fingerprint,
        }
        tensors = {f"optimizer.{key}": state[key] for key in state if key != "step"}
        tensors |= {f"history.{key}": np.array(self._series[key]) for key in _SERIES}
        save_network(path, self.network, tensors, {"training": json.dumps(config)})

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a training that `save` wrote; everything in the file is checked first.

        Parameters
        ----------
        path : str or path-like
            The file to read.

        Returns
        -------
        Checkpoint

        Raises
        ------
        ModelFileError
            If the file is damaged or holds no training.
        OSError
            If the file cannot be read.
        """
        network, tensors, metadata = load_network(path)
        with faults_of(path, "is not a checkpoint"):
            return cls._from_file(network, tensors, metadata)

    @classmethod
    def _from_file(
        cls, network: MLP, tensors: dict[str, NDArray[Any]], metadata: dict[str, str]
    ) -> Self:
        if set(metadata) != {"training"}:
            raise ValueError(f"metadata must be ['training'], got {sorted(metadata)}")
        config = json_object("training", metadata["training"])
        if set(config) != _CONFIG:
            raise ValueError(f"training must be {sorted(_CONFIG)}, got {sorted(config)}")
        name, *settings = config["optimizer"]
        rule, names = _RULES[name]
        options = settings.pop() if len(settings) > len(names) else {}
        optimizer = rule(**dict(zip(names, settings, strict=True)), **options)
        training = cls(network, optimizer, int(config["seed"]))
        slots = {key.partition(".")[2]: value for key, value in tensors.items() if "." in key}
        series = {key: slots.pop(key) for key in _SERIES}
        training.optimizer.load_state_dict({"step": config["step"], **slots})
        if type(config["epoch"]) is not int or config["epoch"] < 0:
            raise ValueError(f"epoch must be an integer >= 0, got {config['epoch']!r}")
        training.epoch = config["epoch"]
        n_epochs = {values.shape for values in series.values()} - {(0,)}
        if n_epochs - {(training.epoch,)}:
            raise ValueError(f"history must have {training.epoch} epochs")
        training._series = {key: values.tolist() for key, values in series.items()}
        training._fingerprint = config["fingerprint"]
        return training

    def _copied(self) -> tuple[NDArray[Any], float, dict[str, Any]]:
        """Copy what training changes: parameters, learning rate, the optimizer's state."""
        parameters = self.network.parameters.copy()
        return parameters, self.optimizer.learning_rate, self.optimizer.state_dict()

    def _check_same(self, fingerprint: dict[str, Any]) -> None:
        """Compare data and arguments with those of the first epochs."""
        if self._fingerprint is None or self.epoch == 0:
            self._fingerprint = fingerprint
        for name in sorted({*self._fingerprint, *fingerprint}):
            before, now = self._fingerprint.get(name), fingerprint.get(name)
            if before != now:
                raise ValueError(
                    f"{name} is not what the training began with: it was {before}, and is {now}"
                )


def _fingerprint(X: Any, y: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    """Tell the data and arguments of a fit from others, in terms that JSON has."""
    found = {"X": _digest(X), "y": _digest(y)}
    for name, value in arguments.items():
        if name != "n_jobs" and value is not None:
            found[name] = _digest(value) if hasattr(value, "shape") else value
    return dict(json.loads(json.dumps(found, default=list)))


def _digest(array: Any) -> str:
    """Shape, dtype and checksum of an array, dense or sparse."""
    parts = [array] if isinstance(array, np.ndarray) else [array.data, array.indices, array.indptr]
    checksum = 0
    for part in parts:
        checksum = zlib.crc32(np.ascontiguousarray(part).tobytes(), checksum)
    return f"{array.dtype} {tuple(array.shape)} with checksum {checksum:08x}"
