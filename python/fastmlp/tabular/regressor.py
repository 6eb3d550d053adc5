"""The regressor."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import _check_y, check_is_fitted

from fastmlp._core import MLP
from fastmlp._files import Tensors, check_type
from fastmlp.estimators.descriptions import described
from fastmlp.estimators.inputs import refuse_times
from fastmlp.estimators.loss import (
    REGRESSOR_LOSSES,
    check_is_object,
    check_targets,
    has_several_levels,
    loss_of,
    n_outputs_of,
    n_targets_of,
    order_of,
    out_activation_of,
    score_of_quantiles,
)
from fastmlp.losses import Quantile
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
    loss : str, Loss or callable, default='squared_error'
        What training lowers: 'squared_error', 'absolute_error', 'huber', 'quantile' (the median),
        'poisson', 'gamma' or 'tweedie', or one of these as an object of `fastmlp.losses` with
        numbers: ``Huber(0.5)``, ``Quantile([0.1, 0.5, 0.9])``, ``Tweedie(1.9)``. The delta of
        Huber's loss counts in standard deviations of the target. For 'poisson' and powers of
        'tweedie' from 1 on targets are >= 0, for 'gamma' and powers from 2 on they are > 0; for
        these losses the target is divided by its mean inside, which changes no minimum, and
        predictions are positive. Quantiles are for a `y` of one column.

        A function ``loss(y, raw)`` is called once per batch with standardised targets and outputs,
        and returns the loss of each row and its derivative with respect to the row's outputs; see
        the Notes of `MLP`. It cannot be saved.
    %(network)s
    %(training)s

    Attributes
    ----------
    %(networks)s
    validation_scores_ : list of list of float
        Of each network on its rows for validation after each epoch; empty where there are none.
        For the squared error it is R squared with the variance of all rows of training, for other
        losses minus the loss, or what `scoring` says.
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

    _outputs: ClassVar[set[str]] = {"identity", "exp"}
    _recipe = Recipe(
        activation="mish",
        periodic=(Recipe(activation="mish", learning_rate_init=0.2),),
    )
    _keys = BaseTabular._keys | {"is_vector"}
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseTabular._parameter_constraints,
        "loss": REGRESSOR_LOSSES,
    }

    loss: Any

    # Of the targets, one number per column: networks have them less the mean, by the scale.
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
        loss: Any = "squared_error",
        scoring: Any = None,
        n_members: int | None = None,
        max_time: float | None = None,
        hidden_layer_sizes: Any = None,
        learning_rate: str | None = None,
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
        self.loss = loss
        self.scoring = scoring
        self.n_members = n_members
        self.max_time = max_time
        self.hidden_layer_sizes = hidden_layer_sizes
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.n_jobs = n_jobs

    def predict(self, X: Any, *, quantiles: Any = None) -> NDArray[np.float64]:
        """Return the prediction for each row.

        Parameters
        ----------
        X : dataframe or array-like of shape (n_samples, n_features)
            A table with the columns of training. Those of a frame are found by name.
        quantiles : float or array-like of float, default=None
            Which of the levels of ``loss=Quantile(levels)`` to return; None is all of them.

        Returns
        -------
        ndarray of shape (n_samples,), (n_samples, n_outputs) or (n_samples, n_quantiles)
            The mean over the networks. Quantiles of several levels have one column per level, in
            the order of `quantiles` or of the loss, and never cross: those of each row are sorted.
            A number for `quantiles` gives a vector.

        Raises
        ------
        ValueError
            If `quantiles` has a level that was not trained, or if the loss has none.
        """
        check_is_fitted(self, "networks_")
        loss = self.networks_[0].loss_function
        places = None if quantiles is None else _places_of(quantiles, loss)
        predicted = self._mean_over_networks(X, self._values)
        if has_several_levels(loss):
            predicted = np.take_along_axis(predicted, order_of(predicted, loss), axis=1)
        elif self._is_vector and places is None:
            return predicted[:, 0]
        return predicted if places is None else predicted[:, places]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R squared of the predictions, or D squared where they are several quantiles.

        Parameters
        ----------
        X : dataframe or array-like of shape (n_samples, n_features)
            A table with the columns of training.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The true numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row. None is 1 for all.

        Returns
        -------
        float
            ``sklearn.metrics.r2_score``; for quantiles of several levels the mean over these of
            ``sklearn.metrics.d2_pinball_score``.
        """
        predicted = self.predict(X)
        loss: Any = self.networks_[0].loss_function
        if has_several_levels(loss):
            return score_of_quantiles(y, predicted, loss, sample_weight)
        return float(r2_score(y, predicted, sample_weight=sample_weight))

    def _values(self, network: MLP, inputs: NDArray[Any]) -> NDArray[Any]:
        outputs = network.predict(inputs, n_jobs=self.n_jobs).astype(np.float64)
        return np.clip(self._mean + self._scale * outputs, self._low, self._high)

    def _checked_target(self, y: Any) -> NDArray[Any]:
        y = _check_y(y, multi_output=True, y_numeric=True, estimator=self)
        refuse_times("y", y)
        return y.astype(np.float64)

    def _learn_target(
        self, y: NDArray[Any], weights: NDArray[Any] | None
    ) -> tuple[Target, NDArray[Any] | None]:
        check_is_object(self.loss)
        loss = loss_of(self.loss)
        n_outputs = n_outputs_of(loss, self.loss, y)
        check_targets("y", y, loss, self.loss)
        self._is_vector = y.ndim == 1
        columns = y.reshape(len(y), -1)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = np.average(columns, axis=0, weights=weights)
            variance = np.average((columns - mean) ** 2, axis=0, weights=weights)
        self._set_scale(mean, variance, columns.min(axis=0), columns.max(axis=0))
        return Values(n_outputs, loss, self._score()), weights

    def _set_scale(
        self,
        mean: NDArray[np.float64],
        variance: NDArray[np.float64],
        low: NDArray[np.float64],
        high: NDArray[np.float64],
    ) -> None:
        """Set how networks have the targets, by what is known of each column of them."""
        if not np.isfinite(variance).all():
            raise ValueError("y must have a finite variance, got numbers that are too large")
        deviation = np.where(variance > 0, np.sqrt(variance), 1.0)
        if out_activation_of(loss_of(self.loss)) == "exp":
            # Deviances of multiples are multiples, but no deviance knows of a shift.
            self._mean, self._scale = np.zeros_like(mean), np.where(mean > 0, mean, deviation)
        else:
            self._mean, self._scale = mean, deviation
        self._low, self._high = low, high

    def _encode(self, y: NDArray[Any]) -> NDArray[Any]:
        columns = y.reshape(len(y), -1)
        if columns.shape[1] != len(self._mean):
            raise ValueError(
                f"y_val must have {len(self._mean)} outputs as y has, got {columns.shape[1]}"
            )
        check_targets("y_val", columns, loss_of(self.loss), self.loss)
        return (columns - self._mean) / self._scale

    def _target_content(self) -> tuple[dict[str, Any], Tensors]:
        return {"is_vector": self._is_vector}, {
            "target": np.array([self._mean, self._scale, self._low, self._high])
        }

    def _set_target(self, network: MLP, content: dict[str, Any], tensors: Tensors) -> set[str]:
        loss = network.loss_function
        if network.output != out_activation_of(loss):
            raise ValueError(f"its network has the output {network.output!r} and the loss {loss}")
        n_outputs = n_targets_of(loss, network.layer_sizes[-1])
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


def _places_of(quantiles: Any, loss: Any) -> NDArray[np.intp]:
    """Return the places of levels among those of the loss."""
    if not isinstance(loss, Quantile):
        raise ValueError(
            f"quantiles needs a fit with loss=Quantile([...]), got quantiles={quantiles!r} after a "
            f"fit with {loss}"
        )
    asked, levels = np.asarray(quantiles), np.array(loss.levels)
    if asked.dtype.kind in "fiu" and asked.ndim < 2 and asked.size:
        is_level = np.isclose(asked[..., None], levels, rtol=0, atol=1e-9)
        if is_level.any(axis=-1).all():
            return is_level.argmax(axis=-1)
    raise ValueError(
        f"quantiles must be one or some of the levels that were trained, {list(loss.levels)}; "
        f"got {quantiles!r}"
    )
