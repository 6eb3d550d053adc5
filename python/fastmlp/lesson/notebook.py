"""The lesson as a script of cells, and as a Jupyter notebook with the same cells.

``script.txt`` has the code, and names the sentences of the catalogue in double braces.
"""

import json
import re
from importlib.resources import files
from pathlib import Path
from textwrap import wrap
from typing import Any

from fastmlp._core import MLP
from fastmlp.commands.results import describe_files
from fastmlp.data import make_spiral
from fastmlp.lesson.catalogue import texts_in
from fastmlp.lesson.course import LAYER_SIZES
from fastmlp.lesson.lines import in_one_line

_TEMPLATE = files("fastmlp.lesson") / "script.txt"
_CELL = re.compile(r"^# %%( \[markdown\])?\n", re.MULTILINE)
_LINE_LENGTH = 98  # without the "# " before it


def write_notebook(folder: Path, seed: int, language: str = "en") -> None:
    """Write the lesson as a notebook, ``lesson.ipynb``.

    Parameters
    ----------
    folder : Path
        Folder for the notebook; created if needed.
    seed : int
        Seed of the data, the split and the networks.
    language : str, default="en"
        Language of the text, one of `fastmlp.lesson.languages`.

    Raises
    ------
    FileExistsError
        If the notebook exists, since somebody may have worked in it.
    ValueError
        If there is no such language.
    OSError
        If the file cannot be written.
    """
    notebook = make_notebook(make_script(seed, language))
    path = folder / "lesson.ipynb"
    if path.exists():
        raise FileExistsError(f"{path} exists: move it away, or choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(notebook, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    print(describe_files(folder, [path], texts_in(language)["terminal.written"]))


def make_script(seed: int, language: str = "en") -> str:
    """Return the lesson as a script in the percent format, with its text in comments."""
    texts = texts_in(language)
    values = {"points": len(make_spiral()[0]), "count": MLP(LAYER_SIZES).n_parameters}

    def commented(match: re.Match[str]) -> str:
        before, key, after = match.groups()
        text = in_one_line(texts[key].format(**values))
        lines = wrap(
            before + text + after, _LINE_LENGTH, break_long_words=False, break_on_hyphens=False
        )
        return "\n".join(f"# {line}" for line in lines)

    text = _TEMPLATE.read_text(encoding="utf-8").replace("{{seed}}", str(seed))
    return re.sub(r"^# (.*)\{\{(.+)\}\}(.*)$", commented, text, flags=re.MULTILINE)


def make_notebook(script: str) -> dict[str, Any]:
    """Return a script in the percent format as a notebook, in the layout of nbformat 4.5."""
    _, *parts = _CELL.split(script)
    cells = []
    for number, (kind, body) in enumerate(zip(parts[::2], parts[1::2], strict=True), start=1):
        source = body.strip()
        cell: dict[str, Any] = {"id": f"cell-{number}", "metadata": {}}
        if kind:
            lines = (line.removeprefix("#").removeprefix(" ") for line in source.splitlines())
            cell |= {"cell_type": "markdown", "source": "\n".join(lines)}
        else:
            cell |= {"cell_type": "code", "source": source, "outputs": [], "execution_count": None}
        cells.append(cell)
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    return {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
