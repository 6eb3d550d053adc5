"""The estimators beside scikit-learn's own: the same fit, or the same call with one row.

``python -m benches.estimators`` prints a line a case: microseconds of an epoch, of an iteration or
of a call, on the processor, and how many times as long scikit-learn takes. One thread. Both train
for the same epochs from the same numbers, so that the work is the same.
"""

import argparse
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sklearn.neural_network
from sklearn.datasets import load_diabetes, load_digits
from sklearn.preprocessing import scale

import fastmlp
from benches.compare.environment import environment
from benches.compare.report import short
from benches.compare.timing import EFFORTS, measure
from fastmlp.data import make_spiral

PACKAGES = {"fastmlp": fastmlp, "scikit-learn": sklearn.neural_network}


@dataclass(frozen=True)
class Case:
    """One fit of both, or one call of what both have fitted."""

    name: str
    kind: str
    data: Callable[[], tuple[np.ndarray, np.ndarray]]
    parameters: dict
    method: str = "fit"

    def work(self, package):
        """Return a function that fits for so many epochs, or calls so many times."""
        X, y = self.data()
        make = getattr(package, self.kind)
        if self.method != "fit":
            call = getattr(
                make(random_state=0, max_iter=2, **self.parameters).fit(X, y), self.method
            )
            row = X[:1].copy()

            def work(count):
                for _ in range(count):
                    call(row)

        else:
            endless = {"tol": 0.0, "n_iter_no_change": np.inf, "random_state": 0}

            def work(count):
                make(max_iter=count, **endless, **self.parameters).fit(X, y)

        return work


def digits(dtype="float64"):
    """Return the 1,797 digits of scikit-learn, 64 pixels each."""
    X, y = load_digits(return_X_y=True)
    return X.astype(dtype), y


def spiral():
    """Return three arms of 350 points."""
    return make_spiral(n_samples=1050, n_classes=3, random_state=0)


def diabetes():
    """Return 442 patients, 10 measurements each."""
    X, y = load_diabetes(return_X_y=True)
    return X, scale(y)


CASES = (
    Case("digits, defaults", "MLPClassifier", digits, {}),
    Case("digits, defaults, float32", "MLPClassifier", lambda: digits("float32"), {}),
    Case("digits, early_stopping", "MLPClassifier", digits, {"early_stopping": True}),
    Case("spiral, batch 200, adam", "MLPClassifier", spiral, {"batch_size": 200}),
    Case("spiral, batch 32, sgd", "MLPClassifier", spiral, {"batch_size": 32, "solver": "sgd"}),
    Case("diabetes, defaults", "MLPRegressor", diabetes, {}),
    Case("one row: predict", "MLPClassifier", digits, {}, "predict"),
    Case("one row: predict_proba", "MLPClassifier", digits, {}, "predict_proba"),
    Case("one row: predict a number", "MLPRegressor", digits, {}, "predict"),
)


def line(case, effort):
    """Measure a case, and write its line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        times = measure({name: case.work(package) for name, package in PACKAGES.items()}, effort)
    ours, theirs = (times[name].processor for name in PACKAGES)
    ratio = np.median(theirs / ours)
    return f"| {case.name} | {short(ours.min())} | {short(theirs.min())} | {short(ratio)} |"


def main():
    """Measure all cases in a process with one thread."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("form", nargs="?", choices=EFFORTS, default="full")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not arguments.here:
        program = [sys.executable, "-m", "benches.estimators", arguments.form, "--here"]
        return subprocess.run(program, env=environment(1), check=False).returncode
    print("| | fastmlp, µs | scikit-learn, µs | times |\n| --- | ---: | ---: | ---: |")
    for case in CASES:
        print(line(case, EFFORTS[arguments.form]), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
