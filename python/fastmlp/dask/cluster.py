"""Waiting for tasks, and what is said if a cluster fails.

What a task raises is raised here as it is. If the cluster itself fails, the error is a
`ClusterError` that says what happened and what may help.
"""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import dask
from distributed import Client, Future, KilledWorker, default_client
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError

# Seconds between two looks at the workers, while a task is waited for.
_PATIENCE = 1.0
_FAN_IN = 8


class ClusterError(RuntimeError):
    """The cluster failed while it trained a network: its workers, its scheduler, or its disks."""


class Cluster:
    """Submits tasks under names of one run, and waits for them.

    Parameters
    ----------
    client : distributed.Client or None
        None is the current client.

    Raises
    ------
    ValueError
        If there is no client.
    """

    def __init__(self, client: Client | None) -> None:
        self.client: Client = default_client() if client is None else client
        self.run = uuid4().hex[:8]

    @property
    def n_threads(self) -> int:
        """Threads of all workers."""
        return sum(self.client.nthreads().values())

    @property
    def memory(self) -> int | None:
        """Bytes that the workers may use; None if one of them has no limit."""
        limits = [worker["memory_limit"] for worker in self._workers().values()]
        return sum(limits) if limits and all(limits) else None

    def submit(self, name: str, function: Callable[..., Any], *arguments: Any) -> Future:
        """Submit a task, which any worker may run, and run again if its result is lost."""
        key = f"fastmlp-{name}-{self.run}"
        # The state of a training is an argument, so that a task can put it into memory again; it is
        # no larger than it has to be, and Dask's advice to scatter it would not help.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TiB"}):
            return self.client.submit(function, *arguments, key=key, pure=False)

    def compute(self, delayed: Sequence[Any]) -> list[Future]:
        """Submit delayed values, with all that they depend on."""
        futures: list[Future] = self.client.compute(list(delayed))
        return futures

    def reduce(
        self, name: str, function: Callable[..., Any], futures: Sequence[Future]
    ) -> list[Future]:
        """Reduce futures in groups, until there are at most as many as one task should take."""
        level = 0
        while len(futures) > _FAN_IN:
            groups = [futures[i : i + _FAN_IN] for i in range(0, len(futures), _FAN_IN)]
            futures = [
                self.submit(f"{name}-{level}-{number}", function, list(group))
                for number, group in enumerate(groups)
            ]
            level += 1
        return list(futures)

    def result(self, future: Future) -> Any:
        """Wait for a task.

        Raises
        ------
        ClusterError
            If the cluster cannot finish it.
        Exception
            What the task raised.
        """
        was_paused = False
        while True:
            try:
                return future.result(timeout=_PATIENCE)
            except KilledWorker as error:
                raise ClusterError(
                    f"the workers that ran a task died, one after the other: {error} If they ran "
                    "out of memory, smaller partitions, a smaller block_size or workers with more "
                    "memory may help."
                ) from error
            except (FutureCancelledError, CommClosedError) as error:
                raise ClusterError(f"the connection to the scheduler is lost: {error}") from error
            except TimeoutError:
                if future.status == "error":  # the task itself raised it
                    raise
                # Twice in a row: a worker that is paused may free memory by itself.
                is_paused = self._is_stuck()
                if is_paused and was_paused:
                    raise ClusterError(
                        "all workers are paused, for their memory is full and could not be written "
                        "to disk: the disk may be full, or 'distributed.worker.memory.spill' "
                        "switched off. Free disk space, smaller partitions, a smaller block_size "
                        "or workers with more memory may help."
                    ) from None
                was_paused = is_paused

    def results(self, futures: Sequence[Future]) -> list[Any]:
        """Wait for tasks, and return their results in this order."""
        return [self.result(future) for future in futures]

    def _is_stuck(self) -> bool:
        """Say whether no worker takes tasks any more, and none is running one."""
        workers = list(self._workers().values())
        return bool(workers) and all(
            worker["status"] == "paused" and not worker["metrics"]["task_counts"].get("executing")
            for worker in workers
        )

    def _workers(self) -> dict[str, Any]:
        workers: dict[str, Any] = self.client.scheduler_info(n_workers=-1)["workers"]
        return workers
