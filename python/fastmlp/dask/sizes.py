"""Sizes of a training: its shards, blocks and rounds, by the parameters of rounds."""

from collections.abc import Sequence
from typing import Any

from dask.utils import parse_bytes

from fastmlp._core import MLP
from fastmlp.dask.advice import seconds_per_row
from fastmlp.dask.cluster import Cluster
from fastmlp.dask.plan import Plan

# Of the memory of the workers, what blocks may fill before they are read for each round instead.
_SHARE_OF_MEMORY = 0.3
# What sync_every="auto" aims at: seconds of computation in a round, and rounds in a training.
_SECONDS_OF_A_ROUND, _FEWEST_ROUNDS = 1.0, 100


def plan_for(
    estimator: Any,
    cluster: Cluster,
    network: MLP,
    n_rows: Sequence[int],
    *,
    row_bytes: float,
    batch_size: int,
    max_iter: int,
    seed: int,
    shuffle: bool,
) -> Plan:
    """Make the plan of a training.

    Parameters
    ----------
    estimator : BaseDask
        Whose parameters of rounds count.
    cluster : Cluster
    network : MLP
    n_rows : sequence of int
        Rows of each partition to train on.
    row_bytes : float
        Bytes of the features of a row.
    batch_size, max_iter, seed, shuffle
        Of the training.

    Raises
    ------
    ValueError
        If there are more shards than partitions.
    """
    asked, total = estimator.n_shards, sum(n_rows)
    filled = sum(map(bool, n_rows))
    if asked is not None and asked > filled:
        raise ValueError(
            f"n_shards is {asked}, expected at most {filled}, the partitions that have rows"
        )
    n_shards = asked or min(max(cluster.n_threads, 1), filled)
    sync_every: Any = estimator.sync_every
    if sync_every == "auto":
        steps = -(-total // (n_shards * batch_size))
        long = _SECONDS_OF_A_ROUND / (seconds_per_row(network) * batch_size)
        sync_every = max(1, int(min(long, max_iter * steps / _FEWEST_ROUNDS)))
    return Plan.of(
        n_rows,
        n_shards=n_shards,
        block_rows=max(1, int(bytes_of(estimator.block_size) / row_bytes)),
        batch_size=batch_size,
        sync_every=sync_every,
        seed=seed,
        shuffle=shuffle,
    )


def dense_row_bytes(network: MLP) -> int:
    """Return the bytes of the features of a row that is not sparse."""
    return network.layer_sizes[0] * network.parameters.itemsize


def fits_into_memory(cluster: Cluster, n_bytes: float) -> bool:
    """Say whether the workers keep all blocks."""
    memory = cluster.memory
    return memory is None or n_bytes <= _SHARE_OF_MEMORY * memory


def bytes_of(size: str | int) -> int:
    """Return the bytes that the parameter `block_size` stands for."""
    try:
        return parse_bytes(size) if isinstance(size, str) else size
    except ValueError:
        raise ValueError(
            f"block_size must be a number of bytes, or text such as '128 MiB', got {size!r}"
        ) from None
