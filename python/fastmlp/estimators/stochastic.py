"""Training by SGD and Adam: what happens before the first epoch, after each, and after the last."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from fastmlp._core import MLP, SGD, Adam, DivergenceError, Epoch, Optimizer
from fastmlp.estimators.live import LiveParameters

NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and "
    "need to be preprocessed."
)
# Below this, learning_rate="adaptive" gives up.
SMALLEST_ADAPTIVE_RATE = 1e-6


class Stochastic(LiveParameters):
    """The solvers "sgd" and "adam"."""

    solver: str
    alpha: float
    batch_size: int | str
    learning_rate: str
    learning_rate_init: float
    power_t: float
    max_iter: int
    shuffle: bool
    tol: float
    verbose: bool | int
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: float

    n_iter_: int
    t_: int
    loss_: float
    best_loss_: Any
    loss_curve_: list[float]
    validation_scores_: Any
    best_validation_score_: Any

    _optimizer: Optimizer
    _random_state: np.random.RandomState
    _no_improvement_count: int

    def _begin_record(self, fresh: bool) -> None:
        """Set what training keeps account in, where it is not there or begins anew."""
        validates = self.early_stopping and self.solver != "lbfgs"
        # Without a score to compare with, or with one of another kind, the best is yet to come.
        anew = fresh or (getattr(self, "validation_scores_", None) is not None) != validates
        record = {
            "n_iter_": (0, fresh),
            "t_": (0, fresh),
            "loss_curve_": ([], fresh),
            "_no_improvement_count": (0, anew),
            "best_loss_": (None if validates else np.inf, anew),
            "validation_scores_": ([] if validates else None, anew),
            "best_validation_score_": (-np.inf if validates else None, anew),
        }
        for name, (value, begins) in record.items():
            if begins or not hasattr(self, name):
                setattr(self, name, value)

    def _fit_stochastic(
        self,
        network: MLP,
        X: Any,
        y: NDArray[Any],
        sample_weight: NDArray[Any] | None,
        incremental: bool,
    ) -> None:
        if not incremental or not hasattr(self, "_optimizer"):
            self._optimizer = self._make_optimizer()
        score = None
        if self.early_stopping:
            (X, y, sample_weight), validation = self._split(X, y, sample_weight)

            def score() -> float:
                return self._validation_score(network, *validation)

        watch = _Watch(self, network, X.shape[0], score, incremental)
        try:
            network.fit(
                X,
                y,
                self._optimizer,
                epochs=1 if incremental else self.max_iter,
                batch_size=self._batch_rows(X.shape[0]),
                shuffle=self.shuffle,
                seed=self._random_state if self.shuffle else None,
                sample_weight=sample_weight,
                alpha=self.alpha,
                report="scikit-learn",
                callback=watch,
            )
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=2)
        except DivergenceError as error:
            if score is None:
                raise ValueError(NOT_FINITE) from error
            watch.diverged()
        else:
            if not watch.stopped and not incremental:
                warnings.warn(
                    f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the "
                    "optimization hasn't converged yet.",
                    ConvergenceWarning,
                    stacklevel=2,
                )
        if self.early_stopping:
            network.parameters[:] = watch.best_parameters

    def _make_optimizer(self) -> Optimizer:
        if self.solver == "adam":
            return Adam(
                self.learning_rate_init, self.beta_1, self.beta_2, self.epsilon, epsilon_hat=True
            )
        return SGD(
            self.learning_rate_init,
            self.momentum,
            nesterov=self.nesterovs_momentum and self.momentum > 0,
            scaled_velocity=True,
        )

    def _split(
        self, X: Any, y: NDArray[Any], sample_weight: NDArray[Any] | None
    ) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Keep rows back for validation: (X, y, sample_weight) to train on, and to validate on."""
        arrays = [X, y] if sample_weight is None else [X, y, sample_weight]
        parts = train_test_split(
            *arrays,
            random_state=self._random_state,
            test_size=self.validation_fraction,
            stratify=self._strata(y),
        )
        training, validation = parts[::2], parts[1::2]
        if validation[0].shape[0] < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of "
                "your dataset."
            )
        if sample_weight is None:
            training, validation = [*training, None], [*validation, None]
        return tuple(training), tuple(validation)

    def _strata(self, y: NDArray[Any]) -> NDArray[Any] | None:
        """Return what the split keeps the shares of; None lets chance alone decide."""
        return None

    def _validation_score(
        self, network: MLP, X: Any, y: NDArray[Any], sample_weight: NDArray[Any] | None
    ) -> float:
        raise NotImplementedError

    def _batch_rows(self, n_samples: int) -> int:
        if isinstance(self.batch_size, str):
            return min(200, n_samples)
        if self.batch_size > n_samples:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be "
                "clipped",
                stacklevel=2,
            )
        return int(min(self.batch_size, n_samples))


class _Watch:
    """The callback of a fit: keeps the record, moves the learning rate, says when to stop."""

    def __init__(
        self,
        estimator: Stochastic,
        network: MLP,
        n_samples: int,
        score: Callable[[], float] | None,
        incremental: bool,
    ) -> None:
        self.estimator = estimator
        self.network = network
        self.n_samples = n_samples
        self.score = score
        self.best_parameters: Any = None if score is None else network.parameters.copy()
        self.stopped = False
        estimator.n_iter_ = 0

    def __call__(self, epoch: Epoch) -> bool:
        estimator = self.estimator
        self._count(epoch.loss)
        if estimator.verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")
        if self.score is None:
            self._compare_loss()
        else:
            self._compare_score(self.score())
        if estimator.solver == "sgd" and estimator.learning_rate == "invscaling":
            self._scale_learning_rate()
        if estimator._no_improvement_count > estimator.n_iter_no_change:
            self.stopped = self._has_to_stop()
            if not self.stopped:
                estimator._no_improvement_count = 0
        return self.stopped

    def diverged(self) -> None:
        """Note an epoch that ended in numbers that are not finite."""
        self._count(np.nan)
        self._compare_score(np.nan)
        warnings.warn(
            f"Training diverged in epoch {self.estimator.n_iter_}. The parameters are those with "
            "the best validation score; a smaller learning_rate_init, or input that is scaled, "
            "may help.",
            ConvergenceWarning,
            stacklevel=3,
        )

    def _count(self, loss: float) -> None:
        estimator = self.estimator
        estimator.n_iter_ += 1
        estimator.t_ += self.n_samples
        estimator.loss_ = loss
        estimator.loss_curve_.append(loss)

    def _compare_loss(self) -> None:
        estimator = self.estimator
        if estimator.loss_ > estimator.best_loss_ - estimator.tol:
            estimator._no_improvement_count += 1
        else:
            estimator._no_improvement_count = 0
        estimator.best_loss_ = min(estimator.best_loss_, estimator.loss_)

    def _compare_score(self, score: float) -> None:
        estimator = self.estimator
        estimator.validation_scores_.append(score)
        if estimator.verbose:
            print(f"Validation score: {score:f}")
        if score < estimator.best_validation_score_ + estimator.tol:
            estimator._no_improvement_count += 1
        else:
            estimator._no_improvement_count = 0
        if score > estimator.best_validation_score_:
            estimator.best_validation_score_ = score
            self.best_parameters[:] = self.network.parameters

    def _scale_learning_rate(self) -> None:
        estimator = self.estimator
        with np.errstate(over="ignore"):
            divisor = np.float64(estimator.t_ + 1) ** estimator.power_t
        # The optimizer takes no rate of 0, which a large power_t would come to.
        rate = max(estimator.learning_rate_init / divisor, np.finfo(np.float64).tiny)
        estimator._optimizer.learning_rate = float(rate)

    def _has_to_stop(self) -> bool:
        """Say whether training is over; with learning_rate="adaptive" it may get a smaller rate."""
        estimator, optimizer = self.estimator, self.estimator._optimizer
        stops, what_follows = True, "Stopping."
        if estimator.solver == "sgd" and estimator.learning_rate == "adaptive":
            stops = optimizer.learning_rate <= SMALLEST_ADAPTIVE_RATE
            if stops:
                what_follows = "Learning rate too small. Stopping."
            else:
                optimizer.learning_rate /= 5.0
                what_follows = f"Setting learning rate to {optimizer.learning_rate:f}"
        if estimator.verbose:
            measure = "Training loss" if self.score is None else "Validation score"
            print(
                f"{measure} did not improve more than tol={estimator.tol:f} for "
                f"{estimator.n_iter_no_change:.0f} consecutive epochs. {what_follows}"
            )
        return stops
