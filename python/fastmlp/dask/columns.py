"""What the columns of all partitions hold, from which a table's inputs are learned.

Categories are counted in all rows. Numbers are learned from a sample of the rows, which is all of
them if they are few enough; with it goes what a sample could miss: the smallest and the largest
number of a column, and whether one is missing.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp.dask.plan import sample_keys
from fastmlp.tabular.front import Found
from fastmlp.tabular.table import Table
from fastmlp.tabular.values import Numbers, Text, categories_of

# Rows of the sample: so many, and no more numbers than this.
_SAMPLE_ROWS, _SAMPLE_NUMBERS = 2**17, 2**22
# Texts of a column that are counted at a time; the rarest of more are forgotten.
_MOST_TEXTS = 2**16


class NumberColumn(NamedTuple):
    """A column of numbers: those of the sample, and what is known of all."""

    sample: Numbers
    low: float
    high: float
    is_missing: bool


class TextColumn(NamedTuple):
    """A column of text.

    Attributes
    ----------
    counts : dict of str to (float, int)
        The weight of the rows with a text, and their number.
    missing : float
        The weight of the rows without one.
    n_forgotten, n_rows_forgotten : int
        Texts that are not in `counts`, and their rows.
    """

    counts: Mapping[str, tuple[float, int]]
    missing: float
    n_forgotten: int = 0
    n_rows_forgotten: int = 0


class Columns(NamedTuple):
    """What some rows hold.

    Attributes
    ----------
    names : list of str
        What messages call the columns.
    keys : ndarray of shape (n_sampled,)
        Random numbers of the rows of the sample, which has those with the smallest.
    weights : ndarray of shape (n_sampled,) or None
    largest_weight : float
        Of all rows.
    n_rows : int
    columns : list of NumberColumn or TextColumn
    """

    names: list[str]
    keys: NDArray[np.float64]
    weights: Numbers | None
    largest_weight: float
    n_rows: int
    columns: "list[NumberColumn | TextColumn]"


def sample_size(n_columns: int) -> int:
    """Return how many rows the sample of a table has."""
    return max(1, min(_SAMPLE_ROWS, _SAMPLE_NUMBERS // n_columns))


def columns_of(
    table: Table,
    weights: Numbers | None,
    is_category: NDArray[np.bool_],
    seed: int,
    partition: int,
) -> Columns:
    """Say what the rows of a partition hold, whose weights are > 0."""
    keys = sample_keys(seed, partition, table.n_rows)
    chosen = _smallest(keys, sample_size(table.n_columns))
    found: list[NumberColumn | TextColumn] = []
    names = []
    for place in range(table.n_columns):
        column = table.column(place)
        values = column.values
        if is_category[place] and not isinstance(values, Text):
            values = categories_of(values)
        names.append(column.name)
        found.append(
            _text_column(values, weights)
            if isinstance(values, Text)
            else _number_column(values, chosen)
        )
    return Columns(
        names,
        keys[chosen],
        None if weights is None else weights[chosen],
        1.0 if weights is None else float(weights.max()),
        table.n_rows,
        found,
    )


def merged_columns(parts: Sequence[Columns]) -> Columns:
    """Say what the rows of several parts hold.

    Raises
    ------
    ValueError
        If a column has numbers in one of them, and text in another.
    """
    first = parts[0]
    keys = np.concatenate([part.keys for part in parts])
    chosen = _smallest(keys, sample_size(len(first.columns)))
    weights = None
    if first.weights is not None:
        weights = np.concatenate([part.weights for part in parts])[chosen]
    return Columns(
        first.names,
        keys[chosen],
        weights,
        max(part.largest_weight for part in parts),
        sum(part.n_rows for part in parts),
        [
            _merged_column(name, [part.columns[place] for part in parts], chosen)
            for place, name in enumerate(first.names)
        ],
    )


def evidence(columns: Columns) -> list[Found]:
    """Return what there is to learn of each column."""
    is_whole = len(columns.keys) == columns.n_rows
    return [
        _found_text(name, column)
        if isinstance(column, TextColumn)
        else _found_numbers(name, column, columns.weights, is_whole=is_whole)
        for name, column in zip(columns.names, columns.columns, strict=True)
    ]


def _smallest(keys: NDArray[np.float64], n: int) -> NDArray[np.intp]:
    """Return the places of the smallest keys, in rising order."""
    if len(keys) <= n:
        return np.arange(len(keys))
    return np.sort(np.argpartition(keys, n - 1)[:n])


def _number_column(values: Numbers, chosen: NDArray[np.intp]) -> NumberColumn:
    present = values[~np.isnan(values)]
    return NumberColumn(
        values[chosen],
        float(present.min(initial=np.inf)),
        float(present.max(initial=-np.inf)),
        len(present) < len(values),
    )


def _text_column(values: Text, weights: Numbers | None) -> TextColumn:
    # The first is what is missing.
    codes, size = values.codes + 1, len(values.names) + 1
    n_rows = np.bincount(codes, minlength=size).tolist()
    totals = np.bincount(codes, weights, minlength=size).astype(np.float64).tolist()
    pairs = zip(totals[1:], n_rows[1:], strict=True)
    return _with_most_texts(TextColumn(dict(zip(values.names, pairs, strict=True)), totals[0]))


def _merged_column(
    name: str, parts: Sequence[NumberColumn | TextColumn], chosen: NDArray[np.intp]
) -> NumberColumn | TextColumn:
    if any(isinstance(part, TextColumn) for part in parts):
        return _merged_texts([_as_text(name, part) for part in parts])
    numbers = [part for part in parts if isinstance(part, NumberColumn)]
    return NumberColumn(
        np.concatenate([part.sample for part in numbers])[chosen],
        min(part.low for part in numbers),
        max(part.high for part in numbers),
        any(part.is_missing for part in numbers),
    )


def _as_text(name: str, part: NumberColumn | TextColumn) -> TextColumn:
    """Return a column of text, which a column is of too that has no value at all."""
    if isinstance(part, TextColumn):
        return part
    if part.low <= part.high:
        raise ValueError(
            f"column {name} of X has numbers in some partitions and text in others, expected one "
            "of them: name the column in categorical_features, or convert it"
        )
    # The weight of what is missing matters only in being there.
    return TextColumn({}, 1.0)


def _merged_texts(parts: Sequence[TextColumn]) -> TextColumn:
    counts: dict[str, tuple[float, int]] = {}
    for part in parts:
        for text, (weight, n_rows) in part.counts.items():
            before = counts.get(text, (0.0, 0))
            counts[text] = before[0] + weight, before[1] + n_rows
    return _with_most_texts(
        TextColumn(
            counts,
            sum(part.missing for part in parts),
            sum(part.n_forgotten for part in parts),
            sum(part.n_rows_forgotten for part in parts),
        )
    )


def _with_most_texts(column: TextColumn) -> TextColumn:
    """Forget the rarest texts, if there are too many to count."""
    if len(column.counts) <= _MOST_TEXTS:
        return column
    order = sorted(column.counts, key=lambda text: (-column.counts[text][0], text))
    forgotten = order[_MOST_TEXTS:]
    return TextColumn(
        {text: column.counts[text] for text in order[:_MOST_TEXTS]},
        column.missing,
        column.n_forgotten + len(forgotten),
        column.n_rows_forgotten + sum(column.counts[text][1] for text in forgotten),
    )


def _found_text(name: str, column: TextColumn) -> Found:
    """Return one row per text, and one for what is missing, with their weights."""
    texts = list(column.counts)
    codes, weights = np.arange(len(texts)), [weight for weight, _ in column.counts.values()]
    if column.missing:
        codes, weights = np.append(codes, -1), [*weights, column.missing]
    n_texts = sum(n_rows for _, n_rows in column.counts.values()) + column.n_rows_forgotten
    return Found(
        name,
        Text(texts, codes),
        np.array(weights, dtype=np.float64),
        len(texts) + column.n_forgotten,
        n_texts,
    )


def _found_numbers(
    name: str, column: NumberColumn, weights: Numbers | None, *, is_whole: bool
) -> Found:
    if is_whole:
        return Found(name, column.sample, weights)
    further = [column.low, column.high] if column.low <= column.high else []
    if column.is_missing:
        further.append(np.nan)
    values = np.append(column.sample, further)
    if weights is not None:
        weights = np.append(weights, np.full(len(further), weights.min()))
    return Found(name, values, weights)
