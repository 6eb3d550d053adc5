"""Run ``python -m benches.compare [smoke|full] [--json FILE]``.

NumPy is imported only below `clean_environment`, because its BLAS reads the environment once.
"""

import argparse
import json
import os
import sys
from pathlib import Path

# Where these are set they pin NumPy's BLAS to the kernels of older processors.
PINS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def clean_environment():
    """Start this program again unless its environment is the one to measure in."""
    wanted = {name: value for name, value in os.environ.items() if name not in PINS} | ONE_THREAD
    if dict(os.environ) != wanted:
        sys.stdout.flush()
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], wanted)


def measure(form):
    """Time every peer on every case."""
    from benches.compare.cases import CASES, Problem
    from benches.compare.peers import PEERS, check_same_training
    from benches.compare.timing import EFFORTS, microseconds_per_unit

    results = {}
    for case in CASES:
        problem = Problem.of(case)
        check_same_training(case, problem)
        works = {peer.NAME: peer.Trainer(case, problem).train for peer in PEERS}
        times = microseconds_per_unit(works, EFFORTS[form])
        results[case.title] = {
            name: values / case.steps_per_epoch for name, values in times.items()
        }
    return results


def main():
    """Measure, print the table, write the JSON file."""
    parser = argparse.ArgumentParser(
        prog="python -m benches.compare", description="Time fastmlp beside its peers."
    )
    parser.add_argument("form", nargs="?", choices=("smoke", "full"), default="full")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement there")
    arguments = parser.parse_args()

    from fastmlp import _core

    if _core.build_profile != "release":
        sys.exit(
            f"fastmlp is a {_core.build_profile} build, whose times say nothing: build a release"
        )

    results = measure(arguments.form)

    from benches.compare.report import as_json, setting, table

    print("\n".join(f"{name}: {value}" for name, value in setting().items()), end="\n\n")
    print(table(results))
    if arguments.json:
        arguments.json.write_text(json.dumps(as_json(results), indent=1), encoding="utf-8")


if __name__ == "__main__":
    clean_environment()
    main()
