"""Train on all ranks of an MPI job: mpiexec -n 4 python -m mpi4py examples/mpi_job.py.

Each rank makes its own part of the rows, where a real job would read its own files. If the job is
interrupted, the same command goes on from the last epoch that was written.
"""

from pathlib import Path

import numpy as np
from mpi4py import MPI

import fastmlp
from fastmlp import mpi
from fastmlp.checkpoint import Checkpoint

PATH = Path("training.safetensors")


def make_rows(n_rows, seed):
    """Make points of the plane, and whether they are in a ring."""
    X = np.random.default_rng(seed).uniform(-1, 1, (n_rows, 2)).astype(np.float32)
    radius = np.hypot(*X.T)
    return X, ((radius > 0.4) & (radius < 0.8)).astype(int)


def main():
    """Train, and return the accuracy on rows that no rank has seen."""
    comm = MPI.COMM_WORLD
    X, y = make_rows(4_000, seed=comm.rank)

    # All ranks get the training of rank 0.
    if comm.rank == 0 and PATH.exists():
        training = Checkpoint.load(PATH)
    else:
        optimizer = fastmlp.Adam(0.01, schedule="cosine")
        training = Checkpoint(fastmlp.MLP([2, 32, 2], seed=0), optimizer, seed=0)

    def show(epoch):
        if epoch.epoch % 10 == 0:
            print(f"epoch {epoch.epoch:3}  loss {epoch.loss:.3f}")

    mpi.fit(training, X, y, epochs=30, batch_size=32, path=PATH, callback=show)

    X_test, y_test = make_rows(10_000, seed=1_000)
    accuracy = float((training.network.predict(X_test) == y_test).mean())
    if comm.rank == 0:
        print(f"accuracy on unseen points: {accuracy:.3f}, {comm.size} ranks")
    return accuracy


if __name__ == "__main__":
    main()
