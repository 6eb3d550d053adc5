"""Results as rows of a table."""

from typing import NamedTuple

import numpy as np

# By what RMSE is divided where the published results are: the deviation of the price.
UNITS = {"diamonds": 3989.4}
HEADER = """\
| table | | seeds | | score | log loss | CPU seconds of fit | rows per second |
| --- | --- | ---: | --- | ---: | ---: | ---: | ---: |"""


class Result(NamedTuple):
    """What one fit gave; the score of a regression is the RMSE, that of classes the accuracy."""

    table: str
    kind: str
    score: float
    log_loss: float | None
    fit_seconds: float
    rows_per_second: float

    @property
    def is_regression(self):
        """Whether a smaller score is better."""
        return self.log_loss is None


def scores_of(results):
    """Return the scores of results of one table, in the units of published results."""
    return np.array([result.score for result in results]) / UNITS.get(results[0].table, 1)


def row(results):
    """Return a line of the table: means over seeds, and their spread."""
    first = results[0]
    scores = scores_of(results)
    digits = 0 if scores.mean() > 100 else 4
    log_loss = "" if first.is_regression else f"{np.mean([r.log_loss for r in results]):.4f}"
    cells = (
        *(first.table, first.kind, len(results), "RMSE" if first.is_regression else "accuracy"),
        f"{scores.mean():.{digits}f} ± {scores.std():.{digits}f}",
        log_loss,
        f"{np.mean([r.fit_seconds for r in results]):.1f}",
        f"{np.mean([r.rows_per_second for r in results]):,.0f}",
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def grouped(results):
    """Return the results by table and kind, in their order."""
    found = {}
    for result in results:
        found.setdefault((result.table, result.kind), []).append(result)
    return found
