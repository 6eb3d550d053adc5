"""The estimators beside scikit-learn's: ``python -m benches.compare.estimators``, on one thread.

Both train with the same parameters and random state, and so for the same epochs.
"""

import warnings

from benches.compare import OURS
from benches.compare.alone import measured_alone
from benches.compare.report import FOOT, block, heading
from benches.compare.setting import setting
from benches.compare.timing import record

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
    }


def fits():
    """Name, title, kind, data set, dtype and parameters of each fit."""
    classifier, regressor = "MLPClassifier", "MLPRegressor"
    spiral = {"batch_size": 200}
    for dtype in ("float64", "float32"):
        yield f"digits, {dtype}", classifier, "digits", dtype, {"max_iter": 30}
        yield f"spiral, batch 200, {dtype}", classifier, "spiral", dtype, spiral
        yield f"diabetes, {dtype}", regressor, "diabetes", dtype, {"max_iter": 50}


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
    """Make a function that calls another as often as it is told."""

    def work(count):
        for _ in range(count):
            call(*arguments)

    return work


def run(effort):
    """Measure and print every case."""
    warnings.simplefilter("ignore")  # that the epochs did not suffice
    print(heading({"setting": setting(), "left out": {}, "threads": 1}), flush=True)
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
    """Measure in a process of its own."""
    measured_alone("benches.compare.estimators", run)


if __name__ == "__main__":
    main()
