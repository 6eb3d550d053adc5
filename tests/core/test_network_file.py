"""The model file: the safetensors layout, what is saved in it, and complete files or none."""

import json
import struct

import model_file
import numpy as np
import pytest
from model_file import METADATA, NOT_ITS_HEADER, TENSORS

from fastmlp import MLP, ModelFileError
from fastmlp._core import load_network, save_network


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@pytest.fixture
def mlp():
    return MLP([2, 3, 2], activation="tanh", seed=0)


@pytest.fixture
def content(path, mlp):
    """The bytes of a valid file, which is at `path`."""
    save_network(path, mlp, TENSORS, METADATA)
    return path.read_bytes()


def assert_equal_tensors(actual, expected):
    assert actual.keys() == expected.keys()
    for name, tensor in expected.items():
        assert actual[name].dtype == tensor.dtype
        assert actual[name].shape == tensor.shape
        assert actual[name].tobytes() == tensor.tobytes()


@pytest.mark.parametrize("kind", [str, lambda path: path], ids=["str", "Path"])
@pytest.mark.parametrize("output", ["softmax", "sigmoid", "identity", "exp"])
@pytest.mark.parametrize(
    ("layer_sizes", "activation"),
    [((3, 5, 4, 2), ("relu", "leaky_relu")), ((3, 4, 1), "sigmoid"), ((2, 1), ())],
)
def test_a_network_that_is_saved_is_loaded(
    kind, path, layer_sizes, activation, output, dtype, random_mlp, rng
):
    mlp = MLP(layer_sizes, activation=activation, output=output, dtype=dtype, seed=7)
    mlp.parameters[...] = rng.standard_normal(mlp.n_parameters)
    mlp.save(kind(path))

    loaded = MLP.load(kind(path))

    assert type(loaded) is MLP
    for name in ("layer_sizes", "activation", "output", "dtype", "n_parameters"):
        assert getattr(loaded, name) == getattr(mlp, name)
    assert loaded.parameters.tobytes() == mlp.parameters.tobytes()


def test_a_loaded_network_goes_on_as_the_saved_one(path, rng):
    X, y = rng.standard_normal((60, 2)).astype(np.float32), rng.integers(3, size=60)
    mlp = MLP([2, 8, 3], seed=1)
    mlp.fit(X, y, epochs=2, batch_size=16)
    mlp.save(path)
    twin = MLP.load(path)

    mlp.fit(X, y, epochs=2, batch_size=16)
    twin.fit(X, y, epochs=2, batch_size=16)

    assert twin.parameters.tobytes() == mlp.parameters.tobytes()


def test_what_belongs_to_a_network_is_saved_with_it(content, path, mlp):
    loaded, tensors, metadata = load_network(path)

    assert loaded.parameters.tobytes() == mlp.parameters.tobytes()
    assert_equal_tensors(tensors, TENSORS)
    assert metadata == METADATA


def test_a_file_with_more_than_a_network_is_not_taken_for_one(content, path):
    message = (
        "it holds bytes, empty, integers, narrow, number, wide, a, note beside the network: load"
    )
    with pytest.raises(ModelFileError, match=message):
        MLP.load(path)


def test_any_layout_is_saved_in_row_order(path, mlp):
    a = np.arange(12.0).reshape(3, 4)

    save_network(path, mlp, {"F": np.asfortranarray(a), "reversed": a[::-1, ::2]}, {})

    _, tensors, _ = load_network(path)
    np.testing.assert_array_equal(tensors["F"], a)
    np.testing.assert_array_equal(tensors["reversed"], a[::-1, ::2])


def test_the_layout_is_as_it_is_written_down(content, path, mlp):
    tensors, metadata = model_file.read(path)

    assert_equal_tensors(tensors, TENSORS | {"parameters": mlp.parameters})
    assert {key: metadata[key] for key in METADATA} == METADATA
    assert metadata["format"] == "fastmlp-2"
    network = json.loads(metadata["network"])
    assert network.pop("seeds") in range(2**64)
    assert network == {"layer_sizes": [2, 3, 2], "activation": ["tanh"], "output": "softmax"}
    assert model_file.content(tensors, metadata) == content
    assert struct.unpack("<Q", content[:8])[0] % 8 == 0


def test_a_file_without_integers_is_one_that_earlier_versions_read(path, mlp):
    mlp.save(path)
    tensors, metadata = model_file.read(path)
    assert metadata["format"] == "fastmlp-1"
    metadata["format"] = "fastmlp-2"
    path.write_bytes(model_file.content(tensors, metadata))
    with pytest.raises(ModelFileError, match=NOT_ITS_HEADER):
        MLP.load(path)


@pytest.mark.parametrize("layer_sizes", [(64, 100, 10), (784, 256, 10), (784, 512, 512, 10)])
def test_a_file_is_hardly_larger_than_the_weights(layer_sizes, path, dtype):
    mlp = MLP(layer_sizes, dtype=dtype, seed=0)
    mlp.save(path)

    assert path.stat().st_size <= 1.05 * sum(W.nbytes for W in mlp.weights)


def test_the_same_content_gives_the_same_bytes(content, path, mlp):
    save_network(path, mlp, dict(reversed(TENSORS.items())), dict(reversed(METADATA.items())))

    assert path.read_bytes() == content


def test_loaded_tensors_are_their_owner_s(content, path):
    _, tensors, _ = load_network(path)

    tensors["wide"][...] = 0.0

    assert_equal_tensors(load_network(path)[1], TENSORS)


@pytest.mark.parametrize(
    ("tensors", "metadata", "error", "message"),
    [
        ({"w": np.ones(2, np.float16)}, {}, TypeError, r'tensors\["w"\] has dtype float16'),
        (
            {"w": np.ones(2, np.int32)},
            {},
            TypeError,
            r'tensors\["w"\] has dtype int32, expected',
        ),
        ({"w": np.ones(2, np.uint64)}, {}, TypeError, r'tensors\["w"\] has dtype uint64'),
        ({"w": np.ones(2, bool)}, {}, TypeError, r'tensors\["w"\] has dtype bool'),
        ({"w": np.ones(2, object)}, {}, TypeError, r'tensors\["w"\] has dtype object'),
        ({"w": [1.0, 2.0]}, {}, TypeError, r'tensors\["w"\] is of type list'),
        ({"w": np.ones((1, 1, 1))}, {}, ValueError, r'tensors\["w"\] has shape \(1, 1, 1\)'),
        ({"__metadata__": np.ones(1)}, {}, ValueError, "has the name of the text"),
        ({"parameters": np.ones(1)}, {}, ValueError, '"parameters" is the network\'s own name'),
        ({}, {"network": ""}, ValueError, '"network" is the network\'s own name'),
        ({}, {"format": ""}, ValueError, 'the text has the key "format"'),
        ({}, {"crc32": ""}, ValueError, 'the text has the key "crc32"'),
        (
            {},
            {f"{i}": "" for i in range(33_000)},
            ValueError,
            "its header: it has more than 65536",
        ),
        ({}, {"note": "x" * 2**20}, ValueError, r"its header has \d+ bytes, expected at most 104"),
        ({}, {"note": 7}, TypeError, "metadata is of type dict, expected a dict of str to str"),
    ],
)
def test_what_cannot_be_saved_leaves_the_old_file(
    tensors, metadata, error, message, content, path, mlp
):
    with pytest.raises(error, match=message):
        save_network(path, mlp, tensors, metadata)

    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("tensor", "layer", "place", "value"),
    [
        ("weights", 0, (1, 2), np.nan),
        ("weights", 1, (0, 1), -np.inf),
        ("biases", 1, (1,), np.inf),
    ],
)
def test_a_network_that_could_not_be_loaded_is_not_saved(path, dtype, tensor, layer, place, value):
    mlp = MLP([2, 3, 2], dtype=dtype, seed=0)
    mlp.save(path)
    before = path.read_bytes()
    getattr(mlp, tensor)[layer][place] = value
    shown = {np.inf: "inf", -np.inf: "-inf"}.get(value, "NaN")
    where = f"{tensor}[{layer}]{list(place)}"
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        mlp.save(path)

    assert str(caught.value) == f"parameters is {shown} at {where}, expected finite numbers"
    assert path.read_bytes() == before


def test_a_callback_can_save_the_network(path, rng):
    X, y = rng.standard_normal((20, 2)).astype(np.float32), rng.integers(2, size=20)
    mlp, saved = MLP([2, 4, 2], seed=0), []

    def save(_):
        mlp.save(path)
        saved.append(MLP.load(path).parameters.tobytes())

    mlp.fit(X, y, epochs=3, callback=save)

    assert len(set(saved)) == 3
    assert saved[-1] == mlp.parameters.tobytes()
