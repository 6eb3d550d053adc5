"""Shards, blocks, and the rows of each round: functions of a seed and of numbers of rows.

The rows of a fit are dealt to shards, partition by partition. A shard is cut into blocks, which are
what a task has in memory. An epoch of a shard goes through its blocks in random order, and through
each of them in one or more pieces; a round trains one piece per shard. Nothing here depends on the
cluster, nor on what was computed before.
"""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

# What the streams of random numbers of one seed are for.
_BLOCKS, _ROWS, _STEPS, _HELD, _SAMPLE = range(5)


class Block(NamedTuple):
    """Rows that a task has in memory at once."""

    partitions: tuple[int, ...]
    n_rows: int


class Piece(NamedTuple):
    """The rows of one shard in one round.

    Attributes
    ----------
    epoch, shard, block : int
        Numbers from 0; `block` counts within the shard.
    part, n_parts : int
        Which of the pieces of the block this is.
    """

    epoch: int
    shard: int
    block: int
    part: int
    n_parts: int

    def rows(self, n_rows: int, batch_size: int, seed: int, shuffle: bool) -> NDArray[np.intp]:
        """Return the places of its rows in the block, in rising order.

        The pieces of a block have whole batches but for the last one, and share its rows out by one
        random order per epoch, unless `shuffle` is False.
        """
        n_batches = -(-n_rows // batch_size)
        first, last = (
            min(n_batches * part // self.n_parts * batch_size, n_rows)
            for part in (self.part, self.part + 1)
        )
        if not shuffle or self.n_parts == 1:
            return np.arange(first, last)
        order = self._generator(seed, _ROWS).permutation(n_rows)
        return np.sort(order[first:last])

    def seed(self, seed: int) -> int:
        """Return the seed of the order of its steps, and of masks of dropout."""
        return int(self._generator(seed, _STEPS, self.part).integers(2**64, dtype=np.uint64))

    def _generator(self, seed: int, *purpose: int) -> np.random.Generator:
        return np.random.default_rng((seed, self.epoch, self.shard, self.block, *purpose))


class Plan(NamedTuple):
    """What each round of a training does.

    Attributes
    ----------
    shards : tuple of tuple of Block
    batch_size : int
        Rows of a step.
    sync_every : int
        The most steps of a round.
    seed : int
    shuffle : bool
    """

    shards: tuple[tuple[Block, ...], ...]
    batch_size: int
    sync_every: int
    seed: int
    shuffle: bool

    @classmethod
    def of(
        cls,
        n_rows: Sequence[int],
        *,
        n_shards: int,
        block_rows: int,
        batch_size: int,
        sync_every: int,
        seed: int,
        shuffle: bool,
    ) -> Self:
        """Deal partitions, given the rows of each, to shards and blocks.

        Partitions without rows are left out. There must be `n_shards` others or more.
        """
        filled = [number for number, n in enumerate(n_rows) if n]
        shards = []
        for shard in range(n_shards):
            blocks: list[Block] = []
            for number in filled[shard::n_shards]:
                n = n_rows[number]
                if blocks and blocks[-1].n_rows + n <= block_rows:
                    last = blocks.pop()
                    blocks.append(Block((*last.partitions, number), last.n_rows + n))
                else:
                    blocks.append(Block((number,), n))
            shards.append(tuple(blocks))
        return cls(tuple(shards), batch_size, sync_every, seed, shuffle)

    @property
    def n_rounds(self) -> int:
        """Rounds of an epoch."""
        return max(sum(map(self._n_parts, blocks)) for blocks in self.shards)

    def epoch(self, epoch: int) -> list[list[Piece]]:
        """Return the pieces of each round of an epoch.

        A shard with fewer pieces than others rests in some of the rounds, at even intervals.
        """
        rounds: list[list[Piece]] = [[] for _ in range(self.n_rounds)]
        for shard, blocks in enumerate(self.shards):
            order = np.arange(len(blocks))
            if self.shuffle:
                generator = np.random.default_rng((self.seed, epoch, shard, _BLOCKS))
                order = generator.permutation(order)
            pieces = [
                Piece(epoch, shard, int(block), part, self._n_parts(blocks[block]))
                for block in order
                for part in range(self._n_parts(blocks[block]))
            ]
            for place, piece in enumerate(pieces):
                rounds[place * len(rounds) // len(pieces)].append(piece)
        return rounds

    def _n_parts(self, block: Block) -> int:
        n_batches = -(-block.n_rows // self.batch_size)
        return -(-n_batches // self.sync_every)


def held_out(
    seed: int, partition: int, n_rows: int, fraction: float, fold: int = 0
) -> NDArray[np.bool_]:
    """Say which rows of a partition are held out for validation: other ones for each fold."""
    held = np.zeros(n_rows, dtype=bool)
    order = np.random.default_rng((seed, partition, _HELD)).permutation(n_rows)
    n_held = n_held_out(n_rows, fraction)
    held[np.roll(order, -fold * n_held)[:n_held]] = True
    return held


def n_held_out(n_rows: int, fraction: float) -> int:
    """Return how many rows of a partition are held out."""
    return round(n_rows * fraction)


def sample_keys(seed: int, partition: int, n_rows: int) -> NDArray[np.float64]:
    """Return a random number per row: the rows with the smallest ones are a uniform sample."""
    return np.random.default_rng((seed, partition, _SAMPLE)).random(n_rows)
