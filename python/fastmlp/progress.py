"""Progress of a training: a bar in terminals, a bar and a curve in notebooks, lines elsewhere."""

from typing import Self

from fastmlp._bars import Bar, LineBar, State, bar_here
from fastmlp._core import Epoch

__all__ = ["Progress"]


class Progress:
    """A callback for `MLP.fit` and `MLP.minimize` that shows how far it is, with the losses so far.

    A terminal shows a progress bar, if tqdm is installed. A notebook shows a bar and the curves of
    the loss and the validation loss, without ipywidgets or matplotlib. Elsewhere a line is printed
    after every tenth of the epochs. A bar is drawn at most ten times a second, a curve five times.

    As a context manager it also shows the last epoch of a training that ends early, as by Ctrl-C.

    Examples
    --------
    >>> import numpy as np
    >>> import fastmlp
    >>> from fastmlp.progress import Progress
    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float32)
    >>> mlp = fastmlp.MLP([2, 4, 2], seed=0)
    >>> with Progress() as progress:
    ...     history = mlp.fit(X, np.array([0, 1, 1, 0]), epochs=2, callback=progress)
    epoch 1/2 loss 0.744 acc 0.500
    epoch 2/2 loss 0.743 acc 0.250
    """

    def __init__(self) -> None:
        self._bar: Bar | None = None
        self._done = 0

    def __call__(self, epoch: Epoch) -> None:
        """Show an epoch.

        Parameters
        ----------
        epoch : Epoch
            As `MLP.fit` calls a callback with it. After the last epoch, another fit may follow.

        Raises
        ------
        TypeError
            If an estimator calls it, whose progress ``verbose=True`` shows.
        """
        if not isinstance(epoch, Epoch):
            raise TypeError(
                "Progress shows MLP.fit: for an estimator give it verbose=True, got "
                f"{type(epoch).__name__} in place of Epoch"
            )
        if epoch.epoch <= self._done:
            self.close()
        if self._bar is None:
            self._bar = bar_here(epoch.epochs) or LineBar(epoch.epochs)
        self._bar.show(State.of(epoch))
        self._done = epoch.epoch
        if epoch.epoch == epoch.epochs:
            self.close()

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Show the last epoch, and leave it; nothing if that is done."""
        if self._bar is not None:
            self._bar.close()
        self._bar, self._done = None, 0
