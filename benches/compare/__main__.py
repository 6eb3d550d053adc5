"""Run ``python -m benches.compare``; ``--help`` lists the options, README.md says what it means."""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benches.compare import OURS
from benches.compare.cases import CASES
from benches.compare.chart import draw
from benches.compare.environment import environment
from benches.compare.peers import MODULES
from benches.compare.report import FOOT, UNITS, block, heading, markdown
from benches.output import output

NAMES = tuple(case.name for case in CASES)


def names(text, known=NAMES, what="case"):
    """Read names of cases separated by commas."""
    for name in (chosen := text.split(",")):
        if name not in known:
            raise argparse.ArgumentTypeError(f"{name!r} is no {what}; there are {', '.join(known)}")
    return chosen


def libraries(text):
    """Read names of libraries with commas between them; ours is measured in any case."""
    return [OURS, *(name for name in names(text, tuple(MODULES), "library") if name != OURS)]


def counts(text):
    """Read numbers of threads separated by commas."""
    for number in (chosen := text.split(",")):
        if not number.isdecimal() or int(number) == 0:
            raise argparse.ArgumentTypeError(f"{number!r} is no number of threads")
    return list(map(int, chosen))


def arguments_of(parser):
    """Add the options and read them."""
    parser.add_argument("form", nargs="?", choices=("smoke", "full"), default="full")
    parser.add_argument("--cases", type=names, default=NAMES, help=f"of {','.join(NAMES)}")
    parser.add_argument(
        "--libraries", type=libraries, default=tuple(MODULES), help=f"of {','.join(MODULES)}"
    )
    parser.add_argument("--threads", type=counts, default=[1, 2], help="as 1,2 (the default)")
    parser.add_argument("--json", type=output, metavar="FILE", help="write every measurement there")
    parser.add_argument("--chart", type=output, metavar="FILE", help="draw the first run's ratios")
    parser.add_argument("--markdown", type=output, metavar="FILE", help="write tables there")
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FILE",
        help="measure nothing; show what an earlier run wrote with --json",
    )
    return parser.parse_args()


def measured(form, cases, libraries, threads):
    """Measure in a separate process, which prints its results as it goes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.json"
        chosen = (",".join(cases), ",".join(libraries))
        program = ["-m", "benches.compare.run", form, str(threads), *chosen, str(path)]
        done = subprocess.run([sys.executable, *program], env=environment(threads), check=False)
        if done.returncode:
            sys.exit(done.returncode)
        return json.loads(path.read_text(encoding="utf-8"))


def refuse_debug_build():
    """End the program if the binary was compiled without optimization."""
    from fastmlp import _core

    if _core.build_profile != "release":
        sys.exit(
            f"fastmlp is a {_core.build_profile} build, whose times say nothing: build a release"
        )


def main():
    """Measure, or read an earlier measurement, and show the results."""
    arguments = arguments_of(
        argparse.ArgumentParser(
            prog="python -m benches.compare", description="Time fastmlp beside its peers."
        )
    )
    if arguments.source:
        runs = json.loads(arguments.source.read_text(encoding="utf-8"))
        for run in runs:
            print("\n".join([heading(run), *map(block, run["cases"])]))
    else:
        refuse_debug_build()
        runs = [
            measured(arguments.form, arguments.cases, arguments.libraries, threads)
            for threads in arguments.threads
        ]
    print(UNITS, FOOT, sep="\n")

    if arguments.json:
        arguments.json.write_text(json.dumps(runs, indent=1), encoding="utf-8")
    if arguments.markdown:
        arguments.markdown.write_text(markdown(runs), encoding="utf-8")
    if arguments.chart:
        draw(runs[0], arguments.chart)


if __name__ == "__main__":
    main()
