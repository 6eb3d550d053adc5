"""Many small networks, compared with other ways to train them: ``python -m benches.many``.

Both sides train the same networks for the same epochs on two cores, in turns, and a ratio compares
times of one round. Processes of joblib are started before anything is timed. scikit-learn trains a
sample of the networks, evenly spread over the widths, and its ratio is that of the sample.
"""

import argparse
import os
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benches.tables.data import TABLES, load

CORES = 2
EPOCHS = 20
WIDTHS = (8, 128)
ROWS, COLUMNS, CLASSES = 5_000, 20, 3
BATCH = 200
# Of the networks that torch trains as one.
EQUAL_WIDTH = 32
CASES = ("float64", "float32", "vmap", "iris", "scaling")


class Result(NamedTuple):
    """A line of the table."""

    case: str
    # Times of the one divided by times of the other, of each round.
    ratios: list[float]
    goal: float
    note: str


def data(dtype="float64", rows=ROWS):
    """Return rows of which each belongs to the largest of some linear functions."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((rows, COLUMNS))
    y = (X @ rng.standard_normal((COLUMNS, CLASSES))).argmax(axis=1)
    return X.astype(dtype), y


def networks(cls, n, widths=WIDTHS, **parameters):
    """Return estimators of that class, of widths from one to the other, in random order."""
    course = {"batch_size": BATCH, "max_iter": EPOCHS, "tol": 0.0, "n_iter_no_change": EPOCHS}
    sizes = np.random.default_rng(0).permutation(np.linspace(*widths, n).round().astype(int))
    return [
        cls((size,), random_state=seed, **course | parameters)
        for seed, size in enumerate(sizes.tolist())
    ]


def in_turns(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, np.ndarray]:
    """Return the seconds of each work in each round, after one that is not counted."""
    seconds = {name: [] for name in works}
    for round_ in range(rounds + 1):
        for name, work in works.items():
            begin = time.perf_counter()
            work()
            if round_:
                seconds[name].append(time.perf_counter() - begin)
    return {name: np.array(times) for name, times in seconds.items()}


def against_scikit_learn(dtype, options):
    """Compare with scikit-learn's networks in two processes of joblib."""
    from joblib import Parallel, delayed
    from sklearn.neural_network import MLPClassifier as Theirs

    from fastmlp import MLPClassifier, fit_many

    X, y = data(dtype, options.rows)

    def ours(n=options.peer_nets):
        fit_many(networks(MLPClassifier, n), X, y, n_jobs=CORES)

    def theirs():
        # loky gives each process one thread for its BLAS.
        Parallel(CORES)(delayed(clf.fit)(X, y) for clf in networks(Theirs, options.peer_nets))

    times = in_turns({"ours": ours, "theirs": theirs}, options.rounds)
    begin = time.perf_counter()
    ours(options.nets)
    whole = time.perf_counter() - begin
    note = f"fit_many: {options.nets} networks in {whole:.1f} s; {options.peer_nets} are compared"
    ratios = (times["theirs"] / times["ours"]).tolist()
    goal = 6 if dtype == "float64" else 9
    return Result(f"scikit-learn, loky, {dtype}", ratios, goal, note)


def against_vmap(options):
    """Compare with networks of one shape that torch trains as one, by the same batches for all."""
    import torch

    from fastmlp import MLPClassifier, fit_many

    torch.set_num_threads(CORES)
    n = options.vmap_nets
    X, y = data("float32", options.rows)
    equal = (EQUAL_WIDTH, EQUAL_WIDTH)
    losses = {}

    def ours():
        fitted = fit_many(networks(MLPClassifier, n, equal, alpha=0.0), X, y, n_jobs=CORES)
        losses["ours"] = np.mean([clf.loss_ for clf in fitted])

    def theirs():
        losses["torch"] = vmapped(X, y, n)

    times = in_turns({"ours": ours, "torch": theirs}, options.rounds)
    apart = abs(losses["torch"] - losses["ours"]) / losses["ours"]
    note = f"{n} networks of {EQUAL_WIDTH} units; losses differ by {apart:.1%}"
    return Result("torch.vmap, float32", (times["torch"] / times["ours"]).tolist(), 5, note)


def vmapped(X, y, n):
    """Train with torch.func; returns the mean loss of the last epoch."""
    import torch
    from torch.func import grad_and_value, vmap
    from torch.nn.functional import cross_entropy

    generator = torch.Generator().manual_seed(0)

    def uniform(d_in, *shape):
        bound = (6 / (d_in + shape[-1])) ** 0.5
        return (2 * torch.rand((n, *shape), generator=generator) - 1) * bound

    sizes = [(COLUMNS, EQUAL_WIDTH), (EQUAL_WIDTH, CLASSES)]
    parameters = [
        part for d_in, d_out in sizes for part in (uniform(d_in, d_in, d_out), uniform(d_in, d_out))
    ]

    def loss(parameters, X, y):
        w_1, b_1, w_2, b_2 = parameters
        return cross_entropy(torch.relu(X @ w_1 + b_1) @ w_2 + b_2, y)

    gradients = vmap(grad_and_value(loss), in_dims=(0, None, None))
    optimizer = torch.optim.Adam(parameters, lr=0.001, fused=True)
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    for _ in range(EPOCHS):
        total = 0.0
        for rows in torch.randperm(len(X), generator=generator).split(BATCH):
            found, values = gradients(parameters, X[rows], y[rows])
            for parameter, gradient in zip(parameters, found, strict=True):
                parameter.grad = gradient
            optimizer.step()
            total += float(values.mean()) * len(rows)
    return total / len(X)


def tiny(options):
    """Return what a fit of iris takes beyond the steps that `MLP.fit` makes."""
    from sklearn.datasets import load_iris

    from fastmlp import MLP, Adam, MLPClassifier, fit_many

    X, y = load_iris(return_X_y=True)
    n = options.tiny_nets
    alone_n = max(1, n // 10)
    network, optimizer = MLP([4, 10, 3], dtype="float64", seed=0), Adam()

    def steps():
        for seed in range(n):
            network.fit(X, y, optimizer, epochs=EPOCHS, batch_size=len(X), seed=seed)

    def fits(n_jobs):
        many = networks(MLPClassifier, n, (10, 10), batch_size=len(X))
        fit_many(many, X, y, n_jobs=n_jobs)

    def alone():
        for clf in networks(MLPClassifier, alone_n, (10, 10), batch_size=len(X)):
            clf.fit(X, y)

    works = {"steps": steps, "fits": partial(fits, 1), "two": partial(fits, CORES), "alone": alone}
    times = in_turns(works, options.rounds)
    us = {name: 1e6 * np.median(seconds) / n for name, seconds in times.items()}
    us["alone"] *= n / alone_n
    note = (
        f"{us['fits'] - us['steps']:.0f} us beyond {us['steps']:.0f} us of steps (goal 300); fit "
        f"alone takes {us['alone']:.0f} us, fit_many on {CORES} threads {us['two']:.0f} us"
    )
    return Result(
        "fit by fit, iris", (times["alone"] / times["fits"] * (n / alone_n)).tolist(), 0, note
    )


def scaling(options):
    """Compare two threads with one, in `fit_many` and in a search of scikit-learn."""
    import joblib
    from sklearn.model_selection import GridSearchCV

    from fastmlp import MLPClassifier, fit_many

    for name, (X, y), widths, n in data_sets(options):
        many = partial(networks, MLPClassifier, n, widths)
        sizes = [clf.hidden_layer_sizes for clf in many()]

        def fits(n_jobs, many=many, X=X, y=y):
            fit_many(many(), X, y, n_jobs=n_jobs)

        def search(n_jobs, many=many, X=X, y=y, sizes=sizes):
            grid = {"hidden_layer_sizes": sizes}
            with joblib.parallel_config(backend="threading", n_jobs=n_jobs):
                GridSearchCV(many()[0], grid, cv=2, refit=False).fit(X, y)

        for tool, work in (("fit_many", fits), ("GridSearchCV", search)):
            works = {"one": partial(work, 1), "two": partial(work, CORES)}
            times = in_turns(works, options.rounds)
            fits_made = n if tool == "fit_many" else 2 * n
            note = f"{fits_made / np.median(times['two']):.0f} fits per second on {CORES} threads"
            yield Result(f"{tool}, {name}", (times["one"] / times["two"]).tolist(), 1.9, note)


def data_sets(options):
    """Yield name, data, widths and the number of networks of each case of scaling."""
    from sklearn.datasets import load_digits

    n = options.scaling_nets
    X, y = load_digits(return_X_y=True)
    yield "digits", (X / 16, y), (50, 100), 2 * n
    yield "5,000 x 20", data(rows=options.rows), WIDTHS, 4 * n
    if options.tables.exists():
        train = load(options.tables, "adult")[1]["train"]
        numbers = train.X.apply(lambda column: column.astype("category").cat.codes)
        X = numbers.to_numpy(np.float64)
        yield "adult", ((X - X.mean(axis=0)) / (X.std(axis=0) + 1e-9), train.y), (50, 100), n


def table(results):
    """Return the results as a table in Markdown."""
    lines = ["| compared with | ratio | quartiles | goal | |", "| --- | --- | --- | --- | --- |"]
    for result in results:
        low, middle, high = np.quantile(result.ratios, (0.25, 0.5, 0.75))
        goal = f"{result.goal:g}" if result.goal else ""
        lines.append(
            f"| {result.case} | {middle:.2f} | {low:.2f} to {high:.2f} | {goal} | {result.note} |"
        )
    return "\n".join(lines)


def measure(case, options):
    """Return the lines of a case."""
    if case in ("float64", "float32"):
        return [against_scikit_learn(case, options)]
    if case == "vmap":
        return [against_vmap(options)]
    if case == "iris":
        return [tiny(options)]
    return list(scaling(options))


def main(arguments=None):
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benches.many", description=__doc__)
    parser.add_argument("--cases", default=",".join(CASES), help="some of " + ", ".join(CASES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--tables", type=Path, default=TABLES, help="folder with adult.npz")
    for name, default, meaning in (
        ("nets", 1000, "networks that fit_many trains"),
        ("peer-nets", 16, "networks that scikit-learn trains"),
        ("vmap-nets", 32, "networks of one shape"),
        ("tiny-nets", 500, "networks of iris"),
        ("scaling-nets", 16, "networks on digits; a multiple of it on the others"),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, help=meaning)
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    os.environ["PYTHONWARNINGS"] = "ignore"  # of processes
    results = [result for case in options.cases.split(",") for result in measure(case, options)]
    print(table(results))


if __name__ == "__main__":
    main()
