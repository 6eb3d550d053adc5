"""Training by SGD, Adam or AdamW: what happens before the first epoch and after the last."""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from fastmlp._core import MLP, DivergenceError
from fastmlp.estimators.course import INTERRUPTED, NOT_FINITE, Course
from fastmlp.estimators.live import LiveParameters
from fastmlp.estimators.optimizers import Optimizers, Progress
from fastmlp.estimators.parameters import PLANNED, dropout_rates
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

    n_iter_: int
    loss_: float
    best_loss_: Any
    loss_curve_: list[float]
    validation_scores_: Any
    best_validation_score_: Any

    _random_state: np.random.RandomState
    _no_improvement_count: int
    _progress: Progress

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
            "_progress": (Progress(), anew),
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

        course = self._course_of_epochs(incremental)
        watch = Watch(self, network, X.shape[0], score, once=incremental)
        warn: Callable[[], object] = bool  # of nothing
        try:
            network.fit(
                X,
                y,
                self._optimizer,
                batch_size=self._batch_rows(X.shape[0]),
                shuffle=self.shuffle,
                sample_weight=sample_weight,
                dropout=dropout_rates(self.dropout, len(network.layer_sizes) - 2),
                input_dropout=self.input_dropout,
                alpha=self.alpha,
                report="scikit-learn",
                n_jobs=self.n_jobs,
                callback=watch,
                **course,
            )
        except KeyboardInterrupt:
            warn = partial(warnings.warn, INTERRUPTED, stacklevel=2)
        except DivergenceError as error:
            if score is None:
                raise ValueError(NOT_FINITE) from error
            warn = partial(_warn_of_convergence, watch.diverged())
        else:
            if not incremental and (ending := watch.ending()) is not None:
                warn = partial(_warn_of_convergence, ending)
        return Course(watch.record(), warn)

    def _course_of_epochs(self, incremental: bool) -> dict[str, Any]:
        """Return the epochs to make, their place in a plan, and the seed of all that is random."""
        made = len(self.loss_curve_)
        epochs = 1 if incremental else self.max_iter
        course = {"epochs": epochs, "seed": self._random_state if self.shuffle else None}
        is_planned = self.learning_rate in PLANNED
        if incremental and (is_planned or self.warmup):
            if is_planned and made >= self.max_iter:
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
