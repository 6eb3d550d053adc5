"""What more machines cost and gain: ``python -m benches.scale``.

It measures the seconds of a training step, of a round on a Dask cluster of this machine, and of an
allreduce between two ranks of MPI. From these and a network's latency and bandwidth it simulates 8
to 256 machines. ``--rows 20000000`` trains on a table that is made part by part, with bounded
memory, and compares with a serial fit.

The processes share the cores of one machine. So the costs of a round are measured, and the gain of
more machines is simulated, never measured.
"""

import argparse
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np

import fastmlp
from benches.output import output

FEATURES, CLASSES = 54, 7
# Widths of hidden layers whose networks have about 6,000, 100,000 and 1,000,000 parameters.
WIDTHS = {"6k": (100,), "100k": (256, 320), "1M": (1024, 880)}
BATCH = 256
MACHINES = (8, 16, 32, 64, 128, 256)
FAN_IN = 8  # outcomes that one task averages

ALLREDUCE = """
import sys, time
import numpy as np
from mpi4py import MPI
comm = MPI.COMM_WORLD
buffer, n = np.zeros(int(sys.argv[1]), "f4"), int(sys.argv[2])
times = []
for _ in range(n):
    comm.Barrier()
    start = time.perf_counter()
    comm.Allreduce(MPI.IN_PLACE, buffer)
    times.append(time.perf_counter() - start)
if comm.rank == 0:
    print(np.median(times))
"""


class Costs(NamedTuple):
    """What was measured of one network; seconds."""

    n_parameters: int
    step: float  # of BATCH rows
    jitter: float  # deviation of the time of a round, as a fraction of it
    round: float  # of one shard, which computes next to nothing
    per_shard: float  # what another shard adds to it
    allreduce: float | None


class Link(NamedTuple):
    """A network between machines."""

    latency: float  # seconds of a round trip
    bandwidth: float  # bytes per second


def teacher(seed=0):
    """Make the network that gives rows their classes."""
    mlp = fastmlp.MLP([FEATURES, 24, CLASSES], activation="tanh", seed=seed)
    for weights in mlp.weights:
        weights *= 2
    return mlp


def make_rows(n, seed):
    """Make rows of float32, and classes of which a tenth are wrong."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, FEATURES), dtype=np.float32)
    y = teacher().predict(X)
    wrong = rng.random(n) < 0.1
    y[wrong] = rng.integers(CLASSES, size=np.count_nonzero(wrong))
    return X, y


def time_of_a_step(width, n_rounds, seconds):
    """Return the median time of a step, and how much rounds of so many seconds vary."""
    X, y = make_rows(20 * BATCH, 1)
    mlp = fastmlp.MLP([FEATURES, *width, CLASSES], seed=0)
    optimizer = fastmlp.SGD(0.05, momentum=0.9)

    def elapsed(epochs):
        start = time.perf_counter()
        mlp.fit(X, y, optimizer, epochs=epochs, batch_size=BATCH, seed=0)
        return time.perf_counter() - start

    elapsed(1)
    epochs = max(1, round(seconds / elapsed(1)))
    times = np.array([elapsed(epochs) for _ in range(n_rounds)])
    step = float(np.median(times)) / (20 * epochs)
    return step, float(times.std() / times.mean()), mlp.n_parameters


def time_of_a_round(client, width, n_shards, n_rounds, n_epochs):
    """Return the median time of a round whose steps have one row, over some epochs of rounds."""
    import dask.array as da

    from fastmlp.dask import DaskMLPClassifier

    X, y = make_rows(n_rounds * n_shards, 2)
    y[0] = CLASSES - 1
    elapsed = []
    clf = DaskMLPClassifier(
        width,
        solver="sgd",
        batch_size=1,
        sync_every=1,
        max_iter=n_epochs + 1,
        n_shards=n_shards,
        random_state=0,
        callback=lambda info: elapsed.append(info.elapsed),
        client=client,
    )
    clf.fit(da.from_array(X, chunks=(n_rounds, FEATURES)), da.from_array(y, chunks=n_rounds))
    return float(np.median(np.diff(elapsed))) / clf.n_rounds_


def time_of_an_allreduce(n_parameters, n):
    """Return the median time between two ranks; None without MPI."""
    mpiexec = Path(sys.executable).parent / "mpiexec"
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "allreduce.py"
        program.write_text(ALLREDUCE)
        try:
            done = subprocess.run(
                [mpiexec, "-n", "2", sys.executable, program, str(n_parameters + 2), str(n)],
                check=True,
                capture_output=True,
                text=True,
            )
        except (OSError, subprocess.CalledProcessError):
            return None
    return float(done.stdout)


def measure(client, width, smoke):
    """Measure all costs of one network."""
    step, jitter, n_parameters = (
        time_of_a_step(width, 3, 0.01) if smoke else time_of_a_step(width, 8, 0.2)
    )
    n_times = (2, 1) if smoke else (8, 3)
    one, many = (time_of_a_round(client, width, n, *n_times) for n in (1, FAN_IN))
    return Costs(
        n_parameters,
        step,
        jitter,
        one,
        max(many - one, 0.0) / (FAN_IN - 1),
        time_of_an_allreduce(n_parameters, 10 if smoke else 200),
    )


def seconds_of_a_round(costs, link, n, seconds, rng):
    """Simulate a round on some machines, each of which computes for so many seconds.

    The scheduler handles one task after another. The state goes to the machines along a binary
    tree, outcomes come back in groups of `FAN_IN`, whose bytes arrive one after another, and the
    round waits for the slowest machine.
    """
    transfer = 2 * 4 * costs.n_parameters / link.bandwidth  # parameters and velocity
    out = np.ceil(np.log2(n)) * (link.latency + transfer)
    slowest = (
        seconds * (1 + costs.jitter * np.abs(rng.standard_normal((200, n))).max(axis=1)).mean()
    )
    back, groups = 0.0, n
    while groups > 1:
        back += link.latency + min(groups, FAN_IN) * transfer
        groups = -(-groups // FAN_IN)
    return costs.round + costs.per_shard * (n - 1) + out + slowest + back


def seconds_of_an_mpi_step(costs, link, n):
    """Simulate a synchronous step: a reduction and a broadcast along trees, in halves."""
    n_bytes = 4 * costs.n_parameters
    between = 2 * np.log2(n) * link.latency / 2 + 2 * n_bytes / link.bandwidth
    return costs.step + (costs.allreduce or 0.0) + between


def simulate(costs, link, rounds):
    """Return the speed-up per number of machines: rounds of some seconds, and steps of MPI."""
    rng = np.random.default_rng(0)
    found = {
        f"rounds of {seconds:g} s": [
            n * seconds / seconds_of_a_round(costs, link, n, seconds, rng) for n in MACHINES
        ]
        for seconds in rounds
    }
    steps = [n * costs.step / seconds_of_an_mpi_step(costs, link, n) for n in MACHINES]
    return found | {f"MPI, {BATCH} rows each": steps}


def draw(results, path):
    """Draw the speed-ups of all networks side by side."""
    from fastmlp._extras import require

    figure_module = require("matplotlib.figure", "benches.scale")
    figure = figure_module.Figure(figsize=(4 * len(results), 4), layout="constrained")
    all_axes = figure.subplots(1, len(results), sharey=True, squeeze=False)[0]
    for axes, (name, found) in zip(all_axes, results.items(), strict=True):
        axes.plot(MACHINES, MACHINES, color="0.7", linestyle="--", label="ideal")
        for label, speed_ups in found.items():
            axes.plot(MACHINES, speed_ups, marker="o", markersize=3, label=label)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log", base=2)
        axes.set_xticks(MACHINES, [str(n) for n in MACHINES])
        axes.set_yticks([1, 4, 16, 64, 256], ["1", "4", "16", "64", "256"])
        axes.set_title(f"{name} parameters")
        axes.set_xlabel("machines (simulated)")
    all_axes[0].set_ylabel("rows per second, as multiples of one machine's")
    all_axes[0].legend(fontsize=8)
    figure.savefig(path, dpi=120)


def report(name, costs, found):
    """Print what was measured and simulated of one network."""
    allreduce = "-" if costs.allreduce is None else f"{1e3 * costs.allreduce:.3f} ms"
    print(f"\n{name}: {costs.n_parameters} parameters, {FEATURES} features")
    print(f"  step of {BATCH} rows   {1e3 * costs.step:.3f} ms, deviation {costs.jitter:.0%}")
    print(f"  round of 1 shard   {1e3 * costs.round:.1f} ms beside its steps")
    print(f"  each further shard {1e3 * costs.per_shard:.1f} ms")
    print(f"  allreduce, 2 ranks {allreduce}")
    rows = (costs.round + costs.per_shard) / costs.step * BATCH
    print(f"  2 machines compute half of the time with {rows:,.0f} rows per shard and round")
    print(f"  {'simulated speed-up':<20}" + "".join(f"{n:>8}" for n in MACHINES))
    for label, speed_ups in found.items():
        print(f"  {label:<20}" + "".join(f"{speed_up:8.1f}" for speed_up in speed_ups))


def peak_memory(pids):
    """Return the sum of the peaks of processes, in bytes."""
    total = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
        total += next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return total


def train_on_many_rows(n_rows, n_epochs, memory, part=100_000):
    """Train on rows that tasks make, with two workers; then serially, part by part."""
    import os

    import dask.array as da
    from dask.delayed import delayed
    from distributed import Client, LocalCluster

    from fastmlp.dask import DaskMLPClassifier

    n_parts = -(-n_rows // part)
    X_test, y_test = make_rows(100_000, (1, 0))
    settings = {
        "hidden_layer_sizes": (100,),
        "solver": "sgd",
        "learning_rate": "cosine",
        "learning_rate_init": 0.2,
        "batch_size": BATCH,
        "max_iter": n_epochs,
        "random_state": 0,
    }

    start = time.perf_counter()
    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            memory_limit=memory,
            dashboard_address=":0",
            host="127.0.0.1",
        ) as cluster,
        Client(cluster) as client,
    ):
        parts = [delayed(make_rows, nout=2)(part, (0, number)) for number in range(n_parts)]
        X = da.concatenate([da.from_delayed(x, (part, FEATURES), np.float32) for x, _ in parts])
        y = da.concatenate([da.from_delayed(y, (part,), np.int64) for _, y in parts])
        clf = DaskMLPClassifier(**settings, n_shards=2).fit(X, y)
        peak = peak_memory([os.getpid(), *client.run(os.getpid).values()])
        rounds = clf.n_rounds_ * n_epochs
    seconds = time.perf_counter() - start
    accuracy = clf.to_local().score(X_test, y_test)
    print(f"{n_parts * part:,} rows x {FEATURES}, {X.nbytes / 1e9:.1f} GB, {n_epochs} epochs")
    print(f"  rounds   accuracy {accuracy:.4f}, {seconds:.0f} s, {rounds} rounds")
    print(f"           peak memory of client and workers {peak / 1e9:.2f} GB in all")

    serial_accuracy = train_serially(settings, n_parts, part, X_test, y_test)
    print(f"  serial   accuracy {serial_accuracy:.4f}")
    return accuracy, serial_accuracy, peak


def train_serially(settings, n_parts, part, X_test, y_test):
    """Train by a loop over the parts in random order; return the accuracy."""
    rate, n_epochs = settings["learning_rate_init"], settings["max_iter"]
    network = fastmlp.MLP([FEATURES, 100, CLASSES], seed=0)
    optimizer = fastmlp.SGD(rate, momentum=0.9, nesterov=True, scaled_velocity=True)
    places = np.arange(n_epochs * n_parts) / (n_epochs * n_parts)
    rng = np.random.default_rng(0)
    numbers = np.concatenate([rng.permutation(n_parts) for _ in range(n_epochs)])
    for i, (number, factor) in enumerate(
        zip(numbers, (1 + np.cos(np.pi * places)) / 2, strict=True)
    ):
        optimizer.learning_rate = rate * factor
        rows = make_rows(part, (0, int(number)))
        network.fit(*rows, optimizer, epochs=1, batch_size=BATCH, seed=i, alpha=1e-4)
    return float((network.predict(X_test) == y_test).mean())


def main():
    """Read the arguments, measure, simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("form", nargs="?", choices=("smoke",), help="the smallest form")
    parser.add_argument("--latency", type=float, default=2e-4, help="seconds of a round trip")
    parser.add_argument("--bandwidth", type=float, default=1.25e9, help="bytes per second")
    parser.add_argument("--chart", type=output, help="write the plot there")
    parser.add_argument("--rows", type=int, help="train on so many rows, and measure nothing else")
    parser.add_argument("--epochs", type=int, default=2, help="of --rows")
    parser.add_argument("--memory", default="1.5GiB", help="of each of the workers of --rows")
    arguments = parser.parse_args()
    for name in ("SmallFitWarning", "ConvergenceWarning"):
        warnings.filterwarnings("ignore", category=_category(name))
    if arguments.rows is not None:
        train_on_many_rows(arguments.rows, arguments.epochs, arguments.memory)
        return

    from distributed import Client, LocalCluster

    link = Link(arguments.latency, arguments.bandwidth)
    results = {}
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", host="127.0.0.1"
        ) as cluster,
        Client(cluster) as client,
    ):
        for name, width in list(WIDTHS.items())[: 1 if arguments.form else None]:
            costs = measure(client, width, bool(arguments.form))
            results[name] = simulate(costs, link, (1.0, 10.0))
            report(name, costs, results[name])
    if arguments.chart is not None:
        draw(results, arguments.chart)


def _category(name):
    from sklearn.exceptions import ConvergenceWarning

    from fastmlp.dask import SmallFitWarning

    return {"SmallFitWarning": SmallFitWarning, "ConvergenceWarning": ConvergenceWarning}[name]


if __name__ == "__main__":
    main()
