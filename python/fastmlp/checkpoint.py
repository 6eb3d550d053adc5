"""Training that can be interrupted and resumed from a file as if nothing had happened."""

from collections.abc import Callable
from copy import deepcopy
from os import PathLike
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, Self

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
from fastmlp._files import (
    Tensors,
    check_count,
    check_keys,
    check_type,
    faults_of,
    json_object,
    json_text,
    vector,
)
from fastmlp._fingerprint import fingerprint_of, stored_fingerprint

if TYPE_CHECKING:
    from fastmlp._core import Destination, Source

_RULES: dict[str, tuple[type[Optimizer], tuple[str, ...]]] = {
    "SGD": (SGD, ("learning_rate", "momentum", "nesterov", "scaled_velocity")),
    "Adam": (Adam, ("learning_rate", "beta_1", "beta_2", "epsilon", "epsilon_hat")),
    "AdamW": (AdamW, ("learning_rate", "beta_1", "beta_2", "epsilon", "weight_decay")),
}
# Options that are not None follow the settings in a dict; without any, a file has no dict.
_OPTIONS = ("clip_norm", "schedule", "warmup", "lr_factors", "decay_roles")
_SERIES = ("loss", "accuracy", "val_loss", "val_accuracy", "seconds")
_CONFIG = {"optimizer", "seed", "epoch", "step", "fingerprint"}


class _Copies(NamedTuple):
    """Everything that training changes, as it was after an epoch."""

    parameters: NDArray[Any]
    learning_rate: float
    state: dict[str, Any]


class _Whole(NamedTuple):
    """The last whole epoch of a training.

    It is replaced by one assignment, so a signal finds either this epoch or the next one, whichever
    line it interrupts.
    """

    epoch: int
    copies: _Copies | None  # None if network and optimizer are at this epoch themselves


class _Shared(NamedTuple):
    """A training as processes share it."""

    seed: int
    epoch: int
    series: dict[str, list[float]]
    copies: _Copies


class Checkpoint:
    """A training at the end of one of its epochs.

    The rest of a training depends only on network, optimizer, seed and number of epochs, besides
    the data and the other arguments of `fit`: training k epochs, and the others after loading the
    file, gives the same bits as training all of them in one go.

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
        Number of epochs completed.
    history : History
        The record of these epochs.

    Examples
    --------
    Continue the training, whatever happened last time:

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
        self._whole = _Whole(0, None)
        # Entries beyond the last whole epoch belong to one that a signal cut short.
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
        """Train up to a number of epochs, starting from the current one.

        Parameters
        ----------
        X : ndarray or CSR matrix of shape (n, d_in)
            As for `MLP.fit`; the same each time.
        y : ndarray of shape (n,) or (n, d_out)
            As for `MLP.fit`; the same each time.
        epochs : int
            Epochs of the whole training. They are the length of the optimizer's schedule, if it has
            one: a training continues its schedule if they are the same each time.
        path : str or path-like, default=None
            The file to keep: written before the first epoch, then at most every `interval` seconds,
            at the end, and when an error or Ctrl-C ends training. It always holds a whole epoch,
            which is the last one unless Ctrl-C is pressed again and again. None keeps no file.
        interval : float, default=60.0
            Seconds between two writes; 0 writes after each epoch.
        callback : callable, default=None
            As for `MLP.fit`.
        **arguments : object
            Other arguments of `MLP.fit`, such as `batch_size`; the same each time, except `n_jobs`,
            which does not change the bits.

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
        self._check_same(fingerprint_of(X, y, arguments))
        self._go_back()  # a signal may have ended the last call before it had done so
        if path is not None:
            self.save(path)  # if the file cannot be written, there is no work to lose yet
        written = monotonic()

        def keep(epoch: Epoch) -> bool | None:
            nonlocal written
            stop = callback(epoch) if callback is not None else None
            self._note(epoch)
            if path is not None and monotonic() - written >= interval:
                self.save(path)
                written = monotonic()
            return stop

        try:
            self._whole = _Whole(self.epoch, self._copied())
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
            self._settle(path)
        except BaseException:
            try:
                self._settle(path)
            except KeyboardInterrupt:  # a second one; a third ends this too
                self._settle(path)
                raise
            raise
        return self.history

    @property
    def epoch(self) -> int:
        """Number of epochs completed: int."""
        return self._whole.epoch

    @property
    def history(self) -> History:
        """The record of each epoch: History."""
        epoch = self.epoch
        arrays = {name: np.array(series[:epoch]) for name, series in self._series.items()}
        optional = {name: arrays[name] if arrays[name].size else None for name in _SERIES[1:4]}
        if epoch == 0 and self.network.output in ("softmax", "sigmoid"):
            optional["accuracy"] = arrays["accuracy"]
        return History(arrays["loss"], **optional, seconds=arrays["seconds"])

    def save(self, path: "Destination") -> None:
        """Write the training as it was after its last whole epoch.

        Parameters
        ----------
        path : str, path-like or object with write
            The file to write; an existing one is replaced at once or not at all. Or an object that
            writes bytes.

        Raises
        ------
        ValueError
            If the optimizer has the state of another network, or a weight is not finite.
        OSError
            If the file cannot be written.
        """
        epoch, network, optimizer = self._last_whole()
        state = optimizer.state_dict()
        rule, settings = _RULES[type(optimizer).__name__]
        values = [getattr(optimizer, name) for name in settings]
        options = {name: getattr(optimizer, name, None) for name in _OPTIONS}
        options = {name: value for name, value in options.items() if value is not None}
        config = {
            "optimizer": [rule.__name__, *values, *([options] if options else [])],
            "seed": str(self.seed),
            "epoch": epoch,
            "step": state.pop("step"),
            "fingerprint": self._fingerprint,
        }
        series = {name: np.array(values[:epoch]) for name, values in self._series.items()}
        _check_state(network, state)
        _check_series(network, epoch, self._fingerprint, series)
        tensors = {f"optimizer.{key}": values for key, values in state.items()}
        tensors |= {f"history.{key}": values for key, values in series.items()}
        save_network(path, network, tensors, {"training": json_text(config)})

    @classmethod
    def load(cls, path: "Source") -> Self:
        """Read a training that `save` wrote; everything in the file is checked first.

        Parameters
        ----------
        path : str, path-like, object with read, or bytes-like
            The file to read, an object that reads its bytes, or the bytes.

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
            check_keys("metadata", metadata, {"training"})
            return cls._from_file(network, tensors, json_object("training", metadata["training"]))

    @classmethod
    def _from_file(cls, network: MLP, tensors: Tensors, config: dict[str, Any]) -> Self:
        check_keys("training", config, _CONFIG)
        check_count("epoch", config["epoch"])
        check_count("step", config["step"])
        training = cls(network, _optimizer_of(config["optimizer"]), _seed_of(config["seed"]))
        names = {key: f"history.{key}" for key in _SERIES}
        series = {key: tensors.pop(name) for key, name in names.items() if name in tensors}
        fingerprint = stored_fingerprint(config["fingerprint"])
        _check_series(network, config["epoch"], fingerprint, series)
        slots = _slots(training.optimizer) if config["step"] or tensors else ()
        check_keys("tensors", tensors, (f"optimizer.{slot}" for slot in slots))
        state = {slot: tensors[f"optimizer.{slot}"] for slot in slots}
        _check_state(network, state)
        training.optimizer.load_state_dict({"step": config["step"], **state})
        training._whole = _Whole(config["epoch"], None)
        training._series = {key: values.tolist() for key, values in series.items()}
        training._fingerprint = fingerprint
        return training

    def _note(self, epoch: Epoch) -> None:
        """Take note of a whole epoch, with network and optimizer as they are."""
        for name, series in self._series.items():
            if (value := getattr(epoch, name)) is not None:
                series[self.epoch :] = [value]
        self._whole = _Whole(epoch.epoch, self._copied())

    def _shared(self) -> _Shared:
        """Return all that another process needs to go on as this one does."""
        return _Shared(self.seed, self.epoch, self._series, self._copied())

    def _take(self, shared: _Shared) -> None:
        """Go on as another process does, from the whole epoch that it has."""
        self.seed, epoch, self._series, copies = shared
        _restore(self.network, self.optimizer, copies)
        self._whole = _Whole(epoch, copies)

    def _copied(self) -> _Copies:
        optimizer = self.optimizer
        return _Copies(
            self.network.parameters.copy(), optimizer.learning_rate, optimizer.state_dict()
        )

    def _settle(self, path: str | PathLike[str] | None) -> None:
        """Go back to the last whole epoch and write it; an interrupted call can be repeated."""
        self._go_back()
        if path is not None:
            self.save(path)

    def _go_back(self) -> None:
        """Put network and optimizer back to the last whole epoch."""
        whole = self._whole
        if whole.copies is not None:
            _restore(self.network, self.optimizer, whole.copies)
            self._whole = _Whole(whole.epoch, None)

    def _last_whole(self) -> tuple[int, MLP, Optimizer]:
        """Return the last whole epoch: its number, and network and optimizer as they were then."""
        whole = self._whole
        if whole.copies is None:
            return whole.epoch, self.network, self.optimizer
        network, optimizer = deepcopy(self.network), deepcopy(self.optimizer)
        _restore(network, optimizer, whole.copies)
        return whole.epoch, network, optimizer

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


def _check_series(
    network: MLP, epoch: int, fingerprint: dict[str, Any] | None, series: Tensors
) -> None:
    """Refuse a history of another number of epochs, or with figures that the training lacks."""
    classifies = network.output in ("softmax", "sigmoid")
    validated = epoch if fingerprint is not None and "X_val" in fingerprint else 0
    lengths = {
        "loss": epoch,
        "accuracy": epoch if classifies else 0,
        "val_loss": validated,
        "val_accuracy": validated if classifies else 0,
        "seconds": epoch,
    }
    for name, length in lengths.items():
        vector(series, name, "float64", length)


def _check_state(network: MLP, state: Tensors) -> None:
    """Refuse vectors that do not match the network's parameters."""
    for name in state:
        vector(state, name, network.dtype, network.n_parameters)


def _optimizer_of(settings: Any) -> Optimizer:
    check_type("optimizer", settings, list)
    name, *values = settings
    check_type("the name of the optimizer", name, str)
    if name not in _RULES:
        raise ValueError(f"optimizer must be SGD, Adam or AdamW, got {name}")
    rule, names = _RULES[name]
    options = values.pop() if len(values) > len(names) else {}
    check_type("the options of the optimizer", options, dict)
    arguments = dict(zip(names, values, strict=True))
    for key, value in arguments.items():
        check_type(key, value, type(getattr(rule(), key)))
    return rule(**arguments, **options)


def _slots(optimizer: Optimizer) -> tuple[str, ...]:
    """Return the names of the vectors in the optimizer's state after its first step."""
    if isinstance(optimizer, SGD):
        return ("velocity",) if optimizer.momentum > 0 else ()
    return ("m", "v")


def _seed_of(text: Any) -> int:
    check_type("seed", text, str)
    seed = int(text)
    if str(seed) != text:
        raise ValueError(f"seed must be an integer, got {text!r}")
    return seed


def _restore(network: MLP, optimizer: Optimizer, copies: _Copies) -> None:
    network.parameters[:] = copies.parameters
    optimizer.learning_rate = copies.learning_rate
    optimizer.load_state_dict(copies.state)
