"""The regressor."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin, _fit_context
from sklearn.utils._param_validation import InvalidParameterError, StrOptions
from sklearn.utils.metaestimators import available_if

from fastmlp._core import MLP
from fastmlp._files import Tensors
from fastmlp.estimators.base import BaseMLP, goes_on_by_epochs


class MLPRegressor(RegressorMixin, BaseMLP):
    """Multilayer perceptron for numbers, in place of scikit-learn's.

    It minimises half of the squared error, or half of the Poisson deviance, summed over outputs.

    Parameters
    ----------
    loss : {'squared_error', 'poisson'}, default='squared_error'
        What is minimised. 'poisson' is for counts and rates, which are >= 0; the network's output
        is then an exponential, and never negative.
    hidden_layer_sizes : array-like of int or int, default=(100,)
        Width of each hidden layer, at least 1; empty for a network without one.
    activation : {'identity', 'logistic', 'tanh', 'relu'}, default='relu'
        Activation of the hidden layers; 'logistic' is the sigmoid.
    solver : {'lbfgs', 'sgd', 'adam'}, default='adam'
        What trains the network. 'sgd' and 'adam' go through batches in random order; 'lbfgs' looks
        at all rows in each step, which suits small data.
    alpha : float, default=0.0001
        Penalty on weights, >= 0: half of it times the sum of their squares, divided by the weight
        of the batch (of its rows if there is no `sample_weight`), is added to the loss.
    batch_size : int or 'auto', default='auto'
        Rows of a batch for 'sgd' and 'adam'; 'auto' is 200, or all if there are fewer.
    learning_rate : {'constant', 'invscaling', 'adaptive'}, default='constant'
        How the learning rate of 'sgd' goes on from `learning_rate_init`. 'invscaling' divides the
        latter by ``(t_ + 1) ** power_t`` after each epoch; 'adaptive' divides by 5 where training
        would else stop, down to 1e-6.
    learning_rate_init : float, default=0.001
        First learning rate of 'sgd', the learning rate of 'adam': > 0.
    power_t : float, default=0.5
        Exponent of 'invscaling', >= 0.
    max_iter : int, default=200
        Most epochs of 'sgd' and 'adam', most iterations of 'lbfgs'.
    shuffle : bool, default=True
        Whether 'sgd' and 'adam' draw a new order of rows for each epoch.
    random_state : int, RandomState or Generator instance, or None, default=None
        Source of initial parameters, of the validation split and of the orders of rows, in that
        order. An int gives the same network each time, None another one.
    tol : float, default=0.0001
        What counts as progress, >= 0: the loss has to fall, or the validation score to rise, by
        more. For 'lbfgs' the largest entry of a gradient that counts as 0.
    verbose : bool, default=False
        Whether to print the loss of each epoch or iteration.
    warm_start : bool, default=False
        Whether `fit` goes on from the parameters that are there.
    momentum : float, default=0.9
        Momentum of 'sgd', from 0 to 1.
    nesterovs_momentum : bool, default=True
        Whether the momentum of 'sgd' looks ahead, as Nesterov's does.
    early_stopping : bool, default=False
        Whether 'sgd' and 'adam' keep rows back for validation, watch the score on them in place of
        the loss, and end with the parameters of the best one.
    validation_fraction : float, default=0.1
        Share of rows for `early_stopping`, in [0, 1).
    beta_1 : float, default=0.9
        Memory of the gradient's mean in 'adam', in [0, 1).
    beta_2 : float, default=0.999
        Memory of the mean of its square in 'adam', in [0, 1).
    epsilon : float, default=1e-08
        Keeps the quotient in 'adam' finite: > 0.
    n_iter_no_change : int, default=10
        'sgd' and 'adam' stop when there was no progress in more epochs than this one after
        another; infinity never stops them.
    max_fun : int, default=15000
        Most evaluations of the loss by 'lbfgs'.
    scoring : str, callable or None, default=None
        What `early_stopping` watches on the rows for validation: 'loss' for the loss, which has to
        fall, the name of a scorer of scikit-learn's, or a callable ``scorer(estimator, X, y)``,
        which also takes `sample_weight` where there are weights. None is R squared. The score is
        recorded for `X_val` of `fit` without `early_stopping`, too. A callable is called in
        Python after each epoch; the loss, accuracy and R squared take one pass of the network.
    callback : callable or None, default=None
        Is called after each epoch of 'sgd' and 'adam', or iteration of 'lbfgs', as
        ``callback(info)`` with a `FitInfo` of `fastmlp.estimators`; where it returns True,
        training ends there.
    keep_every : int or None, default=None
        Epochs from one whose parameters are kept to the next, for `staged_predict`: 1 keeps each,
        None keeps none. One epoch takes as much memory as the network.

    Attributes
    ----------
    loss_ : float
        Loss of the last epoch or iteration.
    best_loss_ : float or None
        Smallest loss; None with `early_stopping`.
    loss_curve_ : list of float
        Loss of each epoch or iteration.
    validation_scores_ : list of float or None
        R squared, or what `scoring` says, on the rows for validation after each epoch; None without
        such rows.
    validation_loss_curve_ : list of float or None
        Loss on the rows for validation after each epoch, without the penalty; None without them.
    best_validation_score_ : float or None
        Largest validation score; None without rows for validation.
    best_iteration_ : int or None
        Where in `validation_scores_` the largest one is first, from 1; None without them. After
        `early_stopping` the parameters are those of this epoch.
    staged_epochs_ : list of int
        Epochs that `staged_predict` predicts by: places in `loss_curve_`, from 1.
    t_ : int
        Rows that 'sgd' or 'adam' went through, each counted once an epoch.
    coefs_ : list of ndarray of shape (n_inputs, n_outputs)
        Weights of each layer: views of the network, so that what is written to them counts at
        once. An array put in the place of one is copied into the network at its next use.
    intercepts_ : list of ndarray of shape (n_outputs,)
        Biases of each layer, likewise.
    network_ : MLP
        The network.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if those of training were all text.
    n_iter_ : int
        Epochs or iterations of the last fit.
    n_layers_ : int
        Layers of units, input and output included.
    n_outputs_ : int
        Outputs of the network.
    out_activation_ : str
        'exp' for the Poisson loss, else 'identity'.

    See Also
    --------
    MLPClassifier : The same for classes.
    MLP : The network by itself.

    Notes
    -----
    Results follow scikit-learn's to rounding. docs/4_scikit_learn.md has what differs and why.

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

    def _encode_validation(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return `y` itself, if it has the columns of that of training."""
        if (1 if y.ndim == 1 else y.shape[1]) != self.n_outputs_:
            expected = "(n,)" if self.n_outputs_ == 1 else f"(n, {self.n_outputs_})"
            raise ValueError(f"y_val has shape {y.shape}, expected {expected}, as y has")
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
            training diverges. After this and every other error the estimator is as it was before
            the call.
        """
        draft = self._draft()
        return self._become(draft, draft._train_incrementally(X, y, sample_weight))


def _flat(values: NDArray[Any]) -> NDArray[Any]:
    return values.ravel() if values.shape[1] == 1 else values
