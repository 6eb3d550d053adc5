"""The interpreter may shut down while daemon threads are in calls: the process ends silently."""

import subprocess
import sys

import pytest

# Each of the threads is in its call for nearly all of the time when the main thread ends.
PROGRAM = """
import sys, threading
import numpy as np
import fastmlp

rng = np.random.default_rng(0)
X = rng.standard_normal((20000, 20)).astype(np.float32)
y = rng.integers(3, size=len(X))
mlp = fastmlp.MLP([20, 60, 3], seed=0)
# So many that NumPy does not keep memory for the result, and so few that the call stays attached.
X_some, few = X[:300], slice(5)
{setup}
running = threading.Barrier({n} + 1)

def callback(epoch):
    for _ in range(100):
        pass

def work():
    own = fastmlp.MLP([20, 60, 3], seed=0)
    {call}
    running.wait()
    while True:
        {call}

for _ in range({n}):
    threading.Thread(target=work, daemon=True).start()
running.wait()
sys.exit(7)
"""

SPARSE = """
import scipy.sparse
X_sparse = scipy.sparse.csr_array(X[few])
"""
CALLS = {
    "predict, attached": "mlp.predict(X_some)",
    "predict, detached": "mlp.predict(X)",
    "predict, on threads": "mlp.predict(X, n_jobs=2)",
    "sparse": "mlp.predict(X_sparse)",
    "loss": "mlp.loss(X_some, y[:300], class_weight=[1.0, 2.0, 3.0])",
    "fit": "own.fit(X, y, epochs=2)",
    "callback": "own.fit(X[few], y[few], epochs=20, callback=callback)",
}


@pytest.mark.parametrize("call", CALLS)
def test_daemon_threads_in_calls_end_quietly(call):
    setup = SPARSE if call == "sparse" else ""
    program = PROGRAM.format(call=CALLS[call], setup=setup, n=4)
    # More than once: whether a thread is inside the call at the end is up to the system.
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=120)
        assert (done.returncode, done.stdout, done.stderr) == (7, b"", b"")
