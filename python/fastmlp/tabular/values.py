"""Python objects of a column, read as numbers or as text.

Numbers are float64 with NaN where a value is missing; text is codes of distinct names, -1 there.
Dates and times are seconds: since 1970 in UTC, since midnight, or of a duration.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from numbers import Real
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.float64]


class Text(NamedTuple):
    """A column of text."""

    # Different ones, each of which occurs.
    names: list[str]
    # The place of each value among them; -1 if it is missing.
    codes: NDArray[np.intp]


_NUMBER = (Real, Decimal, np.bool_)
# pandas's marks of what is missing, by name: pandas need not be there.
_MARKS = ("NAType", "NaTType")


def read_objects(name: str, values: list[Any], *, as_category: bool) -> Numbers | Text:
    """Read the values of a column by their types; see `read_distinct`."""
    try:
        places = {value: place for place, value in enumerate(dict.fromkeys(values))}
    except TypeError:  # a value that cannot be hashed, such as a list
        raise _unreadable(name, set(map(type, values))) from None
    codes = np.fromiter(map(places.__getitem__, values), np.intp, len(values))
    return read_distinct(name, list(places), codes, as_category=as_category)


def read_distinct(
    name: str, distinct: list[Any], codes: NDArray[np.intp], *, as_category: bool
) -> Numbers | Text:
    """Read the values of a column by their types.

    Parameters
    ----------
    name : str
        What messages call the column.
    distinct : list
        Its different values; None, NaN and the marks of pandas are missing.
    codes : ndarray of int, shape (n_samples,)
        The place of each value among them; -1 is missing.
    as_category : bool
        Whether each value is the name of a category, whatever its type.

    Returns
    -------
    ndarray of float64 or Text
        Numbers if all are numbers, dates or times; else text.

    Raises
    ------
    TypeError
        If a value is neither a number, text, a date nor a time, or if dates are mixed with others.
    """
    present = {place: value for place, value in enumerate(distinct) if not is_missing(value)}
    kinds = set(map(type, present.values()))

    def all_are(*bases: Any) -> bool:
        return all(issubclass(kind, bases) for kind in kinds)

    if as_category or (all_are(str, *_NUMBER) and not all_are(*_NUMBER)):
        # Values of different types may have one name.
        names: dict[str, int] = {}
        recoded = np.full(len(distinct) + 1, -1)  # the last is that of code -1
        for place, value in present.items():
            recoded[place] = names.setdefault(_category(value), len(names))
        return Text(list(names), recoded[codes])
    convert = next((convert for bases, convert in _NUMERIC if all_are(*bases)), None)
    if convert is None:
        raise _unreadable(name, kinds)
    numbers = np.full(len(distinct) + 1, np.nan)
    for place, value in present.items():
        numbers[place] = convert(value)
    return numbers[codes]


def seconds(times: NDArray[Any]) -> Numbers:
    """Turn datetime64 or timedelta64 into seconds; NaT is NaN."""
    kind = "datetime64[us]" if times.dtype.kind == "M" else "timedelta64[us]"
    microseconds = times.astype(kind).astype(np.int64)
    return np.where(np.isnat(times), np.nan, microseconds / 1e6)


def categories_of(values: Numbers) -> Text:
    """Name the categories that numbers stand for: 3.0 is "3", in whichever type it was stored."""
    distinct, places = np.unique(values, return_inverse=True)
    is_there = ~np.isnan(distinct)  # NaN is the last
    return Text(
        [_category(value) for value in distinct[is_there]],
        np.where(is_there, np.arange(len(distinct)), -1)[places],
    )


def named(names: Iterable[Any]) -> str:
    """List columns in a message: at most ten of them."""
    names = list(names)
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(map(str, names[:10])) + more


def is_missing(value: Any) -> bool:
    """Say whether a value is None, NaN, NaT or pandas's mark of what is missing."""
    return (
        value is None
        or (
            isinstance(value, float | np.floating | np.datetime64 | np.timedelta64)
            and value != value
        )
        or type(value).__name__ in _MARKS
    )


def _category(value: Any) -> str:
    if isinstance(value, _NUMBER):
        number = _number(value)
        return str(int(number)) if number.is_integer() else repr(number)
    return str(value)


def _number(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer that no float64 is near to
        return np.inf if value > 0 else -np.inf


def _since_1970(value: Any) -> float:
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    return float(seconds(np.array([value], dtype="datetime64[us]"))[0])


def _duration(value: Any) -> float:
    return float(seconds(np.array([value], dtype="timedelta64[us]"))[0])


def _since_midnight(value: time) -> float:
    whole = 3600 * value.hour + 60 * value.minute + value.second
    return whole + value.microsecond / 1e6


# Types that are numbers together, and what makes a number of each.
_NUMERIC: tuple[tuple[tuple[type, ...], Callable[[Any], float]], ...] = (
    (_NUMBER, _number),
    ((date, np.datetime64), _since_1970),
    ((timedelta, np.timedelta64), _duration),
    ((time,), _since_midnight),
)


def _unreadable(name: str, kinds: set[type]) -> TypeError:
    found = ", ".join(sorted(kind.__name__ for kind in kinds))
    return TypeError(
        f"each value of column {name} of X must be a number or text, or all of them dates or "
        f"times; an argument must be a string or a number, got values of type {found}"
    )
