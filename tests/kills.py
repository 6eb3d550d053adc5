"""Kill saves at random moments, and count what they leave: python tests/kills.py [kills].

A child saves two networks in turn to one file until SIGKILL ends it. Whenever that is, the file is
one of the two, to the last byte, and the next save removes what the killed one left.
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

from fastmlp import MLP

# 2 MB: a save takes some milliseconds, most of them between its first byte and the new name.
SIZES = [512, 512, 512]


def child(path, networks, ready):
    for network in cycle(networks):
        network.save(path)
        os.write(ready, b".")


def kill_saves(folder, n_kills):
    """Counts of kills, of those that met a save half done, of damaged files, and of litter."""
    path, networks = folder / "model", [MLP(SIZES, seed=seed) for seed in (1, 2)]
    contents = set()
    for network in networks:
        network.save(path)
        contents.add(path.read_bytes())
    rng = np.random.default_rng(0)
    half_done = damaged = litter = 0
    for delay in rng.uniform(0.0, 0.02, n_kills):
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
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(read)
        half_done += bool(temporaries(folder))
        damaged += path.read_bytes() not in contents
    networks[0].save(path)
    litter += len(temporaries(folder))
    return {"kills": n_kills, "half done": half_done, "damaged": damaged, "litter": litter}


def temporaries(folder):
    return [entry for entry in folder.iterdir() if entry.name != "model"]


if __name__ == "__main__":
    n_kills = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    with tempfile.TemporaryDirectory() as name:
        counts = kill_saves(Path(name), n_kills)
    print(json.dumps(counts))
    sys.exit(counts["damaged"] + counts["litter"] > 0)
