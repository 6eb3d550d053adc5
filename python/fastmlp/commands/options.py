"""Types of options, and the options that several commands have."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Number = TypeVar("Number", int, float)

MAX_COUNT = 2**63 - 1  # largest count of epochs and rows in the core
MAX_JOBS = 2**16
MAX_WIDTH = 2**24


class Count(click.IntRange):
    """An integer >= 1 that the core can hold as a count."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a number; the help omits the upper limit, which would only distract."""
        number: int = super().convert(value, param, ctx)
        if number > MAX_COUNT:
            self.fail(f"{number} is greater than {MAX_COUNT}.", param, ctx)
        return number


class OutputFile(click.File):
    """A file to write to; - is standard output."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Open the file."""
        if value == "-" and sys.stdout is None:
            self.fail("standard output is closed.", param, ctx)
        return super().convert(value, param, ctx)


EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
TABLE_FILE = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
OUTPUT = OutputFile("w", encoding="utf-8")
COUNT = Count(min=1)
SEED = click.IntRange(0, 2**32 - 1)


def check_jobs(ctx: click.Context, param: click.Parameter, value: int | None) -> int | None:
    """Check a number of threads; a negative one counts back from all cores, which is -1."""
    if value is not None and (value == 0 or abs(value) > MAX_JOBS):
        raise click.BadParameter(f"{value} is neither from 1 to {MAX_JOBS} nor -1 for all cores.")
    return value


def widths(text: str) -> tuple[int, ...]:
    """Read ``"100,64"`` as ``(100, 64)``; each must be > 0 and at most `MAX_WIDTH`."""
    values = _parse(text, int, "integers")
    if max(values) > MAX_WIDTH:
        raise click.BadParameter(f"{max(values)} is greater than {MAX_WIDTH}.")
    return values


def numbers(text: str) -> tuple[float, ...]:
    """Read ``"0.7,0.3"`` as ``(0.7, 0.3)``; each must be > 0."""
    return _parse(text, float, "numbers")


def _parse(text: str, kind: Callable[[str], Number], what: str) -> tuple[Number, ...]:
    try:
        values = tuple(kind(part) for part in text.split(","))
        valid = all(value > 0 for value in values)
    except ValueError:
        valid = False
    if not valid:
        raise click.BadParameter(f"{text!r} is not {what} > 0 separated by commas.")
    return values


def _tab_of_its_name(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    return "\t" if value == r"\t" else value


def _check_encoding(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    try:
        bytes(4).decode(value or "ascii")
    except LookupError as error:
        raise click.BadParameter(f"{value!r} is not the name of an encoding of text.") from error
    except UnicodeError:
        pass  # it is one, of other bytes
    return value


# What applies a model to a file takes.
MODEL_AND_TABLE: list[click.Parameter] = [
    click.Argument(["model_file"], metavar="MODEL", type=EXISTING_FILE),
    click.Argument(["table_file"], metavar="FILE", type=TABLE_FILE),
]
# Of the commands that print or write a table without it.
JSON_OPTION = click.Option(["--json", "as_json"], is_flag=True, help="Write JSON, not a table.")
# For the format of a file: the fields of `Reading`.
READING_OPTIONS: list[click.Parameter] = [
    click.Option(
        ["--delimiter"],
        metavar="CHAR",
        callback=_tab_of_its_name,
        show_default="detected; of the lesson ,",
        help=r"Character between two values of a CSV file; \t is a tab.",
    ),
    click.Option(
        ["--decimal"],
        type=click.Choice([".", ","]),
        show_default="detected; of the lesson .",
        help="Decimal mark of the numbers in a CSV file.",
    ),
    click.Option(
        ["--encoding"],
        metavar="NAME",
        callback=_check_encoding,
        show_default="detected",
        help="Encoding of a CSV file, such as cp1252; the lesson reads UTF-8 alone.",
    ),
    click.Option(
        ["--missing"],
        metavar="TEXT",
        multiple=True,
        help="A mark of missing values; may be given several times. Empty values are always "
        "missing, and so are NA, NaN, null and the like in features.",
    ),
]


def lesson_reading(
    table_file: Path,
    delimiter: str | None,
    decimal: str | None,
    missing: tuple[str, ...],
    encoding: str | None,
) -> dict[str, Any]:
    """Return the arguments of `read_csv` for a file that these options stand for."""
    if table_file == Path("-"):
        raise click.UsageError("- is not for the lesson's network, which reads a file")
    if encoding is not None:
        raise click.UsageError("--encoding is not for the lesson's network, which reads UTF-8")
    return {"delimiter": delimiter or ",", "decimal": decimal or ".", "missing": missing}
