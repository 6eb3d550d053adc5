"""Python objects of a column, read as numbers or as text.

Numbers are float64 with NaN where a value is missing; text is a list with None there. Dates and
times are seconds: since 1970 in UTC, since midnight, or of a duration.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.float64]
Text: TypeAlias = list[str | None]

_NUMBER = (Real, Decimal, np.bool_)
# pandas's marks of what is missing, by name: pandas need not be there.
_MARKS = ("NAType", "NaTType")


def read_objects(name: str, values: list[Any], *, as_category: bool) -> Numbers | Text:
    """Read the values of a column by their types.

    Parameters
    ----------
    name : str
        What messages call the column.
    values : list
        The values; None, NaN and the marks of pandas are missing.
    as_category : bool
        Whether each value is the name of a category, whatever its type.

    Returns
    -------
    ndarray of float64 or list
        Numbers if all are numbers, dates or times; else text.

    Raises
    ------
    TypeError
        If a value is neither a number, text, a date nor a time, or if dates are mixed with others.
    """
    try:
        present = {value for value in set(values) if not _is_missing(value)}
    except TypeError:  # a value that cannot be in a set, such as a list
        raise _unreadable(name, set(map(type, values))) from None
    kinds = set(map(type, present))

    def all_are(*bases: Any) -> bool:
        return all(issubclass(kind, bases) for kind in kinds)

    if as_category or (all_are(str, *_NUMBER) and not all_are(*_NUMBER)):
        names = {value: _category(value) for value in present}
        return [names.get(value) for value in values]
    convert = next((convert for bases, convert in _NUMERIC if all_are(*bases)), None)
    if convert is None:
        raise _unreadable(name, kinds)
    numbers = {value: convert(value) for value in present}
    return np.array([numbers.get(value, np.nan) for value in values], dtype=np.float64)


def seconds(times: NDArray[Any]) -> Numbers:
    """Turn datetime64 or timedelta64 into seconds; NaT is NaN."""
    kind = "datetime64[us]" if times.dtype.kind == "M" else "timedelta64[us]"
    microseconds = times.astype(kind).astype(np.int64)
    return np.where(np.isnat(times), np.nan, microseconds / 1e6)


def categories_of(values: Numbers) -> Text:
    """Name the categories that numbers stand for: 3.0 is "3", in whichever type it was stored."""
    distinct, places = np.unique(values, return_inverse=True)
    names = [None if np.isnan(value) else _category(value) for value in distinct]
    return [names[place] for place in places.tolist()]


def named(names: Iterable[Any]) -> str:
    """List columns in a message: at most ten of them."""
    names = list(names)
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(map(str, names[:10])) + more


def _is_missing(value: Any) -> bool:
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
