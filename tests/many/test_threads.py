"""Tasks on some threads."""

import threading

import joblib
import pytest

from fastmlp.many.threads import Stopped, n_threads_of, run_tasks


@pytest.mark.parametrize("n_threads", [1, 3])
def test_each_task_runs_once_and_is_told_of(n_threads):
    told, ran = {}, []

    def task(number, stop):
        ran.append(number)
        if number % 4 == 3:
            raise ValueError(number)
        return number**2

    run_tasks(task, 20, n_threads, told.__setitem__)
    assert sorted(ran) == list(range(20))
    failed = {number: error.args[0] for number, error in told.items() if number % 4 == 3}
    assert failed == {number: number for number in (3, 7, 11, 15, 19)}
    assert {number: told[number] for number in told.keys() - failed.keys()} == {
        number: number**2 for number in range(20) if number % 4 != 3
    }


def test_several_tasks_run_at_the_same_time_on_threads_that_end_with_the_call():
    meet, before = threading.Barrier(3), threading.active_count()
    run_tasks(lambda number, stop: meet.wait(timeout=60), 3, 3, lambda number, outcome: None)
    assert threading.active_count() == before


@pytest.mark.parametrize("n_threads", [1, 2])
def test_what_is_no_failure_of_a_task_ends_the_call(n_threads):
    told = []

    def task(number, stop):
        if number == 2:
            raise SystemExit(5)

    with pytest.raises(SystemExit, match=r"^5$"):
        run_tasks(task, 1000, n_threads, lambda number, outcome: told.append(number))
    assert 2 not in told
    assert len(told) < 1000


def test_the_end_of_the_call_stops_tasks_that_run():
    stopped, begun = [], threading.Event()

    def task(number, stop):
        if number:
            begun.set()
            assert stop.wait(timeout=60)
            stopped.append(number)
            raise Stopped
        assert begun.wait(timeout=60)

    run_tasks(task, 4, 2, lambda number, outcome: True)
    # The thread of the first may have begun another before its end was noted.
    assert 1 in stopped
    assert set(stopped) <= {1, 2}


def test_the_number_of_threads_is_that_of_joblib():
    assert n_threads_of(None, 10) == 1
    assert n_threads_of(3, 10) == 3
    assert n_threads_of(3, 2) == 2
    assert n_threads_of(3, 0) == 1
    with joblib.parallel_config(backend="threading", n_jobs=2):
        assert n_threads_of(None, 10) == 2
