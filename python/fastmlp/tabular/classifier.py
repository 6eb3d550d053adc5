"""The classifier."""

from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_y

from fastmlp._core import MLP
from fastmlp._files import Tensors
from fastmlp.estimators.class_file import class_tensors, classes_of, dtype_name
from fastmlp.estimators.descriptions import described
from fastmlp.estimators.loss import CLASSIFIER_LOSSES, check_is_object, loss_of
from fastmlp.estimators.weights import class_weights_of_samples
from fastmlp.losses import Loss
from fastmlp.tabular.base import BaseTabular
from fastmlp.tabular.descriptions import SECTIONS
from fastmlp.tabular.recipe import Recipe
from fastmlp.tabular.target import Classes, Target
from fastmlp.tabular.values import is_missing


@described(SECTIONS)
class TabularClassifier(ClassifierMixin, BaseTabular):
    """Classifier for tables as they are: numbers of any scale, categories, dates, missing values.

    Parameters
    ----------
    %(columns)s
    class_weight : dict or 'balanced', default=None
        Weight of each class, 1 where it is not named. 'balanced' makes all classes weigh the same.
    loss : {'log_loss', 'cross_entropy', 'focal'}, CrossEntropy or Focal, default='log_loss'
        What training lowers: a name, or an object of `fastmlp.losses` with numbers, such as
        ``Focal(gamma=1.0)``. 'cross_entropy' is another name of 'log_loss'.
    %(network)s
    label_smoothing : float, default=None
        Share, in [0, 1), by which training draws targets towards the mean of all classes; None is
        0.1. It is for the two names of the log loss: an object has its own. Where rows validate,
        the outputs are then multiplied by the factor that suits those rows best, which calibrates
        the probabilities.
    %(training)s

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes in the order of the columns of `predict_proba`.
    %(networks)s
    validation_scores_ : list of list of float
        Accuracy, or the score of `scoring`, of each network on its rows for validation after each
        epoch; empty where there are none.
    %(found)s

    See Also
    --------
    TabularRegressor : The same for numbers.
    MLPClassifier : One network, in place of scikit-learn's.

    Notes
    -----
    docs/6_tables.md tells how columns become inputs, and how the networks are trained.

    Examples
    --------
    >>> from fastmlp import TabularClassifier
    >>> rows = [[31, "blue"], [None, "green"], [25, "blue"], [64, "green"]] * 10
    >>> clf = TabularClassifier(preset="fast", random_state=0).fit(rows, ["no", "yes"] * 20)
    >>> clf.predict([[40, "green"], [40, "blue"], [None, "red"]])[:2]
    array(['yes', 'no'], dtype='<U3')
    """

    _outputs: ClassVar[set[str]] = {"softmax"}
    _recipe = Recipe(activation="selu")
    _keys: ClassVar[set[str]] = BaseTabular._keys | {"dtype"}
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseTabular._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "loss": CLASSIFIER_LOSSES,
        "label_smoothing": [Interval(Real, 0, 1, closed="left"), None],
    }

    class_weight: Any
    loss: Any
    label_smoothing: float | None
    classes_: NDArray[Any]

    def __init__(
        self,
        preset: str = "default",
        *,
        categorical_features: Any = "from_dtype",
        class_weight: Any = None,
        loss: Any = "log_loss",
        scoring: Any = None,
        n_members: int | None = None,
        max_time: float | None = None,
        hidden_layer_sizes: Any = None,
        learning_rate: str | None = None,
        learning_rate_init: float | None = None,
        weight_decay: float | None = None,
        dropout: float | None = None,
        label_smoothing: float | None = None,
        batch_size: int | None = None,
        max_iter: int | None = None,
        validation_fraction: float = 0.2,
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.preset = preset
        self.categorical_features = categorical_features
        self.class_weight = class_weight
        self.loss = loss
        self.scoring = scoring
        self.n_members = n_members
        self.max_time = max_time
        self.hidden_layer_sizes = hidden_layer_sizes
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.label_smoothing = label_smoothing
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.n_jobs = n_jobs

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of each class.

        Parameters
        ----------
        X : dataframe or array-like of shape (n_samples, n_features)
            A table with the columns of training. Those of a frame are found by name.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`: the mean over the networks.
        """
        probabilities = self._mean_over_networks(X, self._probabilities)
        return probabilities / probabilities.sum(axis=1, keepdims=True)

    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the logarithm of each probability.

        Parameters
        ----------
        X : dataframe or array-like of shape (n_samples, n_features)
            A table with the columns of training.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Logarithms of what `predict_proba` returns, -inf where that rounded to 0.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each row.

        Parameters
        ----------
        X : dataframe or array-like of shape (n_samples, n_features)
            A table with the columns of training.

        Returns
        -------
        ndarray of shape (n_samples,)
            Classes.
        """
        decided = self._mean_over_networks(X, self._probabilities).argmax(axis=1)
        return self.classes_[decided]

    def _probabilities(self, network: MLP, inputs: NDArray[Any]) -> NDArray[Any]:
        return network.predict_proba(inputs, n_jobs=self.n_jobs)

    def _checked_target(self, y: Any) -> NDArray[Any]:
        _refuse_missing(y)
        y = _check_y(y, estimator=self)
        check_classification_targets(y)
        return y

    def _learn_target(
        self, y: NDArray[Any], weights: NDArray[Any] | None
    ) -> tuple[Target, NDArray[Any] | None]:
        target = self._set_classes(np.unique(y))
        if self.class_weight is not None:
            of_classes = class_weights_of_samples(
                self.class_weight, self.classes_, y, incremental=False
            )
            weights = of_classes if weights is None else weights * of_classes
        return target, weights

    def _set_classes(self, classes: NDArray[Any]) -> Target:
        """Set the classes, which are in order."""
        self.classes_ = classes
        if len(self.classes_) < 2:
            raise ValueError(
                f"y must have at least 2 classes to train a {type(self).__name__}, got one class "
                f"in the rows whose weight is not 0: {self.classes_[0]!r}"
            )
        return Classes(len(self.classes_), self._chosen_loss(), self._score())

    def _chosen_loss(self) -> Loss | None:
        """Return the loss, or None for the cross-entropy of the recipe's label smoothing."""
        check_is_object(self.loss)
        if self.loss in ("log_loss", "cross_entropy"):
            return None
        if self.label_smoothing is not None:
            raise ValueError(
                f"label_smoothing={self.label_smoothing!r} is for loss='log_loss', got "
                f"loss={self.loss!r}"
            )
        return loss_of(self.loss)

    def _encode(self, y: NDArray[Any]) -> NDArray[Any]:
        codes = np.searchsorted(self.classes_, y)
        found = self.classes_[np.minimum(codes, len(self.classes_) - 1)]
        unknown = np.unique(y[found != y])
        if len(unknown):
            raise ValueError(f"y_val must have classes of y, {self.classes_}, got {unknown}")
        return codes

    def _target_content(self) -> tuple[dict[str, Any], Tensors]:
        dtype = dtype_name(self.classes_)
        return {"dtype": dtype}, class_tensors(self.classes_, dtype)

    def _set_target(self, network: MLP, content: dict[str, Any], tensors: Tensors) -> set[str]:
        n_outputs = network.layer_sizes[-1]
        classes, names = classes_of(tensors, content["dtype"])
        if len(classes) != n_outputs or not np.array_equal(classes, np.unique(classes)):
            raise ValueError(f"classes must be {n_outputs} different ones in order, got {classes}")
        self.classes_ = classes
        return names


def _refuse_missing(y: Any) -> None:
    """Raise a ValueError that names the first row without a label; NumPy would fail to sort it."""
    labels = np.asarray(y)
    if labels.dtype.kind == "O":
        row = next((row for row, label in enumerate(labels.flat) if is_missing(label)), None)
        if row is not None:
            raise ValueError(
                f"y must have a label for each row, got {labels.flat[row]} in row {row}"
            )
