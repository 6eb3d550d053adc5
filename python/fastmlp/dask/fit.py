"""One fit: a survey of the data, a plan, and the tasks that train by it."""

from typing import Any

import numpy as np
from distributed import Future
from numpy.typing import NDArray
from sklearn.utils.validation import validate_data

from fastmlp._core import MLP
from fastmlp.dask.advice import (
    warn_of_a_small_fit,
    warn_of_scales,
    warn_of_sorted_rows,
)
from fastmlp.dask.assembly import divided, recipe_for, rounds_for
from fastmlp.dask.blocks import Held, Reader
from fastmlp.dask.cluster import Cluster
from fastmlp.dask.plan import Plan
from fastmlp.dask.rounds import Recipe
from fastmlp.dask.scaling import Scaling
from fastmlp.dask.sizes import dense_row_bytes, plan_for
from fastmlp.dask.survey import Reading, Survey, balanced, classes_of, survey
from fastmlp.dask.table import Table, with_names
from fastmlp.dask.tasks import itself, survey_parts, validation_parts
from fastmlp.dask.training import train
from fastmlp.dask.validation import ClusterValidation, check_scoring
from fastmlp.estimators.course import Course
from fastmlp.estimators.parameters import dropout_rates


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
        self.table = table.with_own_keys(cluster.run)
        self.given = None if given is None else given.with_own_keys(cluster.run)
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
        n_rows, n_held = divided([each.n_rows for each in surveys], held)
        if held is not None and sum(n_held) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of "
                "your dataset."
            )
        row_bytes = _row_bytes(network, found)
        self.plan = plan_for(
            self.estimator,
            cluster,
            network,
            n_rows,
            row_bytes=row_bytes,
            batch_size=draft._batch_rows(sum(n_rows)),
            max_iter=draft.max_iter,
            seed=seed,
            shuffle=draft.shuffle,
        )
        self._advise(network, surveys, found, sum(n_rows))

        reader = self._reader(found)
        shared = cluster.submit("reader", itself, Reader(reader, held))
        scaling = None
        if self.estimator.standardize:
            if found.features is None:
                raise ValueError(
                    "standardize=True would make sparse X dense: scale it without a shift, as "
                    "sklearn.preprocessing.MaxAbsScaler does"
                )
            scaling = Scaling.of(found.features, network.dtype)
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

        recipe = self._recipe(network, scaling)
        rounds = rounds_for(
            cluster,
            self.plan,
            self.table.partitions,
            shared,
            scaling,
            recipe,
            n_rows=sum(n_rows),
            row_bytes=row_bytes,
        )
        return train(draft, network, rounds, recipe, scaling, validation, sum(n_rows))

    def _survey(self, table: Table, dtype: str, suffix: str) -> tuple[list[Survey], Survey]:
        """Survey the partitions of a table, one by one and together."""
        kind = "numbers"
        if hasattr(self.draft, "class_weight"):
            kind = "labels" if (table.n_targets or 1) > 1 else "classes"
        loss = None if kind != "numbers" else self.draft.loss
        reading = Reading(dtype, self.table.n_features, kind, loss, suffix)
        return survey_parts(self.cluster, survey, reading, table.partitions)

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

    def _advise(self, network: MLP, surveys: list[Survey], found: Survey, n_rows: int) -> None:
        draft = self.draft
        warn_of_a_small_fit(network, n_rows, draft.max_iter, type(draft).__name__)
        if not self.estimator.standardize:
            warn_of_scales(found, getattr(draft, "feature_names_in_", None))
        warn_of_sorted_rows(self.plan, surveys, found)

    def _reader(self, found: Survey) -> Any:
        """Return the draft as tasks need it: its labels, and weights of all classes together."""
        reader = self.draft._draft()
        reader.callback, reader.random_state = None, None
        if getattr(reader, "class_weight", None) == "balanced":
            reader.class_weight = balanced(found)
        return reader

    def _recipe(self, network: MLP, scaling: Scaling | None) -> Recipe:
        draft = self.draft
        network = network.copy()
        if scaling is not None and not self.fresh:
            scaling.unfold(network)
        # The rate of each round is given to it.
        plain = draft._draft()
        plain.learning_rate, plain.warmup = "constant", None
        options = {
            "dropout": dropout_rates(draft.dropout, len(network.layer_sizes) - 2),
            "input_dropout": draft.input_dropout,
            "alpha": draft.alpha,
            "report": "scikit-learn",
            "n_jobs": draft.n_jobs,
        }
        return recipe_for(self.estimator, self.plan, network, plain._make_optimizer(), options)


def _row_bytes(network: MLP, found: Survey) -> float:
    """Return the bytes of the features of a row; a sparse one has an index per number."""
    if found.n_stored is None:
        return dense_row_bytes(network)
    return max(1.0, found.n_stored / found.n_rows * (network.parameters.itemsize + 4))
