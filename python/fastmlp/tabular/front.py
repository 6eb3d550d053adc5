"""How the columns of a table become the inputs of a network."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp.tabular.category import Category, is_free_text
from fastmlp.tabular.numeric import Numeric
from fastmlp.tabular.rank import Rank
from fastmlp.tabular.table import Column, Table
from fastmlp.tabular.values import Numbers, Text, categories_of, named


class Front:
    """What was learned of each column of a table.

    Networks of periodic features read ranks of numbers in place of their other inputs, and in front
    of all others.
    """

    def __init__(
        self, columns: list[Numeric | Category | None], ranks: Mapping[int, Rank] | None = None
    ) -> None:
        # None for a column that is left out.
        self.columns = columns
        # By place, of each column of numbers; None if no network reads them.
        self.ranks = ranks

    def width(self, is_periodic: bool = False) -> int:
        """Return the number of inputs of a network: one that is 0 if no column says anything."""
        return max(1, sum(learned.width for _, learned in self._learned(is_periodic)))

    @property
    def n_ranks(self) -> int:
        """Inputs that are made of ranks."""
        return sum(rank.width for rank in (self.ranks or {}).values())

    def inputs(self, table: Table, dtype: str, is_periodic: bool = False) -> NDArray[Any]:
        """Return the inputs (n_samples, width) that a table of the same columns makes.

        Raises
        ------
        TypeError
            If a column has values that cannot be read.
        ValueError
            If a number is infinite, or if a column of numbers became one of text.
        """
        inputs = np.zeros((table.n_rows, self.width(is_periodic)), dtype)
        start = 0
        for place, learned in self._learned(is_periodic):
            column, block = table.column(place), inputs[:, start : start + learned.width]
            if isinstance(learned, Category):
                learned.write(_text(column.values), block)
            else:
                learned.write(column.name, _numbers(column), block)
            start += learned.width
        return inputs

    def _learned(self, is_periodic: bool) -> Iterator[tuple[int, Numeric | Rank | Category]]:
        """Return what makes inputs, and the place of its column, in the order of the inputs."""
        if is_periodic and self.ranks is not None:
            yield from self.ranks.items()
        for place, learned in enumerate(self.columns):
            if learned is not None and not (is_periodic and isinstance(learned, Numeric)):
                yield place, learned


class Found(NamedTuple):
    """What is found in one column: its rows, or fewer rows that stand for them by their weights.

    Attributes
    ----------
    name : str
        What messages call the column.
    values : ndarray of float64 or Text
    weights : ndarray of shape (n_samples,) or None
        Weights of the rows, > 0.
    n_levels, n_texts : int or None
        How many different texts there are, and how many rows have one; None counts those of
        `values`.
    """

    name: str
    values: Numbers | Text
    weights: Numbers | None
    n_levels: int | None = None
    n_texts: int | None = None

    @property
    def is_free_text(self) -> bool:
        """Whether it is text that does not name categories."""
        text = _text(self.values)
        if self.n_levels is None or self.n_texts is None:
            return is_free_text(len(text.names), int((text.codes >= 0).sum()))
        return is_free_text(self.n_levels, self.n_texts)


def learn_front(
    table: Table,
    is_category: NDArray[np.bool_],
    weights: Numbers | None,
    n_bins: int,
    with_ranks: bool = False,
) -> Front:
    """Learn from the columns of a table, whose rows have weights > 0; see `learn_columns`."""
    columns = (_found(table.column(place), weights) for place in range(table.n_columns))
    return learn_columns(columns, is_category, n_bins, with_ranks)


def learn_columns(
    columns: Iterable[Found],
    is_category: NDArray[np.bool_],
    n_bins: int,
    with_ranks: bool = False,
) -> Front:
    """Learn from columns.

    Parameters
    ----------
    columns : iterable of Found
        Each is read when the one before is learned.
    is_category : ndarray of bool, shape (n_columns,)
        Columns that hold categories whatever their values are.
    n_bins : int
        Bins for each column of numbers, at most. Without bins, for which a table is too large or
        has too many columns, nothing stands beside ranks.
    with_ranks : bool
        Whether a network reads ranks.

    Raises
    ------
    TypeError
        If a column has values that cannot be read.
    ValueError
        If a number is infinite, or if all columns are left out.

    Warns
    -----
    UserWarning
        If columns of text are left out, because they do not name categories.
    """
    learned: list[Numeric | Category | None] = []
    ranks = {}
    left_out = []
    for place, (found, is_named) in enumerate(zip(columns, is_category, strict=True)):
        if isinstance(found.values, np.ndarray) and not is_named:
            numeric = Numeric.learn(found.name, found.values, found.weights, n_bins)
            learned.append(numeric)
            if with_ranks and numeric is not None:
                ranks[place] = Rank.learn(
                    numeric, found.values, found.weights, has_number=n_bins > 0
                )
        elif is_named or not found.is_free_text:
            learned.append(Category.learn(_text(found.values), found.weights))
        else:
            learned.append(None)
            left_out.append(found.name)
    if left_out:
        explanation = (
            "most of their values occur once: they are no categories. Name them in "
            "categorical_features (on the command line --categories) if they are"
        )
        if len(left_out) == len(learned):
            raise ValueError(f"X has no column to learn from: {named(left_out)}: {explanation}")
        warnings.warn(
            f"These columns of text are left out, since {explanation}: {named(left_out)}",
            UserWarning,
            stacklevel=2,
        )
    return Front(learned, ranks if with_ranks else None)


def _found(column: Column, weights: Numbers | None) -> Found:
    return Found(column.name, column.values, weights)


def _text(values: Numbers | Text) -> Text:
    return values if isinstance(values, Text) else categories_of(values)


def _numbers(column: Column) -> Numbers:
    if isinstance(column.values, np.ndarray):
        return column.values
    if not column.values.names:
        return np.full(len(column.values.codes), np.nan)
    raise ValueError(
        f"column {column.name} of X held numbers in training, and now has text such as "
        f"{column.values.names[0]!r}"
    )
