"""Files with tables of every kind: CSV, also compressed, and Parquet."""

import codecs
import sys
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from fastmlp._extras import require
from fastmlp.reading.csv_file import CsvFile, Marks, quoted
from fastmlp.reading.csv_hints import (
    DECIMAL_MARKS,
    DataError,
    found_delimiter,
    refuse_other_encoding,
    refuse_other_formats,
)
from fastmlp.reading.text_columns import (
    are_numbers,
    dates_of,
    has_decimal_comma,
    numbers_of,
    texts_of,
)

if TYPE_CHECKING:
    from pandas import DataFrame, Series

# First bytes of compressed files, and the modules of the standard library that decompress them.
_COMPRESSIONS = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\0": "lzma"}
# The mark of UTF-32 begins like that of UTF-16.
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# What spreadsheets of Western systems write; it is tried where a file is not UTF-8.
_FALLBACK = "cp1252"
# A mark of missing values that pandas does not know, and public tables have.
_MISSING = "?"


@dataclass(frozen=True)
class Reading:
    """How a file is to be read; what is None is detected."""

    delimiter: str | None = None
    decimal: str | None = None
    missing: tuple[str, ...] = ()
    encoding: str | None = None


class TableFile(Protocol):
    """A table in a file."""

    # What messages call the file.
    name: str
    # Of the columns.
    names: list[str]

    @property
    def description(self) -> str:
        """What the file was found to be; the decimal mark is known once the rows are read."""

    def check_columns(self, names: Sequence[str]) -> None:
        """Raise a DataError if a column is not there."""

    def frame(self, target: str | None = None, as_text: Collection[str] = ()) -> "DataFrame":
        """Return the rows.

        Numbers are numbers and dates are dates; other text stays text.

        Parameters
        ----------
        target : str or None
            A column that may hold classes: if it is text, all but empty values are classes.
        as_text : collection of str
            Columns that are text even if all of their values are numbers.
        """

    def texts(self, names: Sequence[str]) -> "DataFrame":
        """Return columns as the file writes them; what is missing is empty."""


def open_table(path: Path, reading: Reading) -> TableFile:
    """Read a file; a dash is standard input.

    Raises
    ------
    OSError
        If the file cannot be read.
    DataError
        If the file holds no table.
    """
    name = str(path)
    if name == "-":
        if sys.stdin is None:
            raise DataError("standard input is closed")
        name, content = "standard input", sys.stdin.buffer.read()
    else:
        content = path.read_bytes()
    if path.suffix in (".parquet", ".pq") or content.startswith(b"PAR1"):
        return ParquetTable(name, content)
    return CsvTable(name, content, reading)


@contextmanager
def faults_of_columns(name: str, remedy: str = "") -> Iterator[None]:
    """Turn an error of an estimator about columns into a DataError that names the file.

    What can be done about values that no estimator reads is added to the message.
    """
    try:
        yield
    except TypeError as error:
        raise DataError(f"{name}: {error}{remedy}") from error
    except ValueError as error:
        raise DataError(f"{name}: {error}") from error


class ParquetTable:
    """A Parquet file."""

    def __init__(self, name: str, content: bytes) -> None:
        pandas = require("pandas", "a table")
        parquet = require("pyarrow.parquet", "a Parquet file")
        self.name = name
        try:
            counts = Counter(parquet.read_schema(BytesIO(content)).names)
            for column, count in counts.items():
                if count > 1:
                    raise DataError(f"it has {count} columns named {column!r}")
            frame: DataFrame = pandas.read_parquet(BytesIO(content), engine="pyarrow")
        except (ValueError, OSError, NotImplementedError) as error:
            raise DataError(f"{name} is no readable Parquet file: {error}") from error
        # An index with a name was a column; another one only counts rows.
        index = [level for level in frame.index.names if level is not None]
        self._frame = frame.reset_index(index).reset_index(drop=True)
        # Numbers and tuples may be names too.
        self.names = [str(column) for column in self._frame.columns]
        self._frame.columns = pandas.Index(self.names)
        if self._frame.empty:
            raise DataError(f"{name} has no rows")

    @property
    def description(self) -> str:
        """What the file was found to be."""
        return "Parquet"

    def check_columns(self, names: Sequence[str]) -> None:
        """Raise a DataError if a column is not there."""
        for name in names:
            if name not in self.names:
                raise DataError(
                    f"{self.name} has no column {name!r}; its columns are {quoted(self.names)}"
                )

    def frame(self, target: str | None = None, as_text: Collection[str] = ()) -> "DataFrame":
        """Return the rows; columns that are no text have types of their own."""
        texts = {str(values.name): values for values in texts_of(self._frame)}
        chosen = texts.keys() - {target, *as_text}
        return self._frame.assign(**{name: dates_of(texts[name]) for name in chosen})

    def texts(self, names: Sequence[str]) -> "DataFrame":
        """Return columns as text; what is missing is empty."""
        self.check_columns(names)
        columns = self._frame[list(names)].astype(object)
        return columns.where(columns.notna(), "").astype(str)


class CsvTable:
    """A file of text with a delimiter."""

    def __init__(self, name: str, content: bytes, reading: Reading) -> None:
        self.name = name
        content, compression = _decompressed(name, content)
        content, encoding = _as_utf8(name, content, reading.encoding)
        decimal = reading.decimal or "."
        delimiter = reading.delimiter or found_delimiter(content, decimal)
        marks = Marks(delimiter or (";" if decimal == "," else ","), decimal, reading.missing)
        self._file = CsvFile(name, content, marks)
        # A column without a name counts rows, or ends a header that ends with a delimiter.
        self._places = {name: self._file.column(name) for name in self._file.header if name}
        self.names = list(self._places)
        self._finds_decimal = reading.decimal is None and marks.delimiter != ","
        self._found = [*compression, "CSV", encoding, f"delimiter {marks.delimiter!r}"]

    @property
    def description(self) -> str:
        """What the file was found to be."""
        return ", ".join([*self._found, DECIMAL_MARKS[self._file.marks.decimal]])

    def check_columns(self, names: Sequence[str]) -> None:
        """Raise a DataError if a column is not there."""
        for name in names:
            self._file.column(name)

    def frame(self, target: str | None = None, as_text: Collection[str] = ()) -> "DataFrame":
        """Return the rows below the header."""
        frame = self._parsed(as_text)
        if self._finds_decimal and self._has_decimal_comma(frame):
            file = self._file
            marks = Marks(file.marks.delimiter, ",", file.marks.missing)
            self._file = CsvFile(self.name, file.content, marks)
            frame = self._parsed(as_text)
        self._finds_decimal = False
        for values in texts_of(frame):
            name = str(values.name)
            numbers = None if name in as_text else numbers_of(values, self._file.marks.decimal)
            if numbers is not None:
                frame[name] = numbers
            elif name == target:
                frame[name] = self._labels(name)
            else:
                frame[name] = values.str.strip() if name in as_text else dates_of(values)
        return frame

    def texts(self, names: Sequence[str]) -> "DataFrame":
        """Return columns as the file writes them; what is missing is empty."""
        places = [self._file.column(name) for name in names]
        frame = self._file.parse(
            dict.fromkeys(places, str), (), keep_default_na=False, usecols=places
        )
        return frame[places].set_axis(list(names), axis=1)

    def _parsed(self, as_text: Collection[str]) -> "DataFrame":
        file = self._file
        dtype: dict[int, type] = {self._places[name]: str for name in as_text}
        frame = file.parse(dtype, [_MISSING, *file.marks.missing], low_memory=False)
        if frame.empty:
            raise DataError(f"{self.name} has no rows below its header")
        if frame[len(file.header) - 1].hasnans:
            file.lines.check()  # pandas pads short lines with missing values
        return frame[list(self._places.values())].set_axis(self.names, axis=1)

    def _has_decimal_comma(self, frame: "DataFrame") -> bool:
        """Say whether the decimal mark is a comma, of rows that were read with a point."""
        found = [values for values in texts_of(frame) if has_decimal_comma(values)]
        if not all(are_numbers(values, ".") for values in found):
            return True
        # All of 1,234 and 5,678 may have thousands: a point that has none is the decimal mark.
        floats = [name for name in self.names if frame[name].dtype.kind == "f"]
        texts = self.texts(floats).where(frame[floats].notna())
        return bool(found) and all(are_numbers(texts[name], ",") for name in floats)

    def _labels(self, target: str) -> "Series[Any]":
        """Return labels, of which only empty ones and those that the user named are missing."""
        labels = self.texts([target])[target].str.strip()
        return labels.mask(labels.isin(["", *self._file.marks.missing]))


def _decompressed(name: str, content: bytes) -> tuple[bytes, list[str]]:
    """Return what a file holds, and by what it was compressed."""
    module = next((m for magic, m in _COMPRESSIONS.items() if content.startswith(magic)), None)
    if module is None:
        return content, []
    library = import_module(module)
    try:
        return library.decompress(content), [module]
    except (OSError, EOFError, zlib.error, getattr(library, "LZMAError", OSError)) as error:
        raise DataError(f"{name} is a damaged file of {module}: {error}") from error


def _as_utf8(name: str, content: bytes, encoding: str | None) -> tuple[bytes, str]:
    """Return text as UTF-8, and the encoding that it had."""
    if encoding is None:
        marks = _BYTE_ORDER_MARKS.items()
        encoding = next((e for mark, e in marks if content.startswith(mark)), None)
    if encoding is None:
        refuse_other_formats(name, content)
        try:
            content.decode()
        except UnicodeDecodeError:
            encoding = _FALLBACK
        else:
            return content, "UTF-8"
    try:
        return content.decode(encoding).encode(), encoding
    except UnicodeDecodeError as error:
        if encoding == _FALLBACK:
            refuse_other_encoding(name, content)
        raise DataError(f"{name} is not text of the encoding {encoding}: {error}") from error
