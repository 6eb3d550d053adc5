"""Labels as the network is trained on them, and as it decides for them."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.multiclass import unique_labels

from fastmlp._core import MLP
from fastmlp._files import Tensors, check_type
from fastmlp.estimators.class_file import class_tensors, classes_of, dtype_name
from fastmlp.estimators.loss import loss_of
from fastmlp.estimators.mlp_file import MLPInFile
from fastmlp.estimators.weights import class_weights_of_samples


def plain_classes(y: Any) -> NDArray[Any] | None:
    """Return the classes of a vector of integers or booleans, else None.

    What scikit-learn's own functions ask about such labels takes milliseconds in all, as long as a
    small network trains. They are asked where classes are so many that they warn of it.
    """
    if not _is_plain(y):
        return None
    classes = np.unique(y)
    return classes if 2 * len(classes) <= len(y) else None


def distinct_labels(y: Any) -> NDArray[Any]:
    """Return what `sklearn.utils.multiclass.unique_labels` does."""
    classes = plain_classes(y)
    return unique_labels(y) if classes is None else classes


class Labels:
    """The part of the classifier that knows what the outputs stand for."""

    _keys: ClassVar[set[str]] = MLPInFile._keys | {"dtype", "several", "sparse"}

    classes_: NDArray[Any]
    n_outputs_: int
    out_activation_: str
    warm_start: bool
    n_jobs: int | None
    class_weight: Any
    loss: Any
    _loss: Any
    _label_binarizer: LabelBinarizer

    def _encode(self, y: NDArray[Any], *, fresh: bool, incremental: bool) -> NDArray[Any]:
        """Return class indices for softmax, else an indicator, flat if there is one output."""
        self._loss = loss_of(self.loss)
        return self._learn_classes(y, fresh=fresh, incremental=incremental)

    def _learn_classes(self, y: NDArray[Any], *, fresh: bool, incremental: bool) -> NDArray[Any]:
        """Set what follows from labels alone, and encode them."""
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._label_binarizer = _binarizer_of(y)
            self.classes_ = self._label_binarizer.classes_
        else:
            self._check_classes(distinct_labels(y))
        if fresh or not hasattr(self, "out_activation_"):
            multiclass = self._label_binarizer.y_type_ == "multiclass"
            self.out_activation_ = "softmax" if multiclass else "logistic"
        if self.out_activation_ == "softmax":
            self.n_outputs_ = len(self.classes_)
            if y.ndim != 1:
                raise ValueError("The object was not fitted with multilabel input.")
            return self._indices_or_indicator(y)
        indicator = self._indices_or_indicator(y)
        self.n_outputs_ = 1 if indicator.ndim == 1 else indicator.shape[1]
        return indicator

    def _indices_or_indicator(self, y: Any) -> NDArray[Any]:
        if self.out_activation_ == "softmax":
            return np.searchsorted(self.classes_, y)
        if self._label_binarizer.y_type_ == "binary" and _is_plain(y):
            # There may be no second class.
            return np.isin(y, self.classes_[1:]).astype(int)
        indicator: NDArray[Any] = self._label_binarizer.transform(y)
        return indicator.ravel() if indicator.shape[1] == 1 else indicator

    def _encode_validation(self, y: Any) -> NDArray[Any]:
        """Return the same of labels for validation, which are among those of training."""
        if self.out_activation_ == "softmax" and y.ndim != 1:
            raise ValueError(f"y_val has shape {y.shape}, expected one class per row, as y has")
        several = self._label_binarizer.y_type_.startswith("multilabel")
        if several and (y.ndim != 2 or y.shape[1] != self.n_outputs_):
            raise ValueError(
                f"y_val has shape {y.shape}, expected (n, {self.n_outputs_}), as y has"
            )
        if len(unknown := np.setdiff1d(distinct_labels(y), self.classes_)):
            raise ValueError(f"y_val has classes that y has not: {unknown}")
        return self._indices_or_indicator(y)

    def _weigh(
        self, y: NDArray[Any], sample_weight: NDArray[Any] | None, *, incremental: bool
    ) -> NDArray[Any] | None:
        """Multiply weights of samples with those of their classes."""
        if self.class_weight is None:
            return sample_weight
        weights = class_weights_of_samples(
            self.class_weight, self.classes_, y, incremental=incremental
        )
        return weights if sample_weight is None else weights * sample_weight

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

    def _labels(self) -> tuple[dict[str, Any], Tensors]:
        """Classes with their dtype, and whether a sample has several."""
        dtype = dtype_name(self.classes_)
        content = {
            "dtype": dtype,
            "several": self._label_binarizer.y_type_.startswith("multilabel"),
            "sparse": self._label_binarizer.sparse_input_,
        }
        return content, class_tensors(self.classes_, dtype)

    @classmethod
    def _of_labels(
        cls, network: MLP, content: dict[str, Any], tensors: Tensors
    ) -> tuple[Any, set[str]]:
        check_type("several", content["several"], bool)
        check_type("sparse", content["sparse"], bool)
        classes, names = classes_of(tensors, content["dtype"])
        estimator = cls.from_network(network, classes=classes)  # type: ignore[attr-defined]
        if estimator._label_binarizer.y_type_.startswith("multilabel") != content["several"]:
            raise ValueError("samples have several labels, or one, as the network has not")
        if content["sparse"] and not content["several"]:
            raise ValueError("labels are sparse, of which a sample has one")
        estimator._label_binarizer.sparse_input_ = content["sparse"]
        return estimator, names

    def _decide(self, network: MLP, X: Any) -> NDArray[np.int64]:
        """Return class indices (n_samples,), or an indicator where rows have several labels."""
        if self.out_activation_ == "softmax":
            return network.predict(X, n_jobs=self.n_jobs)
        probabilities = check_not_nan(network.predict_proba(X, n_jobs=self.n_jobs))
        likely = (probabilities > 0.5).astype(np.int64)
        if likely.shape[1] > 1:
            return likely
        # Without a second class, the one output cannot mean it.
        return np.minimum(likely[:, 0], len(self.classes_) - 1)

    def _strata(self, y: NDArray[Any]) -> NDArray[Any] | None:
        # As text, in scikit-learn's spelling: it names a class that has too few rows.
        return np.where(y > 0, "True", "False") if self.n_outputs_ == 1 else None


def check_not_nan(probabilities: NDArray[Any]) -> NDArray[Any]:
    """Return them; NaN, which a sum that overflows leads to, is an error."""
    if np.isnan(probabilities).any():
        raise ValueError(
            "The probabilities are not a number. The input data may contain large values and need "
            "to be preprocessed."
        )
    return probabilities


def _is_plain(y: Any) -> bool:
    return type(y) is np.ndarray and y.ndim == 1 and y.dtype.kind in "biu"


def _binarizer_of(y: NDArray[Any]) -> LabelBinarizer:
    """Fit scikit-learn's to labels."""
    classes = plain_classes(y)
    binarizer = LabelBinarizer()
    if classes is None:
        return binarizer.fit(y)
    binarizer.y_type_ = "binary" if len(classes) <= 2 else "multiclass"
    binarizer.sparse_input_, binarizer.classes_ = False, classes
    return binarizer
