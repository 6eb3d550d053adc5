"""The progress bars of the command line, on standard error."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING

from fastmlp._bars import State, TerminalBar
from fastmlp._core import Epoch
from fastmlp._extras import require

if TYPE_CHECKING:
    from fastmlp.tabular.member import Listener, Progress


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
        yield (lambda epoch: bar.show(State.of(epoch))) if bar.is_shown else None
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
            bars[0].show(State(next(done), _describe_networks(progress), progress.loss))

    try:
        yield listener
    finally:
        for bar in bars:
            bar.close()


def _describe_networks(progress: "Progress") -> str:
    if progress.score is None:
        return f"loss {progress.loss:.3f}"
    return f"loss {progress.loss:.3f} val {progress.score:.4g} (best {progress.best_score:.4g})"
