"""Tasks of one call on some threads, in any order."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import Any, TypeAlias

from joblib import effective_n_jobs
from sklearn import config_context, get_config

# Takes the number of a task and the event that says that no more are wanted.
Task: TypeAlias = Callable[[int, Event], Any]
# Is told in the calling thread: the number, and the result or the exception. True ends the call.
Note: TypeAlias = Callable[[int, Any], bool | None]

# A wait without end would not see Ctrl-C on Windows.
_SECONDS = 0.2


class Stopped(BaseException):
    """Ends a task in its midst; it has no result."""


def n_threads_of(n_jobs: int | None, n_tasks: int) -> int:
    """Return how many threads `n_jobs` stands for, as in scikit-learn; at least 1."""
    return max(1, min(effective_n_jobs(n_jobs), n_tasks))


def run_tasks(task: Task, n_tasks: int, n_threads: int, note: Note) -> None:
    """Run tasks; a thread that is free takes the next one.

    Parameters
    ----------
    task : callable
        What is run, by threads of its own or, if one is enough, by the calling thread. One that
        raises `Stopped` has no result.
    n_tasks, n_threads : int
        How many.
    note : callable
        Is told of each result. Whatever it raises ends the call, as Ctrl-C does; the threads have
        ended by then.
    """
    stop = Event()
    if n_threads == 1:
        for number in range(n_tasks):
            if note(number, _outcome(task, number, stop)):
                return
        return

    numbers, lock = iter(range(n_tasks)), Lock()
    outcomes: SimpleQueue[tuple[int, Any]] = SimpleQueue()
    config = get_config()

    def work() -> None:
        with config_context(**config):
            while not stop.is_set():
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                try:
                    outcomes.put((number, _outcome(task, number, stop)))
                except Stopped:
                    return
                except BaseException as error:
                    outcomes.put((number, _Fatal(error)))
                    return

    threads = [Thread(target=work, daemon=True) for _ in range(n_threads)]
    try:
        for thread in threads:
            thread.start()
        for _ in range(n_tasks):
            number, outcome = _next(outcomes)
            if isinstance(outcome, _Fatal):
                raise outcome.error
            if note(number, outcome):
                return
    finally:
        stop.set()
        for thread in threads:
            if thread.ident is not None:
                thread.join()


class _Fatal:
    """What is no failure of one task, such as SystemExit."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def _outcome(task: Task, number: int, stop: Event) -> Any:
    try:
        return task(number, stop)
    except Exception as error:
        return error


def _next(outcomes: "SimpleQueue[tuple[int, Any]]") -> tuple[int, Any]:
    while True:
        try:
            return outcomes.get(timeout=_SECONDS)
        except Empty:
            continue
