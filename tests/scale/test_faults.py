"""Workers that die, stop or join change no bit; a cluster that fails ends in a clear error."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

import dask
import numpy as np
import pytest
from distributed import Client
from sklearn.exceptions import ConvergenceWarning

from fastmlp import MLPRegressor
from fastmlp.dask import ClusterError, DaskMLPRegressor, DaskTabularRegressor, SmallFitWarning
from fastmlp.dask.cluster import Cluster
from fastmlp.dask.tasks import itself

resource = pytest.importorskip("resource", reason="limits are those of POSIX")

pytestmark = [
    pytest.mark.timeout(600),  # workers start, and import much
    pytest.mark.skipif(sys.platform != "linux", reason="signals and limits are those of Linux"),
    *(
        pytest.mark.filterwarnings(f"ignore::{kind.__module__}.{kind.__name__}")
        for kind in (SmallFitWarning, ConvergenceWarning)
    ),
]
# Of loss functions of one's own, which are the part of a round that a test can write.
SETTINGS = {
    "hidden_layer_sizes": (8,),
    "learning_rate_init": 0.01,
    "batch_size": 20,
    "max_iter": 5,
    "random_state": 0,
    "n_shards": 3,
    "sync_every": 5,
}


def squared_error(trouble=lambda: None):
    """Make a loss that asks for trouble first. Its code goes to the workers, as that of tests."""

    def loss(y, raw):
        trouble()
        difference = raw - y.reshape(raw.shape)
        return 0.5 * (difference**2).sum(axis=1), difference

    return loss


def once(flag, act):
    """Make a function that acts in the first process that finds the file, and takes it away."""

    def trouble():
        try:
            flag.unlink()
        except FileNotFoundError:
            return
        act()

    return trouble


def kill_itself():
    import os
    import signal

    os.kill(os.getpid(), signal.SIGKILL)


def run_out_of_memory():
    import time

    held = []
    while len(held) < 10_000:  # more than any limit here, in megabytes
        held.append(b"\1" * 2**20)
    while True:  # until the nanny sees it
        time.sleep(1)


def at_epoch(epoch, act):
    """Make a callback that acts after an epoch."""

    def callback(info):
        if info.epoch == epoch:
            act()

    return callback


def pids(client):
    """Return the process of each worker."""
    return sorted(client.run(os.getpid).values())


def wait_until(condition):
    """Wait; the timeout of the test ends it if the condition never holds."""
    while not condition():
        time.sleep(0.05)


@pytest.fixture
def data(rows, cut):
    X, _ = rows
    return cut(X, X[:, 0] * X[:, 1] + X[:, 2], rows=50)


def fit(data, trouble=lambda: None, **changes):
    return DaskMLPRegressor(squared_error(trouble), **SETTINGS | changes).fit(*data)


@pytest.fixture(scope="module")
def faulty(start_cluster):
    """A cluster that gives a worker up after some seconds without a sign of life."""
    settings = {
        "distributed.scheduler.worker-ttl": "6s",
        "distributed.scheduler.allowed-failures": 100,
    }
    with dask.config.set(settings):
        cluster = start_cluster(2)
    with cluster:
        yield cluster


@pytest.fixture
def workers(faulty):
    """The current client, of that cluster."""
    with Client(faulty) as client:
        yield client


@pytest.fixture(scope="module")
def expected(faulty, rows, cut):
    """Return the parameters of a training without faults."""
    X, _ = rows
    with Client(faulty):
        reg = fit(cut(X, X[:, 0] * X[:, 1] + X[:, 2], rows=50))
    assert reg.loss_curve_[-1] < 0.7 * reg.loss_curve_[0]
    return reg.network_.parameters


def test_the_bits_are_the_same_after_a_worker_was_killed_between_two_rounds(
    workers, data, expected
):
    (first, _) = pids(workers)
    kill = at_epoch(2, lambda: os.kill(first, signal.SIGKILL))

    reg = fit(data, callback=kill)

    assert (reg.network_.parameters == expected).all()
    assert len(reg.loss_curve_) == 5
    wait_until(lambda: len(workers.nthreads()) == 2)
    assert first not in pids(workers)


def test_the_bits_are_the_same_after_a_worker_was_killed_in_the_middle_of_a_round(
    workers, data, expected, tmp_path
):
    before, flag = pids(workers), tmp_path / "kill"

    reg = fit(data, once(flag, kill_itself), callback=at_epoch(2, flag.touch))

    assert (reg.network_.parameters == expected).all()
    assert not flag.exists()
    wait_until(lambda: len(workers.nthreads()) == 2)
    assert len(set(before) & set(pids(workers))) == 1


def test_the_bits_are_the_same_after_a_worker_was_added(workers, faulty, data, expected):
    def add():
        faulty.scale(3)  # which later tests begin with
        workers.wait_for_workers(3)

    reg = fit(data, callback=at_epoch(2, add))

    assert (reg.network_.parameters == expected).all()
    assert reg.n_shards_ == 3


@pytest.mark.parametrize("n_workers", [3, 5, 1])
def test_the_bits_are_the_same_on_any_number_of_workers(workers, faulty, data, expected, n_workers):
    faulty.scale(n_workers)
    wait_until(lambda: len(workers.nthreads()) == n_workers)

    assert (fit(data).network_.parameters == expected).all()


def test_the_bits_are_the_same_after_a_worker_stopped(workers, faulty, data, expected):
    faulty.scale(2)
    wait_until(lambda: len(workers.nthreads()) == 2)
    (first, _) = pids(workers)
    try:
        reg = fit(data, callback=at_epoch(2, lambda: os.kill(first, signal.SIGSTOP)))
    finally:
        with suppress(ProcessLookupError):  # its nanny has ended it
            os.kill(first, signal.SIGKILL)

    assert (reg.network_.parameters == expected).all()


def test_the_bits_of_a_table_are_the_same_after_a_worker_was_killed_and_on_one_worker(
    workers, faulty, data, tmp_path
):
    faulty.scale(2)
    wait_until(lambda: len(workers.nthreads()) == 2)
    before, flag = pids(workers), tmp_path / "kill"
    flag.touch()

    def fit(client, trouble=lambda: None):
        reg = DaskTabularRegressor(
            "fast",
            hidden_layer_sizes=(8,),
            loss=squared_error(trouble),
            max_iter=2,
            random_state=0,
            n_shards=3,
            sync_every=2,
            client=client,
        )
        return reg.fit(*data)

    killed = fit(workers, once(flag, kill_itself))
    assert not flag.exists()
    wait_until(lambda: len(workers.nthreads()) == 2)
    assert len(set(before) & set(pids(workers))) == 1
    options = {"processes": False, "n_workers": 1, "dashboard_address": ":0"}
    with Client(**options, set_as_default=False) as one:
        expected = fit(one)

    assert (killed.networks_[0].parameters == expected.networks_[0].parameters).all()
    assert killed.validation_scores_ == expected.validation_scores_


def assert_goes_on_from(reg, n_epochs, data):
    """Assert that the estimator has whole epochs, and that a later fit goes on from them."""
    assert len(reg.loss_curve_) == reg.n_iter_ == n_epochs
    kept, losses = reg.network_.parameters.copy(), list(reg.loss_curve_)
    reg.set_params(warm_start=True, callback=None, max_iter=1)
    reg.fit(*data)
    assert reg.loss_curve_[:-1] == losses
    assert reg.loss_curve_[-1] < losses[0]
    assert (reg.network_.parameters != kept).any()


NOTE = (
    "The estimator has the parameters after epoch 2; fit with warm_start=True goes on from there."
)


def test_a_state_may_be_larger_than_what_dask_warns_of(client):
    values = np.arange(2.0**21)
    assert (Cluster(client).submit("state", itself, values).result() == values).all()


def test_what_a_task_raises_is_raised_at_once_and_the_last_epoch_is_kept(client, data, tmp_path):
    def fail():
        raise RuntimeError("no such luck")

    flag = tmp_path / "fail"
    reg = DaskMLPRegressor(squared_error(once(flag, fail)), **SETTINGS)
    with pytest.raises(RuntimeError, match=r"^no such luck\n") as caught:
        reg.set_params(callback=at_epoch(2, flag.touch)).fit(*data)

    assert caught.value.__notes__ == [NOTE]
    assert_goes_on_from(reg, 2, data)


def test_an_error_in_the_first_epoch_leaves_the_estimator_as_it_was(client, data, tmp_path):
    def fail():
        raise RuntimeError("no such luck")

    flag = tmp_path / "fail"
    flag.touch()
    reg = DaskMLPRegressor(squared_error(once(flag, fail)), **SETTINGS)
    with pytest.raises(RuntimeError, match=r"^no such luck$") as caught:
        reg.fit(*data)

    assert not hasattr(caught.value, "__notes__")
    assert not hasattr(reg, "estimator_")


@contextmanager
def files_up_to(n_bytes):
    """Let no file of this process grow beyond a size, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_under_the_file_of_a_callback_leaves_the_file_before(client, data, tmp_path):
    path = tmp_path / "last.safetensors"

    def save(info):
        with files_up_to(100 if info.epoch == 3 else 2**20):
            info.estimator.save(path)

    reg = DaskMLPRegressor(**SETTINGS, callback=save)
    with pytest.raises(OSError, match="File too large") as caught:
        reg.fit(*data)

    assert caught.value.__notes__ == [NOTE.replace("epoch 2", "epoch 3")]
    loaded = MLPRegressor.load(path)
    assert list(tmp_path.iterdir()) == [path]
    resumed = DaskMLPRegressor(**SETTINGS | {"warm_start": True})
    resumed.estimator_ = loaded
    before = loaded.network_.parameters.copy()
    resumed.fit(*data)
    assert (resumed.network_.parameters != before).any()
    assert_goes_on_from(reg, 3, data)


@pytest.fixture
def small(start_cluster, tmp_path):
    """A cluster of one worker with little memory, which gives a task up at its first death."""
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        cluster = start_cluster(1, memory_limit="600MB", local_directory=str(tmp_path))
    with cluster, Client(cluster) as client:
        yield client


def test_workers_that_run_out_of_memory_end_in_an_error(small, data, tmp_path):
    flag = tmp_path / "grow"
    reg = DaskMLPRegressor(squared_error(once(flag, run_out_of_memory)), **SETTINGS)
    with pytest.raises(
        ClusterError,
        match=r"^the workers that ran a task died, one after the other: .* smaller partitions",
    ) as caught:
        reg.set_params(callback=at_epoch(2, flag.touch)).fit(*data)

    assert caught.value.__notes__ == [NOTE]
    small.wait_for_workers(1)
    assert_goes_on_from(reg, 2, data)


def test_a_full_disk_under_the_memory_of_workers_ends_in_an_error(small, data):
    held = []

    def limit_files():
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))

    def status():
        (worker,) = small.scheduler_info(n_workers=-1)["workers"].values()
        return worker["status"]

    def fill():
        small.run(limit_files)
        while status() != "paused":
            held.append(small.submit(np.ones, 2**21, key=f"held-{len(held)}"))
            wait_until(lambda: held[-1].done() or status() == "paused")

    reg = DaskMLPRegressor(**SETTINGS, callback=at_epoch(2, fill))
    with pytest.raises(
        ClusterError, match=r"^all workers are paused, .* the disk may be full"
    ) as e:
        reg.fit(*data)

    assert e.value.__notes__ == [NOTE]
    assert len(reg.loss_curve_) == 2


def test_a_scheduler_that_dies_ends_in_an_error(data, tmp_path):
    where = tmp_path / "scheduler.json"
    options = ["--scheduler-file", str(where), "--no-dashboard"]
    commands = {
        "scheduler": ["dask_scheduler", "--host", "127.0.0.1", "--port", "0", *options],
        "worker": ["dask_worker", "--nthreads", "1", "--no-nanny", *options],
    }
    with suppress(ProcessLookupError), dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        started = {
            name: subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{program}", *arguments],
                cwd=tmp_path,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for name, (program, *arguments) in commands.items()
        }
        try:
            wait_until(lambda: where.exists())
            with Client(scheduler_file=str(where), timeout="60s") as client:
                client.wait_for_workers(1)
                reg = DaskMLPRegressor(**SETTINGS, callback=at_epoch(2, started["scheduler"].kill))
                with pytest.raises(
                    ClusterError, match=r"^the connection to the scheduler is lost: "
                ) as caught:
                    reg.fit(*data)
        finally:
            for process in started.values():
                process.kill()
                process.wait()

    assert caught.value.__notes__ == [NOTE]
    assert len(reg.loss_curve_) == 2
    assert np.isfinite(reg.to_local().predict(np.zeros((1, 6)))).all()
