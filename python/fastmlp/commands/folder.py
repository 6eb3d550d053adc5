"""The folder of a training: one run at a time, and results that are replaced only on request."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

from fastmlp.commands.errors import BadInput

CHECKPOINT = "checkpoint.safetensors"
METRICS = "metrics.json"
_RESULTS = (CHECKPOINT, "model.safetensors", METRICS)
_LOCK = ".fastmlp-lock"

if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[str]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Run(NamedTuple):
    """What all trainings of the command line have."""

    file: Path
    target: str
    folder: Path
    seed: int
    n_jobs: int | None
    overwrite: bool
    quiet: bool


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Create a folder and keep other runs out of it; a folder that stays empty is removed again.

    The system releases the lock when the process ends, however it ends.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with _locked(folder):
            yield
    finally:
        for path in made:
            with suppress(OSError):  # it holds results
                path.rmdir()


def refuse_results(folder: Path) -> None:
    """Raise if a folder holds results, which a new training would replace."""
    if not any((folder / name).exists() for name in _RESULTS):
        return
    resume = ", --preset lesson --resume continues it" if (folder / CHECKPOINT).exists() else ""
    raise BadInput(
        f"{folder} holds the results of a training: --overwrite replaces them, --output names "
        f"another folder{resume}"
    )


def refuse_checkpoint(folder: Path) -> None:
    """Raise if a folder holds what `fastmlp train` wrote, which the lesson would replace."""
    if (folder / CHECKPOINT).exists():
        raise BadInput(
            f"{folder} holds the results of fastmlp train: --output names another folder"
        )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    path = folder / _LOCK
    file = path.open("a")
    while True:
        try:
            _lock(file)
        except (BlockingIOError, PermissionError):
            file.close()
            raise BadInput(
                f"{folder} is in use by another run: wait for its end, or name another folder "
                "with --output"
            ) from None
        except OSError:
            pass  # a file system without locks
        if path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno())):
            break
        file.close()  # the run that held it has since removed it
        file = path.open("a")
    try:
        yield
    finally:
        # Removed before the lock is released, where the system can remove open files. Windows
        # cannot, nor can it remove a file that another run has opened.
        if os.name == "nt":
            file.close()
        with suppress(OSError):
            path.unlink()
        file.close()
