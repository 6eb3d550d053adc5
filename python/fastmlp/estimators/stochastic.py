"""Training by SGD, Adam or AdamW: what happens before the first epoch and after the last."""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from fastmlp._core import MLP, DivergenceError
from fastmlp.estimators.course import INTERRUPTED, Course
from fastmlp.estimators.divergence import diagnosis, not_finite
from fastmlp.estimators.listeners import Listeners
from fastmlp.estimators.live import LiveParameters
from fastmlp.estimators.loss import is_same
from fastmlp.estimators.optimizers import Optimizers, Progress
from fastmlp.estimators.parameters import dropout_rates
from fastmlp.estimators.validation import Rows, Validation, split
from fastmlp.estimators.watch import Watch


class Stochastic(Optimizers, LiveParameters):
    """The solvers "sgd", "adam" and "adamw"."""

    alpha: float
    batch_size: int | str
    max_iter: int
    shuffle: bool
    tol: float
    verbose: bool | int
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: float
    dropout: Any
    input_dropout: float
    max_time: float | None
    n_jobs: int | None
    scoring: Any
    callback: Any
    keep_every: int | None

    n_iter_: int
    loss_: float
    best_loss_: Any
    loss_curve_: list[float]
    validation_scores_: Any
    validation_loss_curve_: Any
    best_validation_score_: Any

    # Epochs of all fits whose parameters were kept, and these.
    _stages: list[tuple[int, NDArray[Any]]]
    # Loss and scoring of the record.
    _watched: tuple[Any, Any]
    _random_state: np.random.RandomState
    _no_improvement_count: int
    _progress: Progress

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
        watched = self._loss, self.scoring
        # Without a score to compare with, or with one of another kind, the best is yet to come.
        anew = fresh or (
            (getattr(self, "validation_scores_", None) is not None) != validates
            or (getattr(self, "best_loss_", None) is None) != stops_early
            or not all(map(is_same, getattr(self, "_watched", watched), watched))
        )
        self._watched = watched
        n_parameters = self.network_.n_parameters
        stages_fit = all(len(stage) == n_parameters for _, stage in getattr(self, "_stages", []))
        if fresh:
            for name in ("loss_", "_optimizer"):
                self.__dict__.pop(name, None)
        record = {
            "n_iter_": (0, fresh),
            "t_": (0, fresh),
            "loss_curve_": ([], fresh),
            "_stages": ([], fresh or not stages_fit),
            "_no_improvement_count": (0, anew),
            "_progress": (Progress(), anew),
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
        course = self._course_of_epochs(incremental)
        if listeners.company is not None:
            course["seed"] = listeners.company.source_of_orders(course["seed"])
        watch = Watch(
            self, network, data.X.shape[0], held, listeners, self._optimizer, once=incremental
        )
        warn: Callable[[], object] = bool  # of nothing
        try:
            network.fit(
                data.X,
                data.y,
                self._optimizer,
                batch_size=self._batch_rows(data.X.shape[0]),
                shuffle=self.shuffle,
                sample_weight=data.sample_weight,
                dropout=dropout_rates(self.dropout, len(network.layer_sizes) - 2),
                input_dropout=self.input_dropout,
                alpha=self.alpha,
                report="scikit-learn",
                n_jobs=self.n_jobs,
                callback=watch,
                **course,
            )
        except KeyboardInterrupt:
            if listeners.company is not None:
                raise
            watch.catch_up(network)
            warn = partial(warnings.warn, INTERRUPTED, stacklevel=2)
        except DivergenceError as error:
            warn = self._divergence(watch, data, error)
        else:
            if not incremental and (ending := watch.ending()) is not None:
                warn = partial(_warn_of_convergence, ending)
        return Course(watch.record(), warn)

    def _course_of_epochs(self, incremental: bool) -> dict[str, Any]:
        """Return the epochs to make, their place in a plan, and the seed of all that is random."""
        made = len(self.loss_curve_)
        epochs = 1 if incremental else self.max_iter
        course = {"epochs": epochs, "seed": self._random_state if self.shuffle else None}
        if incremental and (self._is_planned or self.warmup):
            if self._is_planned and made >= self.max_iter:
                raise ValueError(
                    f"learning_rate={self.learning_rate!r} is planned for max_iter={self.max_iter} "
                    f"epochs, and {made} were made"
                )
            course |= {"epochs": max(self.max_iter, made + 1), "initial_epoch": made}
        if made and ("initial_epoch" in course or self.input_dropout or np.any(self.dropout)):
            # An int as `random_state` begins anew with each call, and masks must not.
            draw = self._random_state.randint(2**32, dtype=np.uint64)
            seeds = np.random.SeedSequence((int(draw), made))
            course["seed"] = int(seeds.generate_state(1, np.uint64)[0])
        return course

    def _divergence(self, watch: Watch, data: Rows, error: DivergenceError) -> Callable[[], object]:
        """Return what is said of it: an error, or a warning where there are best parameters.

        The error comes at once if there is no whole epoch, and the estimator stays as it was.
        """
        epoch = watch.last.n_epochs + 1
        if watch.stops_early:
            watch.note_divergence()
            best = "The parameters are those with the best validation score."
            return partial(_warn_of_convergence, f"{diagnosis(self, data, epoch)} {best}")
        if epoch == 1:
            raise ValueError(not_finite(self, data, epoch)) from error
        kept = "The estimator has the last finite parameters, in the midst of that epoch."
        return partial(_raise_from, ValueError(f"{not_finite(self, data, epoch)} {kept}"), error)

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
