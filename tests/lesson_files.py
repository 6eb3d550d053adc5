"""The command line of the lesson, and the CSV files that it takes and writes."""

import csv
import io
import sys

FASTMLP = [sys.executable, "-m", "fastmlp"]
LESSON = ("--preset", "lesson")


def write_csv(path, header, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def read_csv(text):
    return list(csv.DictReader(io.StringIO(text)))
