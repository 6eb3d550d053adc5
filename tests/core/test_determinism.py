"""The same bits, whatever the machine has to compute them with."""

import hashlib
import os
import re
import subprocess
import sys

import bits
import pytest

from fastmlp._core import ACTIVATIONS

# Names an instruction set whose absence is an error and no reason to skip a test.
REQUIRED = os.environ.get("FASTMLP_REQUIRE_ISA")


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


def skip_without(isa):
    """Skip the test on a processor that lacks an instruction set, unless that one is required."""
    # A name that the processor lacks is told, and the best that it has is used in its place.
    if told := run(isa, "-c", "import fastmlp").stderr:
        assert isa != REQUIRED, told
        pytest.skip(f"this processor has no {isa}")


def test_avx2_and_avx512_give_the_same_bits():
    skip_without("avx512")  # No processor has it without AVX2.

    assert digest("avx2") == digest("avx512")
    assert digest("avx2", *ACTIVATIONS) == digest("avx512", *ACTIVATIONS)


def test_an_instruction_set_that_is_required_is_no_reason_to_skip(monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "REQUIRED", "avx9")

    skip_without("portable")
    with pytest.raises(pytest.skip.Exception, match=r"^this processor has no avx8$"):
        skip_without("avx8")
    with pytest.raises(AssertionError, match='FASTMLP_ISA is "avx9"'):
        skip_without("avx9")


@pytest.mark.parametrize("isa", ["avx2", "portable"])
def test_two_processes_give_the_same_bits(isa):
    skip_without(isa)

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
