"""The regressor."""

from copy import copy
from typing import Any, ClassVar, Literal, overload

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin

from fastmlp._files import check_type
from fastmlp.ensembles.base import BaseEnsemble
from fastmlp.ensembles.descriptions import SECTIONS
from fastmlp.ensembles.gaussian import distribution_of, gaussian_nll
from fastmlp.estimators.base import BaseMLP
from fastmlp.estimators.descriptions import described
from fastmlp.estimators.loss import loss_of
from fastmlp.estimators.regressor import MLPRegressor


@described(SECTIONS)
class EnsembleRegressor(RegressorMixin, BaseEnsemble):
    """Ensemble of networks for numbers: the mean of their predictions, and how far they differ.

    Parameters
    ----------
    estimator : MLPRegressor or None, default=None
        The parameters of each network; None is ``MLPRegressor()``.
    %(parameters)s
    gaussian_head : bool, default=False
        Whether each network predicts a variance beside the mean, for noise that differs from row
        to row: it minimises the negative log-likelihood of a normal distribution, as in [1]_. The
        targets should be standardized: variances are at least 1e-6. `loss` of `estimator` must be
        the default then, and `early_stopping` monitors the loss unless `scoring` says otherwise.
        The loss is called in Python once per batch.

    Attributes
    ----------
    estimators_ : list of MLPRegressor
        The fitted members. With `gaussian_head` they have twice as many outputs as targets: means,
        and numbers whose softplus, plus 1e-6, is the variance.
    %(attributes)s

    See Also
    --------
    MLPRegressor : One network.
    EnsembleClassifier : The same for classes.
    fit_many : Trains the members.

    References
    ----------
    %(references)s

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp import EnsembleRegressor, MLPRegressor
    >>> X = np.linspace(-2, 2, 100).reshape(-1, 1)
    >>> y = np.sin(2 * X[:, 0])
    >>> member = MLPRegressor(hidden_layer_sizes=(20,), solver="lbfgs", max_iter=1000)
    >>> reg = EnsembleRegressor(member, n_estimators=3, random_state=0).fit(X, y)
    >>> mean, std = reg.predict([[0.5], [6.0]], return_std=True)
    >>> bool(std[0] < 0.1 < std[1])  # far from the data the networks differ
    True
    """

    _keys: ClassVar[set[str]] = BaseEnsemble._keys | {"is_vector", "has_head"}
    _member_class = MLPRegressor
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseEnsemble._parameter_constraints,
        "estimator": [MLPRegressor, None],
        "gaussian_head": ["boolean"],
    }

    def __init__(
        self,
        estimator: MLPRegressor | None = None,
        n_estimators: int = 5,
        *,
        bootstrap: bool = False,
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
        n_jobs: int | None = None,
        gaussian_head: bool = False,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.bootstrap = bootstrap
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.gaussian_head = gaussian_head

    @overload
    def predict(self, X: Any, return_std: Literal[False] = False) -> NDArray[np.float64]: ...
    @overload
    def predict(
        self, X: Any, return_std: Literal[True]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the mean over the networks.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample per row.
        return_std : bool, default=False
            Whether to return a standard deviation, too.

        Returns
        -------
        mean : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The mean of the networks' predictions.
        std : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The standard deviation of their predictions; with `gaussian_head` that of the mixture of
            their distributions, whose variance is that of the means plus the mean of the variances.
            Only with `return_std`.
        """
        mean, variance = self._spread(X, self._answer)
        if self._has_head:
            mean, noise = np.split(mean, 2, axis=1)
            variance = np.split(variance, 2, axis=1)[0] + noise
            if self._is_vector:
                mean, variance = mean[:, 0], variance[:, 0]
        return (mean, np.sqrt(variance)) if return_std else mean

    # That of quantiles is another one than R squared.
    score = MLPRegressor.score

    @property
    def _loss(self) -> Any:
        return self.estimators_[0]._loss

    @property
    def _has_head(self) -> bool:
        return self._loss is gaussian_nll

    def _answer(self, member: MLPRegressor, X: Any) -> NDArray[Any]:
        outputs = member.predict(X)
        return np.hstack(distribution_of(outputs)) if self._has_head else outputs

    def _make_member(self) -> BaseMLP:
        member: Any = super()._make_member()
        if not self.gaussian_head:
            return member
        if member.loss != "squared_error":
            raise ValueError(
                f"gaussian_head=True has a loss of its own, expected loss='squared_error' of "
                f"estimator, got loss={member.loss!r}"
            )
        scoring = "loss" if member.scoring is None else member.scoring
        return member.set_params(loss=gaussian_nll, scoring=scoring)

    def _targets(self, y: NDArray[Any]) -> NDArray[Any]:
        self._is_vector = y.ndim == 1
        if not self.gaussian_head:
            return y
        columns = y.reshape(len(y), -1)
        return np.hstack([columns, columns])

    def _own_content(self) -> dict[str, Any]:
        return {"is_vector": self._is_vector, "has_head": self._has_head}

    def _set_members(self, members: list[Any], content: dict[str, Any]) -> None:
        for name in ("is_vector", "has_head"):
            check_type(name, content[name], bool)
        self._is_vector = content["is_vector"]
        if content["has_head"]:
            if (n_outputs := members[0].n_outputs_) % 2:
                raise ValueError(f"its networks have {n_outputs} outputs, expected an even number")
            members = [_with_loss(member, gaussian_nll) for member in members]
        super()._set_members(members, content)

    def _as_saved(self, member: Any) -> Any:
        # A file cannot hold a function.
        return _with_loss(member, "squared_error") if self._has_head else member

    def __sklearn_tags__(self) -> Any:
        """Say what the ensemble can do."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _with_loss(member: MLPRegressor, loss: Any) -> MLPRegressor:
    """Return a copy of a member whose network has another loss."""
    other = copy(member).set_params(loss=loss)
    other._loss = loss_of(loss)
    return other
