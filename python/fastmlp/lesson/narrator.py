"""What the lesson says: printed at once, and kept block by block."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fastmlp.lesson.lines import in_one_line, width


@dataclass
class Paragraph:
    """Sentences, in one line."""

    text: str


@dataclass
class Table:
    """Rows of entries below a header; None in place of a row is a rule."""

    header: Sequence[str]
    rows: list[Sequence[str] | None] = field(default_factory=list)


@dataclass
class Facts:
    """Labels with their values."""

    entries: Sequence[tuple[str, str]]


@dataclass
class Picture:
    """A picture, by its name without a suffix."""

    name: str


@dataclass
class Step:
    """One step of the lesson; the name is that of its table in the catalogue."""

    name: str
    title: str
    blocks: list[Paragraph | Table | Facts | Picture] = field(default_factory=list)


class Narrator:
    """Says the lesson in one language.

    Parameters
    ----------
    texts : dict of str to str
        The sentences, as `fastmlp.lesson.catalogue.texts_in` returns them.

    Attributes
    ----------
    steps : list of Step
        What was said.
    """

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts
        self.steps: list[Step] = []

    def __call__(self, key: str, **values: object) -> str:
        """Return a sentence with values in place of the names in braces."""
        return self.texts[key].format(**values)

    def words(self, *names: str) -> list[str]:
        """Return words of the catalogue."""
        return [self.texts[f"words.{name}"] for name in names]

    def step(self, name: str) -> None:
        """Begin a step."""
        title = self(f"{name}.title")
        self.steps.append(Step(name, title))
        heading = f"{len(self.steps)}. {title}"
        print("\n" * (len(self.steps) > 1) + heading)
        print("-" * width(heading))

    def text(self, key: str, **values: object) -> None:
        """Say a sentence."""
        text = self(key, **values)
        self._begin(Paragraph(in_one_line(text)))
        print(text)

    def facts(self, entries: Sequence[tuple[str, str]]) -> None:
        """State labelled values."""
        self._begin(Facts(entries))
        widest = max(width(label) for label, _ in entries)
        for label, value in entries:
            print(label + " " * (widest - width(label)) + f"  {value}")

    def table(
        self,
        header: Sequence[str],
        rows: Iterable[Sequence[object] | None],
        least: Sequence[int] | None = None,
    ) -> None:
        """Show a table, in columns at least as wide as `least` and as their entries."""
        texts = [None if row is None else [str(entry) for entry in row] for row in rows]
        widths = list(least or [0] * len(header))
        for row in texts:
            for column, entry in enumerate(row or ()):
                widths[column] = max(widths[column], width(entry))
        growing = self.growing_table(header, widths)
        for row in texts:
            growing.add(row)

    def growing_table(self, header: Sequence[str], least: Sequence[int]) -> "GrowingTable":
        """Show the header of a table whose rows follow, in columns at least as wide as `least`."""
        table = Table(header)
        self._begin(table)
        return GrowingTable(table, [*map(max, map(width, header), least)])

    def picture(self, path: Path) -> None:
        """Point to the file of a picture."""
        self._begin(Picture(path.stem))
        print(self("terminal.see", path=path))

    def _begin(self, block: Paragraph | Table | Facts | Picture) -> None:
        blocks = self.steps[-1].blocks
        if blocks:
            print()
        blocks.append(block)


class GrowingTable:
    """A table whose rows are printed as they come: the first column left, the others right."""

    def __init__(self, table: Table, widths: Sequence[int]) -> None:
        self._table = table
        self._widths = widths
        self._print(table.header)

    def add(self, row: Sequence[str] | None) -> None:
        """Add a row, or a rule; a row may end early."""
        self._table.rows.append(row)
        self._print(row)

    def _print(self, row: Sequence[str] | None) -> None:
        if row is None:
            print("-" * (sum(self._widths) + 2 * (len(self._widths) - 1)))
            return
        first, *others = row
        left, *right = self._widths
        cells = [
            " " * (columns - width(entry)) + entry
            for entry, columns in zip(others, right, strict=False)
        ]
        print("  ".join([first + " " * (left - width(first)), *cells]))
