"""What is read from a file beside the network, checked before it is believed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike, fspath
from typing import Any

from fastmlp._core import ModelFileError


@contextmanager
def faults_of(path: str | PathLike[str], verdict: str) -> Iterator[None]:
    """Turn what is wrong with the content of a file into the error that names the file.

    Parameters
    ----------
    path : str or path-like
        The file.
    verdict : str
        What it then is: ``"is not a model file"``.
    """
    try:
        yield
    except (TypeError, ValueError, LookupError, ArithmeticError, RecursionError) as error:
        raise ModelFileError(f"{fspath(path)} {verdict}: {error}") from error


def json_object(name: str, text: str) -> dict[str, Any]:
    """Read text as a JSON object."""
    try:
        content = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{name} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{name} must be a JSON object, got {type(content).__name__}")
    return content
