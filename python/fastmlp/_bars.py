"""Bars that show how far a training is, drawn rarely enough to cost nothing."""

import html
import sys
from collections.abc import Callable
from importlib.util import find_spec
from time import perf_counter
from typing import Any, NamedTuple, Protocol, TextIO

from fastmlp._core import Epoch
from fastmlp._curve import LossCurve
from fastmlp._extras import require

# Seconds; drawing a bar once takes as long as many epochs, a picture ten times as long.
INTERVAL, PICTURE_INTERVAL = 0.1, 0.2
FORMAT = "epoch {n_fmt}/{total_fmt} |{bar}| {remaining} left{postfix}"


class State(NamedTuple):
    """What there is to show after an epoch: its number, a text, and its losses."""

    done: int
    text: str
    loss: float
    val_loss: float | None = None

    @classmethod
    def of(cls, epoch: Epoch) -> "State":
        """Return the state after an epoch of `MLP.fit`."""
        return cls(epoch.epoch, describe(epoch), epoch.loss, epoch.val_loss)


class Bar(Protocol):
    """A progress bar."""

    def show(self, state: State) -> None:
        """Show a state; now and then, and the last one."""

    def note(self, line: str) -> None:
        """Add a line of its own."""

    def close(self) -> None:
        """Show the last state, and leave it."""


class TerminalBar:
    """A bar of tqdm's.

    Parameters
    ----------
    epochs : int
        How many epochs there may be.
    file : TextIO
        Where it is drawn, if that is a terminal.
    """

    def __init__(self, epochs: int, file: TextIO) -> None:
        self._file = file
        self._bar = require("tqdm", "the progress bar").tqdm(
            total=epochs,
            bar_format=FORMAT,
            file=file,
            disable=None,
            dynamic_ncols=True,
            mininterval=0,
            miniters=1,
        )
        self._throttle = _Throttle(epochs, INTERVAL)

    @property
    def is_shown(self) -> bool:
        """Whether there is a terminal."""
        return not self._bar.disable

    def show(self, state: State) -> None:
        """Draw the bar, if it is time."""
        if self._throttle.is_due(state):
            self._draw()

    def note(self, line: str) -> None:
        """Write a line above the bar."""
        self._bar.write(line, file=self._file)

    def close(self) -> None:
        """Draw the last state, and leave it."""
        if self.is_shown:
            self._draw()
        self._bar.close()

    def _draw(self) -> None:
        state = self._throttle.state
        if state is not None:
            self._bar.set_postfix_str(state.text, refresh=False)
            self._bar.update(state.done - self._bar.n)


class NotebookBar:
    """A bar with the curve of the loss below, in the output of a cell.

    It is HTML, which every notebook shows without extensions.

    Parameters
    ----------
    epochs : int
        How many epochs there may be.
    display : callable
        IPython's `display`.
    """

    def __init__(self, epochs: int, display: Callable[..., Any]) -> None:
        self._epochs = epochs
        self._throttle = _Throttle(epochs, PICTURE_INTERVAL)
        self._curve = LossCurve()
        self._notes: list[str] = []
        self._start: tuple[int, float] | None = None
        self._handle = display(self._content(), raw=True, display_id=True)

    def show(self, state: State) -> None:
        """Draw the bar, if it is time."""
        self._curve.add(state.done, state.loss, state.val_loss)
        if self._start is None:
            self._start = (state.done, perf_counter())
        if self._throttle.is_due(state):
            self._draw(_time_left(self._start, state.done, self._epochs))

    def note(self, line: str) -> None:
        """Write a line below the bar."""
        self._notes.append(line)

    def close(self) -> None:
        """Draw the last state, and leave it."""
        self._draw()

    def _draw(self, left: str = "") -> None:
        self._handle.update(self._content(left), raw=True)

    def _content(self, left: str = "") -> dict[str, str]:
        state = self._throttle.state
        done, text = (0, "") if state is None else (state.done, state.text)
        line = f"epoch {done}/{self._epochs} {left}{text}".rstrip()
        progress = f'<progress value="{done}" max="{self._epochs}"></progress>'
        below = "".join(f"<div>{html.escape(note)}</div>" for note in self._notes)
        if state is not None:
            below += f"<div>{self._curve.svg(self._epochs)}</div>"
        return {
            "text/html": f"<div>{progress} {html.escape(line)}</div>{below}",
            "text/plain": "\n".join([line, *self._notes]),
        }


class LineBar:
    """A line at every tenth of the epochs, and for the last one, on standard output.

    Parameters
    ----------
    epochs : int
        How many epochs there may be.
    """

    def __init__(self, epochs: int) -> None:
        self._epochs = epochs
        self._last: State | None = None
        self._printed = 0

    def show(self, state: State) -> None:
        """Print a line, if a tenth is done."""
        self._last = state
        if state.done * 10 // self._epochs > self._printed * 10 // self._epochs:
            self._print(state)

    def note(self, line: str) -> None:
        """Print it."""
        print(line)

    def close(self) -> None:
        """Print the last state, unless it was."""
        if self._last is not None and self._last.done > self._printed:
            self._print(self._last)

    def _print(self, state: State) -> None:
        self._printed = state.done
        print(f"epoch {state.done}/{self._epochs} {state.text}")


class _Throttle:
    """The last state of a bar, and when it is to be drawn."""

    def __init__(self, epochs: int, interval: float) -> None:
        self.state: State | None = None
        self._epochs = epochs
        self._interval = interval
        self._drawn = perf_counter()

    def is_due(self, state: State) -> bool:
        """Take a state; return whether it is to be drawn."""
        self.state = state
        now = perf_counter()
        if now - self._drawn < self._interval and state.done < self._epochs:
            return False
        self._drawn = now
        return True


def _time_left(start: tuple[int, float], done: int, epochs: int) -> str:
    """Return the time that the rest takes at the pace so far; nothing before there is a pace."""
    first, began = start
    if done in (first, epochs):
        return ""
    minutes, seconds = divmod(
        round((perf_counter() - began) / (done - first) * (epochs - done)), 60
    )
    return f"{minutes:02}:{seconds:02} left, "


def bar_here(epochs: int) -> Bar | None:
    """Return a bar that suits standard output: in a notebook, or in a terminal if tqdm is there."""
    display = notebook_display()
    if display is not None:
        return NotebookBar(epochs, display)
    if sys.stdout is not None and sys.stdout.isatty() and find_spec("tqdm") is not None:
        return TerminalBar(epochs, sys.stdout)
    return None


def notebook_display() -> Callable[..., Any] | None:
    """Return IPython's `display` in a notebook, else None; nothing is imported to find out."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    display: Callable[..., Any] = require("IPython.display", "the progress bar").display
    return display


def describe(epoch: Epoch) -> str:
    """Return loss and accuracy, with those of the validation part if there is one."""
    values = [("loss", epoch.loss, epoch.val_loss), ("acc", epoch.accuracy, epoch.val_accuracy)]
    return " ".join(
        f"{name} {value:.3f}" + ("" if val_value is None else f" (val {val_value:.3f})")
        for name, value, val_value in values
        if value is not None
    )
