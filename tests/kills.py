"""End saves and trainings at random moments, and count damaged results.

``python tests/kills.py [kills [signals]]``

A child saves two networks in turn to one file until SIGKILL ends it, every other time in the midst
of a save. Whenever that is, the file is one of the two, to the last byte, and the next save removes
what the killed one left.

Another child trains until it gets Ctrl-C, every other child twice. Its checkpoint then holds one of
the epochs, to the last byte.
"""

import json
import os
import signal
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path

import numpy as np

from fastmlp import MLP, Adam, ModelFileError
from fastmlp.checkpoint import Checkpoint

# 2 MB: a save takes some milliseconds, most of them between its first byte and the new name.
SIZES = [512, 512, 512]
# More than a training makes before the signal comes.
MOST_EPOCHS = 20_000


def child(path, networks, ready):
    for network in cycle(networks):
        network.save(path)
        os.write(ready, b".")


def stop_in_a_save(pid, folder, rng):
    """Stop a child at random moments until one of them lies in the midst of a save."""
    while True:
        os.kill(pid, signal.SIGSTOP)
        os.waitpid(pid, os.WUNTRACED)
        if temporaries(folder):
            return
        os.kill(pid, signal.SIGCONT)
        time.sleep(rng.uniform(0.0, 0.02))


def kill_saves(folder, n_kills):
    """Counts of kills, of those in the middle of a save, and of files damaged and left over."""
    path, networks = folder / "model", [MLP(SIZES, seed=seed) for seed in (1, 2)]
    contents = set()
    for network in networks:
        network.save(path)
        contents.add(path.read_bytes())
    rng = np.random.default_rng(0)
    half_done = damaged = litter = 0
    for i, delay in enumerate(rng.uniform(0.0, 0.02, n_kills)):
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            child(path, networks, write)
        os.close(write)
        os.read(read, 1)  # It has begun, and removed what the last one left.
        left_by_others = len(temporaries(folder))
        litter += max(0, left_by_others - 1)
        time.sleep(delay)
        if i % 2:
            stop_in_a_save(pid, folder, rng)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(read)
        half_done += bool(temporaries(folder))
        damaged += path.read_bytes() not in contents
    networks[0].save(path)
    litter += len(temporaries(folder))
    return {"kills": n_kills, "half done": half_done, "damaged": damaged, "litter": litter}


def training():
    network = MLP([2, 3, 2], dtype="float64", seed=1)
    return Checkpoint(network, Adam(0.01), seed=2)


def digest(parameters, state):
    moments = [state[key].tobytes() for key in sorted(state) if key != "step"]
    return hash((parameters.tobytes(), state["step"], *moments))


def interrupt_trainings(folder, n_signals):
    """Counts of signals, of checkpoints without a whole epoch, and of missing checkpoints."""
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((12, 2)), np.arange(12) % 2
    truth = training()
    epochs = [digest(truth.network.parameters, truth.optimizer.state_dict())]

    def note(_):
        epochs.append(digest(truth.network.parameters, truth.optimizer.state_dict()))

    truth.fit(X, y, epochs=MOST_EPOCHS, callback=note)
    mixed = lost = 0
    for i, delay in enumerate(rng.uniform(0.0, 0.02, n_signals)):
        path = folder / f"training{i}"
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            status = 1
            try:
                training().fit(
                    X,
                    y,
                    epochs=MOST_EPOCHS,
                    path=path,
                    callback=lambda epoch, to=write: (
                        os.write(to, b".") if epoch.epoch == 1 else None
                    ),
                )
                status = 0
            finally:
                os._exit(status)
        os.close(write)
        os.read(read, 1)
        time.sleep(delay)
        os.kill(pid, signal.SIGINT)
        if i % 2:
            time.sleep(rng.uniform(0.0, 0.003))
            os.kill(pid, signal.SIGINT)
        os.waitpid(pid, 0)
        os.close(read)
        if not path.exists():
            lost += 1
            continue
        try:
            found = Checkpoint.load(path)
            whole = digest(found.network.parameters, found.optimizer.state_dict())
            mixed += epochs[found.epoch] != whole or len(found.history) != found.epoch
        except ModelFileError:
            mixed += 1
        path.unlink()
    return {"signals": n_signals, "mixed": mixed, "lost": lost}


def temporaries(folder):
    return [entry for entry in folder.iterdir() if entry.name != "model"]


if __name__ == "__main__":
    n_kills = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    n_signals = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with tempfile.TemporaryDirectory() as name:
        counts = kill_saves(Path(name), n_kills)
    with tempfile.TemporaryDirectory() as name:
        signals = interrupt_trainings(Path(name), n_signals)
    print(json.dumps(counts | signals))
    sys.exit(counts["damaged"] + counts["litter"] + signals["mixed"] + signals["lost"] > 0)
