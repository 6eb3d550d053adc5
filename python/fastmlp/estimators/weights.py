"""Weights of samples by their classes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from fastmlp._files import check_keys, check_type

# As that of scikit-learn's `SGDClassifier`.
_NOT_BALANCED = (
    "class_weight='balanced' is not supported for partial_fit: a part of the data does not tell "
    "how frequent the classes are. Compute the weights once, from labels `y` of all data or of a "
    "large sample of it, and give them as a dict: "
    "dict(zip(classes, compute_class_weight('balanced', classes=classes, y=y)))"
)


def class_weights_of_samples(
    class_weight: Any, classes: NDArray[Any], y: NDArray[Any], *, incremental: bool
) -> NDArray[np.float64]:
    """Return the weight that the class of each sample, or its several labels, give it.

    Parameters
    ----------
    class_weight : dict, list of dict or 'balanced'
        The parameter of the classifier.
    classes : ndarray of shape (n_classes,)
        All classes; some may have no sample.
    y : ndarray of shape (n_samples,) or (n_samples, n_labels)
        Classes, or an indicator of labels.
    incremental : bool
        Whether there is more data than this.

    Returns
    -------
    ndarray of shape (n_samples,)
        Finite, >= 0 and not all 0.

    Raises
    ------
    ValueError
        If the classes have no such weights.
    """
    if incremental and isinstance(class_weight, str):
        raise ValueError(_NOT_BALANCED)
    if y.ndim == 2:
        weights = compute_sample_weight(class_weight, y)
    elif isinstance(class_weight, list):
        raise ValueError(
            "class_weight is a list, which is for an indicator of several labels; for one class "
            "per sample it must be a dict or 'balanced'"
        )
    else:
        of_classes = compute_class_weight(class_weight, classes=classes, y=y)
        weights = of_classes[np.searchsorted(classes, y)]
    if not np.isfinite(weights).all() or weights.min() < 0:
        raise ValueError(f"class_weight must have finite weights >= 0, got {class_weight!r}")
    if not weights.any():
        raise ValueError(
            f"class_weight must give some sample a weight above 0, got {class_weight!r}"
        )
    return np.asarray(weights, dtype=np.float64)


def as_content(class_weight: Any) -> Any:
    """Return the parameter as a file has it: labels are no keys, which could be text alone.

    Lists of numbers have few brackets, whatever the number of classes.
    """
    if class_weight is None or isinstance(class_weight, str):
        return class_weight
    several = isinstance(class_weight, list)
    dicts = class_weight if several else [class_weight]
    content = {
        "labels": [label for each in dicts for label in each],
        "weights": [weight for each in dicts for weight in each.values()],
    }
    return content | ({"sizes": [len(each) for each in dicts]} if several else {})


def of_content(content: Any) -> Any:
    """Return the parameter that a file has."""
    if isinstance(content, str):
        return content
    check_type("class_weight", content, dict)
    check_keys("class_weight", set(content) - {"sizes"}, {"labels", "weights"})
    for name, values in content.items():
        check_type(name, values, list)
        for value in values:
            kinds = {"labels": (str, int, float, bool), "weights": (int, float), "sizes": (int,)}
            check_type(name, value, *kinds[name])
    pairs = list(zip(content["labels"], content["weights"], strict=True))
    if "sizes" not in content:
        return dict(pairs)
    if min(content["sizes"], default=0) < 0 or sum(content["sizes"]) != len(pairs):
        raise ValueError(f"sizes must add up to {len(pairs)}, got {content['sizes']}")
    dicts, first = [], 0
    for size in content["sizes"]:
        dicts.append(dict(pairs[first : first + size]))
        first += size
    return dicts
