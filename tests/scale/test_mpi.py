"""Jobs of two and four ranks train as one process does, and end whole if a rank fails.

The wheels of mpich and mpi4py are among the packages of the tests, so nothing is left out if they
are missing: it fails.
"""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import fastmlp
from fastmlp.checkpoint import Checkpoint

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the wheel of mpich is for Linux")

MPIEXEC = Path(sys.executable).parent / "mpiexec"
EPOCHS, BATCH, ROWS = 4, 10, 115
# What the programs of a job and the test have in common.
COMMON = f"""
import os, signal
import numpy as np
import fastmlp
from fastmlp.checkpoint import Checkpoint

def make(optimizer, dtype="float64"):
    mlp = fastmlp.MLP([4, 12, 3], activation="tanh", dtype=dtype, seed=2)
    return Checkpoint(mlp, optimizer, seed=5)

def rows(dtype="float64"):
    rng = np.random.default_rng(1)
    X = rng.standard_normal(({ROWS}, 4)).astype(dtype)
    return X, (X[:, 0] > 0) + (X[:, 1] > 0.5).astype(int), rng.random({ROWS}).astype(dtype)
"""
START = """
from mpi4py import MPI
from fastmlp import mpi
comm = MPI.COMM_WORLD
X, y, w = rows()
X, y, w = (values[comm.rank::comm.size] for values in (X, y, w))
"""
namespace = {}
exec(COMMON, namespace)
make, rows = namespace["make"], namespace["rows"]


def job(n_ranks, folder, program):
    """Run a program as a job of some ranks: its status and what it printed."""
    path = folder / "program.py"
    path.write_text(COMMON + START + textwrap.dedent(program))
    done = subprocess.run(
        [MPIEXEC, "-n", str(n_ranks), sys.executable, "-W", "error", "-m", "mpi4py", path],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


OPTIMIZERS = {
    "momentum": "fastmlp.SGD(0.2, momentum=0.9, nesterov=True)",
    "cosine": 'fastmlp.AdamW(0.01, schedule="cosine", warmup=0.1, clip_norm=0.5)',
}


@pytest.mark.parametrize(("n_ranks", "name"), [(2, "momentum"), (4, "cosine")])
def test_ranks_train_as_one_process_with_the_batches_of_all(tmp_path, n_ranks, name):
    status, printed = job(
        n_ranks,
        tmp_path,
        f"""
        training = make({OPTIMIZERS[name]})
        if comm.rank:
            training.network.parameters[:] = 0  # those of rank 0 count
        history = mpi.fit(
            training, X, y, epochs={EPOCHS}, batch_size={BATCH}, shuffle=False,
            sample_weight=w, alpha=0.01, path="last.safetensors",
        )
        found = {{"parameters": training.network.parameters, "loss": history.loss}}
        np.savez(f"rank{{comm.rank}}.npz", **found)
        """,
    )
    assert (status, printed) == (0, "")
    found = [np.load(tmp_path / f"rank{rank}.npz") for rank in range(n_ranks)]

    # The first batch of each rank, then the second of each; the last ones have fewer rows.
    X, y, w = rows()
    optimizer = eval(OPTIMIZERS[name], {"fastmlp": fastmlp})
    mlp, losses = make(optimizer).network, []
    n_steps = -(-len(X[::n_ranks]) // BATCH)
    rates = optimizer.learning_rates(EPOCHS * n_steps)
    parts = [np.arange(len(X))[rank::n_ranks] for rank in range(n_ranks)]
    for epoch in range(EPOCHS):
        total = 0.0
        for step in range(n_steps):
            at = np.concatenate([part[step * BATCH : (step + 1) * BATCH] for part in parts])
            loss, gradient = mlp.loss_and_grad(X[at], y[at], w[at], alpha=0.01)
            optimizer.learning_rate = rates[epoch * n_steps + step]
            optimizer.step(mlp, gradient)
            total += w[at].sum() * loss
        losses.append(total / w.sum())
    for each in found:
        assert (each["parameters"] == found[0]["parameters"]).all()
        np.testing.assert_allclose(each["parameters"], mlp.parameters, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(each["loss"], losses, rtol=1e-9)
    written = Checkpoint.load(tmp_path / "last.safetensors")
    assert (written.network.parameters == found[0]["parameters"]).all()
    assert written.epoch == EPOCHS
    assert written.optimizer.learning_rate == eval(OPTIMIZERS[name]).learning_rate
    assert np.isnan(written.history.accuracy).all()


def test_a_rank_that_is_killed_ends_the_job_and_the_file_goes_on_with_the_same_bits(tmp_path):
    program = """
        training = make(fastmlp.Adam(0.01))
        if os.path.exists("last.safetensors"):
            training = Checkpoint.load("last.safetensors")
        pids = comm.allgather(os.getpid())

        def callback(epoch):
            if epoch.epoch == 3 and KILLS:
                os.kill(pids[1], signal.SIGKILL)

        mpi.fit(
            training, X, y, epochs=5, batch_size=10, dropout=0.2,
            path=NAME, interval=0, callback=callback,
        )
    """
    name = '"last.safetensors"'
    status, printed = job(2, tmp_path, program.replace("KILLS", "True").replace("NAME", name))
    assert status != 0
    assert "(signal 9)" in printed
    path = tmp_path / "last.safetensors"
    # The job may end before rank 0 has written the third epoch.
    assert Checkpoint.load(path).epoch in (2, 3)

    assert job(2, tmp_path, program.replace("KILLS", "False").replace("NAME", name)) == (0, "")
    resumed = Checkpoint.load(path)
    path.unlink()
    assert job(2, tmp_path, program.replace("KILLS", "False").replace("NAME", name)) == (0, "")
    assert resumed.epoch == 5
    assert (resumed.network.parameters == Checkpoint.load(path).network.parameters).all()


def test_an_error_of_one_rank_is_raised_on_all(tmp_path):
    status, printed = job(
        2,
        tmp_path,
        """
        from fastmlp.mpi import RankError

        def message(kind, training=None, **arguments):
            try:
                mpi.fit(
                    training or make(fastmlp.SGD(0.1)), X, arguments.pop("y", y),
                    **{"epochs": 2, "batch_size": 20, **arguments},
                )
            except kind as error:
                return f"{type(error).__name__}: {error}"

        def last(answer):
            # The answer of rank 1 is in the middle of what rank 0 prints.
            answers = comm.gather(answer)
            if comm.rank == 0:
                print(*answers, sep="\\n")

        last(message(Exception, batch_size=0 if comm.rank else 20))
        bad = y.copy()
        bad[-1] += 5 * comm.rank
        last(message(Exception, y=bad))
        last(message(Exception, path="nowhere/last.safetensors"))

        def callback(epoch):
            raise KeyError("of rank 0")

        last(message(Exception, callback=callback))
        mlp = fastmlp.MLP([4, 5, 3], normalization="batch", seed=0, dtype="float64")
        last(message(ValueError, Checkpoint(mlp, fastmlp.SGD(0.1), 0)))
        mlp = fastmlp.MLP([4, 5, 5, 3], seed=0, dtype="float64")
        last(message(Exception, Checkpoint(mlp, fastmlp.SGD(1e300), 0)).partition(":")[0])
        X, y = X[:0], y[:0]
        last(message(ValueError))
        """,
    )
    lines = printed.splitlines()
    assert status == 0, printed
    assert lines[0] == "RankError: rank 1 failed: ValueError: batch_size must be >= 1, got 0"
    assert lines[1] == "ValueError: batch_size must be >= 1, got 0"
    assert lines[2] == f"RankError: rank 1 failed: {lines[3]}"
    assert lines[3].startswith("ValueError: y")
    assert lines[4].startswith("FileNotFoundError: ")
    assert lines[5] == f"RankError: rank 0 failed: {lines[4]}"
    assert lines[6:8] == [
        "KeyError: 'of rank 0'",
        "RankError: rank 0 failed: KeyError: 'of rank 0'",
    ]
    assert (
        lines[8:10] == ["ValueError: the network must not have normalization='batch', got it"] * 2
    )
    assert lines[10:12] == ["DivergenceError"] * 2
    assert lines[12:14] == ["ValueError: X has no rows on any rank"] * 2
