"""Model files that are damaged, or that nobody honest would write: refused, and at little cost."""

import json
import struct
import subprocess
import sys

import model_file
import numpy as np
import pytest
from model_file import NOT_ITS_HEADER

from fastmlp import MLP, ModelFileError
from fastmlp._core import load_network, save_network


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@pytest.fixture
def content(path):
    """The bytes of a valid file."""
    mlp = MLP([2, 3, 2], activation="tanh", seed=0)
    save_network(path, mlp, model_file.TENSORS, model_file.METADATA)
    return path.read_bytes()


def test_every_cut_of_a_file_is_refused(content, path):
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(ModelFileError, match="is not a model file: "):
            load_network(path)
    path.write_bytes(content + b"\0")
    with pytest.raises(ModelFileError, match=f"it has {len(content) + 1} bytes, expected"):
        load_network(path)


def test_every_flipped_bit_of_a_file_is_refused(content):
    for bit in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ModelFileError, match="is not a model file: "):
            load_network(bytes(damaged))


def file_of(entries, data=b"", metadata=""):
    """A file made by hand: `entries` follows the text in the header."""
    text = f'{model_file.START}00000000","format":"fastmlp-1"{metadata}}}'
    return model_file.sealed(f"{text}{entries}}}", data)


def entry(name="w", dtype="F32", shape="[2]", offsets="[0,8]"):
    return f',"{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}'


HOSTILE = {
    "not a model": (b"X1,X2,color\n0.1,0.2,c1\n", "its header has .* bytes, expected at most"),
    "a pickle": (b"\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix", "its header has"),
    "an archive before it": (b"PK\x03\x04" + file_of(entry(), bytes(8)), "its header has"),
    "an archive after it": (
        file_of(entry(), bytes(8)) + b"PK\x05\x06" + bytes(18),
        r"it has \d+ bytes, expected",
    ),
    "an archive in the header": (
        model_file.sealed(b"PK\x03\x04{}"),
        "its header is no JSON object",
    ),
    "no header": (struct.pack("<Q", 0), "its header is no JSON object"),
    "a header longer than memory": (struct.pack("<Q", 2**63) + b"{}", "expected at most 1048576"),
    "a header longer than the file": (struct.pack("<Q", 2**20) + b"{}", "it is cut short"),
    "a bomb of a header": (
        model_file.sealed('{"' + "w" * 80_000_000 + '":1}'),
        "its header has 80000008 bytes, expected at most 1048576",
    ),
    "a million values": (
        model_file.sealed('{"w":[' + "0," * 500_000 + "0]}"),
        "its header: it has more than 65536 parts",
    ),
    "many small objects": (
        model_file.sealed('{"w":[' + '{"":0},' * 149_000 + "{}]}"),
        "its header: it has more than 65536 parts",
    ),
    "many small objects, one in another": (
        model_file.sealed('{"w":' + ('{"":' * 100 + "0" + "}" * 100 + ',"":') * 1_700 + "0}"),
        "its header: lists and objects are more than 3 deep",
    ),
    "many small objects in the network's text": (
        file_of(
            entry("parameters"),
            bytes(8),
            ',"network":' + model_file.text('{"":[' + '{"":0},' * 80_000 + "0]}"),
        ),
        "its network is not one: lists and objects are more than 2 deep",
    ),
    "too much text": (
        file_of("", b"", "".join(f',"{i:05}":""' for i in range(40_000))),
        "its header: it has more than 65536 parts",
    ),
    "too many tensors": (
        file_of("".join(entry(f"w{i}", shape="[0]", offsets="[0,0]") for i in range(4097))),
        "it has 4097 tensors, expected at most 4096",
    ),
    "a header that is no JSON": (model_file.sealed("{'w': 1}"), "its header is no JSON object"),
    "a header that is a list": (model_file.sealed("[1, 2]"), "its header is no JSON object"),
    "a header that is no text": (model_file.sealed(b'{"\xff\xfe":1}'), "its header is no JSON"),
    "deep nesting": (
        model_file.sealed('{"w":' + "[" * 100_000),
        "its header: lists and objects are more than 3 deep",
    ),
    "another format": (
        model_file.sealed('{"__metadata__":{"format":"pt"}}'),
        'its format is "pt", expected "fastmlp-1" or "fastmlp-2"',
    ),
    "a later format": (
        model_file.sealed(f'{model_file.START}00000000","format":"fastmlp-3"}}}}'),
        'its format is "fastmlp-3", expected "fastmlp-1" or "fastmlp-2"',
    ),
    "no checksum": (
        model_file.sealed('{"__metadata__":{"format":"fastmlp-1"}}'),
        "it has no checksum",
    ),
    "metadata that is no text": (file_of(entry(), bytes(8), ',"n":1'), "__metadata__ is not text"),
    "an unknown dtype": (file_of(entry(dtype="F99"), bytes(8)), 'is "F99", expected F32, F64, I64'),
    "integers": (file_of(entry(dtype="I32"), bytes(8)), 'is "I32", expected F32, F64, I64'),
    "a tensor that is none": (file_of(',"w":7'), 'tensor "w" is null, expected F32, F64'),
    "three dimensions": (file_of(entry(shape="[1, 2, 1]"), bytes(8)), "has 3 dimensions"),
    "a thousand dimensions": (
        file_of(entry(shape=str([1] * 1000)), bytes(8)),
        "has 1000 dimensions, expected at most 2",
    ),
    "a shape that overflows": (
        file_of(entry(shape="[4294967295, 4294967295]"), bytes(8)),
        "it has more numbers than a file can hold",
    ),
    "a shape no file can have": (
        file_of(entry(shape="[4294967295, 1000000]"), bytes(8)),
        NOT_ITS_HEADER,
    ),
    "an honest shape without numbers": (
        file_of(entry(shape="[4294967295]", offsets="[0,17179869180]"), bytes(8)),
        r"it has \d+ bytes, expected 17179",
    ),
    "a negative extent": (file_of(entry(shape="[-2]"), bytes(8)), 'tensor "w" has no shape'),
    "an enormous empty tensor": (
        file_of(entry(shape=f"[{2**62}, 0]", offsets="[0,0]")),
        r"has shape \(4611686018427387904, 0\), expected extents <= 4294967295",
    ),
    "an extent beyond all": (file_of(entry(shape=f"[{2**64}]"), bytes(8)), "has no shape"),
    "a shape that does not fit": (file_of(entry(shape="[3]"), bytes(8)), NOT_ITS_HEADER),
    "offsets beyond the end": (file_of(entry(), bytes(4)), r"it has \d+ bytes, expected"),
    "offsets that go backwards": (file_of(entry(offsets="[8,0]"), bytes(8)), NOT_ITS_HEADER),
    "overlapping tensors": (file_of(entry("v") + entry("w"), bytes(8)), NOT_ITS_HEADER),
    "a gap": (file_of(entry(offsets="[8,16]"), bytes(16)), NOT_ITS_HEADER),
    "numbers in another order": (
        file_of(entry("w") + entry("v", offsets="[8,16]"), bytes(16)),
        NOT_ITS_HEADER,
    ),
    "bytes after the end": (file_of(entry(), bytes(9)), r"it has \d+ bytes, expected"),
    "the same name twice": (file_of(entry() + entry(), bytes(8)), NOT_ITS_HEADER),
    "the same text twice": (file_of(entry(), bytes(8), ',"a":"1","a":"2"'), NOT_ITS_HEADER),
    "more to a tensor": (
        file_of(',"w":{"code":"","dtype":"F32","shape":[2],"data_offsets":[0,8]}', bytes(8)),
        NOT_ITS_HEADER,
    ),
    "a wrong checksum": (
        file_of(entry(), bytes(8))[:-1] + b"\1",
        "it is damaged: its checksum is [0-9a-f]{8}, expected [0-9a-f]{8}",
    ),
    "no network": (file_of(entry(), bytes(8)), "it holds no network"),
    "no parameters": (file_of("", b"", ',"network":"{}"'), "it holds no parameters"),
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_a_hostile_file_is_refused(attack, path):
    content, message = HOSTILE[attack]
    path.write_bytes(content)

    with pytest.raises(
        ModelFileError, match=rf"model\.safetensors is not a model file: .*{message}"
    ):
        load_network(path)


# The limit of an address space must include what is mapped already, plus the allowance: 64 MiB, and
# twice the file that is read.
LOAD_IN_LITTLE_MEMORY = """
import resource, sys
from fastmlp import ModelFileError
from fastmlp._core import load_network
with open("/proc/self/statm") as statm:
    mapped = int(statm.read().split()[0]) * resource.getpagesize()
import os
room = mapped + 64 * 2**20 + 2 * os.path.getsize(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (room, room))
try:
    load_network(sys.argv[1])
except ModelFileError:
    sys.exit(7)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    "attack",
    [
        "a header longer than memory",
        "a bomb of a header",
        "a million values",
        "many small objects",
        "many small objects, one in another",
        "many small objects in the network's text",
        "too much text",
        "too many tensors",
        "deep nesting",
        "a shape that overflows",
        "an honest shape without numbers",
        "an enormous empty tensor",
    ],
)
def test_a_hostile_file_takes_little_memory(attack, path):
    path.write_bytes(HOSTILE[attack][0])
    command = [sys.executable, "-c", LOAD_IN_LITTLE_MEMORY, str(path)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (7, "")


def config(**changes):
    network = {"activation": [], "layer_sizes": [2, 2], "output": "softmax", "seeds": 0}
    return json.dumps(network | changes)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ("", "its network is not one: EOF"),
        ("[]", "its network is not one: invalid type"),
        (
            '{"more":' + "[" * 10_000,
            "its network is not one: lists and objects are more",
        ),
        ('{"more":[' + "0," * 70_000, "its network is not one: it has more than 65536 parts"),
        (config(more=1), r'its keys are \[.*"more".*\], expected'),
        (config(layer_sizes=[2]), r"layer_sizes is \[2\], expected at least two widths"),
        (config(layer_sizes=[2, 0, 2]), r"layer_sizes is \[2,0,2\], expected widths from 1 to 16"),
        (config(layer_sizes=[2, 2**24 + 1]), "expected widths from 1 to 16777216"),
        (config(layer_sizes=[2, True]), "expected widths from 1 to 16777216"),
        (config(layer_sizes=[2, 2.0]), "expected widths from 1 to 16777216"),
        (config(layer_sizes="22"), "expected widths from 1 to 16777216"),
        (config(layer_sizes=[2**24] * 3), "activation is a sequence of 0, expected"),
        (config(layer_sizes=[2**24, 2**24]), r"parameters has shape \(6,\), expected \(28147"),
        (config(activation=["step"]), 'activation is "step", expected one of'),
        (config(activation="relu"), "activation is .*, expected one name per hidden layer"),
        (config(activation=[None]), "activation is .*, expected one name per hidden layer"),
        (config(activation=["relu"]), "activation is a sequence of 1, expected"),
        (config(output=None), "output is null, expected a name"),
        (config(output="logits"), 'output is "logits", expected one of'),
        (config(seeds=-1), "seeds is -1, expected a number from 0 to"),
        (config(seeds=2**64), "seeds is .*, expected a number from 0 to"),
    ],
)
def test_an_architecture_is_checked_before_it_is_believed(network, message, path):
    parameters = np.zeros(6, np.float32)
    metadata = {"format": "fastmlp-1", "network": config()}
    path.write_bytes(model_file.content({"parameters": parameters}, metadata))
    assert MLP.load(path).layer_sizes == (2, 2)  # the file is valid until it is changed

    metadata["network"] = network
    path.write_bytes(model_file.content({"parameters": parameters}, metadata))
    with pytest.raises(ModelFileError, match=message):
        MLP.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p[:-1], r"parameters has shape \(5,\), expected \(6,\)"),
        (lambda p: p.astype(np.int64), "parameters is of integers, expected F32 or F64"),
        (lambda p: p.reshape(2, 3), r"parameters has shape \(2, 3\), expected \(6,\)"),
        (lambda p: p * np.nan, r"parameters is NaN at weights\[0\]\[0, 0\], expected finite"),
        (lambda p: np.append(p[:-1], np.inf), r"parameters is inf at biases\[0\]\[1\]"),
    ],
)
def test_parameters_must_fit_and_be_finite(change, message, path):
    parameters = change(np.zeros(6))
    number = 1 if parameters.dtype.kind == "f" else 2
    metadata = {"format": f"fastmlp-{number}", "network": config()}
    path.write_bytes(model_file.content({"parameters": parameters}, metadata))

    with pytest.raises(ModelFileError, match=message):
        MLP.load(path)


def test_a_missing_file(path):
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors"):
        MLP.load(path)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(IsADirectoryError):
        MLP.load(tmp_path)
