"""Measure with one number of threads, in a separate process that `__main__` starts.

Most libraries read the number of threads once, when they are loaded.
"""

import argparse
import json
from pathlib import Path

from benches.compare.cases import CASES, Minimization, Problem, Training
from benches.compare.peers import kinds_of, left_out, minimizers, predictors, trainers
from benches.compare.report import block, heading
from benches.compare.setting import setting
from benches.compare.timing import EFFORTS, measure


def record(kinds, case, threads, effort):
    """Measure a case; returns plain values, as JSON has them."""
    problem, notes, units = Problem.of(case), {}, 1
    if isinstance(case, Training):
        made = trainers(kinds.trainers, case, problem, threads)
        works = {name: trainer.train for name, trainer in made.items()}
        notes = {name: trainer.departure(case) for name, trainer in made.items()}
        units = case.steps_per_epoch
    elif isinstance(case, Minimization):
        made, units = minimizers(kinds.minimizers, case, problem, threads)
        works = {name: repeated(minimizer.minimize) for name, minimizer in made.items()}
    else:
        X = problem.X.copy()
        made = predictors(kinds.predictors, case, problem, threads)
        works = {name: repeated(peer.predict_proba, X) for name, peer in made.items()}
    peers = {
        name: {
            "microseconds": (times.wall / units).tolist(),
            "processor_microseconds": (times.processor / units).tolist(),
            "note": notes.get(name, ""),
        }
        for name, times in measure(works, effort).items()
    }
    return {"name": case.name, "title": case.title, "unit": case.unit, "peers": peers}


def repeated(function, *arguments):
    """Make a function that calls another a given number of times."""

    def work(count):
        for _ in range(count):
            function(*arguments)

    return work


def main():
    """Measure the cases one after the other, print each, and write the file for `__main__`."""
    parser = argparse.ArgumentParser(prog="python -m benches.compare.run")
    parser.add_argument("form", choices=EFFORTS)
    parser.add_argument("threads", type=int)
    parser.add_argument("cases", help="their names, separated by commas")
    parser.add_argument("libraries", help="the same")
    parser.add_argument("file", type=Path)
    arguments = parser.parse_args()

    libraries = arguments.libraries.split(",")
    kinds = kinds_of(libraries)
    run = {
        "threads": arguments.threads,
        "setting": setting(libraries),
        "left out": left_out(sum(kinds, ()), arguments.threads),
        "cases": [],
    }
    print(heading(run), flush=True)
    names = arguments.cases.split(",")
    for case in (case for case in CASES if case.name in names):
        run["cases"].append(record(kinds, case, arguments.threads, EFFORTS[arguments.form]))
        print(block(run["cases"][-1]), flush=True)
    arguments.file.write_text(json.dumps(run), encoding="utf-8")


if __name__ == "__main__":
    main()
