"""``fastmlp train`` for tables of every kind."""

import json
import warnings
from contextlib import nullcontext
from threading import Event
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from fastmlp._extras import require
from fastmlp._progress import networks_bar
from fastmlp.commands.errors import Interrupted, first_interrupt_sets
from fastmlp.commands.folder import CHECKPOINT, METRICS, Run, held, refuse_results
from fastmlp.commands.results import describe_files, listed, printable, printable_names
from fastmlp.commands.table_target import Target, Task, target_of
from fastmlp.reading.csv_hints import DataError
from fastmlp.reading.table_file import Reading, TableFile, faults_of_columns, open_table

if TYPE_CHECKING:
    from pandas import DataFrame

    from fastmlp.tabular import TabularClassifier, TabularRegressor
    from fastmlp.tabular.member import Progress

# The parameters of `train_table` beside those of all trainings.
TABLE_OPTIONS: list[click.Parameter] = [
    click.Option(
        ["--task"],
        type=click.Choice(["classification", "regression"]),
        show_default="detected",
        help="Whether the target has classes or numbers.",
    ),
    click.Option(
        ["--ignore"],
        metavar="COLUMN",
        multiple=True,
        help="A column not to learn from; may be given several times.",
    ),
    click.Option(
        ["--categories"],
        metavar="COLUMN",
        multiple=True,
        help="A column of categories, whatever its values look like; may be given several times.",
    ),
    click.Option(
        ["--max-time"],
        type=click.FloatRange(0, min_open=True),
        metavar="SECONDS",
        help="Time for the training, which has fewer epochs then.",
    ),
]
# One of so many folds is held out.
_FOLDS = 5


def train_table(
    run: Run,
    reading: Reading,
    preset: str,
    *,
    task: Task | None,
    ignore: tuple[str, ...],
    categories: tuple[str, ...],
    max_time: float | None,
) -> None:
    """Train an estimator on most rows of a table, and write it with its scores on the others."""
    # They import scikit-learn, which the other commands and --help do without.
    from fastmlp.commands.table_columns import describe_columns, understand
    from fastmlp.commands.table_plots import plot_table
    from fastmlp.commands.table_scores import answers_of, describe_scores, scores_of
    from fastmlp.tabular import TabularClassifier, TabularRegressor

    if run.target in ignore:
        raise click.UsageError("--ignore names the column of --target")
    for name in categories:
        if name in (run.target, *ignore):
            option = "--target" if name == run.target else "--ignore"
            raise click.UsageError(f"--categories names {name!r}, as {option} does")
    require("matplotlib", "training")  # now, and not after the training
    with held(run.folder):
        if not run.overwrite:
            refuse_results(run.folder)
        file = open_table(run.file, reading)
        file.check_columns([run.target, *ignore, *categories])
        X, target, n_left_out = _rows(file, run.target, ignore, categories, task)
        training, test = _split(file.name, target, run.seed)
        with faults_of_columns(file.name, "; --ignore leaves a column out"):
            notes = understand(X, training, categories)
        X = X[[note.name for note in notes if note.is_used]]
        if X.shape[1] == 0:
            raise DataError(f"{file.name} has no column to learn from: each has one value at most")
        if not run.quiet:
            click.echo(_describe(file, run.target, target, n_left_out, len(training), len(test)))
            click.echo(f"\n{describe_columns(notes, ignore)}\n")
        cls = TabularClassifier if target.task == "classification" else TabularRegressor
        estimator = cls(
            preset,
            categorical_features=[name for name in categories if name in X] or "from_dtype",
            max_time=max_time,
            random_state=run.seed,
            n_jobs=run.n_jobs,
        )
        what_ended = _fit(estimator, X.iloc[training], target.y[training], run)
        truth = target.y[test]
        if isinstance(estimator, TabularClassifier):
            truth = np.searchsorted(estimator.classes_, truth)
        with faults_of_columns(file.name):
            answers = answers_of(estimator, X.iloc[test])
        scores = scores_of(estimator, truth, answers)
        files = [run.folder / "model.safetensors", run.folder / METRICS]
        estimator.save(files[0])
        text = json.dumps({"test": scores}, indent=2, ensure_ascii=False)
        files[1].write_text(text + "\n", encoding="utf-8")
        (run.folder / CHECKPOINT).unlink(missing_ok=True)  # of another training
        files += plot_table(run.folder, estimator, truth, answers)
    if not run.quiet:
        click.echo(f"{describe_scores(scores)}\n")
        click.echo(describe_files(run.folder, files))
    if what_ended is not None:
        raise Interrupted(f"interrupted: {files[0]} has {what_ended}")


def _rows(
    file: TableFile,
    name: str,
    ignore: tuple[str, ...],
    categories: tuple[str, ...],
    task: Task | None,
) -> tuple["DataFrame", Target, int]:
    """Return features and target of the rows that have one, and how many have none."""
    frame = file.frame(name, categories)
    has_target = frame[name].notna()
    if not has_target.any():
        raise DataError(f"{file.name} has no value in column {name!r}")
    frame = frame[has_target]
    target = target_of(file.name, frame[name], task)
    X = frame.drop(columns=[name, *ignore])
    if X.shape[1] == 0:
        raise DataError(f"{file.name} has no column to learn from beside {name!r}")
    return X, target, int((~has_target).sum())


def _split(file: str, target: Target, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows to train on and those held out, each with its share of every class."""
    from fastmlp.tabular.ensemble import deal

    classes = None
    if target.task == "classification":
        classes = np.unique(target.y, return_inverse=True)[1]
    folds = deal(_FOLDS, classes, len(target.y), np.random.RandomState(seed))
    training, test = np.flatnonzero(folds != 0), np.flatnonzero(folds == 0)
    if len(target.y) < _FOLDS or not len(test):
        raise DataError(
            f"{file} has {len(target.y)} rows with a target; expected at least {_FOLDS}, of which "
            "one is held out for the scores"
        )
    return training, test


def _fit(
    estimator: "TabularClassifier | TabularRegressor",
    X: "DataFrame",
    y: NDArray[Any],
    run: Run,
) -> str | None:
    """Train an estimator, with a progress bar; return what it has if Ctrl-C ended the training."""
    named = require("pandas", "training").Series(y, name=run.target)
    stop, shown = Event(), nullcontext() if run.quiet else networks_bar()
    with shown as listener, first_interrupt_sets(stop), warnings.catch_warnings():
        # Some releases take classes with few rows for a continuous target.
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        last: list[Progress] = []

        def listen(progress: "Progress") -> None:
            last[:] = [progress]
            if listener is not None:
                listener(progress)

        estimator._listener, estimator._stop = listen, stop
        estimator.fit(X, named)
    n_networks, n_epochs = len(estimator.networks_), estimator.n_iter_
    if not stop.is_set() or (n_networks, n_epochs) == (last[0].n_members, last[0].epochs):
        return None
    networks = f"{n_networks} of {last[0].n_members} networks"
    return f"{networks}, trained for {n_epochs} of {last[0].epochs} epochs"


def _describe(
    file: TableFile, name: str, target: Target, n_left_out: int, n_training: int, n_test: int
) -> str:
    """Describe the file, the task and the split."""
    task: str = target.task
    if task == "classification":
        labels, counts = np.unique(target.y, return_counts=True)
        names = printable_names(map(str, labels.tolist()))
        classes = listed([f"{label} {n}" for label, n in zip(names, counts, strict=True)])
        task = f"{task} into {len(names)} classes ({classes})"
    left_out = f", left out {n_left_out:,} without a target" if n_left_out else ""
    return "\n".join(
        [
            f"data      {printable(file.name)}: {file.description}",
            f"target    {printable(name)}: {task}, as {target.reason}",
            f"rows      train {n_training:,}, test {n_test:,}{left_out}",
        ]
    )
