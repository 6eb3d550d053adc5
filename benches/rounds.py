"""What local steps cost in quality: ``python -m benches.rounds``.

Rounds are pure functions, so one process trains as a cluster of any size would. Each schedule
has the best of some learning rates, chosen by the rows that are scored.
"""

import argparse

import numpy as np

import fastmlp
from benches.scale import CLASSES, FEATURES, make_rows
from fastmlp.dask.blocks import Rows
from fastmlp.dask.plan import Plan
from fastmlp.dask.rounds import Recipe, State, combine, local_round
from fastmlp.metrics import accuracy

SHARDS, EPOCHS, BATCH = 8, 2, 256  # rows of a step: of one machine, or of all shards together
SOLVERS = {
    "SGD": (lambda rate: fastmlp.SGD(rate, momentum=0.9, nesterov=True), (0.1, 0.2, 0.4)),
    "Adam": (fastmlp.Adam, (0.006, 0.012, 0.024)),
}
# Steps of a round, and outer momentum.
SCHEDULES = ((1, 0.0), (8, 0.0), (8, 0.6), (32, 0.0), (32, 0.6), (128, 0.0), (128, 0.6))


def start():
    """Make the network that all trainings start from."""
    return fastmlp.MLP([FEATURES, 100, CLASSES], seed=0)


def train_alone(optimizer, X, y):
    """Train on one machine, with cosine decay per epoch of 50 parts."""
    network, rate = start(), optimizer.learning_rate
    parts = np.array_split(np.random.default_rng(0).permutation(len(y)), 50)
    for i, rows in enumerate(parts * EPOCHS):
        optimizer.learning_rate = rate * decay(i, len(parts) * EPOCHS)
        network.fit(X[rows], y[rows], optimizer, epochs=1, batch_size=BATCH, seed=i)
    return network


def train_in_rounds(optimizer, X, y, sync_every, outer_momentum):
    """Train in rounds; return the network and the number of rounds."""
    per_shard = len(y) // SHARDS
    plan = Plan.of(
        [per_shard] * SHARDS,
        n_shards=SHARDS,
        block_rows=per_shard,
        batch_size=BATCH // SHARDS,
        sync_every=sync_every,
        seed=0,
        shuffle=True,
    )
    blocks = [Rows(X[i::SHARDS], y[i::SHARDS], None) for i in range(SHARDS)]
    network = start()
    recipe = Recipe(network, optimizer, plan.batch_size, 0, True, 1.0, outer_momentum, {})
    state, n_rounds = State.first(network, optimizer), EPOCHS * plan.n_rounds
    for epoch in range(EPOCHS):
        for number, pieces in enumerate(plan.epoch(epoch)):
            rate = optimizer.learning_rate * decay(epoch * plan.n_rounds + number, n_rounds)
            outcomes = [
                local_round(recipe, state, blocks[piece.shard], piece, rate) for piece in pieces
            ]
            state = combine(recipe, state, outcomes)
    network.parameters[:] = state.parameters
    return network, n_rounds


def decay(i, n):
    """Return the factor of the learning rate, along half a period of a cosine."""
    return (1 + np.cos(np.pi * i / n)) / 2


def main():
    """Read the arguments, and print a table per solver."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("form", nargs="?", choices=("smoke",), help="the smallest form")
    parser.add_argument("--rows", type=int, default=200_000)
    arguments = parser.parse_args()
    n_rows = 1_024 if arguments.form else arguments.rows
    X, y = make_rows(n_rows // SHARDS * SHARDS, (0, 0))
    X_test, y_test = make_rows(100_000, (1, 0))
    print(f"{len(y):,} rows x {FEATURES}, {EPOCHS} epochs, {SHARDS} shards")
    print("| solver | steps per round | outer momentum | rounds | accuracy |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, (make, rates) in SOLVERS.items():
        alone = max(accuracy(y_test, train_alone(make(r), X, y).predict(X_test)) for r in rates)
        print(f"| {name} | one machine | | | {alone:.3f} |", flush=True)
        for sync_every, momentum in SCHEDULES:
            found = [train_in_rounds(make(rate), X, y, sync_every, momentum) for rate in rates]
            best = max(accuracy(y_test, network.predict(X_test)) for network, _ in found)
            cells = (name, sync_every, f"{momentum:g}", f"{found[0][1]:,}", f"{best:.3f}")
            print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main()
