"""Count the instructions of a training step, which do not depend on the load of the machine.

``python -m benches.instructions`` runs the program ``instructions.rs`` under callgrind and compares
its count with the recorded one; ``--record`` records it. `make instructions` builds the program
first. Case b of the comparison, on the AVX2 kernels, since valgrind does not support AVX-512.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = Path("target/release/examples/instructions")
RECORD = Path(__file__).with_suffix(".json")
EPOCHS = (10, 40)
STEPS_PER_EPOCH = 32
# Another version of the compiler changes the count by less.
TOLERANCE = 0.03


def instructions(epochs):
    """Count the instructions of the whole program."""
    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run(
            [
                "valgrind",
                "--tool=callgrind",
                f"--callgrind-out-file={folder}/callgrind.out",
                PROGRAM,
                str(epochs),
            ],
            env=os.environ | {"FASTMLP_ISA": "avx2"},
            capture_output=True,
            text=True,
            check=True,
        )
    return collected(result.stderr)


def collected(report):
    """Read the count from callgrind's output."""
    return int(re.search(r"Collected : (\d+)", report)[1])


def per_step(count=instructions):
    """Count the instructions of a step: the cost of more epochs, without start and end."""
    few, many = EPOCHS
    return round((count(many) - count(few)) / ((many - few) * STEPS_PER_EPOCH))


def verdict(recorded, now):
    """Compare two counts: a line to print, and whether there is no regression."""
    line = f"instructions a step: recorded {recorded:,}, now {now:,} ({now / recorded - 1:+.1%})"
    if now > recorded * (1 + TOLERANCE):
        return f"{line}: more than {TOLERANCE:.0%} over the record", False
    return line, True


def main():
    """Count, then record or compare."""
    parser = argparse.ArgumentParser(prog="python -m benches.instructions", description=__doc__)
    parser.add_argument("--record", action="store_true", help="make this count the recorded one")
    arguments = parser.parse_args()

    recorded, now = json.loads(RECORD.read_text(encoding="utf-8"))["per_step"], per_step()
    line, passed = verdict(recorded, now)
    print(line)
    if arguments.record:
        RECORD.write_text(f"{json.dumps({'per_step': now})}\n", encoding="utf-8")
    elif not passed:
        sys.exit(1)


if __name__ == "__main__":
    main()
