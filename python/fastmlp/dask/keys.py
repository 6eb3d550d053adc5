"""Keys of their own for the tasks that make partitions.

Dask computes collections after it optimised their graphs, each in its own way. If the graphs of two
calls have tasks that differ and keys that do not, and the first are being released while the second
arrive, Dask may lose a key. So what is computed here shares no key with what a caller computes.
`dask.graph_manipulation.clone` would do it, but knows no task objects: it renames them, and leaves
what they depend on.
"""

from collections.abc import Sequence
from typing import Any

from dask._task_spec import convert_legacy_graph
from dask.base import clone_key
from dask.delayed import Delayed
from dask.utils import ensure_dict
from distributed import Future


def with_own_keys(partitions: Sequence[Delayed], run: str) -> list[Delayed]:
    """Return the partitions of one collection, with keys of a run.

    Collections that share tasks share those of one run, too. What is in the memory of workers
    already keeps its keys.
    """
    if not partitions:
        return []
    graph: dict[Any, Any] = ensure_dict(partitions[0].dask)
    held = {key: task for key, task in graph.items() if isinstance(task, Future)}
    others = {key: task for key, task in graph.items() if key not in held}
    tasks = convert_legacy_graph(others, all_keys=set(graph))
    names = {key: clone_key(key, run) for key in tasks}
    renamed = {names[key]: task.substitute(names, names[key]) for key, task in tasks.items()}
    own = held | renamed
    return [Delayed(names.get(part.key, part.key), own) for part in partitions]
