"""Lines of text, in which a Chinese character takes two columns and needs no space beside it."""

import re
from unicodedata import east_asian_width


def width(text: str) -> int:
    """Return how many columns a text takes in a terminal."""
    return sum(2 if _is_wide(character) else 1 for character in text)


def in_one_line(text: str) -> str:
    """Join the lines of a text, by a space unless the language has none."""
    return re.sub(r"(.)\n", lambda end: end[1] + " " * (not _is_wide(end[1])), text)


def _is_wide(character: str) -> bool:
    return east_asian_width(character) in "WF"
