"""``fastmlp train``: networks for the classes or numbers of a column of a table."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from fastmlp.commands.folder import METRICS, Run
from fastmlp.commands.lesson_train import LESSON_OPTIONS, train_lesson
from fastmlp.commands.options import (
    FOLDER,
    READING_OPTIONS,
    SEED,
    TABLE_FILE,
    check_jobs,
    lesson_reading,
)
from fastmlp.commands.table_train import TABLE_OPTIONS, train_table
from fastmlp.reading.table_file import Reading

HELP = """Train networks to predict a column of a table.

FILE is CSV, also compressed, or Parquet; - is standard input. Columns may have numbers, categories,
dates and missing values. A target of text or of few whole numbers has classes, another one numbers.
A fifth of the rows is held out for the scores. Writes the model (model.safetensors), the scores
(metrics.json) and plots of the training and the predictions. Results of another training are
replaced only with --overwrite. Ctrl-C ends training after the current epoch, and what was trained
is kept; a second one ends it at once.

With --preset lesson it trains the lesson's network, for classes of a CSV file in which all columns
but the target are numbers and none is missing. This writes a checkpoint (checkpoint.safetensors)
once a minute, at the end, and on Ctrl-C, which ends it at once. The same command with --resume
continues from it, after an interruption or, with more --epochs, after the end.
"""
_COMMON: list[click.Parameter] = [
    click.Argument(["table_file"], metavar="FILE", type=TABLE_FILE),
    click.Option(["--target"], metavar="NAME", required=True, help="Column to predict."),
    click.Option(
        ["--preset"],
        type=click.Choice(["fast", "default", "best", "lesson"]),
        default="default",
        help="1 or 2, 8, or 16 networks for any table, or the one of the lesson.",
    ),
    click.Option(
        ["--output"],
        type=FOLDER,
        show_default="runs/ and FILE's name",
        help="Folder to write to.",
    ),
    click.Option(
        ["--seed"],
        type=SEED,
        metavar="N",
        default=1234,
        help="Seed of the split and the networks.",
    ),
    click.Option(
        ["--n-jobs"],
        type=int,
        callback=check_jobs,
        show_default="1",
        help="Threads; -1 is all cores.",
    ),
    click.Option(["--overwrite"], is_flag=True, help="Replace the results in --output."),
    click.Option(["--quiet"], is_flag=True, help="Print errors and warnings only."),
    click.Option(
        ["--json", "as_json"], is_flag=True, help="Print what metrics.json holds, and no more."
    ),
]


class _Train(click.Command):
    """A command whose help lists the options of the lesson apart."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write both lists."""
        lists: dict[str, list[click.Parameter]] = {
            "Options": [param for param in self.get_params(ctx) if param not in LESSON_OPTIONS],
            "Options of --preset lesson": LESSON_OPTIONS,
        }
        for title, params in lists.items():
            options = [param for param in params if isinstance(param, click.Option)]
            records = [option.get_help_record(ctx) for option in options]
            with formatter.section(title):
                formatter.write_dl([record for record in records if record is not None])


@click.command(
    cls=_Train, help=HELP, params=[*_COMMON, *TABLE_OPTIONS, *READING_OPTIONS, *LESSON_OPTIONS]
)
@click.pass_context
def train(
    ctx: click.Context,
    /,
    table_file: Path,
    target: str,
    preset: str,
    output: Path | None,
    seed: int,
    n_jobs: int | None,
    overwrite: bool,
    quiet: bool,
    as_json: bool,
    **others: Any,
) -> None:
    """Train networks, as `HELP` says."""
    of_lesson, of_table, reading = (
        {str(option.name): others[str(option.name)] for option in options}
        for options in (LESSON_OPTIONS, TABLE_OPTIONS, READING_OPTIONS)
    )
    folder = output or Path("runs") / _stem(table_file)
    run = Run(table_file, target, folder, seed, n_jobs, overwrite, quiet or as_json)
    if preset == "lesson":
        _refuse(ctx, TABLE_OPTIONS, "is not for --preset lesson")
        train_lesson(run, lesson_reading(table_file, **reading), **of_lesson)
    else:
        _refuse(ctx, LESSON_OPTIONS, "needs --preset lesson")
        train_table(run, Reading(**reading), preset, **of_table)
    if as_json:
        click.echo((folder / METRICS).read_text(encoding="utf-8"), nl=False)


def _refuse(ctx: click.Context, options: Iterable[click.Parameter], reason: str) -> None:
    """Refuse options that belong to other presets."""
    for option in options:
        if ctx.get_parameter_source(str(option.name)) != ParameterSource.DEFAULT:
            raise click.UsageError(f"{option.opts[0]} {reason}")


def _stem(path: Path) -> str:
    """Return the name of a file without its suffixes."""
    if path.name == "-":
        return "stdin"
    is_compressed = path.suffix in (".gz", ".bz2", ".xz")
    return Path(path.stem).stem if is_compressed else path.stem
