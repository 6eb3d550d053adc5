"""Why a CSV file may be unreadable: it has another format, delimiter or decimal mark."""

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from os import PathLike

DECIMAL_MARKS = {".": "decimal point", ",": "decimal comma"}

# First bytes of files of other kinds. The mark of UTF-32 begins like that of UTF-16.
_FORMATS = {
    b"\x1f\x8b": "compressed by gzip",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ\0": "compressed by xz",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"PK\x03\x04": "an Excel workbook or another zip archive",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array",
    b"SQLite format 3": "an SQLite database",
    codecs.BOM_UTF32_LE: "UTF-32 text",
    codecs.BOM_UTF32_BE: "UTF-32 text",
    codecs.BOM_UTF16_LE: "UTF-16 text",
    codecs.BOM_UTF16_BE: "UTF-16 text",
}
_SAMPLE_BYTES = 2**16
_SAMPLE_RECORDS = 20
_DELIMITERS = {";": "';'", "\t": "tabs", ",": "','", "|": "'|'", " ": "spaces"}
_WITH_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+(?:[eE][+-]?[0-9]+)?")


class DataError(ValueError):
    """A data file does not contain what it should."""


def refuse_other_formats(path: str | PathLike[str], content: bytes) -> None:
    """Raise a DataError that names the kind of a file that is not UTF-8 text."""
    kind = next((kind for magic, kind in _FORMATS.items() if content.startswith(magic)), None)
    if kind is None and b"\0" in content[:_SAMPLE_BYTES]:
        # Every other byte of ASCII characters in UTF-16 is 0.
        halves = (content[:_SAMPLE_BYTES:2], content[1:_SAMPLE_BYTES:2])
        is_wide = sum(b"\0" in half for half in halves) == 1
        kind = "UTF-16 text" if is_wide else "a binary file"
    if kind is not None:
        cure = "decompress it" if kind.startswith("compressed") else "save it as CSV in UTF-8"
        raise DataError(f"{path} is {kind}, expected CSV in UTF-8: {cure}")


def refuse_other_encoding(path: str | PathLike[str], content: bytes) -> None:
    """Raise a DataError with the position of the first byte that is not UTF-8."""
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path} is not UTF-8 text: {error}, on line {line}; save it as UTF-8"
        ) from error


def refuse_delimiter_line(path: str | PathLike[str], fields: Sequence[str], sep: str) -> None:
    """Raise a DataError if the first record is Excel's note of the delimiter."""
    found = re.fullmatch(r"sep=(.?)", sep.join(fields).strip())
    if found:
        given = f", and give {_ways_to_give(delimiter=found[1])}" if found[1] not in sep else ""
        raise DataError(
            f"{path} begins with {found[0]!r}, which is a note to Excel and no header: "
            f"delete this line{given}"
        )


def delimiter_hint(content: bytes, delimiter: str) -> str:
    """Name the delimiter that splits the first records evenly, if the given one does not."""
    lines = _first_lines(content)
    if _is_table(_records(lines, delimiter)):
        return ""
    for other, name in _DELIMITERS.items():
        records = _records(lines, other)
        if other != delimiter and _is_table(records):
            given = {"delimiter": other}
            if other != "," and any(_WITH_COMMA.fullmatch(f.strip()) for r in records for f in r):
                given["decimal"] = ","
            return f"; the columns seem to be separated by {name}: give {_ways_to_give(**given)}"
    return ""


def found_delimiter(content: bytes, decimal: str) -> str | None:
    """Return the delimiter that splits the first records evenly; None if there is none."""
    lines = _first_lines(content)
    others = (delimiter for delimiter in _DELIMITERS if delimiter != decimal)
    return next((other for other in others if _is_table(_records(lines, other))), None)


def header_hint(header: Sequence[str]) -> str:
    """Remind of the header if names are numbers."""
    if not any(map(is_number, header)):
        return ""
    return "; if its first line is data, add a header, a line with the names of the columns"


def decimal_hint(value: str, decimal: str) -> str:
    """Name the decimal mark that a value seems to have, if it is not the given one."""
    for other in set(DECIMAL_MARKS) - {decimal}:
        if _WITH_COMMA.fullmatch(value.replace(other, ",")) and decimal not in value:
            return f"; if it has a {DECIMAL_MARKS[other]}, give {_ways_to_give(decimal=other)}"
    return ""


def looks_headless(header: Sequence[str], target: str, labels: Sequence[str]) -> bool:
    """Whether the header looks like data: the target's name is a label, the others are numbers.

    Consecutive integers count as names.
    """
    names = [name for name in header if name != target]
    if target not in labels or not all(map(is_number, names)):
        return False
    if len(names) < 2 or not all(map(str.isdecimal, names)):
        return True
    return any(after - before != 1 for before, after in pairwise(map(int, names)))


def is_number(text: str) -> bool:
    """Whether text is a number in decimal digits; Python itself accepts more, such as 1_2."""
    return re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,6})?", text) is not None


def _first_lines(content: bytes) -> list[str]:
    text = content[:_SAMPLE_BYTES].decode("utf-8-sig", errors="replace")
    return text.splitlines()[: None if len(content) <= _SAMPLE_BYTES else -1]


def _records(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    reader: Iterator[list[str]] = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    try:
        return list(islice(filter(None, reader), _SAMPLE_RECORDS))
    except csv.Error:
        return []


def _is_table(records: Sequence[Sequence[str]]) -> bool:
    """Whether all records have one length, of two columns or more."""
    return len({len(fields) for fields in records}) == 1 and len(records[0]) > 1


def _ways_to_give(**arguments: str) -> str:
    shown = {name: "\\t" if value == "\t" else value for name, value in arguments.items()}
    python = " and ".join(f"{name}='{value}'" for name, value in shown.items())
    options = " ".join(f"--{name} '{value}'" for name, value in shown.items())
    return f"{python} (on the command line {options})"
