"""A save is complete or did not happen: killed, disk full, without permission, beside others."""

import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from errno import EFBIG, ELOOP
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
    """The bytes of the file at `path`."""
    small.save(path)
    return path.read_bytes()


@posix
def test_a_save_that_is_killed_leaves_one_whole_file_and_nothing_for_long():
    done = subprocess.run(
        [sys.executable, KILLS, "40"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    counts = json.loads(done.stdout)
    assert counts["half done"] >= 20
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
    """The error of `save` for a user other than root; a child cannot restore its own id."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
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
@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize("absolute", [True, False])
def test_a_link_stays_one_and_what_it_names_is_written(tmp_path, small, is_there, absolute):
    target = tmp_path / "volume" / "model"
    link, second = tmp_path / "links" / "a", tmp_path / "b"
    target.parent.mkdir()
    link.parent.mkdir()
    link.symlink_to(target if absolute else Path("..", "volume", "model"))
    second.symlink_to(link if absolute else Path("links", "a"))
    if is_there:
        target.write_bytes(b"old")
    small.save(second)

    assert (link.is_symlink(), second.is_symlink(), target.is_symlink()) == (True, True, False)
    assert MLP.load(target).parameters.tobytes() == small.parameters.tobytes()
    assert sorted(tmp_path.rglob("*")) == [second, link.parent, link, target.parent, target]


@posix
def test_a_link_in_a_linked_folder_starts_where_the_folder_is(tmp_path, small):
    (tmp_path / "real" / "inner").mkdir(parents=True)
    (tmp_path / "folder").symlink_to(Path("real", "inner"))
    (tmp_path / "real" / "inner" / "link").symlink_to(Path("..", "model"))
    small.save(tmp_path / "folder" / "link")

    assert (tmp_path / "real" / "model").is_file()


@posix
def test_links_that_lead_nowhere(tmp_path, small):
    first, second = tmp_path / "first", tmp_path / "second"
    first.symlink_to(second)
    second.symlink_to(first)
    with pytest.raises(OSError, match="Too many levels of symbolic links") as caught:
        small.save(first)
    assert (caught.value.errno, caught.value.filename) == (ELOOP, str(first))

    third = tmp_path / "third"
    third.symlink_to(tmp_path / "missing" / "model")
    with pytest.raises(FileNotFoundError) as caught:
        small.save(third)
    assert caught.value.filename == str(third)
    assert sorted(tmp_path.iterdir()) == [first, second, third]
    assert all(path.is_symlink() for path in tmp_path.iterdir())


@posix
def test_what_is_no_file_is_not_replaced(tmp_path, small):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    ends = os.pipe()
    opened = Path(f"/dev/fd/{ends[0]}")  # a link to what has no name
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "link", Path("/dev/null"), opened):
        with pytest.raises(OSError, match="not a regular file"):
            small.save(path)
        if path != tmp_path:
            with pytest.raises(OSError, match="not a regular file"):
                MLP.load(path)
    for end in ends:
        os.close(end)
    assert len(list(tmp_path.iterdir())) == 2


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o751])
def test_a_file_that_is_replaced_passes_on_its_mode(path, content, mode):
    path.chmod(mode)
    MLP([2, 2], seed=0).save(path)

    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.read_bytes() != content


root = pytest.mark.skipif(getattr(os, "geteuid", int)() != 0, reason="gives files away")


@root
@posix
def test_a_file_that_is_replaced_passes_on_its_owner(path, content):
    os.chown(path, NOBODY, 12345)
    path.chmod(0o640)
    MLP([2, 2], seed=0).save(path)

    found = path.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (NOBODY, 12345, 0o640)
    assert path.read_bytes() != content


@root
@posix
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize(("mode", "kept"), [(0o676, 0o666), (0o666, 0o666), (0o4642, 0o602)])
def test_who_may_not_keep_the_group_gives_it_what_all_others_have(open_folder, small, mode, kept):
    path = open_folder / "model"
    small.save(path)
    before = path.read_bytes()
    path.chmod(mode)
    assert permission_error(lambda: MLP([2, 2], seed=0).save(path)) == ""

    found = path.stat()
    assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (NOBODY, kept)
    assert path.read_bytes() != before


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
