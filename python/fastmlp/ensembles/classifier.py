"""The classifier."""

from typing import Any, ClassVar, Literal, overload

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.base import ClassifierMixin

from fastmlp.ensembles.base import BaseEnsemble
from fastmlp.ensembles.descriptions import SECTIONS
from fastmlp.estimators.classifier import MLPClassifier
from fastmlp.estimators.descriptions import described


@described(SECTIONS)
class EnsembleClassifier(ClassifierMixin, BaseEnsemble):
    """Ensemble of networks for classes: the mean of their probabilities, and how far they differ.

    Parameters
    ----------
    estimator : MLPClassifier or None, default=None
        The parameters of each network; None is ``MLPClassifier()``.
    %(parameters)s

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes in the order of the columns of `predict_proba`.
    estimators_ : list of MLPClassifier
        The fitted members.
    %(attributes)s

    See Also
    --------
    MLPClassifier : One network.
    EnsembleRegressor : The same for numbers.
    fit_many : Trains the members.

    References
    ----------
    %(references)s

    Examples
    --------
    >>> from fastmlp import EnsembleClassifier, MLPClassifier
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> member = MLPClassifier((10,), solver="lbfgs", alpha=1.0, max_iter=1000)
    >>> clf = EnsembleClassifier(member, n_estimators=3, random_state=0).fit(X, y)
    >>> mean, std = clf.predict_proba(X, return_std=True)
    >>> clf.predict(X[[0, 75, 149]]), mean.shape == std.shape == (150, 3)
    (array([0, 1, 2]), True)
    """

    _member_class = MLPClassifier
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseEnsemble._parameter_constraints,
        "estimator": [MLPClassifier, None],
    }

    classes_: NDArray[Any]

    def __init__(
        self,
        estimator: MLPClassifier | None = None,
        n_estimators: int = 5,
        *,
        bootstrap: bool = False,
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.bootstrap = bootstrap
        self.random_state = random_state
        self.n_jobs = n_jobs

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each row, or each label that is more likely than not.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample per row.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Classes, or an indicator of labels if there was one in training.
        """
        probabilities = self.predict_proba(X)
        binarizer = self.estimators_[0]._label_binarizer
        if not binarizer.y_type_.startswith("multilabel"):
            return self.classes_[probabilities.argmax(axis=1)]
        likely = (probabilities > 0.5).astype(np.int64)
        return csr_matrix(likely) if binarizer.sparse_input_ else likely

    @overload
    def predict_proba(self, X: Any, return_std: Literal[False] = False) -> NDArray[np.float64]: ...
    @overload
    def predict_proba(
        self, X: Any, return_std: Literal[True]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
    def predict_proba(self, X: Any, return_std: bool = False) -> Any:
        """Return the probability of each class, or of each label.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample per row.
        return_std : bool, default=False
            Whether to return how far the networks differ, too.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            The mean over the networks, in the order of `classes_`.
        std : ndarray of shape (n_samples, n_classes)
            The standard deviation over the networks; only with `return_std`.
        """
        mean, variance = self._spread(X, lambda member, rows: member.predict_proba(rows))
        return (mean, np.sqrt(variance)) if return_std else mean

    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the logarithm of each probability; it is always finite.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample per row.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Logarithms of what `predict_proba` returns, in the order of `classes_`.
        """
        return np.log(self.predict_proba(X))

    def _train(self, X: Any, y: Any, sample_weight: Any) -> None:
        super()._train(X, y, sample_weight)
        self.classes_ = self.estimators_[0].classes_

    def _strata(self, y: NDArray[Any]) -> NDArray[Any] | None:
        return y if y.ndim == 1 else None

    def _set_members(self, members: list[Any], content: dict[str, Any]) -> None:
        super()._set_members(members, content)
        self.classes_ = members[0].classes_
        if not all(np.array_equal(member.classes_, self.classes_) for member in members):
            raise ValueError("its members have different classes")

    def __sklearn_tags__(self) -> Any:
        """Say what the ensemble can do."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
