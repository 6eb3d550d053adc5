"""Errors of the commands: each is one line with an exit status, whatever the terminal can show."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from threading import Event
from typing import Any

import click


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


@contextmanager
def first_interrupt_sets(event: Event) -> Iterator[None]:
    """Let the first Ctrl-C set an event; the second one interrupts, as the first does elsewhere."""
    before = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    if before is not signal.default_int_handler or not is_main:
        yield  # the process has its own way with signals, and other threads get none
        return

    def note(*_: Any) -> None:
        event.set()
        signal.signal(signal.SIGINT, before)
        with suppress(OSError):  # the stream itself may be in the middle of a write
            os.write(2, b"\nfastmlp: the current epoch is the last; Ctrl-C again ends at once\n")

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
