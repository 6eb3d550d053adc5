"""The classifier."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix
from scipy.special import log_expit, log_softmax
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    type_of_target,
    unique_labels,
)

from fastmlp._core import MLP
from fastmlp.estimators.base import BaseMLP, goes_on_by_epochs


class MLPClassifier(ClassifierMixin, BaseMLP):
    """Multilayer perceptron for classes, in place of scikit-learn's.

    PARAMETERS

    Notes
    -----
    NOTES

    Examples
    --------
    EXAMPLES
    """

    loss: ClassVar[str] = "log_loss"
    classes_: NDArray[Any]

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
            from 0.
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
        if labels.shape != (n_classes,) or not np.array_equal(labels, np.unique(labels)):
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

    def _encode(self, y: NDArray[Any], *, fresh: bool, incremental: bool) -> NDArray[Any]:
        """Return class indices for softmax, else an indicator, flat if there is one output."""
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._label_binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._label_binarizer.classes_
        else:
            self._check_classes(unique_labels(y))
        if fresh or not hasattr(self, "out_activation_"):
            multiclass = self._label_binarizer.y_type_ == "multiclass"
            self.out_activation_ = "softmax" if multiclass else "logistic"
        if self.out_activation_ == "softmax":
            self.n_outputs_ = len(self.classes_)
            if y.ndim != 1:
                raise ValueError("The object was not fitted with multilabel input.")
            return np.searchsorted(self.classes_, y)
        indicator = self._label_binarizer.transform(y)
        self.n_outputs_ = indicator.shape[1]
        return indicator.ravel() if self.n_outputs_ == 1 else indicator

    def _check_classes(self, classes: NDArray[Any]) -> None:
        if self.warm_start:
            if set(classes) != set(self.classes_):
                raise ValueError(
                    "warm_start can only be used where `y` has the same classes as in the "
                    f"previous call to fit. Previously got {self.classes_}, `y` has {classes}"
                )
        elif len(np.setdiff1d(classes, self.classes_, assume_unique=True)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. "
                f"'y' has {classes}."
            )

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

    def _decide(self, network: MLP, X: Any) -> NDArray[np.int64]:
        """Return class indices (n_samples,), or an indicator where rows have several labels."""
        if self.out_activation_ == "softmax":
            return network.predict(X)
        likely = (network.predict_proba(X) > 0.5).astype(np.int64)
        if likely.shape[1] > 1:
            return likely
        # Without a second class, the one output cannot mean it.
        return np.minimum(likely[:, 0], len(self.classes_) - 1)

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return the probability of each class, or of each label.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample a row.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`. Those of classes add up to 1.
        """
        network = self.network_
        probabilities = network.predict_proba(self._checked(X, network))
        if probabilities.shape[1] == 1:
            return np.hstack([1 - probabilities, probabilities])
        return probabilities

    def predict_log_proba(self, X: Any) -> NDArray[Any]:
        """Return the logarithm of each probability: never -inf, also where a probability rounds to 0.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample a row.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Logarithms in the order of `classes_`, computed from the sums of the output layer.
        """
        network = self.network_
        X = self._checked(X, network)
        sums = network.forward(X)
        if self.out_activation_ == "softmax":
            return log_softmax(sums, axis=1)
        if sums.shape[1] == 1:
            return log_expit(np.hstack([-sums, sums]))
        # Labels whose probabilities are equal have equal logarithms, so that their order is the
        # same. A probability below the normal numbers is exp(sum), as far as numbers can tell.
        probabilities = network.predict_proba(X)
        normal = probabilities >= np.finfo(probabilities.dtype).tiny
        return np.log(probabilities, out=sums, where=normal)

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
            training diverges.
        """
        if _check_partial_fit_first_call(self, classes):
            several = type_of_target(y).startswith("multilabel")
            self._label_binarizer = LabelBinarizer().fit(y if several else classes)
        return self._fit(X, y, sample_weight, incremental=True)

    def _strata(self, y: NDArray[Any]) -> NDArray[Any] | None:
        # As text, in scikit-learn's spelling: it names a class that has too few rows.
        return np.where(y > 0, "True", "False") if self.n_outputs_ == 1 else None

    def _validation_score(
        self, network: MLP, X: Any, y: NDArray[Any], sample_weight: NDArray[Any] | None
    ) -> float:
        """Return the accuracy: the share of rows of which everything is right."""
        right = self._decide(network, X) == y
        if right.ndim == 2:
            right = right.all(axis=1)
        return float(np.average(right, weights=sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
