"""The fit as a tree of tasks, of which scikit-learn's callbacks are told (from version 1.9 on).

Some of those callbacks take time in proportion to the number of tasks at each of them, so that one
task is one epoch, or one iteration of "lbfgs", only up to `MOST_TASKS` of them.
"""

from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands for scikit-learn's, which earlier versions do not have."""


__all__ = ["MOST_TASKS", "CallbackSupportMixin", "FitTasks"]

MOST_TASKS = 200


class FitTasks:
    """The tasks of one fit.

    Parameters
    ----------
    estimator : object
        The estimator as its caller knows it, to which the callbacks belong.
    X, y : object
        The data as the caller gave it.
    sample_weight : object or None
        The weights likewise.
    """

    def __init__(self, estimator: Any, X: Any, y: Any, sample_weight: Any) -> None:
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.told = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self.epochs_each = -(-estimator.max_iter // MOST_TASKS)
        self.name = "iteration" if estimator.solver == "lbfgs" else "epoch"
        # Without them nobody is told of the epochs, and there is only the task of the fit, to which
        # a pipeline links its own.
        self.has_callbacks = hasattr(estimator, "_skl_callbacks")
        n_tasks = -(-estimator.max_iter // self.epochs_each) if self.has_callbacks else 0
        self.root: Any = estimator._init_callback_context(max_subtasks=n_tasks)
        self.current: Any = None
        self.n_made = 0
        self.root.call_on_fit_task_begin(**self.told)

    @classmethod
    def of(cls, estimator: Any, X: Any, y: Any, sample_weight: Any) -> "FitTasks | None":
        """Return the tasks of a fit that begins, or None if scikit-learn knows of no tasks."""
        if not hasattr(estimator, "_init_callback_context"):
            return None
        return cls(estimator, X, y, sample_weight)

    def begin(self, draft: Any) -> None:
        """Begin the next task of a training."""
        self.current = self.root.subcontext(task_name=self.name)
        attributes = _attributes_of(draft)
        self.current.call_on_fit_task_begin(**self.told, reconstruction_attributes=attributes)

    def end_epoch(self, draft: Any, *, is_last: bool) -> bool:
        """Take note of an epoch; return whether a callback wants to stop."""
        self.n_made += 1
        if self.n_made < self.epochs_each and not is_last:
            return False
        stops = self._end(draft)
        if not (stops or is_last):
            self.begin(draft)
        return stops

    def end_training(self, draft: Any) -> None:
        """End a task that a solver left open which found its end by itself."""
        if self.current is not None:
            if self.n_made:
                self._end(draft)
            else:
                # Nothing was done in it.
                self.current.call_on_fit_task_end(estimator=self.told["estimator"])
                self.current = None

    def end(self) -> None:
        """End the fit; the estimator is trained."""
        self.root.call_on_fit_task_end(**self.told, reconstruction_attributes={})

    def _end(self, draft: Any) -> bool:
        task, self.current, self.n_made = self.current, None, 0
        attributes = _attributes_of(draft)
        return bool(task.call_on_fit_task_end(**self.told, reconstruction_attributes=attributes))


def _attributes_of(draft: Any) -> Any:
    """Return a function that returns what the estimator would be, had the fit ended here."""
    return lambda: vars(draft._snapshot())
