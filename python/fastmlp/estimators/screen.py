"""What `verbose` shows: a bar in terminals and notebooks, scikit-learn's lines elsewhere."""

from typing import TYPE_CHECKING, Protocol

from fastmlp._bars import Bar, State, bar_here

if TYPE_CHECKING:
    from fastmlp.estimators.listeners import FitInfo


class Screen(Protocol):
    """Where the course of a training is shown."""

    def show(self, info: "FitInfo", event: str | None) -> None:
        """Show an epoch, and what else there is to say of it."""

    def close(self) -> None:
        """End the show."""


class Lines:
    """scikit-learn's lines on standard output."""

    def show(self, info: "FitInfo", event: str | None) -> None:
        """Print the lines of an epoch."""
        print(f"Iteration {info.epoch}, loss = {info.loss:.8f}")
        if info.val_score is not None:
            print(f"Validation score: {info.val_score:f}")
        if event is not None:
            print(event)

    def close(self) -> None:
        """Do nothing."""


class OnBar:
    """A progress bar, with lines for what is more than progress."""

    def __init__(self, bar: Bar) -> None:
        self.bar = bar

    def show(self, info: "FitInfo", event: str | None) -> None:
        """Show an epoch on the bar."""
        text = f"loss {info.loss:.4g}"
        if info.val_score is not None:
            text += f" val loss {info.val_loss:.4g} val score {info.val_score:.4g}"
        if event is not None:
            self.bar.note(event)
        self.bar.show(State(info.epoch, text, info.loss, info.val_loss))

    def close(self) -> None:
        """Leave the bar as it is."""
        self.bar.close()


def screen_of(epochs: int) -> Screen:
    """Return what suits standard output; one epoch, and a terminal without tqdm, get lines.

    Parameters
    ----------
    epochs : int
        How many epochs there may be.
    """
    bar = bar_here(epochs) if epochs > 1 else None
    return Lines() if bar is None else OnBar(bar)
