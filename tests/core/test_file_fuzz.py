"""Files and arrays of any content: saved and loaded to the last bit, or refused with one error."""

import json
import tempfile
from pathlib import Path

import model_file
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fastmlp import MLP, ModelFileError
from fastmlp._core import load_network, save_network
from fastmlp.model import Model

PATH = Path(tempfile.mkdtemp()) / "model"

text = st.text(max_size=20)
names = text.filter(lambda name: name not in {"parameters", "network", "format", "crc32"})
arrays = hnp.arrays(
    dtype=st.sampled_from(
        ["<f4", "<f8", ">f4", ">f8", "<f2", "<i4", "<i8", ">i8", "u1", "?", "<c8", "U3", "O"]
    ),
    shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
    elements=None,
)


@st.composite
def views(draw):
    """An array, or a part of one with some other memory layout."""
    array = draw(arrays)
    if array.ndim and draw(st.booleans()):
        array = array[
            tuple(slice(None, None, draw(st.sampled_from([1, 2, -1]))) for _ in array.shape)
        ]
    if draw(st.booleans()):
        array = array.T
    if array.dtype.kind == "f" and array.ndim == 1 and array.size and draw(st.booleans()):
        shifted = np.zeros(array.nbytes + 1, np.uint8)[1:].view(array.dtype)
        shifted[:] = array
        array = shifted
    if draw(st.booleans()):
        array.setflags(write=False)
    return array


def can_be_saved(array):
    known = (np.float32, np.float64, np.int64, np.uint8)
    return array.dtype in known and array.ndim <= 2 and array.flags.aligned


@given(st.dictionaries(names, views(), max_size=3), st.dictionaries(names, text, max_size=3))
def test_what_is_saved_is_loaded_or_it_is_refused(tensors, metadata):
    mlp = MLP([2, 2], seed=0)
    PATH.unlink(missing_ok=True)
    if "__metadata__" in tensors or not all(map(can_be_saved, tensors.values())):
        with pytest.raises((TypeError, ValueError), match="tensor"):
            save_network(PATH, mlp, tensors, metadata)
        assert not PATH.exists()
        return
    save_network(PATH, mlp, tensors, metadata)
    loaded, found, found_metadata = load_network(PATH)
    assert loaded.parameters.tobytes() == mlp.parameters.tobytes()
    assert found_metadata == metadata
    assert found.keys() == tensors.keys()
    for name, array in tensors.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)
NETWORK = {"activation": ["relu"], "layer_sizes": [2, 1, 2], "output": "softmax", "seeds": 0}
NAMES = {"feature_names": ["a", "b"], "class_names": ["c", "d"], "target": None}
LAYOUT = {"layout": 2}


def changed(sound):
    """A valid object with some values replaced, or another value altogether."""
    replaced = st.fixed_dictionaries(
        {key: st.just(value) | json_values for key, value in sound.items()}
    )
    return replaced | json_values


text_of_a_tensor = st.binary(max_size=4).map(lambda data: np.frombuffer(data, np.uint8))
bounds = hnp.arrays(
    "<i8", st.integers(0, 4), elements=st.integers(-1, 4) | st.integers(-(2**63), 2**63 - 1)
)


@st.composite
def names_of(draw, name, n):
    """The tensors of some names, or others."""
    sound = model_file.words(name, *"abcd"[:n])
    if draw(st.booleans()):
        return sound
    return {
        f"{name}.utf8": draw(st.just(sound[f"{name}.utf8"]) | text_of_a_tensor),
        f"{name}.offsets": draw(st.just(sound[f"{name}.offsets"]) | bounds),
    }


@given(
    changed(NETWORK),
    changed(NAMES) | changed(LAYOUT),
    hnp.arrays("<f4", st.integers(0, 9), elements=st.floats(width=32)),
    hnp.arrays("<f8", st.integers(0, 3)),
    st.tuples(names_of("feature_names", 2), names_of("class_names", 2), names_of("target", 1)),
)
def test_a_file_of_any_content_is_a_model_or_refused(network, names, parameters, scale, words):
    has_words = isinstance(names, dict) and "layout" in names
    tensors = {"parameters": parameters, "scale": scale, "mean": np.zeros(2)}
    if has_words:
        for named in words:
            tensors |= named
    metadata = {
        "format": "fastmlp-2" if has_words else "fastmlp-1",
        "network": json.dumps(network),
        "model": json.dumps(names),
    }
    PATH.write_bytes(model_file.content(tensors, metadata))
    try:
        model = Model.load(PATH)
    except ModelFileError:
        return
    assert model.network.parameters.tobytes() == parameters.tobytes()
    assert model.predict([[0.5, -0.5]])[0] in (0, 1)


@given(st.binary(max_size=200))
def test_bytes_are_no_model(content):
    PATH.write_bytes(content)
    with pytest.raises(ModelFileError):
        MLP.load(PATH)
    PATH.write_bytes(model_file.sealed(content))
    with pytest.raises(ModelFileError):
        MLP.load(PATH)
