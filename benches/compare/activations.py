"""A step with each activation, on one thread: ``python -m benches.compare.activations``."""

import numpy as np

from benches.compare.alone import measured_alone
from benches.compare.cases import CASES, Problem
from benches.compare.report import heading, short
from benches.compare.setting import setting
from benches.compare.timing import measure

(CASE,) = (case for case in CASES if case.name == "d")


def work_of(activation, dtype):
    """Make a function that trains the network of case d for a given number of epochs."""
    import fastmlp

    problem = Problem.of(CASE)
    X, y = problem.X.astype(dtype), problem.y
    mlp = fastmlp.MLP(CASE.layer_sizes, activation, dtype=dtype, seed=0)
    adam = fastmlp.Adam(CASE.learning_rate)

    def train(n_epochs):
        mlp.fit(X, y, adam, epochs=n_epochs, batch_size=CASE.batch_size, seed=0)

    return train


def table(dtype, times):
    """Aligned lines, one per activation, from the cheapest to the dearest."""
    relu = times["relu"].wall
    rows = {name: (np.median(it.wall), np.median(it.wall / relu)) for name, it in times.items()}
    lines = [f"{CASE.title}, {dtype}", f"  {'':12}{'µs per step':>13}{'over relu':>11}"]
    for name, (epoch, ratio) in sorted(rows.items(), key=lambda row: row[1][1]):
        lines.append(f"  {name:12}{short(epoch / CASE.steps_per_epoch):>13}{short(ratio):>11}")
    return "\n".join([*lines, ""])


def run(effort):
    """Measure and print all activations in both dtypes."""
    from fastmlp._core import ACTIVATIONS

    print(heading({"setting": setting([]), "left out": {}, "threads": 1}), flush=True)
    for dtype in ("float32", "float64"):
        works = {name: work_of(name, dtype) for name in (*ACTIVATIONS, "prelu")}
        print(table(dtype, measure(works, effort)), flush=True)


def main():
    """Measure in a process of its own."""
    measured_alone("benches.compare.activations", run)


if __name__ == "__main__":
    main()
