"""Quality against the time of a fit, as a picture with the front of what nothing else beats."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from benches.tables.report import grouped, scores_of

# After Okabe and Ito ("Color universal design", 2008); ours are circles.
STYLES = {
    "fast": ("#56B4E9", "o", "preset fast"),
    "default": ("#0072B2", "o", "preset default"),
    "best": ("#000000", "o", "preset best"),
    "realmlp": ("#D55E00", "s", "RealMLP-TD"),
    "lightgbm": ("#009E73", "^", "LightGBM"),
    "boosting": ("#CC79A7", "v", "scikit-learn, boosting"),
    "sklearn": ("#E69F00", "D", "scikit-learn, MLP"),
}
COLUMNS = 3


def front_of(times, scores, *, lower_is_better):
    """Return the places of points that no faster one equals, from fast to slow."""
    gains = -scores if lower_is_better else scores
    found, best = [], -np.inf
    for place in np.lexsort((-gains, times)):
        if gains[place] > best:
            found.append(int(place))
            best = gains[place]
    return found


def draw(results, path):
    """Draw one panel per table: means over seeds, and the spread of these."""
    tables = list(dict.fromkeys(result.table for result in results))
    n_rows = -(-(len(tables) + 1) // COLUMNS)
    figure = Figure(figsize=(10, 3.1 * n_rows), dpi=150, layout="constrained")
    axes = figure.subplots(n_rows, COLUMNS, squeeze=False).ravel()
    handles = {}
    for ax, table in zip(axes, tables, strict=False):
        found = {kind: rows for (name, kind), rows in grouped(results).items() if name == table}
        handles |= panel(ax, table, found)
    for ax in axes[len(tables) :]:
        ax.set_axis_off()
    names = [STYLES[kind][2] for kind in STYLES if kind in handles]
    axes[-1].legend(
        [handles[kind] for kind in STYLES if kind in handles], names, loc="center", frameon=False
    )
    figure.savefig(path)


def panel(ax, table, found):
    """Draw what was found of a table by kind; return the points by kind."""
    lower_is_better = next(iter(found.values()))[0].is_regression
    times = np.array([np.mean([r.fit_seconds for r in rows]) for rows in found.values()])
    scores = np.array([scores_of(rows).mean() for rows in found.values()])
    handles = {}
    for (kind, rows), time, score in zip(found.items(), times, scores, strict=True):
        color, marker, _ = STYLES[kind]
        handles[kind] = ax.errorbar(
            time, score, scores_of(rows).std(), fmt=marker, color=color, markersize=7, capsize=2
        )
    front = front_of(times, scores, lower_is_better=lower_is_better)
    ax.step(times[front], scores[front], where="post", color="#999999", linewidth=1, zorder=0)
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    if lower_is_better:
        ax.invert_yaxis()
    ax.set(
        title=table, xlabel="CPU seconds of a fit", ylabel="RMSE" if lower_is_better else "accuracy"
    )
    ax.grid(alpha=0.25)
    ax.spines[["top", "right"]].set_visible(False)
    return handles
