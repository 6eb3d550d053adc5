"""Training by SGD and Adam: what happens before the first epoch and after the last."""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from fastmlp._core import MLP, SGD, Adam, DivergenceError, Optimizer
from fastmlp.estimators.course import INTERRUPTED, NOT_FINITE, Course
from fastmlp.estimators.live import LiveParameters
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

    n_iter_: int
    t_: int
    loss_: float
    best_loss_: Any
    loss_curve_: list[float]
    validation_scores_: Any
    best_validation_score_: Any

    _optimizer: Optimizer
    _validate_params: Callable[[], None]
    # What its learning rate follows from.
    _optimizer_rate: tuple[Any, ...]
    _random_state: np.random.RandomState
    _no_improvement_count: int

    def _begin_record(self, fresh: bool) -> None:
        """Set what training keeps account in, where it is not there or begins anew."""
        validates = self.early_stopping and self.solver != "lbfgs"
        # Without a score to compare with, or with one of another kind, the best is yet to come.
        anew = fresh or (getattr(self, "validation_scores_", None) is not None) != validates
        if fresh:
            for name in ("loss_", "_optimizer"):
                self.__dict__.pop(name, None)
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
    ) -> Course:
        self._optimizer = self._next_optimizer(incremental)
        score = None
        if self.early_stopping:
            (X, y, sample_weight), validation = self._split(X, y, sample_weight)

            def score() -> float:
                return self._validation_score(network, *validation)

        watch = Watch(self, network, X.shape[0], score)
        warn: Callable[[], object] = bool  # of nothing
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
            warn = partial(warnings.warn, INTERRUPTED, stacklevel=2)
        except DivergenceError as error:
            if score is None:
                raise ValueError(NOT_FINITE) from error
            warn = partial(_warn_of_convergence, watch.diverged())
        else:
            if not watch.stopped and not incremental:
                warn = partial(
                    _warn_of_convergence,
                    f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the "
                    "optimization hasn't converged yet.",
                )
        return Course(watch.record(), warn)

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

    def _split(
        self, X: Any, y: NDArray[Any], sample_weight: NDArray[Any] | None
    ) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Keep rows back for validation: (X, y, sample_weight) to train on, and to validate on."""
        n, strata = X.shape[0], self._strata(y)
        training, validation = self._split_rows(np.arange(n), strata)
        if sample_weight is not None and not sample_weight[validation].any():
            # As in a bagging, whose members weigh the rows that they do not see with 0.
            _, validation = self._split_rows(np.flatnonzero(sample_weight), None)
            training = np.setdiff1d(np.arange(n), validation)
        if len(validation) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of "
                "your dataset."
            )

        def part(rows: NDArray[np.intp]) -> tuple[Any, ...]:
            return X[rows], y[rows], None if sample_weight is None else sample_weight[rows]

        return part(training), part(validation)

    def _split_rows(
        self, rows: NDArray[np.intp], strata: NDArray[Any] | None
    ) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        training, validation = train_test_split(
            rows,
            random_state=self._random_state,
            test_size=self.validation_fraction,
            stratify=strata,
        )
        return training, validation

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


def _warn_of_convergence(message: str) -> None:
    warnings.warn(message, ConvergenceWarning, stacklevel=3)
