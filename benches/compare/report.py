"""What was measured, as a table for people and as JSON for programs."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

import fastmlp
from benches.compare.peers import OURS


def setting():
    """Machine, versions and threads, which the figures depend on."""
    blas = next(pool for pool in threadpool_info() if pool["user_api"] == "blas")
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": 1,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "fastmlp": fastmlp.__version__,
        "numpy": f"{np.__version__} ({blas['internal_api']} {blas['version']}"
        f" for {blas['architecture']})",
        "scikit-learn": version("scikit-learn"),
        "torch": version("torch"),
    }


def processor():
    """Name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def summary(times):
    """Per peer: median microseconds, and the spread of its time over ours, round by round."""
    rows = {}
    for name, values in times.items():
        ratios = values / times[OURS]
        low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75])
        rows[name] = {
            "microseconds": float(np.median(values)),
            "ratio": float(middle),
            "ratio_min": float(ratios.min()),
            "ratio_quartiles": [float(low), float(high)],
        }
    return rows


def table(results):
    """Aligned lines, a block a case; `results` maps a case's title to the times of its peers."""
    lines = []
    for title, times in results.items():
        rows = summary(times)
        width = max(map(len, rows))
        heads = f"{'µs a step':>11}{'ratio':>8}{'least':>8}{'quartiles':>15}"
        lines += [title, f"  {'':{width}}{heads}"]
        for name, row in rows.items():
            low, high = row["ratio_quartiles"]
            lines.append(
                f"  {name:{width}}{row['microseconds']:11,.2f}{row['ratio']:8.2f}"
                f"{row['ratio_min']:8.2f}{low:8.2f}{high:7.2f}"
            )
        lines.append("")
    lines.append(f"A step is forward, loss, backward and update. Ratio: time over {OURS}'s in the")
    lines.append("same round; its median over the rounds, the least and the quartiles.")
    return "\n".join(lines)


def as_json(results):
    """Everything measured, in plain values that `json.dump` takes."""
    return {
        "setting": setting(),
        "cases": {
            title: {
                "summary": summary(times),
                "microseconds": {name: values.tolist() for name, values in times.items()},
            }
            for title, times in results.items()
        },
    }
