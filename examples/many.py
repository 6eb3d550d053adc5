"""Two hundred small networks at once, and an ensemble that says where it does not know.

Run it with ``python examples/many.py``. It trains networks of several widths, learning rates and
seeds on the same data with `fit_many`, one per core at a time, prints what each setting is worth,
and trains an ensemble on noisy points with a gap between them. The plot many.png shows its mean and
two standard deviations: that of the noise where there are points, and more in the gap.
"""

import itertools
import time

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from fastmlp import EnsembleRegressor, MLPClassifier, MLPRegressor, fit_many

WIDTHS, RATES, SEEDS = (8, 16, 32, 64), (0.003, 0.01, 0.03, 0.1, 0.3), range(10)


def main() -> tuple[float, float]:
    """Return the accuracy of the best setting, and how much wider the band is in the gap."""
    return settings(), gap()


def settings() -> float:
    """Train a network for each setting and seed; return the best mean accuracy of a setting."""
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X / 16, y, random_state=0)
    grid = list(itertools.product(WIDTHS, RATES))
    networks = [
        MLPClassifier(
            width,
            learning_rate="one_cycle",
            learning_rate_init=rate,
            max_iter=10,
            random_state=seed,
        )
        for width, rate in grid
        for seed in SEEDS
    ]
    begin = time.perf_counter()
    fit_many(networks, X, y, n_jobs=-1)
    print(f"{len(networks)} networks in {time.perf_counter() - begin:.1f} seconds")

    scores = np.array([clf.score(X_test, y_test) for clf in networks])
    means = scores.reshape(len(WIDTHS), len(RATES), len(SEEDS)).mean(axis=2)
    print("accuracy    " + "".join(f"rate {rate:<8g}" for rate in RATES))
    for width, row in zip(WIDTHS, means, strict=True):
        print(f"{width:3d} units   " + "".join(f"{mean:<13.3f}" for mean in row))
    return float(means.max())


def gap() -> float:
    """Train an ensemble on points with a gap; return its deviation there, as a ratio."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(-1, -0.3, 300), rng.uniform(0.3, 1, 300)])
    y = np.sin(6 * x) + 0.1 * rng.standard_normal(x.shape)
    member = MLPRegressor(
        hidden_layer_sizes=(50, 50),
        activation="tanh",
        learning_rate="one_cycle",
        learning_rate_init=0.02,
        batch_size=32,
        max_iter=100,
    )
    ensemble = EnsembleRegressor(member, 10, gaussian_head=True, random_state=0, n_jobs=-1)
    ensemble.fit(x[:, None], y)
    grid = np.linspace(-1, 1, 201)
    mean, std = ensemble.predict(grid[:, None], return_std=True)
    draw(x, y, grid, mean, std)
    return float(std[np.abs(grid) < 0.1].mean() / std[np.abs(grid) > 0.4].mean())


def draw(x, y, grid, mean, std) -> None:
    """Draw points, mean and band into many.png."""
    from matplotlib.figure import Figure

    axes = Figure(figsize=(6, 3.5), layout="constrained").subplots()
    axes.scatter(x, y, s=4, alpha=0.5, label="points")
    axes.plot(grid, mean, color="C1", label="mean")
    axes.fill_between(
        grid, mean - 2 * std, mean + 2 * std, color="C1", alpha=0.25, label="two deviations"
    )
    axes.set(xlabel="x", ylabel="y")
    axes.legend()
    axes.figure.savefig("many.png", dpi=120)


if __name__ == "__main__":
    main()
