"""Peak memory of training and of prediction against the number of rows.

``python -m benches.memory`` prints by how much a call raises the peak memory of a process: the
data, the network and its optimizer do not count. It runs only on Linux, where a process can reset
its peak.
"""

import multiprocessing
from pathlib import Path

import numpy as np

import fastmlp

LAYER_SIZES = (32, 64, 10)
ROWS = (10**3, 10**4, 10**5, 10**6)
CALLS = {
    "fit, batch 256": lambda mlp, X, y, out: mlp.fit(X, y, epochs=1, batch_size=256, seed=0),
    "fit, all rows": lambda mlp, X, y, out: mlp.fit(X, y, epochs=1, seed=0),
    "predict_proba": lambda mlp, X, y, out: mlp.predict_proba(X),
    "predict_proba, out given": lambda mlp, X, y, out: mlp.predict_proba(X, out=out),
    "loss": lambda mlp, X, y, out: mlp.loss(X, y),
}


def kibibytes(key):
    """Read this process's memory from Linux: ``VmRSS`` now, ``VmHWM`` at its peak."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key))


def raised_peak(name, n):
    """Kibibytes by which a call with this number of rows raises the peak of this process."""
    rng = np.random.default_rng(0)
    mlp = fastmlp.MLP(LAYER_SIZES, seed=0)
    call = CALLS[name]

    def data(n):
        X = rng.standard_normal((n, LAYER_SIZES[0]), dtype=np.float32)
        return X, rng.integers(LAYER_SIZES[-1], size=n), np.zeros((n, LAYER_SIZES[-1]), "f4")

    call(mlp, *data(100))  # Loads the code.
    arrays = data(n)
    arrays[2].fill(1)  # Memory counts only after it is written to.
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # proc(5): reset the peak
    before = kibibytes("VmRSS")
    call(mlp, *arrays)
    return kibibytes("VmHWM") - before


def main():
    """Print one line per call and one column per number of rows."""
    print(f"KiB over what was held before; {'-'.join(map(str, LAYER_SIZES))}, float32")
    print(f"{'':<26}" + "".join(f"{n:>11,}" for n in ROWS))
    processes = multiprocessing.get_context("spawn")
    for name in CALLS:
        peaks = []
        for n in ROWS:
            with processes.Pool(1) as pool:
                peaks.append(pool.apply(raised_peak, (name, n)))
        print(f"{name:<26}" + "".join(f"{peak:>11,}" for peak in peaks), flush=True)


if __name__ == "__main__":
    main()
