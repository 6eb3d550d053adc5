"""Train on a Dask cluster, on rows that the workers make part by part.

Two processes of this machine are the cluster. On real machines, give Client the address of the
scheduler, and in place of make_part a function that reads a file.
"""

import warnings

import dask.array as da
import numpy as np
from dask.delayed import delayed
from distributed import Client, LocalCluster

from fastmlp import MLPClassifier
from fastmlp.dask import DaskMLPClassifier, SmallFitWarning

ROWS, PARTS, FEATURES = 5_000, 12, 20


def make_part(seed):
    """Make rows with noise on most features, which are far from standardised, and their classes."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((ROWS, FEATURES), dtype=np.float32)
    y = (X[:, 0] * X[:, 1] > 0).astype(int) + (X[:, 2] > 1)
    return 50 * X + 100, y


def parts_as_arrays(seeds):
    """Return the parts as Dask Arrays; nothing is computed yet."""
    parts = [delayed(make_part, nout=2)(seed) for seed in seeds]
    X = [da.from_delayed(x, (ROWS, FEATURES), np.float32) for x, _ in parts]
    y = [da.from_delayed(y, (ROWS,), np.int64) for _, y in parts]
    return da.concatenate(X), da.concatenate(y)


def main():
    """Train, save, and return the accuracy on parts that training did not see."""
    # One machine would be faster for so few rows.
    warnings.simplefilter("ignore", SmallFitWarning)
    cluster = LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", host="127.0.0.1"
    )
    with cluster, Client(cluster):
        X, y = parts_as_arrays(range(PARTS))
        X_test, y_test = parts_as_arrays(range(PARTS, PARTS + 2))

        clf = DaskMLPClassifier(
            hidden_layer_sizes=(64,),
            learning_rate_init=0.01,
            learning_rate="cosine",
            max_iter=6,
            sync_every=20,
            n_shards=4,  # fixed, so that the result is the same on any number of workers
            standardize=True,
            early_stopping=True,
            random_state=0,
            callback=lambda info: print(
                f"epoch {info.epoch}  loss {info.loss:.3f}  score {info.val_score:.3f}"
            ),
        )
        clf.fit(X, y)
        print(f"{clf.n_shards_} shards, {clf.n_rounds_} rounds per epoch")

        probabilities = clf.predict_proba(X_test)  # lazy
        most_certain = probabilities.max(axis=1).mean().compute()
        accuracy = clf.score(X_test, y_test)
        print(f"accuracy on unseen parts: {accuracy:.3f}, mean certainty {most_certain:.3f}")

        clf.to_local().save("model.safetensors")

    # Whoever predicts needs no Dask.
    local = MLPClassifier.load("model.safetensors")
    rows, _ = make_part(PARTS)
    print(f"the first rows are of the classes {local.predict(rows[:8]).tolist()}")
    return accuracy


if __name__ == "__main__":
    main()
