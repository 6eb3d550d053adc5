"""Plans deal every row out once per epoch, whatever the sizes, and depend on a seed alone."""

import numpy as np
import pytest

from fastmlp.dask.plan import Plan, held_out, n_held_out


def plan_of(n_rows, **changes):
    settings = {
        "n_shards": 2,
        "block_rows": 50,
        "batch_size": 7,
        "sync_every": 3,
        "seed": 1,
        "shuffle": True,
    }
    return Plan.of(n_rows, **(settings | changes))


def rows_of(plan, epoch):
    """Return the (shard, block, row) of each round."""
    return [
        [
            (piece.shard, piece.block, int(row))
            for piece in pieces
            for row in piece.rows(
                plan.shards[piece.shard][piece.block].n_rows,
                plan.batch_size,
                plan.seed,
                plan.shuffle,
            )
        ]
        for pieces in plan.epoch(epoch)
    ]


CASES = [
    ([20] * 6, {}),
    ([33, 0, 1, 90, 14, 20, 0, 51], {"n_shards": 3}),
    ([5, 5, 5], {"n_shards": 3, "sync_every": 1}),
    ([100], {"n_shards": 1, "block_rows": 1, "batch_size": 200}),
    ([40, 10, 10, 10, 10], {"sync_every": 1000, "shuffle": False}),
]


@pytest.mark.parametrize(("n_rows", "changes"), CASES)
def test_an_epoch_has_each_row_once(n_rows, changes):
    plan = plan_of(n_rows, **changes)

    dealt = sorted(number for blocks in plan.shards for b in blocks for number in b.partitions)
    assert dealt == [number for number, n in enumerate(n_rows) if n]
    for epoch in range(3):
        rounds = rows_of(plan, epoch)
        assert len(rounds) == plan.n_rounds
        met = [row for rows in rounds for row in rows]
        assert len(met) == len(set(met)) == sum(n_rows)


@pytest.mark.parametrize(("n_rows", "changes"), CASES)
def test_a_round_has_one_piece_per_shard_of_bounded_length(n_rows, changes):
    plan = plan_of(n_rows, **changes)

    for pieces in plan.epoch(0):
        shards = [piece.shard for piece in pieces]
        assert len(shards) == len(set(shards))
        for piece in pieces:
            n = plan.shards[piece.shard][piece.block].n_rows
            rows = piece.rows(n, plan.batch_size, plan.seed, plan.shuffle)
            assert 0 < len(rows) <= plan.batch_size * plan.sync_every
            is_last = piece.part == piece.n_parts - 1
            assert len(rows) % plan.batch_size == 0 or is_last


def test_rows_are_in_another_order_in_each_epoch_and_for_each_seed():
    plan = plan_of([50] * 4)

    orders = [rows_of(plan, 0), rows_of(plan, 1), rows_of(plan_of([50] * 4, seed=2), 0)]

    assert all(a != b for i, a in enumerate(orders) for b in orders[:i])
    assert rows_of(plan_of([50] * 4), 1) == orders[1]


def test_without_shuffling_rows_keep_their_order():
    plan = plan_of([50, 50], n_shards=1, shuffle=False)

    met = [row for rows in rows_of(plan, 4) for row in rows]

    assert met == sorted(met)


def test_a_block_has_partitions_up_to_its_size_but_at_least_one():
    plan = plan_of([20, 30, 60, 10, 41, 9, 1], n_shards=1, block_rows=50)

    partitions = [block.partitions for block in plan.shards[0]]

    assert partitions == [(0, 1), (2,), (3,), (4, 5), (6,)]


def test_a_shard_with_fewer_pieces_rests_at_even_intervals():
    plan = plan_of([80, 20], batch_size=10, sync_every=1, block_rows=100)

    rounds = plan.epoch(0)

    assert [len(pieces) for pieces in rounds] == [2, 1, 1, 1, 2, 1, 1, 1]


def test_seeds_of_steps_differ_between_pieces():
    plan = plan_of([70] * 4, sync_every=2)

    seeds = [piece.seed(1) for epoch in range(3) for r in plan.epoch(epoch) for piece in r]

    assert len(seeds) == len(set(seeds))
    assert all(0 <= seed < 2**64 for seed in seeds)


def test_rows_held_out_are_a_random_part_of_each_partition():
    held = held_out(5, 0, 1000, 0.1)

    assert held.sum() == n_held_out(1000, 0.1) == 100
    # A run of 100 rows at one end would have a mean place far from the middle.
    assert np.flatnonzero(held).mean() == pytest.approx(499.5, abs=100)
    assert (held != held_out(5, 1, 1000, 0.1)).any()
    assert (held == held_out(5, 0, 1000, 0.1)).all()
