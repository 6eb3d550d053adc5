"""A CSV file: its columns by name, and its rows as a frame."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from os import PathLike
from typing import TYPE_CHECKING, Any

from fastmlp._extras import require
from fastmlp.reading.csv_hints import (
    DECIMAL_MARKS,
    DataError,
    delimiter_hint,
    header_hint,
    refuse_other_encoding,
)
from fastmlp.reading.csv_lines import Lines

if TYPE_CHECKING:
    from pandas import DataFrame

_SHOWN_NAMES = 20  # columns or classes that an error lists at most


@dataclass(frozen=True)
class Marks:
    """The delimiter, the decimal mark and the marks of missing values of a file."""

    delimiter: str
    decimal: str
    missing: tuple[str, ...]

    def __post_init__(self) -> None:
        """Raise a ValueError that names the invalid argument."""
        if len(self.delimiter) != 1 or self.delimiter.isalnum() or self.delimiter in '"\r\n.+-_':
            raise ValueError(
                "delimiter must be one character that no number, name or line has, such as ',', "
                f"';' or '\\t', got {self.delimiter!r}"
            )
        if self.decimal not in DECIMAL_MARKS:
            raise ValueError(f"decimal must be '.' or ',', got {self.decimal!r}")
        if self.decimal == self.delimiter:
            raise ValueError(f"delimiter and decimal must differ, got {self.decimal!r} for both")


class CsvFile:
    """A CSV file with columns known by position, and errors that name a line of it.

    Parameters
    ----------
    path : str or path-like
        What messages call the file.
    content : bytes
        UTF-8 text.
    marks : Marks
        How it is written.
    """

    def __init__(self, path: str | PathLike[str], content: bytes, marks: Marks) -> None:
        self.pandas = require("pandas", "a CSV file")
        self.path = path
        self.marks = marks
        self.content = content
        self.lines = Lines(path, content, marks.delimiter)
        self.header = self.lines.header()
        self.positions = {name: column for column, name in enumerate(self.header)}
        self.counts = Counter(self.header)

    def column(self, name: str) -> int:
        """Position of the one column with this name."""
        if name not in self.positions:
            hint = delimiter_hint(self.content, self.marks.delimiter) or header_hint(self.header)
            raise DataError(
                f"{self.path} has no column {name!r}; its columns are {quoted(self.header)}{hint}"
            )
        column, count = self.positions[name], self.counts[name]
        if not name:
            column = self.header.index(name)
            is_last = not any(self.header[column:])
            hint = "; the header seems to end with delimiters: delete them" if is_last else ""
            raise DataError(f"{self.path} has no name for column {column + 1}{hint}")
        if count > 1:
            hint = header_hint([name])
            raise DataError(f"{self.path} has {count} columns named {name!r}{hint}")
        return column

    def parse(self, dtype: dict[int, type], missing: Sequence[str], **options: Any) -> "DataFrame":
        """Return the rows below the header; columns have their positions as names.

        Parameters
        ----------
        dtype : dict
            Type of each column; pandas detects those that it does not have.
        missing : sequence of str
            Marks of missing values beside those that pandas knows.
        **options
            Further arguments of `pandas.read_csv`.
        """
        errors = self.pandas.errors
        if _version(self.pandas.__version__) < (3, 1):
            options["float_precision"] = "round_trip"  # the default since then
        try:
            frame: DataFrame = self.pandas.read_csv(
                BytesIO(self.content),
                encoding="utf-8-sig",
                sep=self.marks.delimiter,
                decimal=self.marks.decimal,
                na_values=[*missing],
                skipinitialspace=True,
                header=0,
                names=range(len(self.header)),
                index_col=False,
                dtype=dtype,
                **options,
            )
        except errors.ParserError as error:
            self.lines.check()
            raise DataError(f"{self.path}: {error}") from error
        except UnicodeDecodeError:
            refuse_other_encoding(self.path, self.content)
            raise
        return frame


def quoted(names: Sequence[str]) -> str:
    """List names in a message, at most twenty of them."""
    shown = ", ".join(map(repr, names[:_SHOWN_NAMES]))
    more = len(names) - _SHOWN_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2])
