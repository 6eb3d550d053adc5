"""save_tensors and load_tensors: the safetensors layout, whole files or none, no trust in input."""

import json
import struct

import numpy as np
import pytest

from fastmlp._core import ModelFileError, load_tensors, save_tensors

TENSORS = {
    "wide": np.arange(6, dtype=np.float64).reshape(2, 3) / 7,
    "narrow": np.array([1.5, -0.0, np.inf, np.nan, 1e-45], np.float32),
    "empty": np.empty((0, 3), np.float32),
}
METADATA = {"format": "a test", "note": 'with "quotes", ünïcode and\nlines'}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@pytest.fixture
def content(path):
    """The bytes of a valid file, which lies at `path`."""
    save_tensors(path, TENSORS, METADATA)
    return path.read_bytes()


def file_of(header, data=b""):
    """A file made by hand."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def assert_equal_tensors(actual, expected):
    assert actual.keys() == expected.keys()
    for name, tensor in expected.items():
        assert actual[name].dtype == tensor.dtype
        assert actual[name].shape == tensor.shape
        assert actual[name].tobytes() == tensor.tobytes()


@pytest.mark.parametrize("kind", [str, lambda path: path], ids=["str", "Path"])
def test_what_is_saved_is_loaded(kind, path):
    save_tensors(kind(path), TENSORS, METADATA)

    tensors, metadata = load_tensors(kind(path))

    assert_equal_tensors(tensors, TENSORS)
    assert metadata == METADATA


def test_nothing_at_all_can_be_saved(path):
    save_tensors(path, {}, {})

    assert load_tensors(path) == ({}, {})


def test_any_layout_is_saved_in_row_order(path):
    a = np.arange(12.0).reshape(3, 4)

    save_tensors(path, {"F": np.asfortranarray(a), "reversed": a[::-1, ::2]}, {})

    tensors, _ = load_tensors(path)
    np.testing.assert_array_equal(tensors["F"], a)
    np.testing.assert_array_equal(tensors["reversed"], a[::-1, ::2])


def test_the_layout_is_safetensors(content):
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    data = content[8 + length :]

    assert header.pop("__metadata__") == METADATA
    codes = {"F32": "<f4", "F64": "<f8"}
    tensors = {
        name: np.frombuffer(data[slice(*entry["data_offsets"])], codes[entry["dtype"]]).reshape(
            entry["shape"]
        )
        for name, entry in header.items()
    }
    assert_equal_tensors(tensors, TENSORS)
    assert length % 8 == 0
    assert sum(tensor.nbytes for tensor in tensors.values()) == len(data)


def test_a_file_of_another_writer_is_read(path):
    values = np.array([1.0, 2.0], "<f4")
    header = {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    path.write_bytes(file_of(header, values.tobytes()))

    tensors, metadata = load_tensors(path)

    assert_equal_tensors(tensors, {"w": values})
    assert metadata == {}


def test_the_same_content_gives_the_same_bytes(content, path):
    save_tensors(path, dict(reversed(TENSORS.items())), dict(reversed(METADATA.items())))

    assert path.read_bytes() == content


def test_loaded_tensors_are_their_owner_s(content, path):
    tensors, _ = load_tensors(path)

    tensors["wide"][...] = 0.0

    assert_equal_tensors(load_tensors(path)[0], TENSORS)


def test_saving_replaces_a_file_and_leaves_nothing_beside_it(content, path):
    save_tensors(path, {"w": np.ones(2)}, {})

    assert_equal_tensors(load_tensors(path)[0], {"w": np.ones(2)})
    assert list(path.parent.iterdir()) == [path]


def test_a_file_cut_anywhere_is_refused(content, path):
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(ModelFileError, match="is not a model file"):
            load_tensors(path)


def test_a_flipped_bit_never_gives_anything_but_tensors_or_the_error(content, path):
    (length,) = struct.unpack("<Q", content[:8])
    refused = 0
    # Every bit of the length, and one bit of every byte of the header.
    for bit in (*range(64), *(8 * byte + byte % 8 for byte in range(8, 8 + length))):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        try:
            tensors, metadata = load_tensors(path)
        except ModelFileError:
            refused += 1
        else:
            assert all(isinstance(tensor, np.ndarray) for tensor in tensors.values())
            assert all(isinstance(text, str) for text in metadata.values())
    assert refused >= 64


ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
HOSTILE = {
    "not a model": b"X1,X2,color\n0.1,0.2,c1\n",
    "no header": struct.pack("<Q", 0),
    "a header longer than memory": struct.pack("<Q", 2**63) + b"{}",
    "a header that is no JSON": file_of(b"{'w': 1}"),
    "a header that is a list": file_of([1, 2]),
    "deep nesting": file_of(b"[" * 100_000),
    "an unknown dtype": file_of({"w": {**ENTRY, "dtype": "F99"}}, bytes(8)),
    "a dtype that is not taken": file_of({"w": {**ENTRY, "dtype": "I32"}}, bytes(8)),
    "three dimensions": file_of({"w": {**ENTRY, "shape": [1, 2, 1]}}, bytes(8)),
    "a shape that overflows": file_of({"w": {**ENTRY, "shape": [2**33, 2**33]}}, bytes(8)),
    "a negative extent": file_of({"w": {**ENTRY, "shape": [-2]}}, bytes(8)),
    "a shape that does not fit": file_of({"w": {**ENTRY, "shape": [3]}}, bytes(8)),
    "offsets beyond the end": file_of({"w": ENTRY}, bytes(4)),
    "offsets that go backwards": file_of({"w": {**ENTRY, "data_offsets": [8, 0]}}, bytes(8)),
    "overlapping tensors": file_of({"v": ENTRY, "w": ENTRY}, bytes(8)),
    "a gap": file_of({"w": {**ENTRY, "data_offsets": [8, 16]}}, bytes(16)),
    "bytes after the end": file_of({"w": ENTRY}, bytes(9)),
    "metadata that is no text": file_of({"__metadata__": {"n": 1}, "w": ENTRY}, bytes(8)),
    "the same name twice": file_of(
        b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
        b'"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
        bytes(8),
    ),
    "an enormous empty tensor": file_of(
        {"w": {"dtype": "F32", "shape": [2**62, 0], "data_offsets": [0, 0]}}
    ),
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_a_hostile_file_is_refused(attack, path):
    path.write_bytes(HOSTILE[attack])

    with pytest.raises(ModelFileError, match=r"model\.safetensors is not a model file: "):
        load_tensors(path)


def test_a_missing_file(path):
    with pytest.raises(FileNotFoundError):
        load_tensors(path)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(OSError, match="directory"):
        load_tensors(tmp_path)


def test_a_missing_folder_is_not_made(tmp_path):
    with pytest.raises(FileNotFoundError):
        save_tensors(tmp_path / "missing" / "model.safetensors", TENSORS, METADATA)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("tensor", "error"),
    [
        (np.ones(2, np.float16), TypeError),
        (np.ones(2, np.int64), TypeError),
        (np.ones(2, object), TypeError),
        ([1.0, 2.0], TypeError),
        (np.ones((1, 1, 1)), ValueError),
    ],
    ids=["float16", "int64", "object", "list", "three dimensions"],
)
def test_what_cannot_be_saved_leaves_the_old_file(tensor, error, content, path):
    with pytest.raises(error, match="w"):
        save_tensors(path, {"w": tensor}, {})

    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]
