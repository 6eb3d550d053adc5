"""The comparison with the peers runs and reports; what it measures is no matter of a test."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benches.compare import peer_fastmlp, peers
from benches.compare.cases import CASES, Problem

ROOT = Path(__file__).parent.parent


def test_the_smoke_form_prints_a_table_and_writes_json(tmp_path):
    path = tmp_path / "times.json"
    pinned = os.environ | {"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_L2_SIZE": "512"}

    result = subprocess.run(
        [sys.executable, "-m", "benches.compare", "smoke", "--json", str(path)],
        cwd=ROOT,
        env=pinned,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (result.stderr, result.returncode) == ("", 0)
    written = json.loads(path.read_text(encoding="utf-8"))
    assert list(written["cases"]) == [case.title for case in CASES]
    for title, case in written["cases"].items():
        assert title in result.stdout
        assert set(case["summary"]) == {peer.NAME for peer in peers.PEERS}
        assert case["summary"]["fastmlp"]["ratio"] == 1.0
        assert all(time > 0 for times in case["microseconds"].values() for time in times)
    assert all(peer.NAME in result.stdout for peer in peers.PEERS)
    assert written["setting"]["threads"] == 1


class Impostor:
    """A peer that does other work than the case says."""

    NAME = "impostor"

    @staticmethod
    def Trainer(case, problem):
        return peer_fastmlp.Trainer(replace(case, learning_rate=1.1 * case.learning_rate), problem)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_peer_that_trains_otherwise_is_found_out(case, monkeypatch):
    monkeypatch.setattr(peers, "PEERS", (peer_fastmlp, Impostor))

    with pytest.raises(AssertionError, match="impostor trains case"):
        peers.check_same_training(case, Problem.of(case))


def test_the_pins_of_the_environment_are_gone_before_numpy_is_imported():
    program = """
import os, sys
from benches.compare.__main__ import clean_environment
clean_environment()
assert "numpy" not in sys.modules
print(sorted(name for name in os.environ if name.startswith("OPENBLAS")))
"""

    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_L2_SIZE": "512"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (result.stderr, result.stdout) == ("", "['OPENBLAS_NUM_THREADS']\n")


def test_a_debug_build_is_refused(monkeypatch):
    from benches.compare import __main__
    from fastmlp import _core

    monkeypatch.setattr(_core, "build_profile", "debug")
    monkeypatch.setattr(sys, "argv", ["benches.compare", "smoke"])

    with pytest.raises(SystemExit, match="debug build"):
        __main__.main()
