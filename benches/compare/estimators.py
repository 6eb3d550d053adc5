"""The estimators compared with scikit-learn's: ``python -m benches.compare.estimators``.

Both use one thread and train with the same parameters and random state, hence for the same epochs.
"""

import argparse
import os
import subprocess
import sys
import warnings

from benches.compare import OURS
from benches.compare.environment import environment
from benches.compare.report import FOOT, block, heading
from benches.compare.setting import setting
from benches.compare.timing import EFFORTS, measure

# Set in the process that measures, whose libraries found one thread when they were loaded.
MEASURES = "FASTMLP_MEASURES_ESTIMATORS"
THEIRS = "scikit-learn"


def data_sets():
    """Return X and y of each data set by its name, float64 as they come."""
    from sklearn.datasets import load_diabetes, load_digits
    from sklearn.preprocessing import StandardScaler

    from fastmlp.data import make_spiral

    X, arms = make_spiral(n_samples=1500, random_state=0)
    diabetes = load_diabetes(return_X_y=True)
    return {
        "digits": load_digits(return_X_y=True),
        "spiral": (StandardScaler().fit_transform(X), arms),
        "diabetes": (StandardScaler().fit_transform(diabetes[0]), diabetes[1]),
        "text": texts(),
    }


def texts(n_texts=1000, n_words=5000):
    """Return counts of words in compressed rows, as CountVectorizer makes them, and 4 kinds.

    Words are as frequent as Zipf's law has it, and each kind prefers some of them.
    """
    import numpy as np
    from scipy.sparse import csr_matrix

    rng = np.random.default_rng(0)
    frequency = 1 / np.arange(1, n_words + 1)
    kinds = rng.integers(4, size=n_texts)
    preferences = frequency * rng.gamma(0.3, size=(4, n_words))
    preferences /= preferences.sum(axis=1, keepdims=True)
    rows = [rng.multinomial(80, preferences[kind]) for kind in kinds]
    return csr_matrix(np.stack(rows)), kinds


def fits():
    """Name, title, kind, data set, dtype and parameters of each fit."""
    classifier, regressor = "MLPClassifier", "MLPRegressor"
    spiral = {"batch_size": 200}
    for dtype in ("float64", "float32"):
        yield f"digits, {dtype}", classifier, "digits", dtype, {"max_iter": 30}
        yield f"spiral, batch 200, {dtype}", classifier, "spiral", dtype, spiral
        yield f"diabetes, {dtype}", regressor, "diabetes", dtype, {"max_iter": 50}
    for dtype in ("int64", "float64", "float32"):
        yield f"text, sparse rows, {dtype}", classifier, "text", dtype, {"max_iter": 10}


def estimators(kind, parameters):
    """Return ours and theirs, by name."""
    import sklearn.neural_network

    import fastmlp

    modules = {OURS: fastmlp, THEIRS: sklearn.neural_network}
    return {
        name: getattr(module, kind)(random_state=0, **parameters)
        for name, module in modules.items()
    }


def repeated(call, *arguments):
    """Make a function that calls another a given number of times."""

    def work(count):
        for _ in range(count):
            call(*arguments)

    return work


def record(name, title, unit, works, effort):
    """Measure both, as `benches.compare.report` has it."""
    peers = {
        peer: {
            "microseconds": times.wall.tolist(),
            "processor_microseconds": times.processor.tolist(),
            "note": "",
        }
        for peer, times in measure(works, effort).items()
    }
    return {"name": name, "title": title, "unit": unit, "peers": peers}


def run(effort):
    """Measure and print every case."""
    warnings.simplefilter("ignore")  # that the epochs did not suffice
    print(heading({"setting": setting(["scikit-learn"]), "left out": {}, "threads": 1}), flush=True)
    sets = data_sets()
    for title, kind, data, dtype, parameters in fits():
        X, y = sets[data][0].astype(dtype), sets[data][1]
        both = estimators(kind, parameters)
        works = {name: repeated(estimator.fit, X, y) for name, estimator in both.items()}
        print(block(record("fit", title, "fit", works, effort)), flush=True)
        curves = [estimator.loss_curve_ for estimator in both.values()]
        if len(curves[0]) != len(curves[1]) or abs(curves[0][-1] / curves[1][-1] - 1) > 1e-3:
            raise RuntimeError(f"{title}: the two did not do the same")
        for method in ("predict", "predict_proba"):
            if hasattr(both[OURS], method):
                works = {
                    name: repeated(getattr(estimator, method), X[:1].copy())
                    for name, estimator in both.items()
                }
                print(block(record(method, f"one row, {title}", "call", works, effort)), flush=True)
    print(FOOT.partition("\n")[2])


def main():
    """Measure in a separate process, whose libraries have one thread."""
    parser = argparse.ArgumentParser(prog="python -m benches.compare.estimators")
    parser.add_argument("form", nargs="?", choices=EFFORTS, default="full")
    form = parser.parse_args().form
    if os.environ.get(MEASURES):
        run(EFFORTS[form])
        return
    from benches.compare.__main__ import refuse_debug_build

    refuse_debug_build()
    program = [sys.executable, "-m", "benches.compare.estimators", form]
    done = subprocess.run(program, env=environment(1) | {MEASURES: "1"}, check=False)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
