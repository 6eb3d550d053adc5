"""The regressor."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import InvalidParameterError, StrOptions
from sklearn.utils.metaestimators import available_if

from fastmlp._core import MLP
from fastmlp.estimators.base import BaseMLP, goes_on_by_epochs


class MLPRegressor(RegressorMixin, BaseMLP):
    """Multilayer perceptron for numbers, in place of scikit-learn's.

    PARAMETERS
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseMLP._parameter_constraints,
        "loss": [StrOptions({"squared_error", "poisson"})],
    }

    loss: str

    def __init__(
        self,
        loss: str = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
    ) -> None:
        super().__init__(
            loss=loss,
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            solver=solver,
            alpha=alpha,
            batch_size=batch_size,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            power_t=power_t,
            max_iter=max_iter,
            shuffle=shuffle,
            random_state=random_state,
            tol=tol,
            verbose=verbose,
            warm_start=warm_start,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            n_iter_no_change=n_iter_no_change,
            max_fun=max_fun,
        )

    @classmethod
    def from_network(cls, network: MLP, **parameters: Any) -> "MLPRegressor":
        """Make a fitted regressor of a network, which it shares.

        Parameters
        ----------
        network : MLP
            A network whose hidden layers have one activation that scikit-learn has, and
            ``output="identity"``, or ``output="exp"`` for the Poisson loss.
        **parameters : object
            Parameters of the constructor for a later `fit` or `partial_fit`; those that the
            network determines follow from it.

        Returns
        -------
        MLPRegressor
            The fitted regressor; `network_` is the network itself.

        Raises
        ------
        ValueError
            If the network is not of that kind.
        """
        losses = {"identity": "squared_error", "exp": "poisson"}
        if network.output not in losses:
            raise ValueError(
                f"a regressor's network must have output 'identity' or 'exp', "
                f"got {network.output!r}"
            )
        parameters["loss"] = losses[network.output]
        return cls._of_network(network, network.output, parameters)

    def _validate_params(self) -> None:
        try:
            super()._validate_params()
        except InvalidParameterError as error:
            # The first positional argument of the classifier is the second one here.
            if isinstance(self.loss, str):
                raise
            hint = f"Did you mean hidden_layer_sizes={self.loss!r}?"
            raise InvalidParameterError(f"{error} {hint}") from None

    def _encode(self, y: NDArray[Any], *, fresh: bool, incremental: bool) -> NDArray[Any]:
        """Return `y` itself."""
        if self.loss == "poisson" and y.min() < 0:
            raise ValueError(f"y must be >= 0 for loss='poisson', got {y.min()}")
        self.out_activation_ = "exp" if self.loss == "poisson" else "identity"
        self.n_outputs_ = 1 if y.ndim == 1 else y.shape[1]
        return y

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the network's output for each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample a row.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Numbers of the dtype that the network was trained in.
        """
        network = self.network_
        return _flat(network.predict(self._checked(X, network)))

    @available_if(goes_on_by_epochs)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> "MLPRegressor":
        """Train for one epoch, from where the last call ended.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample a row.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers; not below 0 if `loss` is "poisson".
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample: finite, >= 0. None is 1 for all.

        Returns
        -------
        MLPRegressor
            The estimator itself.

        Raises
        ------
        AttributeError
            If `solver` is "lbfgs", which has no epochs.
        ValueError
            If an argument or a parameter is out of its range, if `early_stopping` is on, or if
            training diverges.
        """
        return self._fit(X, y, sample_weight, incremental=True)

    def _validation_score(
        self, network: MLP, X: Any, y: NDArray[Any], sample_weight: NDArray[Any] | None
    ) -> float:
        """Return R squared, or NaN where a prediction is not finite."""
        predicted = network.predict(X)
        if not np.isfinite(predicted).all():
            return np.nan
        return float(r2_score(y, _flat(predicted), sample_weight=sample_weight))


def _flat(values: NDArray[Any]) -> NDArray[Any]:
    return values.ravel() if values.shape[1] == 1 else values
