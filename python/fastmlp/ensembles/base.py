"""What both ensembles share: parameters, the fit of their networks, reading input."""

from collections.abc import Callable
from copy import copy
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, _fit_context, clone
from sklearn.utils import resample
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from fastmlp.ensembles.file import EnsembleInFile
from fastmlp.estimators.base import BaseMLP
from fastmlp.estimators.inputs import Examples, read_examples, read_inputs
from fastmlp.estimators.parameters import CONSTRAINTS, check_parameters
from fastmlp.estimators.random_state import legacy_random_state
from fastmlp.many import fit_many

_LARGEST_SEED = 2**31 - 1


class BaseEnsemble(EnsembleInFile, BaseEstimator):
    """Base of `EnsembleClassifier` and `EnsembleRegressor`; it cannot be used by itself."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "bootstrap": ["boolean"],
        "random_state": CONSTRAINTS["random_state"],
        "n_jobs": CONSTRAINTS["n_jobs"],
    }

    estimator: BaseMLP | None
    n_estimators: int
    bootstrap: bool
    random_state: int | np.random.RandomState | np.random.Generator | None
    n_jobs: int | None

    estimators_: list[Any]
    n_features_in_: int

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the networks.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample per row.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels, an indicator of several labels, or numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample: finite, >= 0. None is 1 for all.

        Returns
        -------
        object
            The ensemble itself.

        Raises
        ------
        ValueError
            If an argument or a parameter is out of its range, or if the training of a network
            diverges. After this and every other error the ensemble is as it was before the call.
        """
        draft = copy(self)
        draft._train(X, y, sample_weight)
        self.__dict__ = draft.__dict__
        return self

    def _train(self, X: Any, y: Any, sample_weight: Any) -> None:
        """Train this draft."""
        member = self._make_member()
        member._validate_params()
        check_parameters(member)
        self.__dict__.pop("feature_names_in_", None)
        examples = read_examples(self, X, y, sample_weight, dtype=member.dtype, reset=True)
        targets = self._targets(examples.y)
        random_state = legacy_random_state(self.random_state)
        seeds = random_state.randint(_LARGEST_SEED, size=self.n_estimators).tolist()
        rows = self._bootstraps(examples, random_state) if self.bootstrap else None
        members = [clone(member).set_params(random_state=seed) for seed in seeds]
        try:
            fit_many(
                members,
                examples.X,
                targets,
                rows=rows,
                sample_weight=examples.sample_weight,
                n_jobs=self.n_jobs,
            )
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from failed
        self.estimators_ = members

    def _make_member(self) -> BaseMLP:
        """Return an estimator with the parameters of a member."""
        if self.estimator is None:
            return self._member_class()
        member: BaseMLP = clone(self.estimator)
        return member

    def _targets(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return what the members are trained on."""
        return y

    def _bootstraps(
        self, examples: Examples, random_state: np.random.RandomState
    ) -> list[NDArray[np.intp]]:
        n = examples.X.shape[0]
        strata = self._strata(examples.y)
        return [
            resample(np.arange(n), stratify=strata, random_state=random_state)
            for _ in range(self.n_estimators)
        ]

    def _strata(self, y: NDArray[Any]) -> NDArray[Any] | None:
        """Return the classes, of which a bootstrap sample has as many rows as there are."""
        return None

    def _spread(
        self, X: Any, answer: Callable[[Any, Any], NDArray[Any]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and variance, over the members, of what they answer."""
        check_is_fitted(self, "estimators_")
        X = read_inputs(self, X, self.estimators_[0].network_.dtype)
        mean: Any = 0.0
        squares: Any = 0.0
        # B. P. Welford, "Note on a method for calculating corrected sums of squares and products",
        # Technometrics 4, 1962.
        for n, member in enumerate(self.estimators_, start=1):
            values = answer(member, X).astype(np.float64)
            difference = values - mean
            mean = mean + difference / n
            squares = squares + difference * (values - mean)
        return mean, squares / len(self.estimators_)

    def __sklearn_tags__(self) -> Any:
        """Say what the ensemble can do."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
