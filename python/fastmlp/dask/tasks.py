"""Tasks that put rows into the memory of workers."""

from collections.abc import Callable, Sequence
from typing import Any

from dask.delayed import delayed
from distributed import Future

from fastmlp.dask.blocks import make_block, make_validation
from fastmlp.dask.cluster import Cluster
from fastmlp.dask.plan import Plan
from fastmlp.dask.scaling import Scaling
from fastmlp.dask.survey import Reading, Survey, merged
from fastmlp.dask.table import Partition


def survey_parts(
    cluster: Cluster,
    function: Callable[..., Survey],
    reading: Reading,
    partitions: Sequence[Partition],
) -> tuple[list[Survey], Survey]:
    """Survey partitions, one by one and together.

    Raises
    ------
    ValueError
        If there is no row, or none with a weight.
    """
    task: Any = delayed(function, pure=False)
    surveys: list[Survey] = cluster.results(
        cluster.compute([task(reading, *partition) for partition in partitions])
    )
    found = merged(surveys)
    if not found.n_rows:
        which = " of a weight above 0" if reading.is_weighted else ""
        raise ValueError(f"X{reading.suffix} has no rows{which}")
    if not found.n_weighted:
        raise ValueError(f"sample_weight{reading.suffix} must not be 0 for all rows")
    return surveys, found


class Blocks:
    """The blocks of a plan, as tasks.

    Parameters
    ----------
    cluster : Cluster
    plan : Plan
    partitions : sequence of Partition
    reader : Future
        A `Reader`.
    scaling : Scaling or None
    are_kept : bool
        Whether blocks stay in memory. If not, each is read again in each epoch, and dropped after
        its rounds.
    """

    def __init__(
        self,
        cluster: Cluster,
        plan: Plan,
        partitions: Sequence[Partition],
        reader: Future,
        scaling: Scaling | None,
        *,
        are_kept: bool,
    ) -> None:
        self.cluster = cluster
        self.are_kept = are_kept
        self._kept: dict[tuple[int, int], Future] = {}
        self._delayed = [
            [
                delayed(make_block)(
                    reader,
                    scaling,
                    block.partitions,
                    [tuple(partitions[number]) for number in block.partitions],
                    dask_key_name=f"fastmlp-block-{shard}-{number}-{cluster.run}",
                )
                for number, block in enumerate(blocks)
            ]
            for shard, blocks in enumerate(plan.shards)
        ]

    def future(self, shard: int, block: int) -> Future:
        """Return a block, which is computed where it is not in memory."""
        place = shard, block
        if place not in self._kept:
            if not self.are_kept:
                # The next rounds of the shard may need this block again, and no other.
                self._kept = {
                    other: kept for other, kept in self._kept.items() if other[0] != shard
                }
            (self._kept[place],) = self.cluster.compute([self._delayed[shard][block]])
        return self._kept[place]


def validation_parts(
    cluster: Cluster,
    partitions: Sequence[Partition],
    n_rows: Sequence[int],
    reader: Future,
    *,
    weighs: bool,
) -> list[Future]:
    """Return the rows for validation of each partition that has rows; they stay in memory."""
    make: Any = delayed(make_validation)
    return cluster.compute(
        [
            make(
                reader,
                number,
                tuple(partition),
                weighs=weighs,
                dask_key_name=f"fastmlp-held-{int(weighs)}-{number}-{cluster.run}",
            )
            for number, partition in enumerate(partitions)
            if n_rows[number]
        ]
    )


def itself(value: Any) -> Any:
    """Return a value: a task that puts it into the memory of a worker, and can do so again."""
    return value
