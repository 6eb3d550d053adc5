"""A progress bar for `MLP.fit`, drawn rarely enough to cost nothing."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from fastmlp._core import Epoch
from fastmlp._extras import require

INTERVAL = 0.1  # seconds; drawing the bar once takes as long as many epochs
FORMAT = "epoch {n_fmt}/{total_fmt} |{bar}| {remaining} left{postfix}"


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
    tqdm = require("tqdm", "the progress bar").tqdm
    if sys.stderr is None:  # closed by the parent process
        yield None
        return
    with tqdm(
        total=epochs,
        bar_format=FORMAT,
        file=sys.stderr,
        disable=None,
        dynamic_ncols=True,
        mininterval=0,
        miniters=1,
    ) as bar:
        drawn = perf_counter()

        def show(epoch: Epoch) -> None:
            nonlocal drawn
            now = perf_counter()
            if now - drawn >= INTERVAL or epoch.epoch == epochs:
                drawn = now
                bar.set_postfix_str(describe(epoch), refresh=False)
                bar.update(epoch.epoch - bar.n)

        yield None if bar.disable else show


def describe(epoch: Epoch) -> str:
    """Return loss and accuracy, with those of the validation part if there is one."""
    if epoch.val_loss is None or epoch.val_accuracy is None:
        return f"loss {epoch.loss:.3f} acc {epoch.accuracy:.3f}"
    return (
        f"loss {epoch.loss:.3f} (val {epoch.val_loss:.3f}) "
        f"acc {epoch.accuracy:.3f} (val {epoch.val_accuracy:.3f})"
    )
