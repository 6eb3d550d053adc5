"""What the commands share: kinds of options, and errors as one line with a status."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Number = TypeVar("Number", int, float)

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
COUNT = click.IntRange(min=1)
SEED = click.IntRange(0, 2**32 - 1)


def integers(text: str) -> tuple[int, ...]:
    """Read ``"100,64"`` as ``(100, 64)``; each must be > 0."""
    return _parse(text, int, "integers")


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
        raise click.BadParameter(f"{text!r} is not {what} > 0 with commas between.")
    return values


class BadInput(click.ClickException):
    """What the user gave cannot be used."""

    exit_code = 2


class Interrupted(click.ClickException):
    """The user pressed Ctrl-C."""

    exit_code = 130  # 128 + SIGINT, as a shell reports it


class Bug(click.ClickException):
    """The program is at fault."""

    exit_code = 1


class Commands(click.Group):
    """Commands whose every error is a `click.ClickException`."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; errors of Python become messages."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # here, so that click sees a broken pipe and ends quietly
            return result
        except (click.exceptions.Exit, click.UsageError, BrokenPipeError):
            raise
        except click.ClickException as error:
            raise BadInput(error.format_message()) from error
        except OSError as error:
            place = f"{error.filename}: " if error.filename and error.strerror else ""
            raise BadInput(f"{place}{error.strerror or error}") from error
        except (ValueError, ArithmeticError, ImportError) as error:
            raise BadInput(str(error)) from error
        except MemoryError as error:
            raise BadInput("out of memory") from error
        except KeyboardInterrupt as error:
            raise Interrupted("interrupted") from error
        except Exception as error:
            raise Bug(f"a bug of fastmlp: {type(error).__name__}: {error}") from error
