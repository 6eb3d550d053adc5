"""Measurements in processes of their own: libraries read the environment when they are loaded."""

import argparse
import os
import subprocess
import sys

from benches.compare.environment import environment
from benches.compare.timing import EFFORTS

# Set in the process that measures.
MEASURES = "FASTMLP_MEASURES"


def measured_alone(program, run, environments=None):
    """Read the form from the command line, and run ``python -m program`` again to measure.

    Parameters
    ----------
    program : str
        Name of the module whose `main` calls this.
    run : callable
        Measures and prints, given an `Effort`.
    environments : list of dict, optional
        The environment of each process that measures. The default is one process with one thread.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {program}")
    parser.add_argument("form", nargs="?", choices=EFFORTS, default="full")
    form = parser.parse_args().form
    if os.environ.get(MEASURES):
        run(EFFORTS[form])
        return
    from benches.compare.__main__ import refuse_debug_build

    refuse_debug_build()
    for variables in environments or [environment(1)]:
        command = [sys.executable, "-m", program, form]
        done = subprocess.run(command, env=variables | {MEASURES: "1"}, check=False)
        if done.returncode:
            sys.exit(done.returncode)
