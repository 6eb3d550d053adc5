"""The ratios of the peers' times to ours as a picture."""

from matplotlib import pyplot as plt
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from benches.compare import OURS
from benches.compare.report import summary

# One colour per library, after Okabe and Ito ("Color universal design", 2008); one marker per way
# to use it, so that nothing depends on colour alone.
STYLES = {
    "scikit-learn": ("#E69F00", "s"),
    "numpy": ("#009E73", "D"),
    "torch, eager": ("#D55E00", "o"),
    "torch, inference_mode": ("#D55E00", "o"),
    "torch, gradients by hand": ("#D55E00", "^"),
    "torch, compiled step": ("#D55E00", "P"),
    "torch, compiled": ("#D55E00", "P"),
    "jax, one call per step": ("#0072B2", "v"),
    "jax, one compiled loop": ("#0072B2", "X"),
    "jax.jit": ("#0072B2", "v"),
    "numba": ("#CC79A7", "h"),
    "onnxruntime": ("#000000", "*"),
}
# Both are what most people write: one entry of the legend serves training and inference.
LEGEND = {
    "torch, inference_mode": "torch, eager",
    "torch, compiled": "torch, compiled step",
    "jax.jit": "jax, one call per step",
}


def draw(run, path):
    """Draw the median ratio of every peer in every case, one line per case."""
    cases = run["cases"]
    figure, axes = plt.subplots(figsize=(8, 1.7 + 0.45 * len(cases)), layout="constrained")
    seen = {}
    for line, case in enumerate(cases):
        axes.axhline(line, color="#dddddd", linewidth=1, zorder=0)
        for name, row in summary(case).items():
            if name in STYLES:
                color, marker = STYLES[name]
                seen[LEGEND.get(name, name)] = axes.scatter(
                    row["ratio"][1],
                    line,
                    s=60,
                    color=color,
                    marker=marker,
                    edgecolor="white",
                    linewidth=0.6,
                    zorder=3,
                )
    axes.axvline(1, color="black", linewidth=1.5)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="x", color="#eeeeee", zorder=0)
    axes.set_yticks(range(len(cases)), [case["title"].replace(", ", "\n", 1) for case in cases])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    threads = "one thread" if run["threads"] == 1 else f"{run['threads']} threads"
    axes.set_xlabel(f"times as long as {OURS}, {threads}")
    figure.legend(seen.values(), seen, loc="outside upper center", ncols=3, frameon=False)
    figure.savefig(path, dpi=200)
    plt.close(figure)
