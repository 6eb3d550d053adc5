"""Ctrl-C stops a running call with KeyboardInterrupt and leaves a usable network."""

import signal
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT between processes"),
    pytest.mark.usefixtures("sigint"),
]

# Long enough for any machine; reached only if the call does not stop.
HANG_GUARD_SECONDS = 120

PROGRAM = """
import sys, threading
import numpy as np
import fastmlp

rng = np.random.default_rng(0)
X = rng.standard_normal((2000, 20)).astype(np.float32)
y = rng.integers(3, size=len(X))
mlp = fastmlp.MLP([20, 100, 3], seed=0)
start = mlp.parameters.copy()

def say_ready(): print("ready", flush=True)

{fit}
    print("interrupted", flush=True)
else:
    print("ended by itself", flush=True)

assert np.isfinite(mlp.parameters).all()
assert not np.array_equal(mlp.parameters, start), "no step was taken"
X, y = X[:100], y[:100]
before = mlp.loss(X, y)
mlp.fit(X, y, epochs=5)
assert mlp.loss(X, y) < before
print("usable", flush=True)
"""

FITS = {
    "in the middle of epochs": """
threading.Timer(0.3, say_ready).start()
try:
    mlp.fit(X, y, epochs=10**7, batch_size={batch_size}, n_jobs={n_jobs})
except KeyboardInterrupt:
""",
    "with a callback": """
def callback(epoch):
    if epoch.epoch == 3:
        say_ready()
try:
    mlp.fit(X, y, epochs=10**7, batch_size={batch_size}, n_jobs={n_jobs}, callback=callback)
except KeyboardInterrupt:
    assert len(mlp.history) >= 3
""",
}


# A call of many seconds.
PREDICTION = """
import threading
import numpy as np
import fastmlp

mlp = fastmlp.MLP([100, 3000, 3000, 3], seed=0)
X = np.zeros((500_000, 100), np.float32)
threading.Timer(0.3, lambda: print("ready", flush=True)).start()
try:
    mlp.predict_proba(X, n_jobs={n_jobs})
except KeyboardInterrupt:
    print("interrupted", flush=True)
mlp.predict_proba(X[:100])
print("usable", flush=True)
"""


def interrupt(program):
    """Run a program, send SIGINT once it is ready, and see it interrupted and usable."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout.readline() == "ready\n", process.stderr.read()
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=HANG_GUARD_SECONDS)
        finally:
            process.kill()
    assert errors == ""
    assert output == "interrupted\nusable\n"
    assert process.returncode == 0


@pytest.mark.parametrize("when", FITS)
@pytest.mark.parametrize(("batch_size", "n_jobs"), [(None, 1), (1, 1), (None, 2)])
def test_sigint_stops_fit(when, batch_size, n_jobs):
    interrupt(PROGRAM.format(fit=FITS[when].format(batch_size=batch_size, n_jobs=n_jobs)))


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_sigint_stops_a_prediction(n_jobs):
    interrupt(PREDICTION.format(n_jobs=n_jobs))
