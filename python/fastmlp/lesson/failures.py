"""Four trainings that fail, each by one mistake."""

from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from fastmlp._core import MLP, SGD, DivergenceError
from fastmlp._page.recording import Recording
from fastmlp.commands.results import Part

_SIZES = (2, 20, 3)
_FRAMES = 12


def failed_trainings(
    train: Part, class_weight: NDArray[np.float64], seed: int
) -> dict[str, Recording]:
    """Train four networks, each with one mistake.

    Parameters
    ----------
    train : Part
        Standardised points and their classes.
    class_weight : ndarray of shape (3,)
        Weight of each class in the loss.
    seed : int
        Seed of the initial weights.

    Returns
    -------
    dict of str to Recording
        By the name of the mistake.
    """
    zeros = MLP(_SIZES, seed=seed)
    zeros.parameters[:] = 0
    dead = MLP(_SIZES, seed=seed)
    dead.biases[0][2:] = -6  # below the reach of the weights at any of the points
    trainings = {
        "zeros": (zeros, 1.0, 300),
        "rate": (MLP(_SIZES, seed=seed), 10.0, 60),
        "linear": (MLP(_SIZES, activation="identity", seed=seed), 1.0, 300),
        "dead": (dead, 1.0, 300),
    }
    films = {}
    for name, (network, rate, epochs) in trainings.items():
        films[name] = Recording(network, frames=_FRAMES)
        with suppress(DivergenceError):  # what came before it is on the film
            network.fit(
                *train,
                optimizer=SGD(learning_rate=rate),
                epochs=epochs,
                seed=seed,
                class_weight=class_weight,
                callback=films[name],
            )
    return films
