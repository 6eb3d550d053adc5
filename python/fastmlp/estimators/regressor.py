"""The regressor."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import InvalidParameterError
from sklearn.utils.metaestimators import available_if

from fastmlp._core import MLP
from fastmlp._files import Tensors
from fastmlp.estimators.base import BaseMLP, goes_on_by_epochs
from fastmlp.estimators.descriptions import SECTIONS, described
from fastmlp.estimators.loss import (
    OF_NUMBERS,
    REGRESSOR_LOSSES,
    check_targets,
    has_several_levels,
    loss_of,
    n_outputs_of,
    n_targets_of,
    order_of,
    out_activation_of,
    parameter_of,
    score_of_quantiles,
)
from fastmlp.losses import Loss


@described(SECTIONS)
class MLPRegressor(RegressorMixin, BaseMLP):
    """Multilayer perceptron for numbers, in place of scikit-learn's.

    It minimises half of the squared error, or another loss, summed over outputs.

    Parameters
    ----------
    loss : str, Loss or callable, default='squared_error'
        What is minimised: 'squared_error', 'absolute_error', 'huber', 'quantile' (the median),
        'poisson', 'gamma' or 'tweedie', or one of these as an object of `fastmlp.losses`, with
        numbers: ``Huber(delta=1.35)``, ``Quantile(0.9)``, ``Tweedie(power=1.9)``. For 'poisson',
        'gamma' and 'tweedie' the network's output is an exponential, and never negative; 'poisson'
        is for counts and rates, which are >= 0, 'gamma' for numbers above 0.
        ``Quantile([0.1, 0.5, 0.9])`` has one output per level, for a `y` of one column. 'lbfgs'
        takes all but 'absolute_error' and 'quantile', whose derivatives jump.

        A function ``loss(y, raw)`` is called once per batch with targets and outputs, both in the
        dtype of the network, and returns the loss of each row and its derivative with respect to
        the row's outputs; see the Notes of `MLP`. The network has one output per column of `y`.
    %(parameters)s

    Attributes
    ----------
    validation_scores_ : list of float or None
        R squared, or the score of `scoring`, on the rows for validation after each epoch; None
        without such rows.
    out_activation_ : str
        'exp' for 'poisson', 'gamma' and 'tweedie', else 'identity'.
    %(attributes)s

    See Also
    --------
    MLPClassifier : The same for classes.
    MLP : The network by itself.

    Notes
    -----
    %(notes)s

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp import MLPRegressor
    >>> X = np.linspace(-2, 2, 100).reshape(-1, 1)
    >>> y = np.sin(2 * X[:, 0])
    >>> reg = MLPRegressor(hidden_layer_sizes=(20,), solver="lbfgs", random_state=0).fit(X, y)
    >>> reg.score(X, y) > 0.99
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseMLP._parameter_constraints,
        "loss": REGRESSOR_LOSSES,
    }

    loss: Any

    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: str | Sequence[str] = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
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
        dropout: Any = 0.0,
        input_dropout: float = 0.0,
        normalization: Literal["layer", "batch"] | None = None,
        weight_decay: float | None = None,
        clip_norm: float | None = None,
        warmup: float | None = None,
        max_time: float | None = None,
        dtype: Literal["float32", "float64"] | None = None,
        n_jobs: int | None = None,
        scoring: Any = None,
        callback: Any = None,
        keep_every: int | None = None,
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
            dropout=dropout,
            input_dropout=input_dropout,
            normalization=normalization,
            weight_decay=weight_decay,
            clip_norm=clip_norm,
            warmup=warmup,
            max_time=max_time,
            dtype=dtype,
            n_jobs=n_jobs,
            scoring=scoring,
            callback=callback,
            keep_every=keep_every,
        )

    @classmethod
    def from_network(cls, network: MLP, **parameters: Any) -> "MLPRegressor":
        """Make a fitted regressor of a network, which it shares.

        Parameters
        ----------
        network : MLP
            A network without an `input_scale`, `periodic_inputs` or a `parametric_activation` that
            has ``output="identity"``, or ``output="exp"`` and a loss with that default output, such
            as Poisson's.
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
        if network.output not in ("identity", "exp"):
            raise ValueError(
                f"a regressor's network must have output 'identity' or 'exp', "
                f"got {network.output!r}"
            )
        loss = network.loss_function
        if out_activation_of(loss) != network.output:
            raise ValueError(
                f"a regressor's network with output {network.output!r} must have a loss with "
                f"that default output, got {loss}"
            )
        parameters["loss"] = parameter_of(loss, OF_NUMBERS)
        return cls._of_network(network, network.output, parameters)

    def _validate_params(self) -> None:
        try:
            super()._validate_params()
        except InvalidParameterError as error:
            # The first positional argument of the classifier is the second one here.
            if isinstance(self.loss, str | Loss) or callable(self.loss):
                raise
            hint = f"Did you mean hidden_layer_sizes={self.loss!r}?"
            raise InvalidParameterError(f"{error} {hint}") from None

    def _encode(self, y: NDArray[Any], *, fresh: bool, incremental: bool) -> NDArray[Any]:
        """Return `y` itself."""
        self._loss = loss_of(self.loss)
        check_targets("y", y, self._loss, self.loss)
        self.out_activation_ = out_activation_of(self._loss)
        self.n_outputs_ = n_outputs_of(self._loss, self.loss, y)
        return y

    @classmethod
    def _of_labels(
        cls, network: MLP, content: dict[str, Any], tensors: Tensors
    ) -> tuple[Any, set[str]]:
        return cls.from_network(network), set()

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the network's output for each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample per row.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Numbers of the dtype that the network was trained in. Quantiles of several levels have
            one column per level, and never cross: the outputs of each row are sorted.
        """
        network = self.network_
        predicted = network.predict(self._checked(X, network), n_jobs=self.n_jobs)
        if has_several_levels(self._loss):
            predicted = np.take_along_axis(predicted, order_of(predicted, self._loss), axis=1)
        return _flat(predicted)

    def _of_predictions(self, gradients: NDArray[Any], X: Any) -> NDArray[Any]:
        if has_several_levels(self._loss):
            order = order_of(self.network_.predict(X, n_jobs=self.n_jobs), self._loss)
            return np.take_along_axis(gradients, order[:, :, None], axis=1)
        return gradients

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R squared of the predictions, or D squared where they are several quantiles.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample per row.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The true numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample. None is 1 for all.

        Returns
        -------
        float
            ``sklearn.metrics.r2_score``; for quantiles of several levels the mean over these of
            ``sklearn.metrics.d2_pinball_score``.
        """
        predicted = self.predict(X)
        if has_several_levels(self._loss):
            return score_of_quantiles(y, predicted, self._loss, sample_weight)
        return float(r2_score(y, predicted, sample_weight=sample_weight))

    def _encode_validation(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return `y` itself, if it has the columns of that of training."""
        n_targets = n_targets_of(self._loss, self.n_outputs_)
        if (1 if y.ndim == 1 else y.shape[1]) != n_targets:
            expected = "(n,)" if n_targets == 1 else f"(n, {n_targets})"
            raise ValueError(f"y_val has shape {y.shape}, expected {expected}, as y has")
        check_targets("y_val", y, self._loss, self.loss)
        return y

    @available_if(goes_on_by_epochs)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> "MLPRegressor":
        """Train for one epoch, from where the last call ended.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample per row.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers that `loss` is for.
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
            If an argument or a parameter is out of its range, if `early_stopping` is on, if all
            epochs of a planned `learning_rate` were made, or if training diverges. After this and
            every other error the estimator is as it was before the call.
        """
        draft = self._draft()
        return self._become(draft, draft._train_incrementally(X, y, sample_weight))


def _flat(values: NDArray[Any]) -> NDArray[Any]:
    return values.ravel() if values.shape[1] == 1 else values
