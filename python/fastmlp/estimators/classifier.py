"""The classifier."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target

from fastmlp._core import MLP
from fastmlp.estimators.base import BaseMLP, goes_on_by_epochs
from fastmlp.estimators.labels import Labels, check_not_nan


class MLPClassifier(ClassifierMixin, Labels, BaseMLP):
    """Multilayer perceptron for classes, in place of scikit-learn's.

    It minimises the cross-entropy: of a softmax over the classes, of one logistic output for two
    classes, or of one for each label if `y` is an indicator of several.

    Parameters
    ----------
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

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes in the order of the columns of `predict_proba`.
    loss_ : float
        Loss of the last epoch or iteration.
    best_loss_ : float or None
        Smallest loss; None with `early_stopping`.
    loss_curve_ : list of float
        Loss of each epoch or iteration.
    validation_scores_ : list of float or None
        Accuracy on the rows for validation after each epoch; None without `early_stopping`.
    best_validation_score_ : float or None
        Largest validation score; None without `early_stopping`.
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
        'softmax' for three classes or more, else 'logistic'.

    See Also
    --------
    MLPRegressor : The same for numbers.
    MLP : The network by itself.

    Notes
    -----
    Results follow scikit-learn's to rounding. docs/4_scikit_learn.md has what differs and why.

    Examples
    --------
    >>> from fastmlp import MLPClassifier
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier(hidden_layer_sizes=(20,), solver="lbfgs", random_state=0).fit(X, y)
    >>> clf.predict(X[[0, 75, 149]])
    array([0, 1, 2])
    >>> clf.score(X, y) > 0.95
    True
    """

    def __init__(
        self,
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
    ) -> None:
        super().__init__(
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
    def from_network(
        cls, network: MLP, *, classes: ArrayLike | None = None, **parameters: Any
    ) -> "MLPClassifier":
        """Make a fitted classifier of a network, which it shares.

        Parameters
        ----------
        network : MLP
            A network whose hidden layers have one activation that scikit-learn has. With
            ``output="softmax"`` each output is a class; with ``output="sigmoid"`` one output
            tells two classes apart, and several are labels of their own.
        classes : array-like of shape (n_classes,), default=None
            The classes in the order of the outputs, which must be sorted. None numbers them
            from 0. One output may also have one class alone, if training saw no other.
        **parameters : object
            Parameters of the constructor for a later `fit` or `partial_fit`; those that the
            network determines follow from it.

        Returns
        -------
        MLPClassifier
            The fitted classifier; `network_` is the network itself.

        Raises
        ------
        ValueError
            If the network is not of that kind, or `classes` not of that number and order.
        """
        if network.output not in ("softmax", "sigmoid"):
            raise ValueError(
                f"a classifier's network must have output 'softmax' or 'sigmoid', "
                f"got {network.output!r}"
            )
        n_outputs = network.layer_sizes[-1]
        single = network.output == "sigmoid" and n_outputs == 1
        n_classes = 2 if single else n_outputs
        labels = np.arange(n_classes) if classes is None else np.asarray(classes)
        fits = labels.shape == (n_classes,) or (single and labels.shape == (1,))
        if not fits or not np.array_equal(labels, np.unique(labels)):
            raise ValueError(
                f"classes must be {n_classes} distinct labels in sorted order, got {classes!r}"
            )
        estimator = cls._of_network(
            network, "softmax" if network.output == "softmax" else "logistic", parameters
        )
        several = network.output == "sigmoid" and not single
        estimator._label_binarizer = LabelBinarizer().fit(
            np.eye(n_outputs, dtype=np.int64) if several else labels
        )
        estimator.classes_ = labels
        return estimator

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each row, or each label that is more likely than not.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample a row.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Classes, or an indicator of labels if there was one in training.
        """
        network = self.network_
        decided = self._decide(network, self._checked(X, network))
        if decided.ndim == 1:
            return self.classes_[decided]
        return csr_matrix(decided) if self._label_binarizer.sparse_input_ else decided

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return the probability of each class, or of each label.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample a row.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`. Those of classes add up to 1. All lie between
            0 and 1: one that would round to either is the normal number next to it.
        """
        network = self.network_
        X = self._checked(X, network)
        if network.layer_sizes[-1] > 1:
            return _between_0_and_1(network.predict_proba(X))
        # The complement from the sum itself: 1 - p would lose what is below the precision of 1.
        sums = network.forward(X)
        if len(self.classes_) == 1:
            return _between_0_and_1(np.ones_like(sums))
        return _between_0_and_1(expit(np.hstack([-sums, sums])))

    def predict_log_proba(self, X: Any) -> NDArray[Any]:
        """Return the logarithm of each probability; it is always finite.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample a row.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Logarithms of what `predict_proba` returns, in the order of `classes_`.
        """
        return np.log(self.predict_proba(X))

    def _of_predictions(self, gradients: NDArray[Any]) -> NDArray[Any]:
        if gradients.shape[1] > 1:
            return gradients
        if len(self.classes_) == 1:
            return np.zeros_like(gradients)
        return np.hstack([-gradients, gradients])

    @available_if(goes_on_by_epochs)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, classes: ArrayLike | None = None
    ) -> "MLPClassifier":
        """Train for one epoch, from where the last call ended.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample a row.
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            Class labels, or an indicator of several labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample: finite, >= 0. None is 1 for all.
        classes : array-like of shape (n_classes,), default=None
            All classes that any call will see. The first call needs them; `y` may lack some.

        Returns
        -------
        MLPClassifier
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
        if _check_partial_fit_first_call(draft, classes):
            several = type_of_target(y).startswith("multilabel")
            draft._label_binarizer = LabelBinarizer().fit(y if several else classes)
        return self._become(draft, draft._train(X, y, sample_weight, incremental=True))

    def __sklearn_tags__(self) -> Any:
        """Say what the estimator can do."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _between_0_and_1(probabilities: NDArray[Any]) -> NDArray[Any]:
    """Move what rounded to 0 or 1 to the normal number next to it; NaN is an error."""
    check_not_nan(probabilities)
    limits = np.finfo(probabilities.dtype)
    np.maximum(probabilities, limits.tiny, out=probabilities)
    return np.minimum(probabilities, 1 - limits.epsneg, out=probabilities)
