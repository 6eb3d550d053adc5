"""The threads of a fit: as many as it asks for, within the limits set for the process."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import joblib
import numpy as np
import pytest

import fastmlp

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="threads are counted where Linux lists them"
)

N_JOBS = 3


def n_threads_of_a_fit(n_jobs, n_rows=2000):
    """Threads that share the batches of a fit; 2,000 rows are enough to be shared.

    The threads that are there during it and were not before it are counted: Linux goes on listing
    those of an earlier fit for some time after they have been joined. No other library may start
    any meanwhile.
    """
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, 20)).astype(np.float32)
    mlp, listed = fastmlp.MLP([20, 100, 3], seed=0), []

    def list_threads(_):
        listed.append({thread.name for thread in Path("/proc/self/task").iterdir()})

    list_threads(None)
    mlp.fit(X, rng.integers(3, size=n_rows), epochs=1, n_jobs=n_jobs, callback=list_threads)
    before, during = listed
    return 1 + len(during - before)


def cores():
    return len(os.sched_getaffinity(0))


def run(program, **environment):
    """Run a program in a process of its own, with no limit but those of `environment`.

    A cluster of Dask limits the processes that its own starts, by OMP_NUM_THREADS.
    """
    inherited = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
    completed = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=True,
        env=inherited | environment | paths,
    )
    return completed.stdout.strip()


def run_here(program):
    """Run a program that knows the names of this file, in a process of its own."""
    return run(f"from test_threadpoolctl import *\n{textwrap.dedent(program)}")


@pytest.mark.parametrize(("n_jobs", "expected"), [(None, 1), (1, 1), (N_JOBS, N_JOBS)])
def test_a_fit_has_the_threads_it_asks_for(n_jobs, expected):
    assert run_here(f"print(n_threads_of_a_fit({n_jobs}))") == str(expected)


def test_a_batch_too_small_to_be_shared_has_one_thread():
    assert run_here("print(n_threads_of_a_fit(N_JOBS, n_rows=8))") == "1"


def test_threadpoolctl_tells_and_limits_them():
    run_here(
        """
        import threadpoolctl

        before = n_threads_of_a_fit(-1)
        for limit in (1, 2):
            with threadpoolctl.threadpool_limits(limit):
                infos = threadpoolctl.threadpool_info()
                (info,) = [info for info in infos if info["internal_api"] == "fastmlp"]
                assert info["num_threads"] == min(limit, cores())
                assert info["version"] == fastmlp.__version__
                if limit < cores():
                    assert n_threads_of_a_fit(N_JOBS) == limit
                assert n_threads_of_a_fit(-1) <= limit
        assert n_threads_of_a_fit(-1) == before
        assert n_threads_of_a_fit(N_JOBS) == N_JOBS
        """
    )


def test_a_limit_for_other_libraries_leaves_them_alone():
    program = """
        import threadpoolctl

        with threadpoolctl.threadpool_limits(1, user_api="blas"):
            print(n_threads_of_a_fit(N_JOBS))
    """
    assert run_here(program) == str(N_JOBS)


@pytest.mark.parametrize("setting", ["1", "1,4", " 1 "])
def test_omp_num_threads_limits_all_cores(setting):
    program = "from test_threadpoolctl import *; print(n_threads_of_a_fit(-1))"
    assert run(program, OMP_NUM_THREADS=setting) == "1"


@pytest.mark.parametrize("setting", ["", "0", "-2", "many", "100000"])
def test_other_settings_of_omp_num_threads_leave_all_cores(setting):
    program = "from test_threadpoolctl import *; print(n_threads_of_a_fit(-1) == cores())"
    assert run(program, OMP_NUM_THREADS=setting) == "True"


def test_all_cores_are_those_the_process_may_run_on():
    program = """
        import os
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        from test_threadpoolctl import n_threads_of_a_fit
        print(n_threads_of_a_fit(-1))
    """
    assert run(program) == "1"


def test_a_worker_of_joblib_keeps_to_its_share():
    with joblib.parallel_config("loky", n_jobs=2, inner_max_num_threads=1):
        assert joblib.Parallel()(joblib.delayed(n_threads_of_a_fit)(-1) for _ in range(2)) == [1, 1]
