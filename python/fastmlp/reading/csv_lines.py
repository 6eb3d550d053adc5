"""The lines of a CSV file: its header, and the line of an error."""

import csv
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper
from itertools import islice
from os import PathLike

from fastmlp.reading.csv_hints import (
    DataError,
    delimiter_hint,
    refuse_delimiter_line,
    refuse_other_encoding,
)


class Lines:
    """The records of a file as Python's own reader finds them.

    It knows the line of a record, which pandas does not. It is slow, so it reads beyond the header
    only to report errors.
    """

    def __init__(self, path: str | PathLike[str], content: bytes, delimiter: str) -> None:
        self.path = path
        self.content = content
        self.delimiter = delimiter

    def header(self) -> list[str]:
        """Names of the columns; pandas would take the first row below it to be longer."""
        top = list(islice(self.records(strict=False), 2))
        if not top:
            raise DataError(f"{self.path} is empty, expected a header line with the column names")
        fields = top[0][1]
        refuse_delimiter_line(self.path, fields, self.delimiter)
        return [name.strip() for name in fields]

    def check(self) -> None:
        """Raise at the first line that leaves a quote open or has another length."""
        for _ in self.records():
            pass

    def record(self, row: int) -> tuple[int, list[str]]:
        """Line number and fields of a row below the header."""
        return next(islice(self.records(), row + 1, None))

    def records(self, strict: bool = True) -> Iterator[tuple[int, list[str]]]:
        """Yield the line number and the fields of each record that is not blank."""
        text = TextIOWrapper(BytesIO(self.content), "utf-8-sig", newline="")
        raw: list[str] = []  # the lines of the record

        def lines() -> Iterator[str]:
            for line in text:
                raw.append(line)
                yield line

        reader = csv.reader(lines(), delimiter=self.delimiter, skipinitialspace=True, strict=strict)
        blank = " \t\r\n".replace(self.delimiter, "")
        start, length = 0, 0
        try:
            for fields in reader:
                if "".join(raw).strip(blank):
                    length = length or len(fields)
                    if len(fields) != length:
                        raise csv.Error(
                            f"expected {length} values as in the header, found {len(fields)}"
                            f"{self._length_hint(fields, length)}"
                        )
                    yield start + 1, fields
                raw.clear()
                start = reader.line_num
        except csv.Error as error:
            raise DataError(f"{self.path}, line {start + 1}: {error}") from error
        except UnicodeDecodeError:
            refuse_other_encoding(self.path, self.content)
            raise

    def _length_hint(self, fields: list[str], length: int) -> str:
        if len(fields) > length and not "".join(fields[length:]).strip():
            return "; the line ends with delimiters that the header does not have"
        hint = delimiter_hint(self.content, self.delimiter)
        if not hint and len(fields) > length and self.delimiter == ",":
            return "; a value that holds a comma must be in quotes"
        return hint
