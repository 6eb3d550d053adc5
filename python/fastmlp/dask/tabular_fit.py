"""One fit of a table: what is learned of its targets and columns, and the training of networks."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from dask.delayed import delayed
from distributed import Future
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.utils.validation import validate_data

from fastmlp._core import MLP
from fastmlp.dask.advice import warn_of_a_small_fit, warn_of_sorted_rows
from fastmlp.dask.assembly import divided, recipe_for, rounds_for
from fastmlp.dask.blocks import Held
from fastmlp.dask.cluster import Cluster
from fastmlp.dask.columns import Columns, evidence, merged_columns
from fastmlp.dask.plan import Plan
from fastmlp.dask.sizes import dense_row_bytes, plan_for
from fastmlp.dask.survey import (
    Reading,
    Survey,
    balanced,
    classes_of,
    survey_targets,
)
from fastmlp.dask.table import Table, with_names
from fastmlp.dask.tabular_rows import TableReader, TableValidation
from fastmlp.dask.tasks import itself, survey_parts, validation_parts
from fastmlp.dask.training import epochs
from fastmlp.estimators.loss import check_is_object, loss_of, n_outputs_of
from fastmlp.estimators.random_state import legacy_random_state
from fastmlp.estimators.weights import class_weights_of_samples
from fastmlp.tabular import recipe as tabular
from fastmlp.tabular.features import named_categories
from fastmlp.tabular.front import Front, learn_columns
from fastmlp.tabular.member import Trained, Watch, fit_options
from fastmlp.tabular.network import make_network, make_optimizer
from fastmlp.tabular.target import Target, Values


class TabularFit:
    """One fit.

    Parameters
    ----------
    estimator : BaseDaskTabular
        Whose parameters of rounds count.
    draft : TabularClassifier or TabularRegressor
        What is trained.
    cluster : Cluster
    table : Table
        The rows.
    given : Table or None
        Those for validation.
    """

    target: Target
    recipe: tabular.Recipe
    # Of the last network.
    plan: Plan

    def __init__(
        self, estimator: Any, draft: Any, cluster: Cluster, table: Table, given: Table | None
    ) -> None:
        self.begin = time.monotonic()
        self.estimator = estimator
        self.draft = draft
        self.cluster = cluster
        self.table = table.with_own_keys(cluster.run)
        self.given = None if given is None else given.with_own_keys(cluster.run)

    def run(self) -> None:
        """Learn of all rows, and train the networks."""
        draft, table = self.draft, self.table
        random_state = legacy_random_state(draft.random_state)
        self.seed = int(random_state.randint(2**32, dtype=np.uint64))
        rows = with_names(table.feature_names, np.zeros((1, table.n_features)))
        validate_data(draft, rows, reset=True, skip_check_array=True)
        is_category = named_categories(
            draft.categorical_features, table.n_features, table.feature_names
        )
        surveys, found = self._survey(table, "")
        class_weights = self._learn_target(found)
        self.n_rows = [_n_present(each, draft, class_weights) for each in surveys]
        self.recipe = tabular.choose(
            draft._recipe, draft.preset, draft._choices(), sum(self.n_rows), table.n_features
        )
        reader = TableReader(draft, class_weights, self.recipe.dtype)
        columns = self._columns(reader, is_category)
        draft._front = learn_columns(
            evidence(columns),
            is_category,
            self.recipe.n_bins,
            with_ranks=True in self.recipe.kinds,
        )
        self.reader = reader._replace(largest_weight=columns.largest_weight)

        seeds = random_state.randint(2**31 - 1, size=self.recipe.n_members).tolist()
        self._advise(surveys, found, seeds[0])
        given = None if self.given is None else self._given()
        trained = [self._train(number, seed, given) for number, seed in enumerate(seeds)]
        draft.networks_ = [each.network for each in trained]
        draft.loss_curves_ = [each.losses for each in trained]
        draft.validation_scores_ = [each.scores for each in trained]
        draft.n_iter_ = max(len(each.losses) for each in trained)

    def _survey(self, table: Table, suffix: str) -> tuple[list[Survey], Survey]:
        is_weighted = not suffix and table.partitions[0].sample_weight is not None
        kind = "classes" if is_classifier(self.draft) else "numbers"
        if kind == "classes" and (table.n_targets or 1) > 1:
            raise ValueError(f"y{suffix} has {table.n_targets} columns, expected one")
        check_is_object(self.draft.loss)
        reading = Reading(
            "", self.table.n_features, kind, self.draft.loss, suffix, is_weighted=is_weighted
        )
        return survey_parts(self.cluster, survey_targets, reading, table.partitions)

    def _learn_target(self, found: Survey) -> NDArray[np.float64] | None:
        """Set what is to be known of the target; return weights of classes, if they have some."""
        draft = self.draft
        if found.classes is None:
            assert found.targets is not None
            assert found.bounds is not None
            n_targets = self.table.n_targets
            shape = (1,) if n_targets is None else (1, n_targets)
            loss = loss_of(draft.loss)
            n_outputs = n_outputs_of(loss, draft.loss, np.ones(shape))
            draft._is_vector = n_targets is None
            variance = found.targets.squares / found.targets.n
            draft._set_scale(found.targets.mean, variance, *found.bounds)
            self.target = Values(n_outputs, loss, draft._score())
            return None
        classes = classes_of(found)
        self.target = draft._set_classes(classes)
        if draft.class_weight is None:
            return None
        by_class = balanced(found) if draft.class_weight == "balanced" else draft.class_weight
        return class_weights_of_samples(by_class, classes, classes, incremental=False)

    def _columns(self, reader: TableReader, is_category: NDArray[np.bool_]) -> Columns:
        task: Any = delayed(TableReader.columns, pure=False)
        shared = self.cluster.submit("reader-columns", itself, reader)
        futures = self.cluster.compute(
            [
                task(shared, number, tuple(partition), is_category, self.seed)
                for number, partition in enumerate(self.table.partitions)
                if self.n_rows[number]
            ]
        )
        reduced = self.cluster.reduce("columns", merged_columns, futures)
        return merged_columns(self.cluster.results(reduced))

    def _advise(self, surveys: list[Survey], found: Survey, seed: int) -> None:
        first = self.recipe.of(0)
        network = self._network(first, seed)
        members = range(self.recipe.n_members)
        n_epochs = sum(self.recipe.of(member).max_iter for member in members)
        warn_of_a_small_fit(network, sum(self.n_rows), n_epochs, type(self.draft).__name__)
        warn_of_sorted_rows(self._plan(first, network, self.n_rows), surveys, found)

    def _network(self, recipe: tabular.Recipe, seed: int) -> MLP:
        front: Front = self.draft._front
        width = front.width(recipe.is_periodic)
        return make_network(recipe, self.target, width, seed, front.n_ranks)

    def _plan(self, recipe: tabular.Recipe, network: MLP, n_rows: Sequence[int]) -> Plan:
        return plan_for(
            self.estimator,
            self.cluster,
            network,
            n_rows,
            row_bytes=dense_row_bytes(network),
            batch_size=recipe.batch_size,
            max_iter=recipe.max_iter,
            seed=self.seed,
            shuffle=recipe.batch_size < sum(n_rows),
        )

    def _given(self) -> dict[bool, list[Future]]:
        """Return the caller's rows for validation, as networks of each kind read them."""
        assert self.given is not None
        surveys, _ = self._survey(self.given, "_val")
        n_rows = [each.n_rows for each in surveys]
        rows = {}
        for is_periodic in self.recipe.kinds:
            # Names of its own, for the same rows are read in two ways.
            cluster = Cluster(self.estimator.client)
            reader = self.reader._replace(is_periodic=is_periodic)
            rows[is_periodic] = validation_parts(
                cluster,
                self.given.partitions,
                n_rows,
                cluster.submit("reader-val", itself, reader),
                weighs=False,
            )
        return rows

    def _held(self, number: int) -> Held | None:
        """Return what a network does not see, as `BaseTabular._folds` deals it out."""
        if self.given is not None or sum(self.n_rows) < tabular.FEW_ROWS:
            return None
        n_folds = max(self.recipe.n_members, round(1 / self.draft.validation_fraction))
        return Held(self.seed, 1 / n_folds, number)

    def _train(self, number: int, seed: int, given: dict[bool, list[Future]] | None) -> Trained:
        """Train one network."""
        # Names of its own, for the same rows are other blocks.
        cluster, partitions = Cluster(self.estimator.client), self.table.partitions
        held = self._held(number)
        n_rows, n_held = divided(self.n_rows, held)
        recipe = self.recipe.of(number)
        network = self._network(recipe, seed)
        self.plan = self._plan(recipe, network, n_rows)._replace(seed=seed)

        own = self.reader._replace(held=held, is_periodic=recipe.is_periodic)
        reader = cluster.submit("reader", itself, own)
        validation = None
        if given is not None:
            validation = TableValidation(self.target, cluster, given[recipe.is_periodic])
        elif sum(n_held):
            parts = validation_parts(cluster, partitions, n_held, reader, weighs=True)
            validation = TableValidation(self.target, cluster, parts)
        rounds_recipe = recipe_for(
            self.estimator,
            self.plan,
            network.copy(),
            make_optimizer(recipe, network, is_planned=False),
            {**fit_options(recipe), "n_jobs": self.draft.n_jobs},
        )
        rounds = rounds_for(
            cluster,
            self.plan,
            partitions,
            reader,
            None,
            rounds_recipe,
            n_rows=sum(n_rows),
            row_bytes=dense_row_bytes(network),
        )
        optimizer = make_optimizer(recipe, network)
        score = None if validation is None else lambda: validation.score(network)
        watch = Watch(network, score, self._end(number))
        with watch.best_epoch():
            for state in epochs(network, rounds, rounds_recipe, optimizer, recipe.max_iter):
                if watch.note(state.loss / state.n_rows):
                    break
        if validation is not None:
            validation.finish(network)
        return Trained(network, watch.losses, watch.scores)

    def _end(self, number: int) -> Any:
        """Return a function that says whether the time of a network is over."""
        now = time.monotonic()
        if self.draft.max_time is None:
            return lambda: False
        left = max(0.0, self.begin + self.draft.max_time - now)
        end = now + left / (self.recipe.n_members - number)
        return lambda: time.monotonic() >= end


def _n_present(found: Survey, draft: Any, class_weights: NDArray[np.float64] | None) -> int:
    """Return how many rows of a partition have a weight above 0, also by their class."""
    if class_weights is None or found.classes is None:
        return found.n_rows
    weights = dict(zip(draft.classes_.tolist(), class_weights.tolist(), strict=True))
    return sum(count for label, count in found.classes.items() if weights[label] > 0)
