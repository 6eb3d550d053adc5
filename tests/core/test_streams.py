"""Objects and bytes as files: written completely or with an error, read only to their end."""

import bz2
import gzip
import io
import mmap
import os
import subprocess
import sys
import threading
import zipfile
from contextlib import suppress
from errno import ENOSPC
from pathlib import Path

import model_file
import numpy as np
import pytest

from fastmlp import MLP, ModelFileError
from fastmlp._core import load_network, save_network

posix = pytest.mark.skipif(os.name != "posix", reason="pipes and devices are POSIX's")


@pytest.fixture
def mlp():
    return MLP([2, 3, 2], activation="tanh", seed=0)


@pytest.fixture
def content(mlp, tmp_path):
    """The bytes of the network's file."""
    mlp.save(tmp_path / "model")
    return (tmp_path / "model").read_bytes()


def assert_same(loaded, mlp):
    assert loaded.parameters.tobytes() == mlp.parameters.tobytes()
    assert (loaded.layer_sizes, loaded.activation) == (mlp.layer_sizes, mlp.activation)


def test_an_object_gets_the_bytes_of_the_file(mlp, content):
    file = io.BytesIO()
    mlp.save(file)

    assert file.getvalue() == content
    assert not file.closed


@pytest.mark.parametrize(
    "kind", [bytes, bytearray, memoryview, lambda b: np.frombuffer(b, np.uint8)], ids=str
)
def test_bytes_are_a_file(mlp, content, kind):
    assert_same(MLP.load(kind(content)), mlp)
    with pytest.raises(ModelFileError, match=f"it has {len(content) + 1} bytes, expected"):
        MLP.load(kind(content + b"\0"))
    with pytest.raises(ModelFileError, match=r" is not a model file: it has \d+ bytes, expected"):
        MLP.load(kind(content[:-1]))


def test_bytes_in_pieces_are_a_file(mlp, content):
    spread = np.frombuffer(content, np.uint8).repeat(2)[::2]
    assert_same(MLP.load(spread), mlp)


def test_a_mapped_file_is_its_bytes(mlp, content, tmp_path):
    with (tmp_path / "model").open("rb") as file, mmap.mmap(file.fileno(), 0, prot=1) as mapped:
        assert_same(MLP.load(mapped), mlp)


def test_bytes_are_named_by_their_type(content):
    for source, name in [
        (b"", "<bytes>"),
        (bytearray(), "<bytearray>"),
        (io.BytesIO(), "<BytesIO>"),
    ]:
        with pytest.raises(ModelFileError) as caught:
            MLP.load(source)
        assert str(caught.value) == f"{name} is not a model file: it is cut short"


def test_an_open_file_is_named_as_it_names_itself(tmp_path):
    path = tmp_path / "model"
    path.write_bytes(b"x")
    with (
        path.open("rb") as file,
        pytest.raises(ModelFileError, match=f"^{path} is not a model file"),
    ):
        MLP.load(file)


@pytest.mark.parametrize("buffering", [0, -1], ids=["raw", "buffered"])
@pytest.mark.parametrize("opened", [open, gzip.open, bz2.open], ids=["plain", "gzip", "bz2"])
def test_open_files(mlp, tmp_path, opened, buffering):
    more = {"buffering": buffering} if opened is open else {}
    with opened(tmp_path / "file", "wb", **more) as file:
        mlp.save(file)
    with opened(tmp_path / "file", "rb", **more) as file:
        assert_same(MLP.load(file), mlp)
        assert file.read() == b""


def test_a_member_of_an_archive(mlp):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as members, members.open("model", "w") as member:
        mlp.save(member)
    with zipfile.ZipFile(archive) as members, members.open("model") as member:
        assert_same(MLP.load(member), mlp)


def test_several_files_in_one(mlp, content):
    file = io.BytesIO()
    other = MLP([1, 1], output="exp", dtype="float64", seed=1)
    file.write(b"before")
    mlp.save(file)
    save_network(file, other, {"a": np.arange(5)}, {"b": "c"})
    mlp.save(file)
    file.write(b"after")
    file.seek(6)

    assert_same(MLP.load(file), mlp)
    loaded, tensors, metadata = load_network(file)
    assert_same(loaded, other)
    assert (tensors["a"].tolist(), metadata) == ([0, 1, 2, 3, 4], {"b": "c"})
    assert_same(MLP.load(file), mlp)
    assert file.read() == b"after"


@posix
def test_a_pipe(mlp):
    read, write = os.pipe()
    with os.fdopen(read, "rb") as source, os.fdopen(write, "wb") as destination:
        sender = threading.Thread(target=mlp.save, args=(destination,))
        sender.start()
        assert_same(MLP.load(source), mlp)  # the other end stays open
        sender.join()


class Slow:
    """An object that writes and reads a few bytes at a time."""

    def __init__(self, content=b"", n=7):
        self.content, self.n = content, n

    def write(self, data):
        self.content += data[: self.n]
        return min(self.n, len(data))

    def read(self, n):
        read, self.content = self.content[: min(n, self.n)], self.content[min(n, self.n) :]
        return read


def test_short_writes_and_reads_are_gone_on_with(mlp, content):
    file = Slow()
    mlp.save(file)
    assert file.content == content
    assert_same(MLP.load(file), mlp)
    assert file.content == b""


class Answers:
    """An object whose write or read always returns the same value."""

    def __init__(self, answer):
        self.answer = answer

    def write(self, data):
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    read = write


@pytest.mark.parametrize("answer", [-1, 10**9, 2**70, "7", 1.0, [], b""], ids=repr)
def test_a_write_that_answers_no_number_of_bytes_is_refused(mlp, content, answer):
    message = rf"^path\.write\(\) of {len(content)} bytes returned .*, expected the number of bytes"
    with pytest.raises(ValueError, match=message):
        mlp.save(Answers(answer))


def test_a_write_of_nothing_is_refused(mlp):
    with pytest.raises(OSError, match=r"^<Answers>: failed to write the buffered data$"):
        mlp.save(Answers(0))


def test_a_write_that_answers_nothing_has_written_all(mlp, content):
    class File:
        def __init__(self):
            self.content = b""

        def write(self, data):
            self.content += data

    file = File()
    mlp.save(file)
    assert file.content == content


class Blocked(io.RawIOBase):
    """An object that would block."""

    def write(self, data):
        return None

    def read(self, n=-1):
        return None


def test_a_raw_file_that_would_have_to_wait_is_an_error(mlp):
    with pytest.raises(BlockingIOError, match="the file would have to wait"):
        mlp.save(Blocked())
    with pytest.raises(BlockingIOError, match="the file would have to wait"):
        MLP.load(Blocked())


@pytest.mark.parametrize(
    "error",
    [OSError(28, "No space left"), KeyboardInterrupt(), InterruptedError(), ZeroDivisionError()],
)
def test_what_an_object_raises_passes_through(mlp, error):
    for call in (mlp.save, MLP.load):
        with pytest.raises(type(error)) as caught:
            call(Answers(error))
        assert caught.value is error


def test_an_object_that_fails_later_is_not_written_to_again(mlp):
    class File:
        def __init__(self):
            self.calls = 0

        def write(self, data):
            self.calls += 1
            if self.calls == 2:
                raise OSError("full")
            return 1

    file = File()
    with pytest.raises(OSError, match=r"^full$"):
        mlp.save(file)
    assert file.calls == 2


def test_a_flush_that_fails_fails_the_save(mlp):
    class File(io.BytesIO):
        def flush(self):
            raise OSError("not flushed")

    with pytest.raises(OSError, match=r"^not flushed$"):
        mlp.save(File())


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="has no such device")
def test_a_full_device_fails_the_save(mlp):
    with suppress(OSError), FULL.open("wb") as file:  # which fails once more when it is closed
        with pytest.raises(OSError, match="No space left on device") as caught:
            mlp.save(file)
        assert caught.value.errno == ENOSPC


@pytest.mark.parametrize(("answer", "found"), [("text", "str"), (None, "NoneType"), (7, "int")])
def test_a_read_of_no_bytes_is_refused(answer, found):
    with pytest.raises(TypeError, match=rf"^path\.read\(\) is of type {found}, expected bytes$"):
        MLP.load(Answers(answer))


def test_a_read_of_too_many_bytes_is_refused():
    with pytest.raises(ValueError, match=r"^path\.read\(8\) returned 9 bytes, expected at most"):
        MLP.load(Answers(bytes(9)))


def test_an_object_that_ends_early(content):
    for n in range(len(content)):
        with pytest.raises(
            ModelFileError, match=r"^<BytesIO> is not a model file: it is cut short$"
        ):
            MLP.load(io.BytesIO(content[:n]))


def test_a_text_file_is_refused(mlp, tmp_path):
    path = tmp_path / "file"
    message = "^path is of type TextIOWrapper, expected a file that is opened in binary mode"
    with path.open("w", encoding="utf-8") as file, pytest.raises(TypeError, match=message):
        mlp.save(file)
    with path.open(encoding="utf-8") as file, pytest.raises(TypeError, match=message):
        MLP.load(file)
    with pytest.raises(TypeError, match=r"^path is of type StringIO, expected a file that is"):
        mlp.save(io.StringIO())


def test_a_file_that_is_closed_or_for_the_other_direction(mlp, tmp_path):
    path = tmp_path / "file"
    with path.open("wb") as file, pytest.raises(io.UnsupportedOperation):
        MLP.load(file)
    with pytest.raises(ValueError, match="closed file"):
        mlp.save(file)
    with path.open("rb") as file, pytest.raises(io.UnsupportedOperation):
        mlp.save(file)
    with pytest.raises(ValueError, match="closed file"):
        MLP.load(file)


def test_a_path_that_can_also_write_is_a_path(mlp, tmp_path):
    class Both(Slow):
        def __fspath__(self):
            return str(tmp_path / "both")

    mlp.save(Both())
    assert_same(MLP.load(Both()), mlp)
    assert_same(MLP.load(tmp_path / "both"), mlp)


def test_nothing_is_written_of_what_could_not_be_read_back(mlp):
    file = io.BytesIO()
    mlp.parameters[0] = np.nan
    with pytest.raises(ValueError, match="parameters is NaN at"):
        mlp.save(file)
    with pytest.raises(ValueError, match="its header has"):
        save_network(file, MLP([1, 1]), {}, {"a": "x" * 2**20})
    assert file.getvalue() == b""


def test_large_networks_go_in_pieces(dtype):
    pieces = []

    class File:
        def write(self, data):
            pieces.append(bytes(data))
            return len(data)

    mlp = MLP([1000, 900], dtype=dtype, seed=0)
    mlp.save(File())
    assert len(pieces) > 3
    assert max(map(len, pieces)) <= 2**20
    assert_same(MLP.load(b"".join(pieces)), mlp)
    assert_same(MLP.load(io.BytesIO(b"".join(pieces))), mlp)


# Memory for the bytes that a stream announces is not allocated before they come.
ANNOUNCE_MUCH = """
import io, resource, sys
from fastmlp import MLP, ModelFileError
with open("/proc/self/statm") as statm:
    mapped = int(statm.read().split()[0]) * resource.getpagesize()
room = mapped + 64 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (room, room))
try:
    MLP.load(io.BytesIO(sys.stdin.buffer.read()))
except ModelFileError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_stream_that_announces_much_takes_little_memory():
    header = model_file.START + '00000000","format":"fastmlp-1"},"w":{"dtype":"F32",'
    header += '"shape":[100000000],"data_offsets":[0,400000000]}}'
    done = subprocess.run(
        [sys.executable, "-c", ANNOUNCE_MUCH],
        input=model_file.sealed(header, bytes(1000)),
        capture_output=True,
        check=False,
    )
    assert done.stdout == b"<BytesIO> is not a model file: it is cut short\n", done.stderr


def test_a_callback_can_save_the_network_to_an_object():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 2)).astype(np.float32), rng.integers(2, size=20)
    mlp, saved = MLP([2, 4, 2], seed=0), []

    def save(_):
        file = io.BytesIO()
        mlp.save(file)
        saved.append(file.getvalue())

    mlp.fit(X, y, epochs=3, callback=save)
    assert len(set(saved)) == 3
    assert_same(MLP.load(saved[-1]), mlp)
