"""Large arrays are read in place: peak memory stays flat, and nothing leaks."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import model_file
import pytest

import fastmlp
from fastmlp import _core

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")

# Memory that a call may use besides its outputs, in bytes.
ALLOWANCE = 16 * 2**20

# Every page of np.zeros is the kernel's one page of zeros until it is written: 200 MB of input
# cost no memory, and a copy of it would show in full. VmHWM is the peak of resident memory; writing
# a 5 to clear_refs resets it to the current value.
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
n, d = 500_000, 100
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
    "minimize": lambda X, y: mlp.minimize(X, y, max_iter=2),
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
    mlp.minimize(X, y, max_iter=3, callback=lambda epoch: epoch.loss < 0)
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
def test_a_200_MB_input_is_not_copied(layout):
    peaks = run(LARGE, layout)

    labels = 8 * 500_000
    allowed = dict.fromkeys(peaks, ALLOWANCE) | {"predict": ALLOWANCE + labels}
    assert {name: peak for name, peak in peaks.items() if peak >= allowed[name]} == {}


def test_two_thousand_fits_leak_nothing():
    # A leak of the smallest buffer, a hundred bytes per fit, would add up to 200 kB.
    assert run(LEAK) < 128 * 1024


def what_there_is():
    """Memory and swap of the machine, in GiB as errors print them."""
    fields = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return round(sum(int(fields[name].split()[0]) for name in ("MemTotal", "SwapTotal")) / 2**20, 1)


@pytest.mark.parametrize(
    ("dtype", "size"), [("float32", "3725.3"), ("float64", "7450.6")], ids=["float32", "float64"]
)
def test_a_network_that_no_machine_has_room_for(dtype, size):
    with pytest.raises(MemoryError) as raised:
        fastmlp.MLP([10**6, 10**6], dtype=dtype)

    found = re.fullmatch(
        rf"no memory for 1000001000000 numbers \(the parameters\): {size} GiB in all, "
        r"and this process can have (\d+\.\d) GiB",
        str(raised.value),
    )
    assert 0 < float(found[1]) <= what_there_is()


def test_a_network_beyond_all_addresses():
    numbers = 6 * 2**55 + 3
    message = rf"^no memory for {numbers} numbers \(the parameters\): 805306368\.0 GiB in all, and"
    with pytest.raises(MemoryError, match=message):
        fastmlp.MLP([2, 2**55, 3])


@pytest.mark.parametrize("load", [fastmlp.MLP.load, _core.load_network], ids=["MLP", "network"])
def test_a_file_that_no_machine_has_room_for(load, tmp_path):
    # The system stores only the header: the rest is a hole.
    header = model_file.START + '00000000","format":"fastmlp-1"},"weights":{"dtype":"F32",'
    header += '"shape":[1000000, 1000000],"data_offsets":[0,4000000000000]}}'
    content = model_file.sealed(header)
    path = tmp_path / "model"
    path.write_bytes(content)
    os.truncate(path, len(content) + 4 * 10**12)

    message = (
        r"^no memory for 1000000000000 numbers \(a file\): 7450\.6 GiB in all, and this process"
    )
    with pytest.raises(MemoryError, match=message):
        load(path)
