"""The files that a measurement writes."""

import argparse
from pathlib import Path


def output(text):
    """Read the path of such a file, and make its folder before anything is measured."""
    path = Path(text)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return path
