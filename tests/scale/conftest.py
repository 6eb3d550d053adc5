"""A cluster of two real processes, and rows on it."""

import multiprocessing

import dask
import dask.array as da
import numpy as np
import pytest
from distributed import Client, LocalCluster
from distributed.utils import get_mp_context
from scale.settings import SETTINGS

from fastmlp.dask import DaskMLPClassifier

ROWS, FEATURES = 600, 6


@pytest.fixture(scope="session")
def start_cluster():
    """Start a cluster of processes with one thread each, as a context manager."""

    # Workers are forked, where that is possible, from a process that has imported all they need: it
    # takes seconds. A worker that imports at its first task would give no sign of life meanwhile.
    forks = "forkserver" in multiprocessing.get_all_start_methods()
    method = "forkserver" if forks else "spawn"

    def start(n_workers, **options):
        return LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            host="127.0.0.1",
            preload=["fastmlp.dask"],
            **options,
        )

    with dask.config.set({"distributed.worker.multiprocessing-method": method}):
        if forks:
            get_mp_context().set_forkserver_preload(["distributed", "fastmlp.dask"])
        yield start


@pytest.fixture(scope="session")
def cluster(start_cluster):
    """A cluster of two workers, for tests that leave it as it is."""
    with start_cluster(2) as cluster:
        yield cluster


@pytest.fixture
def client(cluster):
    """The current client, of that cluster."""
    with Client(cluster) as client:
        yield client


@pytest.fixture(scope="session")
def rows():
    """Rows of three classes that a small network tells apart: float64 features, text labels."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((ROWS, FEATURES))
    y = (X[:, 0] > 0).astype(int) + (X[:, 1] + X[:, 2] ** 2 > 0.5)
    return X, np.array(["blue", "green", "red"])[y]


@pytest.fixture(scope="session")
def cut():
    """Cut arrays into partitions of so many rows."""

    def chunked(*arrays, rows):
        return tuple(da.from_array(a, chunks=(rows, *a.shape[1:])) for a in arrays)

    return chunked


@pytest.fixture
def fitted(client, rows, cut):
    """A classifier of the rows in five partitions, and these."""
    data = cut(*rows, rows=120)
    return DaskMLPClassifier(**SETTINGS).fit(*data), data
