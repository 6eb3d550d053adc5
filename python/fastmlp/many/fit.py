"""Trains many networks on the same data."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Event
from traceback import clear_frames
from types import MappingProxyType
from typing import Any

from sklearn.utils._param_validation import validate_parameter_constraints

from fastmlp._core import MLP, Epoch, Optimizer
from fastmlp.estimators.base import BaseMLP
from fastmlp.estimators.company import company_of
from fastmlp.estimators.listeners import wants_to_stop
from fastmlp.estimators.parameters import CONSTRAINTS
from fastmlp.estimators.validation import ValidationData
from fastmlp.many.arguments import as_list, check_estimators, checked_rows, listed
from fastmlp.many.shared import CheckedParameters, SharedData
from fastmlp.many.threads import Stopped, n_threads_of, run_tasks

_NO_VALIDATION = ValidationData(None, None, None)


@dataclass(frozen=True)
class FitDone:
    """What the callback of `fit_many` is told after each fit.

    Attributes
    ----------
    index : int
        Position in `estimators`.
    estimator : object
        What was trained: ``estimators[index]``.
    error : Exception or None
        What ended the fit, if it failed.
    n_done : int
        Fits that have ended, this one included.
    n_fits : int
        All fits.
    elapsed : float
        Seconds since the call began.
    """

    index: int
    estimator: Any
    error: Exception | None
    n_done: int
    n_fits: int
    elapsed: float


class FitManyInterrupt(KeyboardInterrupt):
    """Ctrl-C ended `fit_many`.

    Attributes
    ----------
    done : list of int
        Positions of the fits that were over; they are kept.
    """

    def __init__(self, done: list[int], n_fits: int) -> None:
        which = f": {listed(done)}" if done else ""
        super().__init__(f"{len(done)} of {n_fits} fits are done{which}")
        self.done = done


def fit_many(
    estimators: Sequence[Any],
    X: Any,
    y: Any,
    *,
    rows: Sequence[Any] | None = None,
    sample_weight: Any = None,
    n_jobs: int | None = None,
    callback: Callable[[FitDone], bool | None] | None = None,
) -> list[Any]:
    """Train many networks on the same data, one per thread at a time.

    Each network has the bits that its own `fit` would give it, whatever the number of threads.

    Parameters
    ----------
    estimators : sequence
        What is trained, in place: objects of `MLPClassifier` and `MLPRegressor`, with any
        parameters; or pairs ``(mlp, optimizer)`` and triples ``(mlp, optimizer, arguments)`` of an
        `MLP`, its optimizer and a dict of further arguments of `MLP.fit`, such as ``{"epochs": 20,
        "seed": 0}``.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        One sample per row. It is validated once for each class and `dtype` of the estimators; an
        `MLP` reads it as it is, and wants its own dtype.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Class labels or numbers, as all of the estimators take them.
    rows : sequence, default=None
        For each estimator the rows that it is trained on: an array of indices, a mask, a slice, or
        None for all rows. Each fit copies its rows while it runs; those of a slice are read in
        place. None is all rows for all estimators.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each sample: finite, >= 0. None is 1 for all.
    n_jobs : int or None, default=None
        How many networks are trained at the same time: None is 1, unless a
        ``joblib.parallel_config`` says otherwise, and -1 is the number of cores. Threads of a
        single fit are a parameter of its estimator.
    callback : callable or None, default=None
        Called after each fit, in the order in which they end and by the calling thread, as
        ``callback(done)`` with a `FitDone`; if it returns True, no more fits begin, and those that
        run end after their current epoch and leave their estimators as they were.

    Returns
    -------
    list
        The estimators, in their order.

    Raises
    ------
    ValueError, TypeError
        If X, y or `sample_weight` are not such as the estimators take, or another argument is out
        of its range; nothing is trained.
    ExceptionGroup
        If fits failed, after all others are done. Its message names their positions in
        `estimators`; each exception has a note with its own. An estimator whose fit failed is as
        it was, but for the cases that its `fit` names.
    FitManyInterrupt
        If Ctrl-C ended the call, which is a KeyboardInterrupt. Fits that were done are kept, and
        its attribute `done` lists them. Those in progress end after their current epoch and leave
        their estimators as they were; an `MLP` keeps the parameters that it had reached.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from fastmlp import MLPClassifier, fit_many
    >>> X, y = load_iris(return_X_y=True)
    >>> networks = [MLPClassifier((n,), solver="lbfgs", random_state=0) for n in (5, 10, 20)]
    >>> [clf.score(X, y) > 0.95 for clf in fit_many(networks, X, y, n_jobs=2)]
    [True, True, True]
    """
    begin = time.perf_counter()
    constraints = {name: CONSTRAINTS[name] for name in ("n_jobs", "callback")}
    given = {"n_jobs": n_jobs, "callback": callback}
    validate_parameter_constraints(constraints, given, caller_name="fit_many")
    estimators = as_list("estimators", estimators, "a list of estimators")
    fits = _Fits(estimators, SharedData(X, y, sample_weight), rows)
    errors: dict[int, Exception] = {}
    n_done = 0

    def note(index: int, error: Exception | None) -> bool:
        nonlocal n_done
        n_done += 1
        if error is not None:
            error.add_note(f"This is of the fit of estimators[{index}].")
            errors[index] = error
        if callback is None:
            return False
        elapsed = time.perf_counter() - begin
        told = FitDone(index, estimators[index], error, n_done, len(estimators), elapsed)
        return wants_to_stop(callback(told))

    try:
        run_tasks(fits.run, len(estimators), n_threads_of(n_jobs, len(estimators)), note)
    except KeyboardInterrupt:
        raise FitManyInterrupt(sorted(fits.done), len(estimators)) from None
    if errors:
        indices = sorted(errors)
        raise ExceptionGroup(
            f"{len(errors)} of {len(estimators)} fits failed: estimators[{listed(indices)}]",
            [errors[index] for index in indices],
        )
    return estimators


class _Fits:
    """The fits of one call."""

    def __init__(self, estimators: list[Any], data: SharedData, rows: Sequence[Any] | None) -> None:
        if rows is not None:
            rows = as_list("rows", rows, "a list with one entry per estimator")
            if len(rows) != len(estimators):
                raise ValueError(
                    f"rows has {len(rows)} entries, expected {len(estimators)}, one per estimator"
                )
        check_estimators(estimators)
        for estimator in estimators:
            if isinstance(estimator, BaseMLP):
                data.read_for(estimator)
        self.estimators = estimators
        self.data = data
        self.rows = rows
        self.parameters = CheckedParameters()
        self.done: list[int] = []

    def run(self, index: int, stop: Event) -> None:
        """Make one fit."""
        estimator = self.estimators[index]

        def heed() -> None:
            if stop.is_set():
                raise Stopped

        try:
            rows = self._rows(index)
            if isinstance(estimator, BaseMLP):
                self._fit_estimator(estimator, rows, heed)
            else:
                _fit_network(self.data.given_at(rows), heed, *estimator)
        except Exception as error:
            # They hold the rows of the fit.
            clear_frames(error.__traceback__)
            raise
        self.done.append(index)

    def _fit_estimator(self, estimator: BaseMLP, rows: Any, heed: Callable[[], None]) -> None:
        draft = estimator._draft()
        self.parameters.check(draft)
        fresh = draft._is_fresh()
        if fresh:
            examples = self.data.examples_for(draft, rows)
        else:
            examples = draft._read(*self.data.given_at(rows), reset=False)
        with company_of(draft, heed) as company:
            course = draft._train_on(examples, _NO_VALIDATION, None, fresh=fresh, company=company)
        estimator._become(draft, course)

    def _rows(self, index: int) -> Any:
        rows = None if self.rows is None else self.rows[index]
        if rows is None or isinstance(rows, slice):
            return rows
        return checked_rows(f"rows[{index}]", rows, self.data.n_rows)


def _fit_network(
    data: tuple[Any, Any, Any],
    heed: Callable[[], None],
    network: MLP,
    optimizer: Optimizer,
    arguments: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    X, y, sample_weight = data
    own = arguments.get("callback")

    def callback(epoch: Epoch) -> Any:
        heed()
        return None if own is None else own(epoch)

    network.fit(
        X, y, optimizer, **{"sample_weight": sample_weight, **arguments, "callback": callback}
    )
