"""One fit: a survey of the data, a plan, and the tasks that train by it."""

from typing import Any

import numpy as np
from dask.delayed import delayed
from dask.utils import parse_bytes
from distributed import Future
from numpy.typing import NDArray
from sklearn.utils.validation import validate_data

from fastmlp._core import MLP
from fastmlp.dask.advice import (
    seconds_per_row,
    warn_of_a_small_fit,
    warn_of_scales,
    warn_of_sorted_rows,
)
from fastmlp.dask.blocks import Held, Reader
from fastmlp.dask.cluster import Cluster
from fastmlp.dask.plan import Plan, n_held_out
from fastmlp.dask.rounds import Recipe
from fastmlp.dask.scaling import Scaling
from fastmlp.dask.survey import Reading, Survey, classes_of, merged, survey
from fastmlp.dask.table import Table, with_names
from fastmlp.dask.tasks import Blocks, itself, validation_parts
from fastmlp.dask.training import Rounds, train
from fastmlp.dask.validation import ClusterValidation, check_scoring
from fastmlp.estimators.course import Course
from fastmlp.estimators.parameters import dropout_rates

# Of the memory of the workers, what blocks may fill before they are read for each round instead.
_SHARE_OF_MEMORY = 0.3
# What sync_every="auto" aims at: seconds of computation in a round, and rounds in a training.
_SECONDS_OF_A_ROUND, _FEWEST_ROUNDS = 1.0, 100


class Fit:
    """One fit: what is learned and decided before the first round.

    Parameters
    ----------
    estimator : BaseDaskMLP
        Whose parameters of rounds count.
    draft : MLPClassifier or MLPRegressor
        The draft of a local estimator, which is trained.
    cluster : Cluster
    table : Table
        The rows.
    given : Table or None
        Those for validation.
    fresh : bool
        Whether training begins anew.
    """

    plan: Plan

    def __init__(
        self,
        estimator: Any,
        draft: Any,
        cluster: Cluster,
        table: Table,
        given: Table | None,
        *,
        fresh: bool,
    ) -> None:
        self.estimator = estimator
        self.draft = draft
        self.cluster = cluster
        self.table = table
        self.given = given
        self.fresh = fresh

    def run(self) -> Course:
        """Train the draft."""
        draft, cluster = self.draft, self.cluster
        dtype = draft.dtype or ("float32" if self.table.is_single else "float64")
        surveys, found = self._survey(self.table, dtype, "")
        network = self._begin(found, dtype)
        validates = self.given is not None or draft.early_stopping
        if validates:
            check_scoring(draft)
        seed = int(draft._random_state.randint(2**32, dtype=np.uint64))
        held = Held(seed, draft.validation_fraction) if draft.early_stopping else None
        if self.given is not None:
            held = None
        n_held = [0 if held is None else n_held_out(s.n_rows, held.fraction) for s in surveys]
        if held is not None and sum(n_held) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of "
                "your dataset."
            )
        n_rows = [each.n_rows - n for each, n in zip(surveys, n_held, strict=True)]
        self._plan(network, n_rows, seed)
        self._advise(network, surveys, found, sum(n_rows))

        reader = self._reader(found)
        shared = cluster.submit("reader", itself, Reader(reader, held))
        scaling = Scaling.of(found.features, network.dtype) if self.estimator.standardize else None
        parts: list[Future] = []
        if self.given is not None:
            given_surveys, _ = self._survey(self.given, network.dtype, "_val")
            whole = cluster.submit("reader-val", itself, Reader(reader))
            rows_val = [each.n_rows for each in given_surveys]
            parts = validation_parts(cluster, self.given.partitions, rows_val, whole, weighs=False)
        elif held is not None:
            parts = validation_parts(cluster, self.table.partitions, n_held, shared, weighs=True)
        cluster.results([cluster.submit(f"checked-{i}", len, part) for i, part in enumerate(parts)])
        validation = ClusterValidation(draft, cluster, parts) if validates else None

        blocks = Blocks(
            cluster,
            self.plan,
            self.table.partitions,
            shared,
            scaling,
            are_kept=self._fits_into_memory(sum(n_rows), network),
        )
        recipe = self._recipe(network, scaling)
        rounds = Rounds(cluster, self.plan, recipe, blocks)
        return train(draft, network, rounds, recipe, scaling, validation, sum(n_rows))

    def _survey(self, table: Table, dtype: str, suffix: str) -> tuple[list[Survey], Survey]:
        """Survey the partitions of a table, one by one and together."""
        kind = "numbers"
        if hasattr(self.draft, "class_weight"):
            kind = "labels" if (table.n_targets or 1) > 1 else "classes"
        loss = None if kind != "numbers" else self.draft.loss
        reading = Reading(dtype, self.table.n_features, kind, loss, suffix)
        task: Any = delayed(survey, pure=False)
        surveys: list[Survey] = self.cluster.results(
            self.cluster.compute([task(reading, *partition) for partition in table.partitions])
        )
        found = merged(surveys)
        if not found.n_rows:
            raise ValueError(f"X{suffix} has no rows")
        if not found.n_weighted:
            raise ValueError(f"sample_weight{suffix} must not be 0 for all rows")
        return surveys, found

    def _begin(self, found: Survey, dtype: str) -> MLP:
        """Give the draft its network, as a fit in memory does that sees one row per class."""
        draft, table = self.draft, self.table
        rows = with_names(table.feature_names, np.zeros((1, table.n_features)))
        validate_data(draft, rows, reset=self.fresh, skip_check_array=True)
        n_targets = table.n_targets or 1
        targets: NDArray[Any]
        if found.classes is not None:
            targets = classes_of(found)
        elif found.targets is not None and hasattr(draft, "class_weight"):
            targets = np.eye(n_targets, dtype=np.int64)
        else:
            targets = np.ones(1 if n_targets == 1 else (1, n_targets))
        draft._encode(targets, fresh=self.fresh, incremental=False)
        network: MLP = draft._begin_network(table.n_features, dtype, fresh=self.fresh)
        draft._begin_record(self.fresh, validates=self.given is not None or draft.early_stopping)
        draft._optimizer = draft._next_optimizer(False)
        return network

    def _plan(self, network: MLP, n_rows: list[int], seed: int) -> None:
        draft, asked = self.draft, self.estimator.n_shards
        filled = sum(map(bool, n_rows))
        if asked is not None and asked > filled:
            raise ValueError(
                f"n_shards is {asked}, expected at most {filled}, the partitions that have rows"
            )
        n_shards = asked or min(max(self.cluster.n_threads, 1), filled)
        batch_size = draft._batch_rows(sum(n_rows))
        row_bytes = network.layer_sizes[0] * network.parameters.itemsize
        sync_every: Any = self.estimator.sync_every
        if sync_every == "auto":
            steps = -(-sum(n_rows) // (n_shards * batch_size))
            long = _SECONDS_OF_A_ROUND / (seconds_per_row(network) * batch_size)
            sync_every = max(1, int(min(long, draft.max_iter * steps / _FEWEST_ROUNDS)))
        self.plan = Plan.of(
            n_rows,
            n_shards=n_shards,
            block_rows=max(1, bytes_of(self.estimator.block_size) // row_bytes),
            batch_size=batch_size,
            sync_every=sync_every,
            seed=seed,
            shuffle=draft.shuffle,
        )

    def _advise(self, network: MLP, surveys: list[Survey], found: Survey, n_rows: int) -> None:
        draft = self.draft
        warn_of_a_small_fit(network, n_rows, draft.max_iter, type(draft).__name__)
        if not self.estimator.standardize:
            warn_of_scales(found, getattr(draft, "feature_names_in_", None))
        warn_of_sorted_rows(
            [
                merged([surveys[number] for block in blocks for number in block.partitions])
                for blocks in self.plan.shards
            ],
            found,
        )

    def _reader(self, found: Survey) -> Any:
        """Return the draft as tasks need it: its labels, and weights of all classes together."""
        reader = self.draft._draft()
        reader.callback, reader.random_state = None, None
        if getattr(reader, "class_weight", None) == "balanced":
            reader.class_weight = _balanced(found)
        return reader

    def _fits_into_memory(self, n_rows: int, network: MLP) -> bool:
        n_bytes = n_rows * (network.layer_sizes[0] + 1) * network.parameters.itemsize
        memory = self.cluster.memory
        return memory is None or n_bytes <= _SHARE_OF_MEMORY * memory

    def _recipe(self, network: MLP, scaling: Scaling | None) -> Recipe:
        draft, estimator = self.draft, self.estimator
        network = network.copy()
        if scaling is not None and not self.fresh:
            scaling.unfold(network)
        # The rate of each round is given to it.
        plain = draft._draft()
        plain.learning_rate, plain.warmup = "constant", None
        is_outer = estimator.outer_optimizer is not None
        return Recipe(
            network,
            plain._make_optimizer(),
            self.plan.batch_size,
            self.plan.seed,
            self.plan.shuffle,
            float(estimator.outer_lr) if is_outer else 1.0,
            float(estimator.outer_momentum) if is_outer else 0.0,
            {
                "dropout": dropout_rates(draft.dropout, len(network.layer_sizes) - 2),
                "input_dropout": draft.input_dropout,
                "alpha": draft.alpha,
                "report": "scikit-learn",
                "n_jobs": draft.n_jobs,
            },
        )


def _balanced(found: Survey) -> Any:
    """Return the weights that class_weight='balanced' stands for."""
    if found.classes is not None:
        n, k = found.n_rows, len(found.classes)
        return {label: n / (k * count) for label, count in found.classes.items()}
    assert found.targets is not None
    return [
        {value: 1 / (2 * share) for value, share in ((0, 1 - mean), (1, mean)) if share > 0}
        for mean in found.targets.mean
    ]


def bytes_of(size: str | int) -> int:
    """Return the bytes that the parameter `block_size` stands for."""
    try:
        return parse_bytes(size) if isinstance(size, str) else size
    except ValueError:
        raise ValueError(
            f"block_size must be a number of bytes, or text such as '128 MiB', got {size!r}"
        ) from None
