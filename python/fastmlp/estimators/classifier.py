"""The classifier."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target

from fastmlp._core import MLP
from fastmlp.estimators.base import BaseMLP, goes_on_by_epochs
from fastmlp.estimators.descriptions import SECTIONS, described
from fastmlp.estimators.labels import Labels, check_not_nan, plain_classes
from fastmlp.estimators.loss import CLASSIFIER_LOSSES, OF_CLASSES, parameter_of
from fastmlp.estimators.stages import keeps_epochs


@described(SECTIONS)
class MLPClassifier(ClassifierMixin, Labels, BaseMLP):
    """Multilayer perceptron for classes, in place of scikit-learn's.

    It minimises the cross-entropy, or the focal loss: of a softmax over the classes, of one
    logistic output for two classes, or of one for each label if `y` is an indicator of several.

    Parameters
    ----------
    %(parameters)s
    class_weight : dict, 'balanced', list of dict or None, default=None
        Weight of each class in the loss, which is multiplied with `sample_weight`: ``{label:
        weight}``, in which a class that is missing weighs 1, or 'balanced' for ``n_samples /
        (n_classes * np.bincount(y))``. If a sample has several labels, a list with one dict
        ``{0: weight, 1: weight}`` per label; their weights are multiplied. With `early_stopping`
        the rows that are kept back are weighted likewise.
    loss : {'log_loss', 'focal'}, CrossEntropy or Focal, default='log_loss'
        What is minimised: 'log_loss' is the cross-entropy, and 'cross_entropy' another name for it.
        The objects of `fastmlp.losses` have numbers: ``CrossEntropy(label_smoothing=0.1)``,
        ``Focal(gamma=2.0)``.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes in the order of the columns of `predict_proba`.
    validation_scores_ : list of float or None
        Accuracy, or the score of `scoring`, on the rows for validation after each epoch; None
        without such rows.
    out_activation_ : str
        'softmax' for three classes or more, else 'logistic'.
    %(attributes)s

    See Also
    --------
    MLPRegressor : The same for numbers.
    MLP : The network by itself.

    Notes
    -----
    %(notes)s

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

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseMLP._parameter_constraints,
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
        "loss": CLASSIFIER_LOSSES,
    }

    def __init__(
        self,
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
        class_weight: Any = None,
        loss: Any = "log_loss",
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
            class_weight=class_weight,
            loss=loss,
        )

    @classmethod
    def from_network(
        cls, network: MLP, *, classes: ArrayLike | None = None, **parameters: Any
    ) -> "MLPClassifier":
        """Make a fitted classifier of a network, which it shares.

        Parameters
        ----------
        network : MLP
            A network without an `input_scale`, `periodic_inputs` or a `parametric_activation`.
            With ``output="softmax"`` each output is a class; with ``output="sigmoid"`` one output
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
        parameters["loss"] = parameter_of(network.loss_function, OF_CLASSES)
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
            One sample per row.

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

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy of the predictions.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample per row.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The true classes or labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample. None is 1 for all.

        Returns
        -------
        float
            ``sklearn.metrics.accuracy_score``.
        """
        predicted = self.predict(X)
        is_plain = plain_classes(y) is not None and plain_classes(predicted) is not None
        if sample_weight is None and is_plain and y.shape == predicted.shape:
            return float(np.mean(y == predicted))
        return float(accuracy_score(y, predicted, sample_weight=sample_weight))

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return the probability of each class, or of each label.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample per row.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`. Those of classes add up to 1. All lie between
            0 and 1: one that would round to either is the normal number next to it.
        """
        network = self.network_
        X = self._checked(X, network)
        if network.layer_sizes[-1] > 1:
            return _between_0_and_1(network.predict_proba(X, n_jobs=self.n_jobs))
        # The complement from the sum itself: 1 - p would lose what is below the precision of 1.
        sums = network.forward(X, n_jobs=self.n_jobs)
        if len(self.classes_) == 1:
            return _between_0_and_1(np.ones_like(sums))
        return _between_0_and_1(expit(np.hstack([-sums, sums])))

    def predict_log_proba(self, X: Any) -> NDArray[Any]:
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

    @available_if(keeps_epochs)
    def staged_predict_proba(self, X: Any) -> Iterator[NDArray[Any]]:
        """Return the probabilities of each epoch that was kept, in their order.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample per row.

        Yields
        ------
        ndarray of shape (n_samples, n_classes)
            What `predict_proba` would have returned after the epoch at the same place of
            `staged_epochs_`.
        """
        return self._staged("predict_proba", X)

    def _of_predictions(self, gradients: NDArray[Any], X: Any) -> NDArray[Any]:
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
            One sample per row.
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
            If an argument or a parameter is out of its range, if `early_stopping` is on, if all
            epochs of a planned `learning_rate` were made, or if training diverges. After this and
            every other error the estimator is as it was before the call.
        """
        draft = self._draft()
        if _check_partial_fit_first_call(draft, classes):
            several = type_of_target(y).startswith("multilabel")
            draft._label_binarizer = LabelBinarizer().fit(y if several else classes)
        return self._become(draft, draft._train_incrementally(X, y, sample_weight))

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
