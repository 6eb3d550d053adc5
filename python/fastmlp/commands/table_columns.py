"""What is understood of the columns of a table, before networks are trained on it."""

import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp._extras import require
from fastmlp.commands.results import printable_names
from fastmlp.tabular.category import Category
from fastmlp.tabular.front import learn_front
from fastmlp.tabular.numeric import Numeric
from fastmlp.tabular.table import read_frame

if TYPE_CHECKING:
    from pandas import DataFrame, Series

_MOST_ROWS = 100  # of the table that is printed
_LONGEST_NAME = 40
_HEADER = ("column", "kind", "missing", "levels", "use")
# What pandas calls kinds of values.
_KINDS = {
    "boolean": "boolean",
    "datetime64": "date",
    "datetime": "date",
    "date": "date",
    "time": "time",
    "timedelta64": "duration",
    "timedelta": "duration",
}
# Those that are read as text.
_TEXT = ("string", "categorical", "mixed", "mixed-integer")


class ColumnNote(NamedTuple):
    """What is understood of a column."""

    name: str
    kind: str
    n_missing: int
    n_levels: int
    # What is done with it.
    use: str
    is_used: bool


def understand(
    frame: "DataFrame", training: NDArray[np.intp], categories: Sequence[str]
) -> list[ColumnNote]:
    """Say what an estimator makes of each column.

    Parameters
    ----------
    frame : DataFrame
        All rows, which are counted.
    training : ndarray of int
        The rows that an estimator learns from.
    categories : sequence of str
        Columns that hold categories whatever their values are.
    """
    table = read_frame(frame.iloc[training])
    assert table is not None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "These columns of text are left out", UserWarning)
        # The number of bins makes no difference to what is told.
        front = learn_front(table, frame.columns.isin(categories), None, n_bins=0)
    notes = []
    for place, learned in enumerate(front.columns):
        values = frame.iloc[:, place]
        n_levels = values.nunique()
        kind = _kind(values, learned, n_levels)
        use = _use(learned, kind)
        n_missing = int(values.isna().sum())
        notes.append(
            ColumnNote(str(values.name), kind, n_missing, n_levels, use, learned is not None)
        )
    return notes


def describe_columns(notes: Sequence[ColumnNote], ignored: Iterable[str]) -> str:
    """Lay out what is understood of columns as a table."""
    rows = [
        (note.name, note.kind, f"{note.n_missing:,}", f"{note.n_levels:,}", note.use)
        for note in notes
    ]
    rows += [(name, "", "", "", "ignored") for name in ignored]
    more = len(rows) - _MOST_ROWS
    rows = rows[:_MOST_ROWS]
    names = [_shortened(name) for name in printable_names(row[0] for row in rows)]
    cells = [_HEADER, *((name, *row[1:]) for name, row in zip(names, rows, strict=True))]
    widths = [max(len(row[place]) for row in cells) for place in range(len(_HEADER))]
    lines = [
        f"{name:<{widths[0]}}  {kind:<{widths[1]}}  {missing:>{widths[2]}}  "
        f"{levels:>{widths[3]}}  {use}"
        for name, kind, missing, levels, use in cells
    ]
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join([*lines, f"and {more:,} more columns"] if more > 0 else lines)


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 3]}..."


def _kind(values: "Series[Any]", learned: Numeric | Category | None, n_levels: int) -> str:
    if isinstance(learned, Category):
        return "category"
    found = require("pandas", "a table").api.types.infer_dtype(values, skipna=True)
    if learned is None and found in _TEXT:
        return "text" if n_levels > 1 else "category"
    return _KINDS.get(found, "number")


def _use(learned: Numeric | Category | None, kind: str) -> str:
    if learned is None:
        return "left out: " + ("most values occur once" if kind == "text" else "one value at most")
    if isinstance(learned, Numeric):
        return "scaled, and an input marks missing values" if learned.marks_missing else "scaled"
    if learned.width == 1:
        return "1 input, 1 or -1"
    if learned.has_others:
        return f"{len(learned.levels)} inputs for the most frequent levels, one for the others"
    return f"{learned.width} inputs, one per level"
