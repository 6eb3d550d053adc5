"""Progress bars, drawn rarely enough to cost nothing."""

import html
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from fastmlp._core import Epoch
from fastmlp._extras import require

if TYPE_CHECKING:
    from fastmlp.tabular.member import Listener, Progress

INTERVAL = 0.1  # seconds; drawing the bar once takes as long as many epochs
FORMAT = "epoch {n_fmt}/{total_fmt} |{bar}| {remaining} left{postfix}"


class Bar(Protocol):
    """A progress bar."""

    def show(self, done: int, text: str) -> None:
        """Show how many epochs are done, and a text; now and then, and at the last one."""

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
        self._state = Throttle(epochs)

    @property
    def is_shown(self) -> bool:
        """Whether there is a terminal."""
        return not self._bar.disable

    def show(self, done: int, text: str) -> None:
        """Draw the bar, if it is time."""
        if self._state.is_due(done, text):
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
        self._bar.set_postfix_str(self._state.text, refresh=False)
        self._bar.update(self._state.done - self._bar.n)


class NotebookBar:
    """A bar in the output of a cell: HTML, which every notebook shows without extensions.

    Parameters
    ----------
    epochs : int
        How many epochs there may be.
    display : callable
        IPython's `display`.
    """

    def __init__(self, epochs: int, display: Callable[..., Any]) -> None:
        self._state = Throttle(epochs)
        self._notes: list[str] = []
        self._handle = display(self._content(), raw=True, display_id=True)

    def show(self, done: int, text: str) -> None:
        """Draw the bar, if it is time."""
        if self._state.is_due(done, text):
            self._draw()

    def note(self, line: str) -> None:
        """Write a line below the bar."""
        self._notes.append(line)

    def close(self) -> None:
        """Draw the last state, and leave it."""
        self._draw()

    def _draw(self) -> None:
        self._handle.update(self._content(), raw=True)

    def _content(self) -> dict[str, str]:
        state = self._state
        line = f"epoch {state.done}/{state.epochs} {state.text}".rstrip()
        progress = f'<progress value="{state.done}" max="{state.epochs}"></progress>'
        below = "".join(f"<div>{html.escape(note)}</div>" for note in self._notes)
        return {
            "text/html": f"<div>{progress} {html.escape(line)}</div>{below}",
            "text/plain": "\n".join([line, *self._notes]),
        }


class Throttle:
    """The last state of a bar, and when it is to be drawn."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs
        self.done = 0
        self.text = ""
        self._drawn = perf_counter()

    def is_due(self, done: int, text: str) -> bool:
        """Take a state; return whether it is to be drawn."""
        self.done, self.text = done, text
        now = perf_counter()
        if now - self._drawn < INTERVAL and done < self.epochs:
            return False
        self._drawn = now
        return True


def notebook_display() -> Callable[..., Any] | None:
    """Return IPython's `display` in a notebook, else None; nothing is imported to find out."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    display: Callable[..., Any] = require("IPython.display", "the progress bar").display
    return display


@contextmanager
def progress_bar(epochs: int) -> Iterator[Callable[[Epoch], None] | None]:
    """Show a bar on standard error while a network is fitted.

    Parameters
    ----------
    epochs : int
        As given to `fit`.

    Yields
    ------
    callable or None
        The callback for `fit`; None when standard error is closed or no terminal.
    """
    if sys.stderr is None:  # closed by the parent process
        require("tqdm", "the progress bar")
        yield None
        return
    bar = TerminalBar(epochs, sys.stderr)
    try:
        yield (lambda epoch: bar.show(epoch.epoch, describe(epoch))) if bar.is_shown else None
    finally:
        bar.close()


@contextmanager
def networks_bar() -> "Iterator[Listener | None]":
    """Show a bar on standard error while a tabular estimator is fitted.

    Yields
    ------
    callable or None
        The listener; None when standard error is closed or no terminal.
    """
    require("tqdm", "the progress bar")
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    bars: list[TerminalBar] = []
    lock = Lock()
    done = count(1)

    def listener(progress: "Progress") -> None:
        with lock:  # threads share the bar
            if not bars:
                bars.append(TerminalBar(progress.epochs * progress.n_members, sys.stderr))
            bars[0].show(next(done), _describe_networks(progress))

    try:
        yield listener
    finally:
        for bar in bars:
            bar.close()


def _describe_networks(progress: "Progress") -> str:
    if progress.score is None:
        return f"loss {progress.loss:.3f}"
    return f"loss {progress.loss:.3f} val {progress.score:.4g} (best {progress.best_score:.4g})"


def describe(epoch: Epoch) -> str:
    """Return loss and accuracy, with those of the validation part if there is one."""
    if epoch.val_loss is None or epoch.val_accuracy is None:
        return f"loss {epoch.loss:.3f} acc {epoch.accuracy:.3f}"
    return (
        f"loss {epoch.loss:.3f} (val {epoch.val_loss:.3f}) "
        f"acc {epoch.accuracy:.3f} (val {epoch.val_accuracy:.3f})"
    )
