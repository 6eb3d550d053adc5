"""Score and time on real tables: ``python -m benches.tables``, on one thread.

The tables lie beside the repository, in ``shared/data/tables``, with the splits that published
results use. The presets "fast" and "default" and the peers are trained on the training part, and
the validation part chooses epochs and the number of trees; "best" has both parts to train on, and
deals its own rows for validation out. CPU seconds count all threads of the process.
"""

import argparse
import json
import time
import warnings
from pathlib import Path

from threadpoolctl import threadpool_limits

from benches.output import output
from benches.tables.data import TABLES, load
from benches.tables.models import KINDS, PRESETS, fit, make
from benches.tables.report import HEADER, Result, grouped, row

NAMES = ("adult", "california", "house_16h", "churn", "diamonds")
# How often rows are asked about; the shortest time counts.
ASKS = 3


def measure(name, kind, is_regression, parts, part, seed, epochs):
    """Fit once and ask some times."""
    from sklearn.metrics import accuracy_score, log_loss, root_mean_squared_error

    model = make(kind, is_regression, seed, epochs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other libraries, about each other
        begin = time.process_time()
        fit(kind, model, parts)
        fit_seconds = time.process_time() - begin
        X, y = parts[part]
        times = []
        for _ in range(ASKS):
            begin = time.process_time()
            answer = model.predict(X) if is_regression else model.predict_proba(X)
            times.append(time.process_time() - begin)
    measured = fit_seconds, len(X) / min(times)
    if is_regression:
        return Result(name, kind, float(root_mean_squared_error(y, answer)), None, *measured)
    decided = model.classes_[answer.argmax(axis=1)]
    accuracy = float(accuracy_score(y, decided))
    return Result(name, kind, accuracy, float(log_loss(y, answer)), *measured)


def main():
    """Read the arguments."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=TABLES, help="where the tables lie")
    parser.add_argument("--tables", default=",".join(NAMES))
    parser.add_argument("--kinds", default=",".join(PRESETS), help=f"of {', '.join(KINDS)}")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, help="of the networks, for a quick look")
    parser.add_argument("--part", choices=("val", "test"), default="test", help="what is scored")
    parser.add_argument("--json", type=output, help="write every result there")
    parser.add_argument("--chart", type=output, help="draw quality against time there")
    parser.add_argument(
        "--from",
        dest="earlier",
        type=Path,
        nargs="+",
        help="show what --json wrote, in several runs perhaps, and measure nothing",
    )
    arguments = parser.parse_args()
    if arguments.earlier is not None:
        texts = [path.read_text(encoding="utf-8") for path in arguments.earlier]
        found = [Result(**result) for text in texts for result in json.loads(text)]
        print("\n".join([HEADER, *map(row, grouped(found).values())]))
    elif not (arguments.folder / "load.py").exists():
        parser.error(f"there are no tables in {arguments.folder}; name a folder with --folder")
    else:
        with threadpool_limits(1):
            found = measure_all(arguments)
    if arguments.chart is not None:
        from benches.tables.chart import draw

        draw(found, arguments.chart)


def measure_all(arguments):
    """Print the table line by line, and write the file as it grows; return the results."""
    print(HEADER)
    found = []
    for name in arguments.tables.split(","):
        is_regression, parts = load(arguments.folder, name)
        for kind in arguments.kinds.split(","):
            results = [
                measure(name, kind, is_regression, parts, arguments.part, seed, arguments.epochs)
                for seed in range(arguments.seeds)
            ]
            print(row(results), flush=True)
            found += results
            if arguments.json is not None:
                text = json.dumps([result._asdict() for result in found], indent=1)
                arguments.json.write_text(text, encoding="utf-8")
    return found


if __name__ == "__main__":
    main()
