"""The same bits, whatever the machine has to compute them with."""

import hashlib
import os
import subprocess
import sys

import pytest

TRAINING = """
import hashlib
import numpy as np
import fastmlp

rng = np.random.default_rng(0)
digest = hashlib.sha256()
for dtype in ("float32", "float64"):
    for sizes, activation in [
        ([2, 100, 3], "relu"),
        ([9, 33, 17, 5], "tanh"),
        ([30, 64, 64, 2], "sigmoid"),
        ([3, 20, 40], "leaky_relu"),
    ]:
        X = rng.standard_normal((300, sizes[0])).astype(dtype)
        y = rng.integers(sizes[-1], size=300)
        mlp = fastmlp.MLP(sizes, activation=activation, dtype=dtype, seed=1)
        mlp.fit(X, y, fastmlp.Adam(), epochs=5, batch_size=77, seed=2)
        mlp.fit(X, y, fastmlp.SGD(0.1, 0.9, True), epochs=5, seed=3)
        digest.update(mlp.parameters.tobytes())
        digest.update(mlp.predict_proba(X).tobytes())
print(digest.hexdigest())
"""


def digest(isa):
    result = subprocess.run(
        [sys.executable, "-c", TRAINING],
        env=os.environ | {"FASTMLP_ISA": isa},
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    assert len(result.stdout.strip()) == hashlib.sha256().digest_size * 2
    return result.stdout


def test_avx2_and_avx512_give_the_same_bits():
    # A machine without one of them uses the best it has, so that the test says nothing there.
    assert digest("avx2") == digest("avx512")


@pytest.mark.parametrize("isa", ["avx2", "portable"])
def test_two_processes_give_the_same_bits(isa):
    assert digest(isa) == digest(isa)
