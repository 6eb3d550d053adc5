"""``fastmlp predict``: the class or the number of each row of a table."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TextIO

import click

from fastmlp.commands.lesson_checks import check_range
from fastmlp.commands.model_file import load_model
from fastmlp.commands.options import (
    JSON_OPTION,
    MODEL_AND_TABLE,
    OUTPUT,
    READING_OPTIONS,
    lesson_reading,
)
from fastmlp.data import read_csv
from fastmlp.model import Model
from fastmlp.reading.table_file import Reading, open_table


@click.command(
    help="""Predict the class or the number of each row of a table.

    Columns are found by the names that the model was trained with; others are ignored. The output
    is CSV in UTF-8: a column class and a column probability_NAME per class, a column prediction, or
    a column quantile_LEVEL per level of a model that was trained for several quantiles.
    With --json it is a JSON array with one object per row, which has the same names.
    """,
    params=[
        *MODEL_AND_TABLE,
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
        JSON_OPTION,
        *READING_OPTIONS,
    ],
)
def predict(
    model_file: Path,
    table_file: Path,
    output: TextIO,
    keep: tuple[str, ...],
    as_json: bool,
    **reading: Any,
) -> None:
    """Write the predictions for the rows of a file."""
    kept: Any = {}
    model = load_model(model_file)
    if isinstance(model, Model):
        reading = lesson_reading(table_file, **reading)
        header, columns = _predict_lesson(model, table_file, reading)
        if keep:
            kept = open_table(table_file, Reading(**reading)).texts(keep)
    else:
        # It imports scikit-learn, which --help does without.
        from fastmlp.commands.table_apply import predict_table

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
    write = _write_json if as_json else _write_csv
    write(output, names, zip(*(kept[name] for name in keep), *columns, strict=True))


def _write_csv(output: TextIO, names: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)


def _write_json(output: TextIO, names: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Write one object per line."""
    objects = (json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) for row in rows)
    output.write(f"[\n{next(objects)}")
    output.writelines(f",\n{text}" for text in objects)
    output.write("\n]\n")


def _predict_lesson(
    model: Model, csv_file: Path, reading: dict[str, Any]
) -> tuple[list[str], list[Any]]:
    """Return the names of the columns of the answer, and the columns."""
    table = read_csv(csv_file, None, feature_names=model.feature_names, **reading)
    check_range(csv_file, table, model.mean, model.scale, model.network.dtype)
    classes = [model.class_names[code] for code in model.predict(table.X)]
    # With the digits of the network's own precision.
    probabilities = model.predict_proba(table.X).astype(str).T.tolist()
    header = ["class", *(f"probability_{name}" for name in model.class_names)]
    return header, [classes, *(list(map(float, column)) for column in probabilities)]
