"""The same bits, whatever the machine has to compute them with."""

import hashlib
import os
import re
import subprocess
import sys

import bits
import pytest

from fastmlp._core import ACTIVATIONS


def run(isa, *arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | {"FASTMLP_ISA": isa, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )


def digest(isa, *activations):
    result = run(isa, bits.__file__, *activations)
    assert len(result.stdout.strip()) == hashlib.sha256().digest_size * 2
    return result.stdout


def test_avx2_and_avx512_give_the_same_bits():
    # A machine without one of them uses the best it has, so that the test says nothing there.
    assert digest("avx2") == digest("avx512")
    assert digest("avx2", *ACTIVATIONS) == digest("avx512", *ACTIVATIONS)


@pytest.mark.parametrize("isa", ["avx2", "portable"])
def test_two_processes_give_the_same_bits(isa):
    assert digest(isa) == digest(isa)


@pytest.mark.parametrize("name", ["avx9", "AVX2", "\udcff"])
def test_an_instruction_set_that_there_is_none_of_is_told(name):
    result = run(name, "-c", "import fastmlp; fastmlp.MLP([2, 3])")

    found = name if name.isascii() else ".+"
    told = f'RuntimeWarning: FASTMLP_ISA is "{found}", expected what this CPU has: "portable"'
    assert re.search(told, result.stderr)


def test_an_instruction_set_of_this_machine_needs_no_word():
    for name in ("portable", ""):
        assert run(name, "-W", "error", "-c", "import fastmlp").stderr == ""
