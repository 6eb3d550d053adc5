"""A second implementation of the layout of a model file, to test the compiled code against.

Eight bytes with the length of the header, the header, the numbers: widest first, then by name.
"""

import json
import struct
import zlib

import numpy as np

START = '{"__metadata__":{"crc32":"'
NOT_ITS_HEADER = "its header is not the one that belongs to its tensors"
CODES = {"<f4": "F32", "<f8": "F64", "<i8": "I64", "|u1": "U8"}
# What a file can hold beside a network.
TENSORS = {
    "wide": np.arange(6, dtype=np.float64).reshape(2, 3) / 7,
    "narrow": np.array([1.5, -0.0, np.inf, np.nan, 1e-45], np.float32),
    "empty": np.empty((0, 3), np.float32),
    "number": np.array(7.0),
    "integers": np.array([[-(2**63), 2**63 - 1], [0, -1]]),
    "bytes": np.arange(256, dtype=np.uint8),
}
METADATA = {"note": 'with "quotes", ünïcode,\t\x01\x7f and\nlines', "a": ""}


def read(path):
    """Tensors and text of a file that is known to be valid."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    metadata = header.pop("__metadata__")
    dtypes = {code: dtype for dtype, code in CODES.items()}
    tensors = {
        name: np.frombuffer(data[slice(*entry["data_offsets"])], dtypes[entry["dtype"]]).reshape(
            entry["shape"]
        )
        for name, entry in header.items()
    }
    return tensors, metadata


def content(tensors, metadata):
    """The bytes of a file with this content and its checksum."""
    own = {"format": metadata["format"]} if "format" in metadata else {}
    others = {key: metadata[key] for key in sorted(metadata) if key not in ("crc32", "format")}
    pairs = [f"{text(key)}:{text(value)}" for key, value in (own | others).items()]
    header = ",".join([f'{START}00000000"', *pairs]) + "}"
    data = b""
    for name in sorted(tensors, key=lambda name: (-tensors[name].itemsize, name)):
        tensor = tensors[name]
        end = len(data) + tensor.nbytes
        header += f',{text(name)}:{{"dtype":"{CODES[tensor.dtype.str]}","shape":'
        header += f'{list(tensor.shape)},"data_offsets":[{len(data)},{end}]}}'
        data += tensor.tobytes()
    return sealed(header + "}", data)


def sealed(header, data=b""):
    """A file with this header, valid or not, and its checksum if it has room for one."""
    header = header.encode() if isinstance(header, str) else header
    header += b" " * (-len(header) % 8)
    whole = struct.pack("<Q", len(header)) + header + data
    start = whole.find(START.encode())
    if start == 8:
        digits = slice(8 + len(START), 8 + len(START) + 8)
        zeros = whole[: digits.start] + b"0" * 8 + whole[digits.stop :]
        whole = whole[: digits.start] + b"%08x" % zlib.crc32(zeros) + whole[digits.stop :]
    return whole


def words(name, *words):
    """Tensors of words: their bytes one after another, and where each begins and ends."""
    pieces = [word.encode() for word in words]
    ends = [sum(map(len, pieces[:i])) for i in range(len(pieces) + 1)]
    return {
        f"{name}.utf8": np.array(list(b"".join(pieces)), np.uint8),
        f"{name}.offsets": np.array(ends, np.int64),
    }


def text(value):
    """Text as a JSON string."""
    return json.dumps(value, ensure_ascii=False)
