"""``fastmlp train --preset lesson``: the lesson's network for the classes of a CSV file."""

from contextlib import nullcontext
from typing import Any

import click
import numpy as np

from fastmlp import MLP
from fastmlp._core import ACTIVATIONS
from fastmlp._extras import require
from fastmlp._files import check_saves
from fastmlp._progress import progress_bar
from fastmlp.checkpoint import Checkpoint
from fastmlp.commands.folder import CHECKPOINT, Run, held, refuse_results
from fastmlp.commands.lesson_steps import (
    cure_of,
    describe,
    kept_when_it_fails,
    learned_nothing,
    make_optimizer,
    prepare,
    resumed,
    weights_of,
)
from fastmlp.commands.options import COUNT, numbers, widths
from fastmlp.commands.results import describe_files, describe_metrics, evaluate_parts, write_results
from fastmlp.data import read_csv

# The parameters of `train_lesson` beside those of all trainings.
LESSON_OPTIONS: list[click.Parameter] = [
    click.Option(
        ["--hidden"],
        type=widths,
        metavar="N[,N...]",
        default="100",
        help="Width of each hidden layer.",
    ),
    click.Option(
        ["--activation"],
        type=click.Choice([*ACTIVATIONS, "prelu"]),
        default="relu",
        help="Activation of the hidden layers.",
    ),
    click.Option(
        ["--init"],
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
        show_default="normal for one hidden layer, else auto",
        help="Initial weights; auto suits the activation and deep networks.",
    ),
    click.Option(
        ["--init-scale"],
        type=float,
        show_default="0.01",
        help="Standard deviation of --init normal.",
    ),
    click.Option(
        ["--dtype"],
        type=click.Choice(["float32", "float64"]),
        default="float32",
        help="Type of the network's numbers.",
    ),
    click.Option(
        ["--optimizer"],
        type=click.Choice(["sgd", "adam", "adamw"]),
        default="sgd",
        help="Update rule.",
    ),
    click.Option(
        ["--learning-rate"],
        type=float,
        show_default="sgd 0.1, with --init normal 1.0; others 0.001",
        help="Step size of the updates.",
    ),
    click.Option(
        ["--momentum"], type=float, show_default="0.0", help="Momentum of sgd, in [0, 1]."
    ),
    click.Option(
        ["--nesterov/--no-nesterov"], default=False, help="Nesterov's lookahead for --momentum."
    ),
    click.Option(
        ["--weight-decay"], type=float, show_default="0.01", help="Weight decay of adamw, >= 0."
    ),
    click.Option(
        ["--dropout"],
        type=click.FloatRange(0, 1, max_open=True),
        metavar="X",
        default=0.0,
        help="Fraction of the hidden activations that training drops.",
    ),
    click.Option(["--epochs"], type=COUNT, metavar="N", default=1000, help="Passes over the rows."),
    click.Option(
        ["--batch-size"],
        type=COUNT,
        metavar="N",
        show_default="all rows",
        help="Rows per update.",
    ),
    click.Option(
        ["--class-weight"],
        type=click.Choice(["none", "balanced", "inverse"]),
        default="inverse",
        help="Weight of a class in the loss: inverse is 1/count, balanced n/(classes*count).",
    ),
    click.Option(
        ["--fractions"],
        type=numbers,
        metavar="X,X,X",
        default="0.70,0.15,0.15",
        help="Fractions of the rows for training, validation and test.",
    ),
    click.Option(
        ["--resume"],
        is_flag=True,
        help="Continue from the checkpoint in --output.",
    ),
]


def train_lesson(
    run: Run,
    reading: dict[str, Any],
    *,
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
    resume: bool,
) -> None:
    """Train the lesson's network, and write it with its metrics and plots."""
    if init is None:
        init = "normal" if len(hidden) == 1 or init_scale is not None else "auto"
    if learning_rate is None:
        learning_rate = 0.001 if optimizer != "sgd" else 1.0 if init == "normal" else 0.1
    rule = make_optimizer(optimizer, learning_rate, momentum, nesterov, weight_decay)
    if len(fractions) != 3 or not np.isclose(sum(fractions), 1):
        raise click.BadParameter(
            f"must be three numbers that sum to 1, got {', '.join(map(str, fractions))}",
            param_hint="--fractions",
        )
    if resume and run.overwrite:
        raise click.UsageError("--resume and --overwrite exclude each other")
    require("matplotlib", "training")  # now, and not after an hour of training
    folder = run.folder
    with held(folder):
        if not (resume or run.overwrite):
            refuse_results(folder)
        table = read_csv(run.file, run.target, **reading)
        network = MLP(
            [len(table.feature_names), *hidden, len(table.class_names)],
            activation=activation,
            init=init,
            init_scale=0.01 if init == "normal" and init_scale is None else init_scale,
            dtype=dtype,
            seed=run.seed,
        )
        data = prepare(run.file, run.target, table, fractions, run.seed, network.dtype)
        check_saves(data.model_of(network))  # now, and not after the last epoch
        path = folder / CHECKPOINT
        training = Checkpoint(network, rule, run.seed)
        if resume:
            training = resumed(path, training, epochs)
        with kept_when_it_fails(training, path, epochs, resume):
            if not run.quiet:
                click.echo(describe(run.file, table, data.parts, training.network))
            with nullcontext() if run.quiet else progress_bar(epochs) as callback:
                history = training.fit(
                    data.X_train,
                    data.parts.train.y,
                    epochs=epochs,
                    path=path,
                    batch_size=batch_size,
                    class_weight=weights_of(data.parts.train.y, class_weight),
                    X_val=data.X_val,
                    y_val=data.parts.validation.y,
                    dropout=dropout,
                    n_jobs=run.n_jobs,
                    callback=callback,
                )
            model = data.model_of(training.network)
            metrics = evaluate_parts(model, data.parts)
            files = write_results(folder, model, history, data.parts, {"network": metrics})
    if not run.quiet:
        click.echo(f"loss      {history.loss[0]:.4f} -> {history.loss[-1]:.4f}\n")
        click.echo(f"{describe_metrics(metrics['test'])}\n")
        click.echo(describe_files(folder, [*files, path]))
    if learned_nothing(metrics["train"]):
        click.echo(f"fastmlp: warning: {cure_of(init, optimizer)}", err=True)
