"""How the time of a training step grows with the batch, the width and the depth.

``python -m benches.growth`` prints one table per series. Sizes are chosen where a kernel may change
its path: at powers of two, and one below and above. `excess` is how much more the time grew than
the work since the line above; if that is a quarter or more, the line is marked: a cliff. One
thread, float32, Adam; processor time, which other programs on the machine hardly affect.
"""

import argparse
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib import pyplot as plt

import fastmlp
from benches.compare.report import short
from benches.compare.timing import no_garbage_collection, seconds_of, units_for
from benches.output import output

ROUNDS = 9
SECONDS = 0.02
CLIFF = 1.25


@dataclass(frozen=True)
class Size:
    """One network and batch of a series."""

    size: int
    layer_sizes: tuple[int, ...]
    batch_size: int

    @property
    def gigaflop(self):
        """Arithmetic of the products of a step; the first layer has no gradient by its inputs."""
        products = [d * h for d, h in pairwise(self.layer_sizes)]
        return 2e-9 * self.batch_size * (3 * sum(products) - products[0])


def around_powers_of_two(first, last):
    """Powers of two from `first` to `last`, each with its neighbours in that range."""
    powers = [2**k for k in range(first.bit_length() - 1, last.bit_length())]
    sizes = {size for power in powers for size in (power - 1, power, power + 1)}
    return sorted(size for size in sizes if first <= size <= last)


SERIES = {
    "batch": {
        "rows of a batch, 2-100-3": [
            Size(n, (2, 100, 3), n) for n in around_powers_of_two(1, 4096)
        ],
        "rows of a batch, 784-256-256-10": [
            Size(n, (784, 256, 256, 10), n) for n in around_powers_of_two(1, 4096)
        ],
    },
    "width": {
        "width w of 2-w-3, batch 128": [
            Size(w, (2, w, 3), 128) for w in around_powers_of_two(4, 2048)
        ],
        "width w of 32-w-w-10, batch 128": [
            Size(w, (32, w, w, 10), 128) for w in around_powers_of_two(4, 2048)
        ],
    },
    "depth": {
        f"hidden layers of {width} between 32 and 10, batch 128": [
            Size(depth, (32, *[width] * depth, 10), 128) for depth in range(1, 9)
        ]
        for width in (16, 64, 256)
    },
}


def training(size, rng):
    """Make a function that trains a network for some epochs, and count the steps per epoch."""
    steps = max(1, min(32, 4096 // size.batch_size))
    n, d_in, d_out = steps * size.batch_size, size.layer_sizes[0], size.layer_sizes[-1]
    X = rng.standard_normal((n, d_in), dtype=np.float32)
    y = rng.integers(d_out, size=n)
    mlp, optimizer = fastmlp.MLP(size.layer_sizes, seed=0), fastmlp.Adam()

    def work(epochs):
        mlp.fit(X, y, optimizer, epochs=epochs, batch_size=size.batch_size, shuffle=False, n_jobs=1)

    return work, steps


def microseconds(sizes):
    """Time a step of each size: the minimum over rounds in which every size has a turn."""
    rng = np.random.default_rng(0)
    works, steps = zip(*(training(size, rng) for size in sizes), strict=True)
    counts = [units_for(work, SECONDS) for work in works]
    units = np.multiply(counts, steps)
    with no_garbage_collection():
        rounds = [
            [seconds_of(work, count)[1] for work, count in zip(works, counts, strict=True)]
            for _ in range(ROUNDS)
        ]
    return 1e6 * np.min(rounds, axis=0) / units


def table(title, sizes, times):
    """Aligned lines, one per size."""
    lines = [title, f"{'size':>7}{'µs per step':>12}{'ns per row':>11}{'GFLOP/s':>10}{'excess':>9}"]
    before = None
    for size, time in zip(sizes, times, strict=True):
        excess = 1.0
        if before:
            excess = time / before[1] / (size.gigaflop / before[0].gigaflop)
        lines.append(
            f"{size.size:>7,}{short(time):>12}{short(1e3 * time / size.batch_size):>11}"
            f"{short(size.gigaflop / time * 1e6):>10}{excess:>9.2f}"
            f"{'  <- cliff' if excess >= CLIFF else ''}"
        )
        before = size, time
    return "\n".join([*lines, ""])


def draw(measured, path):
    """Draw the rate of arithmetic against the size, one panel per series."""
    figure, panels = plt.subplots(
        len(measured), figsize=(8, 2.4 * len(measured)), squeeze=False, layout="constrained"
    )
    for axes, (title, (sizes, times)) in zip(panels.flat, measured.items(), strict=True):
        rates = [size.gigaflop / time * 1e6 for size, time in zip(sizes, times, strict=True)]
        axes.plot([size.size for size in sizes], rates, ".-", color="#0072B2")
        axes.set_xscale("log", base=2)
        axes.set_ylim(bottom=0)
        axes.set_xlabel(title)
        axes.set_ylabel("GFLOP/s")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main():
    """Measure the requested series."""
    parser = argparse.ArgumentParser(prog="python -m benches.growth", description=__doc__)
    parser.add_argument("--series", choices=SERIES, help="one of them only")
    parser.add_argument("--chart", type=output, metavar="FILE", help="draw the rates there")
    arguments = parser.parse_args()
    measured = {}
    for name in [arguments.series] if arguments.series else SERIES:
        for title, sizes in SERIES[name].items():
            times = microseconds(sizes)
            measured[title] = sizes, times
            print(table(title, sizes, times), flush=True)
    if arguments.chart:
        draw(measured, arguments.chart)


if __name__ == "__main__":
    main()
