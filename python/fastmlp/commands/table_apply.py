"""``fastmlp evaluate`` and ``fastmlp predict`` with a tabular estimator."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastmlp._extras import require
from fastmlp.commands.table_scores import (
    Estimator,
    answers_of,
    class_names,
    levels_of,
    scores_of,
)
from fastmlp.commands.table_target import labels_of, numbers_of
from fastmlp.reading.csv_file import quoted
from fastmlp.reading.csv_hints import DataError
from fastmlp.reading.table_file import TableFile, faults_of_columns
from fastmlp.tabular import TabularClassifier
from fastmlp.tabular.category import Category
from fastmlp.tabular.numeric import Numeric

if TYPE_CHECKING:
    from pandas import DataFrame, Series


def evaluate_table(model: Estimator, file: TableFile, target: str) -> tuple[dict[str, Any], int]:
    """Return the scores of an estimator on a file, and the number of rows without a target."""
    file.check_columns([target])
    frame = _read(model, file, target)
    has_target = frame[target].notna()
    if not has_target.any():
        raise DataError(f"{file.name} has no value in column {target!r}")
    frame = frame[has_target]
    y: NDArray[Any]
    if isinstance(model, TabularClassifier):
        y = _codes_of(file.name, frame[target], class_names(model))
    else:
        y = numbers_of(file.name, frame[target])
    with faults_of_columns(file.name):
        answers = answers_of(model, frame[model.feature_names_in_.tolist()])
    return scores_of(model, y, answers), int((~has_target).sum())


def predict_table(model: Estimator, file: TableFile) -> tuple[list[str], list[list[Any]]]:
    """Return the names of the columns of the answer, and the columns."""
    X = _read(model, file, None)[model.feature_names_in_.tolist()]
    with faults_of_columns(file.name):
        answers = answers_of(model, X)
    if isinstance(model, TabularClassifier):
        names = class_names(model)
        classes = [names[code] for code in answers.argmax(axis=1)]
        return ["class", *(f"probability_{name}" for name in names)], [classes, *answers.T.tolist()]
    if answers.ndim == 1:
        return ["prediction"], [answers.tolist()]
    return [f"quantile_{level}" for level in levels_of(model)], answers.T.tolist()


def _read(model: Estimator, file: TableFile, target: str | None) -> "DataFrame":
    """Read the columns of a model as it knows them."""
    names = model.feature_names_in_.tolist()
    file.check_columns(names)
    # A category may look like a number here, or a date, as none of training did.
    learned = dict(zip(names, model._front.columns, strict=True))
    as_text = [name for name, column in learned.items() if isinstance(column, Category)]
    if target is not None and isinstance(model, TabularClassifier):
        is_text = model.classes_.dtype.kind in "UO"
        as_text += [target] if is_text else []
    frame = file.frame(target, as_text)
    for name in names:
        if isinstance(learned[name], Numeric):
            _refuse_text(file.name, frame[name])
    return frame


def _refuse_text(file: str, values: "Series[Any]") -> None:
    """Refuse text in a column of numbers."""
    pandas = require("pandas", "a table")
    if pandas.api.types.infer_dtype(values, skipna=True) != "string":
        return
    present = values.dropna()
    is_text = pandas.to_numeric(present, errors="coerce").isna()
    # In a Parquet file numbers may be text too.
    example = (present[is_text] if is_text.any() else present).iloc[0]
    raise DataError(
        f"{file} has text in column {values.name!r}, which had numbers or dates in training, such "
        f"as {example!r}; --missing names marks of missing values"
    )


def _codes_of(file: str, values: "Series[Any]", names: Sequence[str]) -> NDArray[np.int64]:
    places = {name: code for code, name in enumerate(names)}
    labels = [str(label) for label in labels_of(values).tolist()]
    codes = np.array([places.get(label, -1) for label in labels])
    if (codes < 0).any():
        unknown = labels[codes.argmin()]
        raise DataError(
            f"{file} has class {unknown!r} in column {values.name!r}, which is not one of "
            f"{quoted(names)}"
        )
    return codes
