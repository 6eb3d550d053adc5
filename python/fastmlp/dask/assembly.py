"""What every fit puts together: rows to train on, a recipe, and rounds over blocks."""

from collections.abc import Sequence
from typing import Any

from distributed import Future

from fastmlp._core import MLP, Optimizer
from fastmlp.dask.blocks import Held
from fastmlp.dask.cluster import Cluster
from fastmlp.dask.plan import Plan, n_held_out
from fastmlp.dask.rounds import Recipe
from fastmlp.dask.scaling import Scaling
from fastmlp.dask.sizes import fits_into_memory
from fastmlp.dask.table import Partition
from fastmlp.dask.tasks import Blocks
from fastmlp.dask.training import Rounds


def divided(n_rows: Sequence[int], held: Held | None) -> tuple[list[int], list[int]]:
    """Return how many rows of each partition are trained on, and how many are held out."""
    n_held = [0 if held is None else n_held_out(n, held.fraction) for n in n_rows]
    return [n - out for n, out in zip(n_rows, n_held, strict=True)], n_held


def recipe_for(
    estimator: Any, plan: Plan, network: MLP, optimizer: Optimizer, options: dict[str, Any]
) -> Recipe:
    """Return the recipe of rounds that begin with a network.

    Parameters
    ----------
    estimator : BaseDask
        Whose parameters of rounds count.
    plan : Plan
    network : MLP
    optimizer : Optimizer
        Of the local steps; the learning rate of each round is given to it.
    options : dict
        Further arguments of `MLP.fit`.
    """
    outer = 1.0, 0.0
    if estimator.outer_optimizer is not None:
        outer = float(estimator.outer_lr), float(estimator.outer_momentum)
    return Recipe(network, optimizer, plan.batch_size, plan.seed, plan.shuffle, *outer, options)


def rounds_for(
    cluster: Cluster,
    plan: Plan,
    partitions: Sequence[Partition],
    reader: Future,
    scaling: Scaling | None,
    recipe: Recipe,
    *,
    n_rows: int,
    row_bytes: float,
) -> Rounds:
    """Return the rounds of a plan, over blocks that stay in memory if it has room for them.

    Parameters
    ----------
    cluster : Cluster
    plan : Plan
    partitions : sequence of Partition
    reader : Future
        What makes blocks of partitions.
    scaling : Scaling or None
    recipe : Recipe
    n_rows : int
        Rows to train on.
    row_bytes : float
        Bytes of the features of a row.
    """
    n_bytes = n_rows * (row_bytes + recipe.network.parameters.itemsize)
    are_kept = fits_into_memory(cluster, n_bytes)
    blocks = Blocks(cluster, plan, partitions, reader, scaling, are_kept=are_kept)
    return Rounds(cluster, plan, recipe, blocks)
