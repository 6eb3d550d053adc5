"""Large arrays are read where they lie: peak memory stays flat, and nothing leaks."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")

# What a call may take beside its outputs, in bytes.
ALLOWANCE = 16 * 2**20

# Every page of np.zeros is the kernel's one page of zeros until it is written: 800 MB of input
# cost no memory, and a copy of it would show in full. VmHWM is the peak of resident memory; a 5
# written to clear_refs sets it back to the present.
PROGRAM = """
import json, sys
import numpy as np
import fastmlp

def status(field):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))

def peak_of(call):
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    before = status("VmRSS")
    call()
    return status("VmHWM") - before

"""

LARGE = """
n, d = 2_000_000, 100
X = {
    "C": lambda: np.zeros((n, d), np.float32),
    "Fortran": lambda: np.zeros((d, n), np.float32).T,
    "strided": lambda: np.zeros((n, 2 * d), np.float32)[:, ::2],
}[sys.argv[1]]()
y = np.zeros(n, np.int8)
weight = np.ones(n, np.float32)
out = np.ones((n, 3), np.float32)
mlp = fastmlp.MLP([d, 8, 3], seed=0)
small = X[:10_000], y[:10_000]
optimizer = fastmlp.SGD(0.01)
calls = {
    "forward": lambda X, y: mlp.forward(X, out=out[:len(X)]),
    "predict_proba": lambda X, y: mlp.predict_proba(X, out=out[:len(X)]),
    "predict_proba on two threads": lambda X, y: mlp.predict_proba(X, out[:len(X)], n_jobs=2),
    "predict": lambda X, y: mlp.predict(X),
    "loss": lambda X, y: mlp.loss(X, y),
    "weighted loss": lambda X, y: mlp.loss(X, y, weight[:len(X)], [1.0, 2.0, 3.0]),
    "loss_and_grad": lambda X, y: mlp.loss_and_grad(X, y),
    "step": lambda X, y: mlp.step(X, y, optimizer),
    "fit": lambda X, y: mlp.fit(X, y, optimizer, epochs=1),
    "fit in minibatches": lambda X, y: mlp.fit(X, y, optimizer, epochs=1, batch_size=500, seed=0),
}
for call in calls.values():
    call(*small)
print(json.dumps({name: peak_of(lambda: call(X, y)) for name, call in calls.items()}))
"""

LEAK = """
rng = np.random.default_rng(0)
X, y = rng.standard_normal((64, 5)).astype(np.float32), rng.integers(3, size=64)

def use_everything():
    mlp = fastmlp.MLP([5, 32, 3], seed=0)
    optimizer = fastmlp.Adam()
    mlp.fit(X, y, optimizer, epochs=2, batch_size=16, seed=0, X_val=X, y_val=y,
            callback=lambda epoch: epoch.loss < 0)
    mlp.loss_and_grad(X, y), mlp.backward(X, mlp.predict_proba(X)), mlp.predict(X)
    mlp.weights, mlp.biases, mlp.unflatten(mlp.parameters), optimizer.state_dict()
    try:
        mlp.forward(X[:, :2])
    except ValueError:
        pass

for _ in range(300):
    use_everything()
before = status("RssAnon")
for _ in range(2000):
    use_everything()
print(json.dumps(status("RssAnon") - before))
"""


def run(program, *arguments):
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM + program, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stderr == ""
    return json.loads(result.stdout)


@pytest.mark.parametrize("layout", ["C", "Fortran", "strided"])
def test_an_800_MB_input_is_not_copied(layout):
    peaks = run(LARGE, layout)

    labels = 8 * 2_000_000
    allowed = dict.fromkeys(peaks, ALLOWANCE) | {"predict": ALLOWANCE + labels}
    assert {name: peak for name, peak in peaks.items() if peak >= allowed[name]} == {}


def test_two_thousand_fits_leak_nothing():
    # A leak of the least buffer, a hundred bytes a fit, would come to 200 kB.
    assert run(LEAK) < 128 * 1024
