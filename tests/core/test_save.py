"""A save is whole or has not been: killed, on a full disk, without permission, beside others."""

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from errno import EFBIG
from pathlib import Path

import pytest

from fastmlp import MLP

KILLS = Path(__file__).parents[1] / "kills.py"
NOBODY = 65534

posix = pytest.mark.skipif(os.name != "posix", reason="signals, limits and modes are POSIX's")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model"


@pytest.fixture
def small():
    return MLP([2, 3, 2], seed=0)


@pytest.fixture
def content(path, small):
    """The bytes of the file that lies at `path`."""
    small.save(path)
    return path.read_bytes()


@posix
def test_a_save_that_is_killed_leaves_one_whole_file_and_nothing_for_long():
    done = subprocess.run(
        [sys.executable, KILLS, "40"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    counts = json.loads(done.stdout)
    assert counts["half done"] > 0, "no kill met a save"
    assert counts == counts | {"kills": 40, "damaged": 0, "litter": 0}


@posix
def test_a_full_disk_leaves_the_old_file(path, content):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            MLP([100, 1000, 10], seed=0).save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert (caught.value.errno, caught.value.filename) == (EFBIG, str(path))
    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def permission_error(save):
    """What `save` raises for one who is not root; a child's own id does not come back."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        if os.geteuid() == 0:
            os.setuid(NOBODY)
        try:
            save()
        except PermissionError as error:
            os.write(write, str(error.filename).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        found = answer.read()
    os.waitpid(pid, 0)
    return found


@pytest.fixture
def open_folder():
    """A folder that others may enter, as pytest's own may not be."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder
        folder.chmod(0o777)


@posix
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("is_new", [True, False])
def test_a_folder_that_is_read_only(open_folder, small, is_new):
    path = open_folder / "model"
    before = []
    if not is_new:
        small.save(path)
        path.chmod(0o666)
        before = [(path, path.read_bytes())]
    open_folder.chmod(0o555)

    assert permission_error(lambda: small.save(path)) == str(path)
    assert [(entry, entry.read_bytes()) for entry in open_folder.iterdir()] == before


@posix
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_file_that_is_read_only_is_not_replaced(open_folder, small):
    path = open_folder / "model"
    small.save(path)
    before = path.read_bytes()
    path.chmod(0o444)

    assert permission_error(lambda: MLP([2, 2], seed=0).save(path)) == str(path)
    assert path.read_bytes() == before
    assert list(open_folder.iterdir()) == [path]


def test_a_missing_folder_is_not_made(tmp_path, small):
    path = tmp_path / "missing" / "model"
    with pytest.raises(FileNotFoundError) as caught:
        small.save(path)

    assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []


@posix
def test_a_new_file_has_the_mode_that_the_mask_leaves(path, small):
    mask = os.umask(0o027)
    try:
        small.save(path)
    finally:
        os.umask(mask)

    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_saves_and_loads_side_by_side(path):
    networks = [MLP([8, 64, 4], seed=seed) for seed in range(4)]
    expected = {network.parameters.tobytes() for network in networks}
    networks[0].save(path)

    def save_often(network):
        for _ in range(25):
            network.save(path)

    with ThreadPoolExecutor(4) as pool:
        saves = [pool.submit(save_often, network) for network in networks]
        seen = set()
        while not all(save.done() for save in saves):
            seen.add(MLP.load(path).parameters.tobytes())
        for save in saves:
            save.result()

    assert seen <= expected
    assert list(path.parent.iterdir()) == [path]
