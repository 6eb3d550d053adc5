"""The sentences of the lesson, by key, from one file per language."""

import tomllib
from importlib.resources import files

_TEXTS = files("fastmlp.lesson") / "texts"


def languages() -> list[str]:
    """Return the languages that have a catalogue, in alphabetical order."""
    names = (file.name for file in _TEXTS.iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def texts_in(language: str) -> dict[str, str]:
    """Return the sentences of a language.

    Parameters
    ----------
    language : str
        One of `languages`.

    Returns
    -------
    dict of str to str
        The key is that of the file with the name of its table before it, as in ``"data.title"``.

    Raises
    ------
    ValueError
        If there is no catalogue of the language.
    """
    if language not in languages():
        expected = ", ".join(languages())
        raise ValueError(f"language must be one of {expected}, got {language!r}")
    tables = tomllib.loads((_TEXTS / f"{language}.toml").read_text(encoding="utf-8"))
    return {
        f"{table}.{key}": text for table, entries in tables.items() for key, text in entries.items()
    }
