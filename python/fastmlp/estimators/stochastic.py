"""Training by SGD and Adam: what happens before the first epoch and after the last."""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from fastmlp._core import MLP, SGD, Adam, DivergenceError, Optimizer
from fastmlp.estimators.course import INTERRUPTED, Course
from fastmlp.estimators.divergence import diagnosis, not_finite
from fastmlp.estimators.listeners import Listeners
from fastmlp.estimators.live import LiveParameters
from fastmlp.estimators.validation import Rows, Validation, split
from fastmlp.estimators.watch import Watch


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
    scoring: Any
    callback: Any
    keep_every: int | None

    n_iter_: int
    t_: int
    loss_: float
    best_loss_: Any
    loss_curve_: list[float]
    validation_scores_: Any
    validation_loss_curve_: Any
    best_validation_score_: Any

    # Epochs of all fits whose parameters were kept, and these.
    _stages: list[tuple[int, NDArray[Any]]]
    _optimizer: Optimizer
    _validate_params: Callable[[], None]
    # What its learning rate follows from.
    _optimizer_rate: tuple[Any, ...]
    _random_state: np.random.RandomState
    _no_improvement_count: int

    @property
    def best_iteration_(self) -> int | None:
        """Where in `validation_scores_` the largest one is first, from 1; None without them."""
        _ = self.network_
        scores = self.validation_scores_
        if not scores or np.isnan(scores).all():
            return None
        return int(np.nanargmax(scores)) + 1

    def _begin_record(self, fresh: bool, *, validates: bool = False) -> None:
        """Set what training keeps account in, where it is not there or begins anew."""
        stops_early = validates and self.early_stopping
        # Without a score to compare with, or with one of another kind, the best is yet to come.
        anew = fresh or (
            (getattr(self, "validation_scores_", None) is not None) != validates
            or (getattr(self, "best_loss_", None) is None) != stops_early
        )
        if fresh:
            for name in ("loss_", "_optimizer"):
                self.__dict__.pop(name, None)
        record = {
            "n_iter_": (0, fresh),
            "t_": (0, fresh),
            "loss_curve_": ([], fresh),
            "_stages": ([], fresh),
            "_no_improvement_count": (0, anew),
            "best_loss_": (None if stops_early else np.inf, anew),
            "validation_scores_": ([] if validates else None, anew),
            "validation_loss_curve_": ([] if validates else None, anew),
            "best_validation_score_": (-np.inf if validates else None, anew),
        }
        for name, (value, begins) in record.items():
            if begins or not hasattr(self, name):
                setattr(self, name, value)

    def _fit_stochastic(
        self,
        network: MLP,
        data: Rows,
        validation: Rows | None,
        listeners: Listeners,
        incremental: bool,
    ) -> Course:
        self._optimizer = self._next_optimizer(incremental)
        if self.early_stopping and validation is None:
            data, validation = split(
                data, self._strata(data.y), self.validation_fraction, self._random_state
            )
        held = None if validation is None else Validation(self, validation)
        watch = Watch(self, network, data.X.shape[0], held, listeners, self._optimizer)
        warn: Callable[[], object] = bool  # of nothing
        try:
            network.fit(
                data.X,
                data.y,
                self._optimizer,
                epochs=listeners.epochs,
                batch_size=self._batch_rows(data.X.shape[0]),
                shuffle=self.shuffle,
                seed=self._random_state if self.shuffle else None,
                sample_weight=data.sample_weight,
                alpha=self.alpha,
                report="scikit-learn",
                callback=watch,
            )
        except KeyboardInterrupt:
            warn = partial(warnings.warn, INTERRUPTED, stacklevel=2)
        except DivergenceError as error:
            warn = self._divergence(watch, data, error)
        else:
            if not watch.stopped and not incremental:
                warn = partial(
                    _warn_of_convergence,
                    f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the "
                    "optimization hasn't converged yet.",
                )
        return Course(watch.record(), warn)

    def _divergence(self, watch: Watch, data: Rows, error: DivergenceError) -> Callable[[], object]:
        """Return what is said of it: an error, or a warning where there are best parameters.

        The error comes at once if there is no whole epoch, and the estimator stays as it was.
        """
        epoch = watch.last.n_epochs + 1
        found = (self, data.X, data.y, data.sample_weight, epoch)
        if watch.stops_early:
            watch.note_divergence()
            best = "The parameters are those with the best validation score."
            return partial(_warn_of_convergence, f"{diagnosis(*found)} {best}")
        if epoch == 1:
            raise ValueError(not_finite(*found)) from error
        kept = "The estimator has the last finite parameters, in the midst of that epoch."
        return partial(_raise_from, ValueError(f"{not_finite(*found)} {kept}"), error)

    def _next_optimizer(self, incremental: bool) -> Optimizer:
        """Return the optimizer that goes on, with the parameters that the estimator has now."""
        rate = (self.learning_rate_init, self.solver == "sgd" and self.learning_rate)
        last, last_rate = getattr(self, "_optimizer", None), getattr(self, "_optimizer_rate", rate)
        self._optimizer_rate = rate
        optimizer = self._make_optimizer()
        if not incremental or last is None:
            return optimizer
        if type(last) is not type(optimizer) or rate != last_rate:
            # Which `partial_fit` leaves to its first call, for it takes longer than a small batch.
            self._validate_params()
        if type(last) is not type(optimizer):
            return optimizer
        state = last.state_dict()
        if isinstance(optimizer, Adam) or ("velocity" in state) == (self.momentum > 0):
            optimizer.load_state_dict(state)
        if rate[1] == "invscaling":
            optimizer.learning_rate = self._scaled_rate(self.t_)
        elif rate == last_rate:
            # Which "adaptive" may have made smaller.
            optimizer.learning_rate = last.learning_rate
        return optimizer

    def _scaled_rate(self, t: int) -> float:
        """Return the learning rate of learning_rate="invscaling" after `t` samples."""
        with np.errstate(over="ignore"):
            divisor = np.float64(t + 1) ** self.power_t
        # The optimizer takes no rate of 0, which a large power_t would come to.
        return float(max(self.learning_rate_init / divisor, np.finfo(np.float64).tiny))

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

    def _strata(self, y: NDArray[Any]) -> NDArray[Any] | None:
        """Return what the split keeps the shares of; None lets chance alone decide."""
        return None

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


def _warn_of_convergence(message: str) -> None:
    warnings.warn(message, ConvergenceWarning, stacklevel=3)


def _raise_from(error: Exception, cause: Exception) -> None:
    raise error from cause
