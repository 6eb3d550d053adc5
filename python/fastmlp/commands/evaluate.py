"""``fastmlp evaluate``: how well a model predicts the target of a table."""

import json
from pathlib import Path
from typing import Any

import click

from fastmlp.commands.lesson_checks import check_range
from fastmlp.commands.model_file import load_model
from fastmlp.commands.options import (
    JSON_OPTION,
    MODEL_AND_TABLE,
    READING_OPTIONS,
    lesson_reading,
)
from fastmlp.commands.results import Part, describe_metrics, evaluate_part, printable
from fastmlp.data import read_csv
from fastmlp.metrics import Metrics
from fastmlp.model import Model
from fastmlp.reading.table_file import Reading, open_table


@click.command(
    help="""Print how well a model predicts the target of a table.

    Of classes: precision, recall, F1 and number of samples, weighted overall and per class, and
    accuracy; with other models than the lesson's, also the log loss and the area under the ROC
    curve. Of numbers: the root of the mean squared error, the mean absolute error, and R2; of
    several quantiles D2, and the pinball loss of each.
    """,
    params=[
        *MODEL_AND_TABLE,
        click.Option(
            ["--target"], metavar="NAME", show_default="as in training", help="Column of the truth."
        ),
        JSON_OPTION,
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
        metrics = _evaluate_lesson(model, table_file, target, lesson_reading(table_file, **reading))
        click.echo(json.dumps(metrics, indent=2) if as_json else describe_metrics(metrics))
        return
    # They import scikit-learn, which --help does without.
    from fastmlp.commands.table_apply import evaluate_table
    from fastmlp.commands.table_scores import describe_scores

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
