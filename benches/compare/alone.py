"""A measurement in a process of its own, whose libraries found one thread when they were loaded."""

import argparse
import os
import subprocess
import sys

from benches.compare.environment import environment
from benches.compare.timing import EFFORTS

# Set in the process that measures.
MEASURES = "FASTMLP_MEASURES"


def measured_alone(program, run):
    """Read the form from the command line, and run ``python -m program`` again to measure.

    Parameters
    ----------
    program : str
        Name of the module whose `main` calls this.
    run : callable
        Measures and prints, given an `Effort`.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {program}")
    parser.add_argument("form", nargs="?", choices=EFFORTS, default="full")
    form = parser.parse_args().form
    if os.environ.get(MEASURES):
        run(EFFORTS[form])
        return
    from benches.compare.__main__ import refuse_debug_build

    refuse_debug_build()
    done = subprocess.run(
        [sys.executable, "-m", program, form], env=environment(1) | {MEASURES: "1"}, check=False
    )
    sys.exit(done.returncode)
