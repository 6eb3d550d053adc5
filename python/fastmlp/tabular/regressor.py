"""The regressor."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils.validation import _check_y

from fastmlp._core import MLP
from fastmlp._files import Tensors, check_type
from fastmlp.estimators.descriptions import described
from fastmlp.tabular.base import BaseTabular
from fastmlp.tabular.descriptions import SECTIONS
from fastmlp.tabular.recipe import Recipe
from fastmlp.tabular.target import Target, Values


@described(SECTIONS)
class TabularRegressor(RegressorMixin, BaseTabular):
    """Regressor for tables as they are: numbers of any scale, categories, dates, missing values.

    The target is standardised inside, and a prediction lies between the smallest and the largest
    target of training. Targets with several outputs have one network for all of them.

    Parameters
    ----------
    %(columns)s
    %(network)s
    %(training)s

    Attributes
    ----------
    %(networks)s
    validation_scores_ : list of list of float
        R squared of each network on its rows for validation after each epoch, with the variance of
        all rows of training; empty where there are none.
    %(found)s

    See Also
    --------
    TabularClassifier : The same for classes.
    MLPRegressor : One network, in place of scikit-learn's.

    Notes
    -----
    docs/6_tables.md tells how columns become inputs, and how the networks are trained.

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp import TabularRegressor
    >>> rows = [[size, kind] for size in range(30) for kind in ("house", "flat")]
    >>> prices = [size * (3 if kind == "house" else 2) for size, kind in rows]
    >>> reg = TabularRegressor(preset="fast", random_state=0).fit(rows, prices)
    >>> reg.score(rows, prices) > 0.95
    True
    """

    _output = "identity"
    _recipe = Recipe(activation="mish")
    _keys = BaseTabular._keys | {"is_vector"}

    # Of the targets, one number per output.
    _mean: NDArray[np.float64]
    _scale: NDArray[np.float64]
    _low: NDArray[np.float64]
    _high: NDArray[np.float64]
    # Whether targets are a vector, and predictions too.
    _is_vector: bool

    def __init__(
        self,
        preset: str = "default",
        *,
        categorical_features: Any = "from_dtype",
        n_members: int | None = None,
        max_time: float | None = None,
        hidden_layer_sizes: Any = None,
        learning_rate_init: float | None = None,
        weight_decay: float | None = None,
        dropout: float | None = None,
        batch_size: int | None = None,
        max_iter: int | None = None,
        validation_fraction: float = 0.2,
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.preset = preset
        self.categorical_features = categorical_features
        self.n_members = n_members
        self.max_time = max_time
        self.hidden_layer_sizes = hidden_layer_sizes
        self.learning_rate_init = learning_rate_init
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.n_jobs = n_jobs

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return the prediction for each row.

        Parameters
        ----------
        X : dataframe or array-like of shape (n_samples, n_features)
            A table with the columns of training. Those of a frame are found by name.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The mean over the networks.
        """
        predicted = self._mean_over_networks(X, self._values)
        return predicted[:, 0] if self._is_vector else predicted

    def _values(self, network: MLP, inputs: NDArray[Any]) -> NDArray[Any]:
        outputs = network.predict(inputs, n_jobs=self.n_jobs).astype(np.float64)
        return np.clip(self._mean + self._scale * outputs, self._low, self._high)

    def _checked_target(self, y: Any) -> NDArray[Any]:
        return _check_y(y, multi_output=True, y_numeric=True, estimator=self).astype(np.float64)

    def _learn_target(
        self, y: NDArray[Any], weights: NDArray[Any] | None
    ) -> tuple[Target, NDArray[Any] | None]:
        self._is_vector = y.ndim == 1
        columns = y.reshape(len(y), -1)
        with np.errstate(over="ignore", invalid="ignore"):
            self._mean = np.average(columns, axis=0, weights=weights)
            variance = np.average((columns - self._mean) ** 2, axis=0, weights=weights)
        if not np.isfinite(variance).all():
            raise ValueError("y must have a finite variance, got numbers that are too large")
        self._scale = np.where(variance > 0, np.sqrt(variance), 1.0)
        self._low, self._high = columns.min(axis=0), columns.max(axis=0)
        return Values(columns.shape[1]), weights

    def _encode(self, y: NDArray[Any]) -> NDArray[Any]:
        columns = y.reshape(len(y), -1)
        if columns.shape[1] != len(self._mean):
            raise ValueError(
                f"y_val must have {len(self._mean)} outputs as y has, got {columns.shape[1]}"
            )
        return (columns - self._mean) / self._scale

    def _target_content(self) -> tuple[dict[str, Any], Tensors]:
        return {"is_vector": self._is_vector}, {
            "target": np.array([self._mean, self._scale, self._low, self._high])
        }

    def _set_target(self, n_outputs: int, content: dict[str, Any], tensors: Tensors) -> set[str]:
        check_type("is_vector", content["is_vector"], bool)
        target = tensors["target"]
        if target.dtype != np.float64 or target.shape != (4, n_outputs):
            raise ValueError(
                f"target must be float64 of shape (4, {n_outputs}), "
                f"got {target.dtype} of shape {target.shape}"
            )
        self._mean, self._scale, self._low, self._high = target
        is_sound = np.isfinite(target).all() and (self._scale > 0).all()
        if not is_sound or (self._low > self._high).any():
            raise ValueError("target must be mean, scale > 0, low and high, all of them finite")
        if content["is_vector"] and n_outputs != 1:
            raise ValueError(f"targets are a vector, and its network has {n_outputs} outputs")
        self._is_vector = content["is_vector"]
        return {"target"}

    def __sklearn_tags__(self) -> Any:
        """Say what the estimator can do."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
