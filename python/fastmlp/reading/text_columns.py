"""Columns of text that are numbers or dates."""

from itertools import product
from typing import TYPE_CHECKING, Any

from fastmlp._extras import require

if TYPE_CHECKING:
    from pandas import DataFrame, Series

# By decimal mark: the mark between thousands, and numbers that have it, as expressions.
_THOUSANDS = {".": ",", ",": "."}
_NUMBERS = {
    mark: rf"[+-]?(?:[0-9]+|[0-9]{{1,3}}(?:\{thousands}[0-9]{{3}})+)"
    rf"(?:\{mark}[0-9]+)?(?:[eE][+-]?[0-9]+)?"
    for mark, thousands in _THOUSANDS.items()
}
# A year of four digits, so that neither versions nor ranges pass for dates.
_DATE = (
    r"(?:[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{4})(?:[^0-9].*)?"
)
_DAYS = ("%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y")
_DATE_FORMATS = ("ISO8601", *map("".join, product(_DAYS, ("", " %H:%M", " %H:%M:%S"))))


def texts_of(frame: "DataFrame") -> list["Series[Any]"]:
    """Return the columns of a frame that are text."""
    infer = require("pandas", "a table").api.types.infer_dtype
    objects = (frame[name] for name in frame if frame[name].dtype.kind == "O")
    return [values for values in objects if infer(values, skipna=True) == "string"]


def are_numbers(values: "Series[Any]", decimal: str) -> bool:
    """Say whether all values are numbers, with or without marks between thousands."""
    return _are_all(values, _NUMBERS[decimal])


def has_decimal_comma(values: "Series[Any]") -> bool:
    """Say whether all values may be numbers with a decimal comma, and some have a comma."""
    return are_numbers(values, ",") and bool(values.dropna().str.contains(",").any())


def numbers_of(values: "Series[Any]", decimal: str) -> "Series[Any] | None":
    """Return numbers if all values are numbers, with or without marks between thousands."""
    if not are_numbers(values, decimal):
        return None
    plain = values.str.strip().str.replace(_THOUSANDS[decimal], "", regex=False)
    numbers: Series[Any] = plain.str.replace(decimal, ".", regex=False).astype("float64")
    return numbers


def dates_of(values: "Series[Any]") -> "Series[Any]":
    """Return dates if all values are dates of one format, else text without spaces around it."""
    values = values.str.strip()
    if not _are_all(values, _DATE):
        return values
    read = require("pandas", "a table").to_datetime
    first = values.dropna().iloc[:1]
    found = []
    for written in _DATE_FORMATS:
        if read(first, format=written, errors="coerce", utc=True).isna().any():
            continue
        dates = read(values, format=written, errors="coerce", utc=True)
        if dates.notna().equals(values.notna()):
            found.append(dates)
    # In 01/02/2020 either number may be the day; another date of the column has to tell.
    return found[0] if len(found) == 1 else values


def _are_all(values: "Series[Any]", pattern: str) -> bool:
    """Say whether an expression matches all values."""
    present = values.dropna().str.strip()
    # The first one spares most columns the search.
    return all(some.str.fullmatch(pattern).all() for some in (present.iloc[:1], present))
