"""The command line: ``fastmlp demo``, ``train``, ``evaluate`` and ``predict``."""

import csv
import io
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, TextIO

import click
import numpy as np
from numpy.typing import NDArray

from fastmlp import MLP, SGD, Adam, AdamW, Optimizer, __version__, lesson
from fastmlp._checks import check_range, check_spread, split_table
from fastmlp._click import (
    COUNT,
    EXISTING_FILE,
    FOLDER,
    OUTPUT,
    SEED,
    BadInput,
    Commands,
    Interrupted,
    check_jobs,
    numbers,
    widths,
)
from fastmlp._core import ACTIVATIONS
from fastmlp._extras import require
from fastmlp._progress import progress_bar
from fastmlp._results import (
    Part,
    Parts,
    describe_files,
    describe_metrics,
    evaluate_part,
    evaluate_parts,
    printable,
    printable_names,
    write_results,
)
from fastmlp.checkpoint import Checkpoint
from fastmlp.data import Table, class_weights, read_csv, standardize
from fastmlp.model import Model

CHECKPOINT = "checkpoint.safetensors"


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command; an error is one line on standard error.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows the program's name; by default the arguments of the process.

    Returns
    -------
    int
        The exit status: 0, 1 after a broken pipe or a bug, 2 after bad input, 130 after Ctrl-C.
    """
    try:
        status = commands.main(arguments, prog_name="fastmlp", standalone_mode=False)
    except click.ClickException as error:
        message = printable(" ".join(error.format_message().split()))
        with suppress(OSError):
            click.echo(f"fastmlp: error: {message}", err=True)
        _drop_unwritten_output()
        return error.exit_code
    return status or 0


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
)
@click.version_option(__version__, prog_name="fastmlp", message="%(prog)s %(version)s")
@click.pass_context
def commands(ctx: click.Context) -> None:
    """Multilayer perceptrons on the CPU: learn, train, evaluate, predict.

    Bad input ends with status 2 and one line on standard error.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@commands.command()
@click.option("--output", type=FOLDER, default="lesson", help="Folder to write to.")
@click.option(
    "--seed", type=SEED, metavar="N", default=1234, help="Seed of the data and the network."
)
def demo(output: Path, seed: int) -> None:
    """Walk through the whole lesson on three spiral arms.

    Prints every step, from the look at the data to the trained network's metrics, and writes the
    plots, the metrics (metrics.json) and the model (model.safetensors).
    """
    lesson.run(output, seed)


@commands.command()
@click.argument("csv_file", metavar="CSV", type=EXISTING_FILE)
@click.option("--target", metavar="NAME", required=True, help="Column that holds the class.")
@click.option(
    "--output", type=FOLDER, show_default="runs/ and CSV's name", help="Folder to write to."
)
@click.option(
    "--hidden",
    type=widths,
    metavar="N[,N...]",
    default="100",
    help="Width of each hidden layer.",
)
@click.option(
    "--activation",
    type=click.Choice(ACTIVATIONS),
    default="relu",
    help="Activation of the hidden layers.",
)
@click.option(
    "--init",
    type=click.Choice(
        [
            "auto",
            "glorot_uniform",
            "glorot_normal",
            "he_uniform",
            "he_normal",
            "lecun_normal",
            "normal",
        ]
    ),
    default="normal",
    help="How the weights start; auto suits the activation, and deep networks.",
)
@click.option(
    "--init-scale",
    type=float,
    show_default="0.01",
    help="Standard deviation of --init normal.",
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    default="float32",
    help="Numbers the network computes with.",
)
@click.option(
    "--optimizer",
    type=click.Choice(["sgd", "adam", "adamw"]),
    default="sgd",
    help="Rule of the updates.",
)
@click.option(
    "--learning-rate", type=float, show_default="sgd 1.0, others 0.001", help="Size of the updates."
)
@click.option("--momentum", type=float, show_default="0.0", help="Momentum of sgd, in [0, 1].")
@click.option(
    "--nesterov/--no-nesterov", default=False, help="Nesterov's lookahead for --momentum."
)
@click.option(
    "--weight-decay", type=float, show_default="0.01", help="Pull of adamw towards 0, >= 0."
)
@click.option(
    "--dropout",
    type=click.FloatRange(0, 1, max_open=True),
    metavar="X",
    default=0.0,
    help="Share of the hidden activations that training leaves out.",
)
@click.option("--epochs", type=COUNT, metavar="N", default=1000, help="Passes over the rows.")
@click.option(
    "--batch-size",
    type=COUNT,
    metavar="N",
    show_default="all rows",
    help="Rows of an update.",
)
@click.option(
    "--class-weight",
    type=click.Choice(["none", "balanced", "inverse"]),
    default="inverse",
    help="Weight of a class in the loss: inverse is 1/count, balanced n/(classes*count).",
)
@click.option(
    "--fractions",
    type=numbers,
    metavar="X,X,X",
    default="0.70,0.15,0.15",
    help="Parts of the rows to train on, to validate with and to test with.",
)
@click.option(
    "--seed", type=SEED, metavar="N", default=1234, help="Seed of the split and the network."
)
@click.option(
    "--n-jobs",
    type=int,
    callback=check_jobs,
    show_default="1",
    help="Threads; -1 is all cores.",
)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on from the checkpoint that an interrupted training left in --output.",
)
@click.option("--quiet", is_flag=True, help="Print errors only.")
def train(
    csv_file: Path,
    target: str,
    output: Path | None,
    hidden: tuple[int, ...],
    activation: Any,
    init: Any,
    init_scale: float | None,
    dtype: Any,
    optimizer: str,
    learning_rate: float | None,
    momentum: float | None,
    nesterov: bool,
    weight_decay: float | None,
    dropout: float,
    epochs: int,
    batch_size: int | None,
    class_weight: Any,
    fractions: tuple[float, ...],
    seed: int,
    n_jobs: int | None,
    resume: bool,
    quiet: bool,
) -> None:
    """Train a network to tell the classes of a CSV file.

    All columns but the target are features, and must be numbers without gaps. Writes the model
    (model.safetensors), the metrics (metrics.json) and the plots: loss and accuracy, confusion
    matrix and, with two features, the decision boundary. Once a minute, and on Ctrl-C, a
    checkpoint is written (checkpoint.safetensors), from which the same command with --resume goes
    on.
    """
    rule = _optimizer(optimizer, learning_rate, momentum, nesterov, weight_decay)
    if len(fractions) != 3 or not np.isclose(sum(fractions), 1):
        raise click.BadParameter(
            f"must be three numbers that sum to 1, got {', '.join(map(str, fractions))}",
            param_hint="--fractions",
        )
    require("matplotlib", "training")  # now, and not when an hour of it is over
    table = read_csv(csv_file, target)
    n_features, n_classes = len(table.feature_names), len(table.class_names)
    network = MLP(
        [n_features, *hidden, n_classes],
        activation=activation,
        init=init,
        init_scale=0.01 if init == "normal" and init_scale is None else init_scale,
        dtype=dtype,
        seed=seed,
    )
    check_spread(csv_file, table)
    parts = split_table(csv_file, target, table, fractions, seed)
    scaler, (X_train,) = standardize(parts.train.X, dtype=dtype)
    check_range(csv_file, table, scaler.mean_, scaler.scale_, dtype)
    X_val = scaler.transform(parts.validation.X).astype(dtype)
    weights = (
        None
        if class_weight == "none"
        else class_weights(parts.train.y, class_weight, n_classes=n_classes)
    )
    folder = output or Path("runs") / csv_file.stem
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass  # a folder that cannot be written to fails now
    path = folder / CHECKPOINT
    training = Checkpoint(network, rule, seed)
    if resume:
        training = _resumed(path, training)
        network = training.network

    try:
        if not quiet:
            click.echo(_describe(csv_file, table, parts, network))
        with nullcontext() if quiet else progress_bar(epochs) as callback:
            history = training.fit(
                X_train,
                parts.train.y,
                epochs=epochs,
                path=path,
                batch_size=batch_size,
                class_weight=weights,
                X_val=X_val,
                y_val=parts.validation.y,
                dropout=dropout,
                n_jobs=n_jobs,
                callback=callback,
            )
    except KeyboardInterrupt as interruption:
        training.save(path)
        made = f"interrupted after {training.epoch} of {epochs} epochs"
        raise Interrupted(f"{made}: the same command with --resume goes on") from interruption
    model = Model(
        network, scaler.mean_, scaler.scale_, table.feature_names, table.class_names, target
    )
    metrics = evaluate_parts(model, parts)
    files = write_results(folder, model, history, parts, {"network": metrics})
    path.unlink()
    if not quiet:
        click.echo(f"loss      {history.loss[0]:.4f} -> {history.loss[-1]:.4f}\n")
        click.echo(f"{describe_metrics(metrics['test'])}\n")
        click.echo(describe_files(folder, files))


@commands.command()
@click.argument("model_file", metavar="MODEL", type=EXISTING_FILE)
@click.argument("csv_file", metavar="CSV", type=EXISTING_FILE)
@click.option(
    "--target", metavar="NAME", show_default="as in training", help="Column that holds the class."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, not a table.")
def evaluate(model_file: Path, csv_file: Path, target: str | None, as_json: bool) -> None:
    """Print how well a model tells the classes of a CSV file.

    Precision, recall, F1 and number of samples, weighted overall and for each class.
    """
    model = Model.load(model_file)
    target = target or model.target
    if target is None:
        raise click.UsageError(f"{model_file} names no target; --target is needed")
    table = read_csv(
        csv_file, target, class_names=model.class_names, feature_names=model.feature_names
    )
    check_range(csv_file, table, model.mean, model.scale, model.network.dtype)
    metrics = evaluate_part(model, Part(table.X, table.y))
    click.echo(json.dumps(metrics, indent=2) if as_json else describe_metrics(metrics))


@commands.command()
@click.argument("model_file", metavar="MODEL", type=EXISTING_FILE)
@click.argument("csv_file", metavar="CSV", type=EXISTING_FILE)
@click.option(
    "--output",
    metavar="FILE",
    type=OUTPUT,
    default="-",
    help="File to write to; - is standard output.",
)
def predict(model_file: Path, csv_file: Path, output: TextIO) -> None:
    """Predict the class of each row of a CSV file.

    The columns are found by the names the model was trained with; others are ignored. The answer
    is CSV: a column class, and a column probability_NAME for each class.
    """
    model = Model.load(model_file)
    table = read_csv(csv_file, None, feature_names=model.feature_names)
    check_range(csv_file, table, model.mean, model.scale, model.network.dtype)
    classes = [model.class_names[code] for code in model.predict(table.X)]
    probabilities = model.predict_proba(table.X).astype(str)
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(["class", *(f"probability_{name}" for name in model.class_names)])
    writer.writerows([name, *row] for name, row in zip(classes, probabilities, strict=True))


def _resumed(path: Path, begun: Checkpoint) -> Checkpoint:
    """Load the training of a checkpoint, which must be the one that the command would begin."""
    training = Checkpoint.load(path)
    for here, there in [
        (begun.network, training.network),
        (begun.optimizer, training.optimizer),
        (begun.seed, training.seed),
    ]:
        if repr(here) != repr(there):
            raise BadInput(f"{path} is of {there!r}, and the command asks for {here!r}")
    return training


def _optimizer(
    name: str,
    learning_rate: float | None,
    momentum: float | None,
    nesterov: bool,
    weight_decay: float | None,
) -> Optimizer:
    if name != "sgd" and (momentum is not None or nesterov):
        raise click.UsageError("--momentum and --nesterov need --optimizer sgd")
    if name != "adamw" and weight_decay is not None:
        raise click.UsageError("--weight-decay needs --optimizer adamw")
    if name == "sgd":
        rate = 1.0 if learning_rate is None else learning_rate
        return SGD(rate, momentum=momentum or 0.0, nesterov=nesterov)
    rate = 0.001 if learning_rate is None else learning_rate
    if name == "adam":
        return Adam(rate)
    return AdamW(rate, weight_decay=0.01 if weight_decay is None else weight_decay)


def _drop_unwritten_output() -> None:
    """Keep the interpreter from failing again, at its end, to write what could not be written."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        sys.stdout = io.StringIO()


def _describe(csv_file: Path, table: Table[NDArray[np.int64]], parts: Parts, network: MLP) -> str:
    counts = np.bincount(table.y)
    file, names = printable(str(csv_file)), printable_names(table.class_names)
    classes = ", ".join(f"{name} {n}" for name, n in zip(names, counts, strict=True))
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
