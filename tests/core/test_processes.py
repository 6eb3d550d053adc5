"""Processes that are forked, spawned or short of threads get the same results as others."""

import multiprocessing
import os
import subprocess
import sys
import threading
import time

import joblib
import numpy as np
import pytest

import fastmlp

# Long enough for any machine; reached only by a process that hangs.
HANG_GUARD_SECONDS = 60


def trained(seed=0, n_jobs=2):
    """Parameters and predictions of a network that threads trained."""
    rng = np.random.default_rng(3)
    X, y = rng.standard_normal((3000, 40)), rng.integers(3, size=3000)
    mlp = fastmlp.MLP([40, 300, 100, 3], dtype="float64", seed=seed)
    mlp.fit(X, y, epochs=1, batch_size=1000, n_jobs=n_jobs)
    return mlp.parameters.tobytes(), mlp.predict(X, n_jobs=n_jobs).tobytes()


def wait(pid):
    """Exit code of a child, which is killed if it hangs."""
    end = time.monotonic() + HANG_GUARD_SECONDS
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return "hangs"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_fifty_children_forked_during_training_train_too(rng):
    X, y = rng.standard_normal((500, 40)), rng.integers(3, size=500)
    busy, stop = fastmlp.MLP([40, 300, 100, 3], dtype="float64", seed=0), threading.Event()
    X_small, y_small = X[:50], y[:50]
    mlp = fastmlp.MLP([40, 60, 3], dtype="float64", seed=1)
    expected = mlp.predict_proba(X, n_jobs=2).tobytes()

    def train():
        while not stop.is_set():
            busy.fit(X, y, epochs=20, batch_size=250, n_jobs=2)

    trainer = threading.Thread(target=train)
    trainer.start()
    codes = []
    try:
        for _ in range(50):
            pid = os.fork()
            if pid == 0:
                code = 1
                try:
                    same = mlp.predict_proba(X, n_jobs=2).tobytes() == expected
                    twin = fastmlp.MLP([40, 60, 3], dtype="float64", seed=1)
                    twin.fit(X_small, y_small, epochs=2, batch_size=25, n_jobs=2)
                    code = 0 if same and np.isfinite(twin.parameters).all() else 2
                finally:
                    os._exit(code)
            codes.append(wait(pid))
    finally:
        stop.set()
        trainer.join(HANG_GUARD_SECONDS)
    assert codes == [0] * 50
    assert not trainer.is_alive()


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_pools_of_every_start_method_give_the_same_bits(method):
    here = trained()  # and so threads were started before the fork
    with multiprocessing.get_context(method).Pool(2) as pool:
        results = [pool.apply_async(trained) for _ in range(4)]
        assert [result.get(HANG_GUARD_SECONDS) for result in results] == [here] * 4


def test_loky_workers_give_the_same_bits():
    here = trained()
    results = joblib.Parallel(n_jobs=2, timeout=HANG_GUARD_SECONDS)(
        joblib.delayed(trained)() for _ in range(4)
    )
    assert results == [here] * 4


THREADLESS = """
import os, resource, sys, threading
import numpy as np
import fastmlp
rng = np.random.default_rng(3)
X, y = rng.standard_normal((3000, 40)), rng.integers(3, size=3000)
if os.getuid() == 0:
    os.setuid(65534)  # root has no limit
resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
try:
    threading.Thread(target=print).start()
except RuntimeError:
    pass
else:
    sys.exit("a thread was started")
mlp = fastmlp.MLP([40, 300, 100, 3], dtype="float64", seed=0)
mlp.fit(X, y, epochs=1, batch_size=1000, n_jobs=2)
print((mlp.parameters.tobytes() + mlp.predict(X, n_jobs=2).tobytes()).hex())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count otherwise")
def test_threads_that_the_system_refuses_are_done_without():
    done = subprocess.run(
        [sys.executable, "-c", THREADLESS],
        env={"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=HANG_GUARD_SECONDS,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 0
    assert done.stdout.strip() == b"".join(trained()).hex()
