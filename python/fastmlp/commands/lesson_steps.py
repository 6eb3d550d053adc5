"""The steps of ``fastmlp train`` around the training itself."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from fastmlp import MLP, SGD, Adam, AdamW, Optimizer
from fastmlp.checkpoint import Checkpoint
from fastmlp.commands.errors import BadInput, Interrupted
from fastmlp.commands.lesson_checks import check_range, check_spread, split_table
from fastmlp.commands.results import Parts, listed, printable, printable_names
from fastmlp.data import Table, class_weights, standardize
from fastmlp.metrics import Metrics
from fastmlp.model import Model


class Prepared(NamedTuple):
    """A table in the form in which a network is trained on it."""

    parts: Parts
    X_train: NDArray[Any]  # standardised, like X_val
    X_val: NDArray[Any]
    scaler: Any
    table: Table[NDArray[np.int64]]
    target: str

    def model_of(self, network: MLP) -> Model:
        """Wrap the trained network with scaling and names."""
        return Model(
            network,
            self.scaler.mean_,
            self.scaler.scale_,
            self.table.feature_names,
            self.table.class_names,
            self.target,
        )


def prepare(
    csv_file: Path,
    target: str,
    table: Table[NDArray[np.int64]],
    fractions: Sequence[float],
    seed: int,
    dtype: Any,
) -> Prepared:
    """Split and standardise a table, or refuse one that would fail later."""
    check_spread(csv_file, table)
    parts = split_table(csv_file, target, table, fractions, seed)
    scaler, (X_train,) = standardize(parts.train.X, dtype=dtype)
    check_range(csv_file, table, scaler.mean_, scaler.scale_, dtype)
    X_val = scaler.transform(parts.validation.X).astype(dtype)
    return Prepared(parts, X_train, X_val, scaler, table, target)


def weights_of(y: NDArray[np.int64], scheme: Any) -> NDArray[np.float64] | None:
    """Return the weights of the classes, all of which have rows."""
    return None if scheme == "none" else class_weights(y, scheme)


def make_optimizer(
    name: str, rate: float, momentum: float | None, nesterov: bool, weight_decay: float | None
) -> Optimizer:
    """Make the optimizer, or refuse an option that belongs to another one."""
    if name != "sgd" and (momentum is not None or nesterov):
        raise click.UsageError("--momentum and --nesterov need --optimizer sgd")
    if name != "adamw" and weight_decay is not None:
        raise click.UsageError("--weight-decay needs --optimizer adamw")
    if name == "sgd":
        return SGD(rate, momentum=momentum or 0.0, nesterov=nesterov)
    if name == "adam":
        return Adam(rate)
    return AdamW(rate, weight_decay=0.01 if weight_decay is None else weight_decay)


def resumed(path: Path, begun: Checkpoint, epochs: int) -> Checkpoint:
    """Load the training of a checkpoint, which must be the one that the command would start."""
    training = Checkpoint.load(path)
    for here, there in [
        (begun.network, training.network),
        (begun.optimizer, training.optimizer),
        (begun.seed, training.seed),
    ]:
        if repr(here) != repr(there):
            raise BadInput(f"{path} is of {there!r}, and the command asks for {here!r}")
    if training.epoch > epochs:
        raise BadInput(f"{path} has {training.epoch} epochs, and the command asks for {epochs}")
    return training


@contextmanager
def kept_when_it_fails(
    training: Checkpoint, path: Path, epochs: int, was_resumed: bool
) -> Iterator[None]:
    """Keep the checkpoint of a training that ends before its results are written."""
    try:
        yield
    except KeyboardInterrupt as interruption:
        training.save(path)
        made = f"interrupted after {training.epoch} of {epochs} epochs"
        raise Interrupted(f"{made}: the same command with --resume continues") from interruption
    except Exception as error:
        has_diverged = isinstance(error, ArithmeticError)
        if not was_resumed and (has_diverged or training.epoch == 0):
            path.unlink(missing_ok=True)  # there is nothing to resume
        raise


def learned_nothing(metrics: Metrics) -> bool:
    """Whether the same prediction for all rows would have as good an accuracy and mean recall."""
    counts = [scores["num_samples"] for scores in metrics["classes"].values()]
    recalls = [scores["recall"] for scores in metrics["classes"].values()]
    accuracy = metrics["overall"]["accuracy"]
    return bool(
        accuracy <= max(counts) / sum(counts) and np.mean(recalls) <= 1 / len(counts) + 1e-9
    )


def cure_of(init: str, optimizer: str) -> str:
    """Suggest what to try after a training that learned nothing."""
    cures = ["more --epochs", "another --learning-rate"]
    if init == "normal":
        cures.append("--init auto")
    if optimizer == "sgd":
        cures.append("--optimizer adam")
    return (
        "the network learned nothing: on the rows it was trained on, the same answer for all of "
        f"them would be as good; {', '.join(cures[:-1])} or {cures[-1]} may help"
    )


def describe(csv_file: Path, table: Table[NDArray[np.int64]], parts: Parts, network: MLP) -> str:
    """Describe the data, its split and the network."""
    file, names = printable(str(csv_file)), printable_names(table.class_names)
    classes = listed([f"{name} {n}" for name, n in zip(names, np.bincount(table.y), strict=True)])
    sizes = " -> ".join(str(size) for size in network.layer_sizes)
    rows = ", ".join(f"{name} {len(part.y)}" for name, part in parts._asdict().items())
    return "\n".join(
        [
            f"data      {file}: {len(table.y)} rows, {len(table.feature_names)} features",
            f"classes   {classes}",
            f"rows      {rows}",
            f"network   {sizes}, {network.n_parameters} parameters, {network.dtype}",
        ]
    )
