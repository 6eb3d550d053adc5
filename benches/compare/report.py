"""The results of a measurement as tables."""

import numpy as np

from benches.compare import OURS

UNITS = """\
A step is forward, loss, backward and update; a call is predict_proba, NumPy arrays in and out; an
evaluation is loss and gradient within SciPy's L-BFGS, whose own time is shared out among them."""
FOOT = f"""\
µs: median over the rounds. ratio: time over {OURS}'s in the same round, median and quartiles.
cpu µs: time on processors, lower quartile; what else runs on the machine hardly moves it."""


def heading(run):
    """Describe what the figures of a run depend on."""
    lines = [f"{name}: {value}" for name, value in run["setting"].items() if value]
    lines += [f"left out: {name}: {reason}" for name, reason in run["left out"].items()]
    return "\n".join([*lines, f"threads: {run['threads']}", ""])


def summary(case):
    """Per peer: its times, and quartiles of its time over ours round by round."""
    ours = np.array(case["peers"][OURS]["microseconds"])
    rows = {}
    for name, peer in case["peers"].items():
        ratios = np.array(peer["microseconds"]) / ours
        rows[name] = {
            "microseconds": float(np.median(peer["microseconds"])),
            "ratio": np.quantile(ratios, [0.25, 0.5, 0.75]).tolist(),
            "processor": float(np.quantile(peer["processor_microseconds"], 0.25)),
            "note": peer["note"],
        }
    return rows


def block(case):
    """Aligned lines of one case."""
    rows = summary(case)
    width = max(map(len, rows))
    unit = f"µs per {case['unit']}"
    lines = [
        f"{case['name']}: {case['title']}",
        f"  {'':{width}}{unit:>13}{'ratio':>9}{'quartiles':>19}{'cpu µs':>11}",
    ]
    for name, row in rows.items():
        low, middle, high = map(short, row["ratio"])
        lines.append(
            f"  {name:{width}}{short(row['microseconds']):>13}{middle:>9}"
            f"{low:>10}{high:>9}{short(row['processor']):>11}  {row['note']}".rstrip()
        )
    return "\n".join([*lines, ""])


def short(number):
    """Write three digits, or all those before the point."""
    exponent = int(f"{number:.2e}".partition("e")[2])
    return f"{number:,.{max(0, 2 - exponent)}f}"


def markdown(runs):
    """Write the medians as tables for a document: one column per case, one row per peer."""
    parts = []
    for run in runs:
        for unit in dict.fromkeys(case["unit"] for case in run["cases"]):
            cases = [case for case in run["cases"] if case["unit"] == unit]
            parts.append(markdown_table(run, unit, cases))
    return "\n\n".join(parts) + "\n"


def markdown_table(run, unit, cases):
    """One of those tables."""
    threads = "One thread" if run["threads"] == 1 else f"{run['threads']} threads"
    rows = {case["name"]: summary(case) for case in cases}
    names = dict.fromkeys(name for summaries in rows.values() for name in summaries)
    lines = [
        f"{threads}, microseconds per {unit}, and the ratio to {OURS}'s in brackets:",
        "",
        "| " + " | ".join(["", *rows]) + " |",
        "| --- |" + " ---: |" * len(rows),
    ]
    for name in names:
        cells = [cell(name, summaries.get(name)) for summaries in rows.values()]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    notes = {
        f"{name} in {case['name']}: {peer['note']}"
        for case in cases
        for name, peer in case["peers"].items()
        if peer["note"]
    }
    return "\n".join([*lines, *([""] if notes else []), *sorted(f"- {note}" for note in notes)])


def cell(name, row):
    """Write a peer's figures of one case."""
    if row is None:
        return ""
    time = short(row["microseconds"])
    return f"**{time}**" if name == OURS else f"{time} ({short(row['ratio'][1])})"
