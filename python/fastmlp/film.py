"""A film of a training on two features: parameters of some epochs, and a page that plays them."""

from collections.abc import Sequence
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp._core import MLP
from fastmlp._drawing import points
from fastmlp._page.content import Points, describe_film, describe_points
from fastmlp._page.document import document
from fastmlp._page.player import player
from fastmlp._page.recording import Recording, count_classes, is_classifier
from fastmlp.data import check_finite
from fastmlp.lesson.catalogue import texts_in

_MOST_POINTS = 2000  # of X, and of X_val: more would hide the plane, and take time in the browser


class Film(Recording):
    """Records a training as a callback, and saves a page that plays it.

    The page is one HTML file that needs no network: a slider over the epochs moves the decision
    boundary and the loss; the numbers of the network at any place stand beside it; hidden units can
    be looked at and switched off. The browser computes all of that from the recorded parameters.

    Parameters
    ----------
    network : MLP, default=None
        The network that is trained, for the callback of `MLP.fit`; its parameters at this moment
        are the first of the film. None for the callback of an estimator.
    frames : int, default=48
        The most epochs that a page has, at least 2. A frame takes four bytes per parameter.

    Attributes
    ----------
    epochs : ndarray of int64, shape (n,)
        The recorded epochs, all at first and later fewer; 0 stands for the parameters before
        training.
    parameters : ndarray of shape (n, n_parameters)
        The parameters after these epochs, of the network's dtype.

    Raises
    ------
    TypeError
        If `network` is not an MLP.
    ValueError
        If the network does not have two inputs, or `frames` is below 2.

    Notes
    -----
    A film has one training: when epochs are counted from 1 again, it starts over. Epochs in which a
    parameter is not finite are left out.

    Examples
    --------
    >>> import fastmlp
    >>> from fastmlp.data import make_spiral
    >>> from fastmlp.film import Film
    >>> X, y = make_spiral(random_state=0)
    >>> mlp = fastmlp.MLP([2, 20, 3], dtype="float64", seed=0)
    >>> film = Film(mlp)
    >>> history = mlp.fit(X, y, epochs=200, callback=film)
    >>> film.save("training.html", X, y)
    """

    def save(
        self,
        path: str | PathLike[str],
        X: ArrayLike,
        y: ArrayLike,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        class_names: Sequence[str] | None = None,
        feature_names: Sequence[str] | None = None,
        title: str | None = None,
        language: str = "en",
    ) -> None:
        """Write the page.

        Parameters
        ----------
        path : str or path-like
            The file to write, such as "training.html"; an existing one is replaced.
        X : array-like of shape (n, 2)
            Points to draw, as the network reads them. Of more than 2,000, as many are drawn, from
            rows at equal distances.
        y : array-like of shape (n,)
            Their targets: classes or values, as in training.
        X_val, y_val : array-like, default=None
            More points, of the validation set.
        class_names : sequence of str, default=None
            Names in the order of the classes; None shows the classes themselves.
        feature_names : sequence of str, length 2, default=None
            Names of the axes; None means "feature 0" and "feature 1".
        title : str, default=None
            The heading of the page; None names the sizes of the layers.
        language : str, default="en"
            The language of the page.

        Raises
        ------
        OSError
            If the file cannot be written.
        ValueError
            If nothing was recorded, the network has several outputs that are not classes, or an
            argument is wrong.
        """
        texts = texts_in(language)
        film = self.recorded()
        groups = {texts["player.training"]: self._points(film.network, "y", X, y)}
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val must be given together, got one of them")
        if X_val is not None and y_val is not None:
            held_out = self._points(film.network, "y_val", X_val, y_val)
            groups[texts["player.validation"]] = held_out
        names = ("feature 0", "feature 1") if feature_names is None else tuple(feature_names)
        if len(names) != 2:
            raise ValueError(f"feature_names must be two names, got {names}")
        classes = self._class_names(film.network, class_names)
        shown = Points(groups, classes, names, (0.0, 0.0), (1.0, 1.0))
        sizes = "-".join(map(str, film.network.layer_sizes))
        heading = texts["player.title"].format(sizes=sizes) if title is None else title
        page = document(
            language=language,
            title=heading,
            body=f"<h1>{escape(heading)}</h1>" + player("main", film, shown, texts),
            data={
                "films": {"main": describe_film(film)},
                **describe_points(shown, classes or [texts["player.value"]]),
            },
            texts=texts,
        )
        Path(path).write_text(page, encoding="utf-8")

    def _class_names(
        self, network: MLP, class_names: Sequence[str] | None
    ) -> tuple[str, ...] | None:
        if not is_classifier(network):
            return None
        n_classes = count_classes(network)
        if class_names is None:
            return tuple(map(str, range(n_classes) if self._classes is None else self._classes))
        if len(class_names) != n_classes:
            raise ValueError(f"class_names must be {n_classes} names, got {tuple(class_names)}")
        return tuple(class_names)

    def _points(
        self, network: MLP, name: str, X: ArrayLike, y: ArrayLike
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Check points of a page; return as many as it shows, with codes of classes or values."""
        y = np.asarray(y)
        X, y = points(X, y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y)
        shown = np.unique(np.linspace(0, len(X) - 1, _MOST_POINTS).astype(int))
        if not is_classifier(network):
            check_finite(name, y[:, None], y[:, None], "finite")
            return X[shown], y[shown].astype(np.float64)
        classes = np.arange(count_classes(network)) if self._classes is None else self._classes
        unknown = np.setdiff1d(y, classes)
        if unknown.size:
            known = ", ".join(map(repr, np.asarray(classes).tolist()))
            raise ValueError(f"{name} must be classes out of {known}, got {unknown.tolist()[0]!r}")
        return X[shown], np.searchsorted(classes, y[shown])
