"""Predictions by the parameters that a training had on its way."""

from collections.abc import Iterator
from copy import copy
from typing import Any, Self

from numpy.typing import NDArray
from sklearn.utils.metaestimators import available_if

from fastmlp.estimators.draft import Drafts


def keeps_epochs(estimator: "Staged") -> bool:
    """Say whether parameters of epochs are kept."""
    if estimator.keep_every is None:
        raise AttributeError(
            "staged predictions are only available where keep_every says which epochs are kept: "
            "keep_every=1 keeps each"
        )
    return True


class Staged(Drafts):
    """Predicts by epochs that were kept."""

    keep_every: int | None
    _stages: list[tuple[int, NDArray[Any]]]

    @property
    def staged_epochs_(self) -> list[int]:
        """Epochs whose parameters are kept: places in `loss_curve_`, from 1."""
        _ = self.network_
        return [epoch for epoch, _ in self._stages]

    @available_if(keeps_epochs)
    def staged_predict(self, X: Any) -> Iterator[NDArray[Any]]:
        """Predict by each epoch that was kept, in their order.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample a row.

        Yields
        ------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            What `predict` would have returned after the epoch that stands at the same place of
            `staged_epochs_`.
        """
        return self._staged("predict", X)

    def _staged(self, method: str, X: Any) -> Iterator[Any]:
        estimator: Any = self
        X = estimator._checked(X, self.network_)
        stage: Any = self._snapshot()
        # Rows are checked, and have no names any more.
        stage.__dict__.pop("feature_names_in_", None)

        def each() -> Iterator[Any]:
            for _, parameters in self._stages:
                stage.network_.parameters[:] = parameters
                yield getattr(stage, method)(X)

        return each()

    def _snapshot(self) -> Self:
        """Return the estimator as it is now, which no training changes any more."""
        snapshot = self._draft()
        snapshot._set_network(copy(self.network_))
        for name, value in vars(snapshot).items():
            if isinstance(value, list):
                snapshot.__dict__[name] = list(value)
        return snapshot
