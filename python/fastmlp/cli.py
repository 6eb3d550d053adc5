"""The command line: ``fastmlp demo``, ``train``, ``evaluate`` and ``predict``."""

import csv
import io
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

import click

from fastmlp import __version__, lesson
from fastmlp._any_model import load_model
from fastmlp._checks import check_range
from fastmlp._click import (
    EXISTING_FILE,
    FOLDER,
    OUTPUT,
    READING_OPTIONS,
    SEED,
    TABLE_FILE,
    Commands,
    lesson_reading,
    unprintable_as_escapes,
)
from fastmlp._folder import held, refuse_checkpoint
from fastmlp._results import Part, describe_metrics, evaluate_part, printable
from fastmlp._table_file import Reading, open_table
from fastmlp._train import train
from fastmlp.data import read_csv
from fastmlp.metrics import Metrics
from fastmlp.model import Model

_ARGUMENTS: list[click.Parameter] = [
    click.Argument(["model_file"], metavar="MODEL", type=EXISTING_FILE),
    click.Argument(["table_file"], metavar="FILE", type=TABLE_FILE),
]


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
    with unprintable_as_escapes():
        try:
            status = commands.main(arguments, prog_name="fastmlp", standalone_mode=False)
        except click.ClickException as error:
            message = printable(" ".join(error.format_message().split()))
            with suppress(OSError):
                click.echo(f"fastmlp: error: {message}", err=True)
            _drop_unwritten_output()
            return error.exit_code
        return status or 0


# Help is given as text, because `python -OO` removes docstrings.
@click.group(
    cls=Commands,
    help="""Multilayer perceptrons on the CPU: learn, train, evaluate, predict.

    Bad input ends with status 2 and one line on standard error.
    """,
    invoke_without_command=True,
    subcommand_metavar="[COMMAND] [ARGS]...",  # releases of click differ in it
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
)
@click.version_option(__version__, prog_name="fastmlp", message="%(prog)s %(version)s")
@click.pass_context
def commands(ctx: click.Context) -> None:
    """Show the help if no command is given."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@commands.command(
    help="""Walk through the whole lesson on three spiral arms.

    Prints every step, from a look at the data to the metrics of the trained network, and writes the
    plots, the metrics (metrics.json), the model (model.safetensors), and the lesson as a page for
    the browser, in which the training moves (lesson.html).
    """
)
@click.option("--output", type=FOLDER, default="lesson", help="Folder to write to.")
@click.option(
    "--seed", type=SEED, metavar="N", default=1234, help="Seed of the data and the network."
)
@click.option(
    "--lang",
    "language",
    type=click.Choice(lesson.languages()),
    default="en",
    help="Language of the lesson; labels in the plots are English.",
)
@click.option(
    "--notebook",
    is_flag=True,
    help="Write the lesson as a Jupyter notebook with exercises (lesson.ipynb), and do not run it.",
)
def demo(output: Path, seed: int, language: str, notebook: bool) -> None:
    """Run the lesson, or write it as a notebook."""
    with held(output):
        if notebook:
            lesson.write_notebook(output, seed, language)
        else:
            refuse_checkpoint(output)
            lesson.run(output, seed, language)


commands.add_command(train)


@commands.command(
    help="""Print how well a model predicts the target of a table.

    Of classes: precision, recall, F1 and number of samples, weighted overall and per class, and
    accuracy; with other models than the lesson's, also the log loss and the area under the ROC
    curve. Of numbers: the root of the mean squared error, the mean absolute error, and R2.
    """,
    params=[
        *_ARGUMENTS,
        click.Option(
            ["--target"], metavar="NAME", show_default="as in training", help="Column of the truth."
        ),
        click.Option(["--json", "as_json"], is_flag=True, help="Print JSON, not a table."),
        *READING_OPTIONS,
    ],
)
def evaluate(
    model_file: Path, table_file: Path, target: str | None, as_json: bool, **reading: Any
) -> None:
    """Print the metrics of a model on a file."""
    model = load_model(model_file)
    target = target or (model.target if isinstance(model, Model) else model.target_name_)
    if target is None:
        raise click.UsageError(f"{model_file} names no target; --target is needed")
    if isinstance(model, Model):
        metrics = _evaluate_lesson(model, table_file, target, lesson_reading(**reading))
        click.echo(json.dumps(metrics, indent=2) if as_json else describe_metrics(metrics))
        return
    from fastmlp._apply_table import evaluate_table
    from fastmlp._table_scores import describe_scores

    file = open_table(table_file, Reading(**reading))
    scores, n_left_out = evaluate_table(model, file, target)
    click.echo(json.dumps(scores, indent=2) if as_json else describe_scores(scores))
    if n_left_out:
        rows = "row" if n_left_out == 1 else "rows"
        click.echo(
            f"fastmlp: warning: {printable(file.name)} has {n_left_out} {rows} without a value of "
            f"{printable(repr(target))}, left out",
            err=True,
        )


@commands.command(
    help="""Predict the class or the number of each row of a table.

    Columns are found by the names that the model was trained with; others are ignored. The output
    is CSV in UTF-8: a column class and a column probability_NAME per class, or a column prediction.
    """,
    params=[
        *_ARGUMENTS,
        click.Option(
            ["--output"],
            metavar="FILE",
            type=OUTPUT,
            default="-",
            help="File to write to; - is standard output.",
        ),
        click.Option(
            ["--keep"],
            metavar="COLUMN",
            multiple=True,
            help="A column of the table to copy to the output; may be given several times.",
        ),
        *READING_OPTIONS,
    ],
)
def predict(
    model_file: Path, table_file: Path, output: TextIO, keep: tuple[str, ...], **reading: Any
) -> None:
    """Write the predictions for the rows of a file."""
    kept: Any = {}
    model = load_model(model_file)
    if isinstance(model, Model):
        reading = lesson_reading(**reading)
        header, columns = _predict_lesson(model, table_file, reading)
        if keep:
            kept = open_table(table_file, Reading(**reading)).texts(keep)
    else:
        from fastmlp._apply_table import predict_table

        file = open_table(table_file, Reading(**reading))
        file.check_columns(keep)  # now, and not after the predictions
        header, columns = predict_table(model, file)
        if keep:
            kept = file.texts(keep)
    names = [*keep, *header]
    if len(set(names)) < len(names):
        raise click.UsageError(
            f"--keep must name other columns than those of the predictions, each once: got "
            f"{', '.join(names)}"
        )
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(zip(*(kept[name] for name in keep), *columns, strict=True))


def _evaluate_lesson(model: Model, csv_file: Path, target: str, reading: dict[str, Any]) -> Metrics:
    table = read_csv(
        csv_file,
        target,
        class_names=model.class_names,
        feature_names=model.feature_names,
        **reading,
    )
    check_range(csv_file, table, model.mean, model.scale, model.network.dtype)
    return evaluate_part(model, Part(table.X, table.y))


def _predict_lesson(
    model: Model, csv_file: Path, reading: dict[str, Any]
) -> tuple[list[str], list[Any]]:
    """Return the names of the columns of the answer, and the columns."""
    table = read_csv(csv_file, None, feature_names=model.feature_names, **reading)
    check_range(csv_file, table, model.mean, model.scale, model.network.dtype)
    classes = [model.class_names[code] for code in model.predict(table.X)]
    probabilities = model.predict_proba(table.X).astype(str)
    header = ["class", *(f"probability_{name}" for name in model.class_names)]
    return header, [classes, *probabilities.T]


def _drop_unwritten_output() -> None:
    """Keep the interpreter from trying again, at exit, to write what could not be written."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        sys.stdout = io.StringIO()
