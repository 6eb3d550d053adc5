"""Trains networks of many shapes and prints a digest of every bit of the results.

``python tests/bits.py`` prints the same line wherever the same bits are promised; ``make
test-cpus`` compares it with that of a processor without AVX-512, emulated by QEMU. ``python
tests/bits.py NAME ...`` trains networks with these activations instead.
"""

import hashlib
import sys

import numpy as np

import fastmlp

NETWORKS = [
    ([2, 100, 3], "relu"),
    ([9, 33, 17, 5], "tanh"),
    ([30, 64, 64, 2], "sigmoid"),
    ([3, 20, 40], "leaky_relu"),
    ([50, 300, 129, 4], "relu"),
]


def digest(networks):
    """Hash of the parameters and predictions of all networks, in both dtypes."""
    rng = np.random.default_rng(0)
    bits = hashlib.sha256()
    for dtype in ("float32", "float64"):
        for sizes, activation in networks:
            X = rng.standard_normal((300, sizes[0])).astype(dtype)
            y = rng.integers(sizes[-1], size=300)
            mlp = fastmlp.MLP(sizes, activation=activation, dtype=dtype, seed=1)
            mlp.fit(X, y, fastmlp.Adam(), epochs=5, batch_size=77, seed=2)
            mlp.fit(X, y, fastmlp.SGD(0.1, 0.9, True), epochs=5, seed=3, n_jobs=2)
            bits.update(mlp.parameters.tobytes())
            bits.update(mlp.predict_proba(X).tobytes())
    return bits.hexdigest()


if __name__ == "__main__":
    named = [(sizes, name) for name in sys.argv[1:] for sizes in ([2, 20, 3], [50, 300, 129, 4])]
    print(digest(named or NETWORKS))
