"""How the columns of a table become the inputs of a network."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.tabular.category import Category, is_free_text
from fastmlp.tabular.numeric import Numeric
from fastmlp.tabular.table import Column, Table
from fastmlp.tabular.values import Numbers, Text, categories_of, named


class Front:
    """What was learned of each column of a table."""

    def __init__(self, columns: list[Numeric | Category | None]) -> None:
        # None for a column that is left out.
        self.columns = columns

    @property
    def width(self) -> int:
        """Inputs of the network: one that is 0 if no column says anything."""
        return max(1, sum(column.width for column in self.columns if column is not None))

    def inputs(self, table: Table, dtype: str) -> NDArray[Any]:
        """Return the inputs (n_samples, width) that a table of the same columns makes.

        Raises
        ------
        TypeError
            If a column has values that cannot be read.
        ValueError
            If a number is infinite, or if a column of numbers became one of text.
        """
        inputs = np.zeros((table.n_rows, self.width), dtype)
        start = 0
        for place, learned in enumerate(self.columns):
            if learned is None:
                continue
            column, block = table.column(place), inputs[:, start : start + learned.width]
            if isinstance(learned, Numeric):
                learned.write(column.name, _numbers(column), block)
            else:
                learned.write(_text(column.values), block)
            start += learned.width
        return inputs


def learn_front(
    table: Table,
    is_category: NDArray[np.bool_],
    weights: Numbers | None,
    n_bins: int,
) -> Front:
    """Learn from the columns of a table.

    Parameters
    ----------
    table : Table
        The rows to learn from.
    is_category : ndarray of bool, shape (n_columns,)
        Columns that hold categories whatever their values are.
    weights : ndarray of shape (n_samples,) or None
        Weights of the rows, > 0.
    n_bins : int
        Bins for each column of numbers, at most.

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
    left_out = []
    for place in range(table.n_columns):
        column = table.column(place)
        if isinstance(column.values, np.ndarray) and not is_category[place]:
            learned.append(Numeric.learn(column.name, column.values, weights, n_bins))
        elif is_category[place] or not is_free_text(_text(column.values)):
            learned.append(Category.learn(_text(column.values), weights))
        else:
            learned.append(None)
            left_out.append(column.name)
    if left_out:
        explanation = (
            "most of their values occur once: they are no categories. Name them in "
            "categorical_features (on the command line --categories) if they are"
        )
        if len(left_out) == table.n_columns:
            raise ValueError(f"X has no column to learn from: {named(left_out)}: {explanation}")
        warnings.warn(
            f"These columns of text are left out, since {explanation}: {named(left_out)}",
            UserWarning,
            stacklevel=2,
        )
    return Front(learned)


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
