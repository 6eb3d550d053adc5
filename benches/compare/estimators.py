"""The estimators compared with scikit-learn's: ``python -m benches.compare.estimators``.

Both train with the same parameters and random state, hence do the same steps. One process has one
thread, one has two, and on processors with AVX-512 one has the AVX2 kernels of both libraries, as
most laptops do.
"""

import os
import warnings
from dataclasses import replace
from time import perf_counter

import numpy as np

from benches.compare import OURS
from benches.compare.alone import measured_alone
from benches.compare.environment import environment
from benches.compare.estimator_fits import FITS, texts
from benches.compare.report import FOOT, block, heading, short
from benches.compare.setting import processor, setting
from benches.compare.timing import measure, record

THEIRS = "scikit-learn"
# The dtype of X, and parameters that scikit-learn's estimators do not have.
DTYPES = {
    "float64": ("float64", {}),
    "float32": ("float32", {}),
    'float64, dtype="float32"': ("float64", {"dtype": "float32"}),
}
AVX2 = {"FASTMLP_ISA": "avx2", "OPENBLAS_CORETYPE": "Haswell"}
# A case is measured at least five times, and no longer than so many seconds more.
BUDGET = 4
WIDTH = 30
NOTE = f"""\
µs: median time per step of {OURS}, the rest of the fit included. ratio: {THEIRS}'s time over
{OURS}'s, median over rounds that fit both. peak: operations in matrix products, zeros included,
over what the cores could do in the time, by the rate of a wide product on one of them."""


def estimators(kind, parameters, only_ours=None):
    """Return ours and theirs, by name."""
    import sklearn.neural_network

    import fastmlp

    ours = getattr(fastmlp, kind)(random_state=0, n_jobs=-1, **parameters, **(only_ours or {}))
    return {
        OURS: ours,
        THEIRS: getattr(sklearn.neural_network, kind)(random_state=0, **parameters),
    }


def repeated(call, *arguments):
    """Make a function that calls another a given number of times."""

    def work(count):
        for _ in range(count):
            call(*arguments)

    return work


def check_same(title, both):
    """Raise unless the two did the same."""
    ours, theirs = (np.array(estimator.loss_curve_) for estimator in both.values())
    if len(ours) != len(theirs) or not np.allclose(ours, theirs, rtol=1e-2, atol=1e-5):
        raise RuntimeError(f"{title}: the two did not do the same")


def peak(dtype):
    """Operations per second in a wide product on one thread: nearly all that a core can do."""
    import fastmlp

    size = 256
    mlp = fastmlp.MLP([size, size], output="identity", dtype=dtype, seed=0)
    X = np.ones((size, size), dtype)
    out, taken = np.empty((size, size), dtype), []
    for _ in range(200):
        start = perf_counter()
        mlp.forward(X, out=out)
        taken.append(perf_counter() - start)
    return 2 * size**3 / min(taken)


def compared(fit, dtype, only_ours, peaks, effort):
    """Measure a fit; returns microseconds per step, the ratio and the share of the peak."""
    X, y = fit.data(most_rows=None if effort.budget else 400)
    epochs = fit.epochs if effort.budget else 2
    parameters = {**fit.parameters, "max_iter": epochs, "n_iter_no_change": epochs}
    both = estimators(fit.kind, parameters, only_ours)
    works = {name: repeated(estimator.fit, X.astype(dtype), y) for name, estimator in both.items()}
    times = measure(works, replace(effort, budget=min(effort.budget, BUDGET)))
    check_same(fit.name, both)
    ours, theirs = times[OURS].wall, times[THEIRS].wall
    operations = fit.operations_per_row * len(X) * epochs
    steps = epochs * -(-len(X) // min(200, len(X)))
    share = operations / (1e-6 * np.median(ours)) / peaks[only_ours.get("dtype", dtype)]
    return np.median(ours) / steps, np.median(theirs / ours), share


def table(effort):
    """Measure all fits in each dtype, and print a line of each."""
    threads = int(os.environ["OMP_NUM_THREADS"])
    peaks = {dtype: threads * peak(dtype) for dtype in ("float64", "float32")}
    print(" " * WIDTH + "".join(f"{name:>27}" for name in DTYPES))
    print(f"{'fit':{WIDTH}}" + f"{'µs':>11}{'ratio':>8}{'peak':>8}" * len(DTYPES), flush=True)
    ratios = []
    for fit in FITS:
        row = [compared(fit, *dtype, peaks, effort) for dtype in DTYPES.values()]
        cells = (f"{short(us):>11}{short(ratio):>8}{share:>8.0%}" for us, ratio, share in row)
        print(f"{fit.name:{WIDTH}}" + "".join(cells), flush=True)
        ratios.append([ratio for _, ratio, _ in row])
    means = np.exp(np.log(ratios).mean(axis=0))
    for name, of_dtypes in (("geometric mean", means), ("least", np.min(ratios, axis=0))):
        cells = "".join(f"{'':11}{short(ratio):>8}{'':8}" for ratio in of_dtypes)
        print(f"{name:{WIDTH}}{cells}".rstrip())
    print(NOTE + "\n", flush=True)


def sparse_and_predictions(effort):
    """Measure fits of word counts, and predictions of one row."""
    counts, kinds = texts()
    for dtype in ("int64", "float64", "float32"):
        both = estimators("MLPClassifier", {"max_iter": 10 if effort.budget else 1})
        X = counts.astype(dtype)
        works = {name: repeated(estimator.fit, X, kinds) for name, estimator in both.items()}
        print(block(record("fit", f"sparse rows, {dtype}", "fit", works, effort)), flush=True)
        check_same("sparse rows", both)
        predictions(f"sparse rows, {dtype}", both, X, effort)
    for fit in FITS:
        if fit.name.startswith(("digits, relu", "diabetes")):
            X, y = fit.data()
            for dtype in ("float64", "float32"):
                both = estimators(fit.kind, {**fit.parameters, "max_iter": 10})
                for estimator in both.values():
                    estimator.fit(X.astype(dtype), y)
                predictions(f"{fit.name}, {dtype}", both, X.astype(dtype), effort)
    print(FOOT)


def predictions(title, both, X, effort):
    """Measure predictions of one row by fitted estimators."""
    for method in ("predict", "predict_proba"):
        if hasattr(both[OURS], method):
            works = {
                name: repeated(getattr(estimator, method), X[:1].copy())
                for name, estimator in both.items()
            }
            print(block(record(method, f"one row, {title}", "call", works, effort)), flush=True)


def run(effort):
    """Measure and print what one process measures."""
    warnings.simplefilter("ignore")  # that the epochs did not suffice
    threads, isa = int(os.environ["OMP_NUM_THREADS"]), os.environ.get("FASTMLP_ISA")
    about = setting(["scikit-learn"]) | {"kernels": isa or "the best that the processor has"}
    print(heading({"setting": about, "left out": {}, "threads": threads}), flush=True)
    table(effort)
    if threads == 1 and not isa:
        sparse_and_predictions(effort)


def main():
    """Measure in separate processes, each with a number of threads and an instruction set."""
    environments = [environment(1), environment(2)]
    if "avx512f" in processor("flags").split():
        environments.append(environment(1) | AVX2)
    measured_alone("benches.compare.estimators", run, environments)


if __name__ == "__main__":
    main()
