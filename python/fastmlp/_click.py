"""Shared by the commands: types of options, and errors as one line with an exit status."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
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
    delimiter: str | None, decimal: str | None, missing: tuple[str, ...], encoding: str | None
) -> dict[str, Any]:
    """Return the arguments of `read_csv` that these options stand for."""
    if encoding is not None:
        raise click.UsageError("--encoding is not for the lesson's network, which reads UTF-8")
    return {"delimiter": delimiter or ",", "decimal": decimal or ".", "missing": missing}


@contextmanager
def unprintable_as_escapes() -> Iterator[None]:
    r"""Let the standard streams escape characters that their encoding lacks, such as ``\u662f``."""
    found = [stream for stream in (sys.stdout, sys.stderr) if isinstance(stream, TextIOWrapper)]
    errors = [stream.errors for stream in found]
    _set_errors(found, ["backslashreplace"] * len(found))
    try:
        yield
    finally:
        _set_errors(found, errors)


def _set_errors(streams: list[TextIOWrapper], errors: list[str | None]) -> None:
    for stream, name in zip(streams, errors, strict=True):
        with suppress(OSError, ValueError):  # closed, or full
            stream.reconfigure(errors=name)


class BadInput(click.ClickException):
    """The user's input cannot be used."""

    exit_code = 2


class Interrupted(click.ClickException):
    """The user pressed Ctrl-C."""

    exit_code = 130  # 128 + SIGINT, as a shell reports it


class Bug(click.ClickException):
    """The program is at fault."""

    exit_code = 1


class Commands(click.Group):
    """Commands whose every error is a `click.ClickException`."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the options; --help and --version print here."""
        with _errors_as_messages():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _errors_as_messages():
            result = super().invoke(ctx)
            if sys.stdout is not None:
                sys.stdout.flush()  # here, so that click sees a broken pipe and ends quietly
            return result


@contextmanager
def _errors_as_messages() -> Iterator[None]:
    """Turn Python's exceptions into messages with an exit status."""
    try:
        yield
    except (click.exceptions.Exit, click.UsageError, Interrupted, BrokenPipeError):
        raise
    except click.ClickException as error:
        raise BadInput(error.format_message()) from error
    except OSError as error:
        place = f"{error.filename}: " if error.filename and error.strerror else ""
        raise BadInput(f"{place}{error.strerror or error}") from error
    except (ValueError, ArithmeticError, ImportError) as error:
        raise BadInput(str(error)) from error
    except MemoryError as error:
        raise BadInput(str(error) or "out of memory") from error
    except KeyboardInterrupt as error:
        raise Interrupted("interrupted") from error
    except Exception as error:
        raise Bug(f"a bug of fastmlp: {type(error).__name__}: {error}") from error
