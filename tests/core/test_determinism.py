"""The same bits, whatever the machine has to compute them with."""

import hashlib
import os
import subprocess
import sys

import bits
import pytest


def digest(isa):
    result = subprocess.run(
        [sys.executable, bits.__file__],
        env=os.environ | {"FASTMLP_ISA": isa, "PYTHONPATH": os.pathsep.join(sys.path)},
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
