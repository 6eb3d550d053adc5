"""Score and time on real tables: ``python -m benches.tables``, on one thread.

The tables lie beside the repository, in ``shared/data/tables``, with the splits that published
results use. A network of the presets "fast" and "default" is trained on the training part, and the
validation part chooses its epoch; "best" has both parts to train on, and deals its own rows for
validation out. CPU seconds count all threads of the process.
"""

import argparse
import importlib.util
import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

TABLES = Path(__file__).resolve().parents[2] / "shared" / "data" / "tables"
NAMES = ("adult", "california", "house_16h", "churn", "diamonds")
# By what RMSE is divided where the published results are: the deviation of the price.
UNITS = {"diamonds": 3989.4}
PRESETS = ("fast", "default", "best")
PEERS = ("boosting", "lightgbm")


class Part(NamedTuple):
    """A table as people have it, and its target."""

    X: Any
    y: Any


class Result(NamedTuple):
    """What one fit gave; a classifier has an accuracy, a regressor has the RMSE."""

    score: float
    log_loss: float | None
    fit_seconds: float
    rows_per_second: float


def load(folder, name):
    """Return whether the target is a number, and the parts of a table by name."""
    import pandas as pd

    spec = importlib.util.spec_from_file_location("load", folder / "load.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.load(name)
    columns = {}
    for kind, dtype in (("X_num", "float32"), ("X_cat", "category")):
        for place, values in enumerate([] if found[kind] is None else found[kind].T):
            columns[f"{kind[2:]}{place}"] = pd.Series(values).astype(dtype)
    table = pd.DataFrame(columns)
    parts = {
        part: Part(table.iloc[found[part]].reset_index(drop=True), found["y"][found[part]])
        for part in ("train", "val", "test")
    }
    return found["task"] == "regression", parts


def estimator(kind, is_regression, seed):
    """Make the estimator of a preset or peer."""
    if kind in PRESETS:
        from fastmlp import TabularClassifier, TabularRegressor

        cls = TabularRegressor if is_regression else TabularClassifier
        return cls(kind, random_state=seed, n_jobs=1)
    if kind == "boosting":
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        cls = HistGradientBoostingRegressor if is_regression else HistGradientBoostingClassifier
        return cls(max_iter=4000, early_stopping=True, n_iter_no_change=50, random_state=seed)
    from lightgbm import LGBMClassifier, LGBMRegressor

    cls = LGBMRegressor if is_regression else LGBMClassifier
    return cls(n_estimators=4000, n_jobs=1, random_state=seed, verbose=-1)


def fit(kind, model, parts):
    """Train on the training part, with the validation part as each of them has it."""
    import pandas as pd

    train, val = parts["train"], parts["val"]
    if kind == "best":
        return model.fit(pd.concat([train.X, val.X]), np.concatenate([train.y, val.y]))
    if kind == "lightgbm":
        from lightgbm import early_stopping

        return model.fit(
            train.X,
            train.y,
            eval_set=[(val.X, val.y)],
            callbacks=[early_stopping(50, verbose=False)],
        )
    return model.fit(train.X, train.y, X_val=val.X, y_val=val.y)


def measure(kind, is_regression, parts, part, seed):
    """Fit and ask once."""
    from sklearn.metrics import accuracy_score, log_loss, root_mean_squared_error

    model = estimator(kind, is_regression, seed)
    begin = time.process_time()
    fit(kind, model, parts)
    fit_seconds = time.process_time() - begin
    X, y = parts[part]
    begin = time.process_time()
    answer = model.predict(X) if is_regression else model.predict_proba(X)
    pace = len(X) / (time.process_time() - begin)
    if is_regression:
        return Result(root_mean_squared_error(y, answer), None, fit_seconds, pace)
    decided = model.classes_[answer.argmax(axis=1)]
    return Result(accuracy_score(y, decided), log_loss(y, answer), fit_seconds, pace)


def row(name, kind, is_regression, results):
    """Return a line of the table: means over seeds, and their spread."""
    scores = np.array([result.score for result in results]) / UNITS.get(name, 1)
    digits = 0 if scores.mean() > 100 else 4
    log_loss = "" if is_regression else f"{np.mean([r.log_loss for r in results]):.4f}"
    cells = (
        *(name, kind, len(results), "RMSE" if is_regression else "accuracy"),
        f"{scores.mean():.{digits}f} ± {scores.std():.{digits}f}",
        log_loss,
        f"{np.mean([r.fit_seconds for r in results]):.1f}",
        f"{np.mean([r.rows_per_second for r in results]):,.0f}",
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def main():
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=TABLES, help="where the tables lie")
    parser.add_argument("--tables", default=",".join(NAMES))
    parser.add_argument("--kinds", default=",".join(PRESETS), help=f"of {(*PRESETS, *PEERS)}")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--part", choices=("val", "test"), default="test", help="what is scored")
    parser.add_argument("--json", type=Path, help="write every result there")
    arguments = parser.parse_args()
    if not (arguments.folder / "load.py").exists():
        parser.error(f"there are no tables in {arguments.folder}; name a folder with --folder")
    with threadpool_limits(1):
        measure_all(arguments)


def measure_all(arguments):
    """Print the table, and write the file."""
    print("| table | | seeds | | score | log loss | CPU seconds of fit | rows per second |")
    print("| --- | --- | --- | --- | ---: | ---: | ---: | ---: |")
    found = []
    for name in arguments.tables.split(","):
        is_regression, parts = load(arguments.folder, name)
        for kind in arguments.kinds.split(","):
            results = [
                measure(kind, is_regression, parts, arguments.part, seed)
                for seed in range(arguments.seeds)
            ]
            print(row(name, kind, is_regression, results), flush=True)
            found += [{"table": name, "kind": kind, **result._asdict()} for result in results]
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
