"""A model predicts from raw data, survives its file unchanged, and refuses damaged files."""

import json
import re

import model_file
import numpy as np
import pytest

from fastmlp import MLP, ModelFileError
from fastmlp._core import save_network
from fastmlp.model import Model

FEATURES = ("height, m", "Größe")
CLASSES = ("yes", "no", "7")


@pytest.fixture
def make_model(random_mlp):
    def build(layer_sizes=(2, 5, 3), activation="relu", dtype="float32", **changes):
        network = random_mlp(list(layer_sizes), activation, dtype)
        arguments = {
            "mean": [0.5, -3.0],
            "scale": [2.0, 0.25],
            "feature_names": FEATURES,
            "class_names": CLASSES,
        }
        return Model(network, **(arguments | changes))

    return build


@pytest.fixture
def X(rng):
    return rng.standard_normal((40, 2))


def test_predictions_are_those_of_the_network_on_standardized_rows(make_model, X, reference_of):
    model = make_model(dtype="float64")
    Z = (X - [0.5, -3.0]) / [2.0, 0.25]
    logits = reference_of(model.network).forward(Z)[-1]
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))

    np.testing.assert_array_equal(model.predict(X), logits.argmax(axis=1))
    np.testing.assert_allclose(
        model.predict_proba(X), odds / odds.sum(axis=1, keepdims=True), rtol=1e-12
    )


def test_predict_takes_any_rows_of_real_numbers(make_model, dtype):
    model = make_model(dtype=dtype)
    codes = model.predict([[1, 2], [3, 4]])

    assert codes.dtype == np.int64
    assert model.predict_proba([[1, 2]]).dtype == dtype
    np.testing.assert_array_equal(model.predict(np.array([[1, 2], [3, 4]], order="F")), codes)
    np.testing.assert_array_equal(model.predict(np.array([[1, 2], [3, 4]], np.uint8)), codes)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([["a", "b"]], TypeError, "X must hold real numbers, got dtype <U1"),
        ([[1j, 2]], TypeError, "X must hold real numbers, got dtype complex128"),
        ([1.0, 2.0], ValueError, r"X must have shape \(n, 2\), got \(2,\)"),
        ([[1.0, 2.0, 3.0]], ValueError, r"X must have shape \(n, 2\), got \(1, 3\)"),
        (
            [[1.0, 2.0], [3.0, np.nan]],
            ValueError,
            "X must be finite once standardized to float32, got nan in row 1, column 1",
        ),
        ([[-np.inf, 2.0]], ValueError, "got -inf in row 0, column 0"),
        ([[1e39, 2.0]], ValueError, r"to float32, got 1e\+39 in row 0, column 0"),
    ],
)
def test_predict_refuses_what_it_cannot_use(make_model, X, error, message):
    model = make_model()
    with pytest.raises(error, match=message):
        model.predict(X)
    with pytest.raises(error, match=message):
        model.predict_proba(X)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"mean": [1.0]}, ValueError, r"mean must have shape \(2,\), got \(1,\)"),
        ({"mean": [1.0, np.nan]}, ValueError, "mean must be finite, got nan"),
        ({"scale": [[1.0, 2.0]]}, ValueError, r"scale must have shape \(2,\), got \(1, 2\)"),
        ({"scale": [1.0, np.inf]}, ValueError, "scale must be finite, got inf"),
        ({"scale": [1.0, 0.0]}, ValueError, r"scale must be > 0, got 0\.0"),
        ({"feature_names": ["a"]}, ValueError, "feature_names must have 2 names, got 1"),
        ({"feature_names": ["a", "a"]}, ValueError, "feature_names must be distinct, got"),
        ({"feature_names": ["a", ""]}, ValueError, "feature_names must not be empty"),
        ({"class_names": ["a", "b"]}, ValueError, "class_names must have 3 names, got 2"),
        ({"class_names": ["a", "b", 7]}, TypeError, "class_names must be text, got 7"),
        ({"target": 7}, TypeError, "target must be text, got 7"),
    ],
)
def test_what_does_not_fit_the_network_is_refused(make_model, changes, error, message):
    with pytest.raises(error, match=message):
        make_model(**changes)


def test_scaling_is_a_copy_that_cannot_be_written(make_model):
    mean = np.array([0.5, -3.0])
    model = make_model(mean=mean)
    mean[0] = 9.0

    assert model.mean.tolist() == [0.5, -3.0]
    with pytest.raises(ValueError, match="read-only"):
        model.scale[0] = 1.0


@pytest.mark.parametrize("target", [None, "the answer"])
@pytest.mark.parametrize(
    ("layer_sizes", "activation"), [((2, 5, 3), "tanh"), ((2, 4, 1, 3), ("relu", "sigmoid"))]
)
def test_a_file_brings_back_the_same_model(
    make_model, X, tmp_path, layer_sizes, activation, dtype, target
):
    model = make_model(layer_sizes, activation, dtype, target=target)
    model.save(tmp_path / "model.safetensors")
    loaded = Model.load(tmp_path / "model.safetensors")

    assert loaded.network.layer_sizes == layer_sizes
    assert loaded.network.activation == activation
    assert loaded.network.dtype == dtype
    assert (loaded.feature_names, loaded.class_names) == (FEATURES, CLASSES)
    assert loaded.target == target
    np.testing.assert_array_equal(loaded.network.parameters, model.network.parameters)
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_the_file_is_safetensors_and_json(make_model, tmp_path):
    model = make_model(target="answer")
    model.save(tmp_path / "model.safetensors")
    tensors, metadata = model_file.read(tmp_path / "model.safetensors")

    text = {
        **model_file.words("feature_names", *FEATURES),
        **model_file.words("class_names", *CLASSES),
        **model_file.words("target", "answer"),
    }
    assert tensors.keys() == {"parameters", "mean", "scale", *text}
    for name, tensor in text.items():
        assert tensors[name].dtype == tensor.dtype
        np.testing.assert_array_equal(tensors[name], tensor)
    np.testing.assert_array_equal(tensors["parameters"], model.network.parameters)
    assert tensors["mean"].tolist() == [0.5, -3.0]
    assert tensors["scale"].tolist() == [2.0, 0.25]
    assert metadata["format"] == "fastmlp-2"
    assert json.loads(metadata["model"]) == {"layout": 2}


def test_any_number_of_names_of_any_length_is_saved_and_loaded(tmp_path):
    names = [f"{'x' * 90} {i}" for i in range(12_000)]  # more than a header has room for
    classes = ["y" * 2_000_000, "\U0001f642"]
    model = Model(MLP([12_000, 2], seed=0), np.zeros(12_000), np.ones(12_000), names, classes, "t")
    model.save(tmp_path / "model")
    loaded = Model.load(tmp_path / "model")

    assert (loaded.feature_names, loaded.class_names) == (tuple(names), tuple(classes))


def first_layout(names=None):
    """The text that earlier versions wrote, and what they wrote beside it."""
    names = names or {"feature_names": FEATURES, "class_names": CLASSES, "target": "answer"}
    return {"mean": np.array([0.5, -3.0]), "scale": np.ones(2)}, {"model": json.dumps(names)}


def test_a_file_of_the_first_layout_is_loaded(make_model, tmp_path):
    network = make_model().network
    save_network(tmp_path / "model", network, *first_layout())
    loaded = Model.load(tmp_path / "model")

    assert (loaded.feature_names, loaded.class_names) == (FEATURES, CLASSES)
    assert (loaded.target, loaded.mean.tolist()) == ("answer", [0.5, -3.0])


def test_saving_replaces_a_file_and_reports_a_place_that_cannot_be_written(make_model, tmp_path):
    make_model(target="old").save(tmp_path / "model")
    make_model(target="new").save(tmp_path / "model")
    assert Model.load(str(tmp_path / "model")).target == "new"
    with pytest.raises(FileNotFoundError, match="missing"):
        make_model().save(tmp_path / "missing" / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize(
    ("tensor", "layer", "place", "value"),
    [
        ("weights", 0, [1, 4], np.nan),
        ("weights", 1, [0, 2], -np.inf),
        ("biases", 1, [2], np.inf),
    ],
)
def test_a_model_that_could_not_be_loaded_is_not_saved(
    make_model, tmp_path, dtype, tensor, layer, place, value
):
    path = tmp_path / "model"
    model = make_model(dtype=dtype)
    model.save(path)
    before = path.read_bytes()
    getattr(model.network, tensor)[layer][tuple(place)] = value
    place = f"{tensor}[{layer}]{place}"
    with pytest.raises(ValueError, match=re.escape(f" at {place}, expected finite numbers")):
        model.save(path)
    assert path.read_bytes() == before


def test_a_file_that_cannot_be_read_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"missing\.safetensors"):
        Model.load(tmp_path / "missing.safetensors")
    with pytest.raises(OSError, match=re.escape(str(tmp_path))):
        Model.load(tmp_path)


def tensor(name, change):
    def damage(tensors, metadata):
        tensors[name] = change(tensors[name])

    return damage


def words(name, *words):
    def damage(tensors, metadata):
        tensors.update(model_file.words(name, *words))

    return damage


def old(**changes):
    def damage(tensors, metadata):
        names = {"feature_names": FEATURES, "class_names": CLASSES, "target": None}
        old_tensors, old_metadata = first_layout(names | changes)
        parameters = tensors.pop("parameters")
        tensors.clear()
        tensors.update(old_tensors | {"parameters": parameters})
        metadata.update(old_metadata, format="fastmlp-1")

    return damage


def meta(name, text):
    def damage(tensors, metadata):
        metadata[name] = text

    return damage


def network(**changes):
    def damage(tensors, metadata):
        metadata["network"] = json.dumps(json.loads(metadata["network"]) | changes)

    return damage


FAULTS = {
    "no model": (lambda t, m: m.pop("model"), r"metadata must be \['model'\], got \[\]"),
    "text added": (meta("more", ""), r"metadata must be \['model'\], got \['model', 'more'\]"),
    "tensor missing": (lambda t, m: t.pop("mean"), r"tensors must be \['cl.*'mean'.*, got \['cl"),
    "tensor added": (lambda t, m: t.update(extra=np.ones(1)), "tensors must be .*'extra'"),
    "integers": (
        tensor("parameters", lambda p: p.astype("int64")),
        "parameters is of integers, expected F32 or F64",
    ),
    "narrow mean": (tensor("mean", lambda m: m.astype("f4")), "mean must be float64, got float32"),
    "short": (
        tensor("parameters", lambda p: p[:-1]),
        r"parameters has shape \(32,\), expected \(33,\)",
    ),
    "infinite mean": (tensor("mean", lambda m: m + np.inf), "mean must be finite, got inf"),
    "long scale": (tensor("scale", lambda s: np.ones(3)), r"scale must have shape \(2,\), got"),
    "negative scale": (tensor("scale", lambda s: -s), r"scale must be > 0, got -2\.0"),
    "no network": (lambda t, m: m.pop("network"), "it holds no network"),
    "another output": (
        network(output="sigmoid"),
        "network must have the output 'softmax', got 'sigmoid'",
    ),
    "cut names": (meta("model", '{"target": [2'), "model is not JSON"),
    "deep names": (meta("model", "[" * 10_000), "nested at most 4 deep"),
    "many objects": (meta("model", "[{}" + ",{}" * 2_000 + "]"), "at most 1024 lists and objects"),
    "listed names": (meta("model", "[]"), "model must be a JSON object, got list"),
    "another layout": (meta("model", '{"layout": 3}'), "model must be {'layout': 2}, got {'lay"),
    "no layout": (meta("model", "{}"), r"tensors must be \['mean', 'scale'\], got \['class_n"),
    "two layouts": (
        meta("model", first_layout()[1]["model"]),
        r"tensors must be \['mean', 'scale'\], got \['class_names",
    ),
    "number of names": (
        words("feature_names", "a"),
        r"feature_names.offsets must have shape \(3,\), got \(2,\)",
    ),
    "same names": (words("class_names", "a", "b", "a"), "class_names must be distinct"),
    "an empty name": (words("class_names", "a", "", "b"), "class_names must not be empty"),
    "two targets": (
        words("target", "a", "b"),
        r"target.offsets must have shape \(1,\), got \(3,\)",
    ),
    "no end of names": (
        tensor("class_names.offsets", lambda o: o[:0]),
        r"class_names.offsets must have shape \(4,\), got \(0,\)",
    ),
    "names in two dimensions": (
        tensor("class_names.offsets", lambda o: o[:, np.newaxis]),
        r"class_names.offsets must have shape \(4,\), got \(4, 1\)",
    ),
    "names that fall": (
        tensor("class_names.offsets", lambda o: o[[0, 2, 1, 3]]),
        "class_names.offsets must rise from 0 to 6",
    ),
    "names that fall around": (
        tensor("class_names.offsets", lambda o: np.array([0, 2**63 - 1, -2, 6])),
        "class_names.offsets must rise from 0 to 6",
    ),
    "names from the middle": (
        tensor("class_names.offsets", lambda o: np.array([1, 2, 3, 6])),
        "class_names.offsets must rise from 0 to 6",
    ),
    "names beyond the end": (
        tensor("class_names.offsets", lambda o: o + np.array([0, 0, 0, 1])),
        "class_names.offsets must rise from 0 to 6",
    ),
    "numbers for bounds": (
        tensor("class_names.offsets", lambda o: o.astype(float)),
        "class_names.offsets must be int64, got float64",
    ),
    "numbers for text": (
        tensor("class_names.utf8", lambda o: o.astype(float)),
        "class_names.utf8 must be uint8, got float64",
    ),
    "no text": (tensor("class_names.utf8", lambda o: o | 0x80), "codec can't decode"),
    "surrogate": (
        lambda t, m: t.update(
            {
                "target.utf8": np.array([0xED, 0xA0, 0x80], np.uint8),
                "target.offsets": np.array([0, 3]),
            }
        ),
        "surrogates not allowed",
    ),
    "old name added": (old(more=1), "model must be .*'more'"),
    "old names": (old(feature_names="ab"), "feature_names must be list, got 'ab'"),
    "old number of names": (
        old(feature_names=["a"]),
        r"feature_names.offsets must have shape \(3,\), got \(2,\)",
    ),
    "old name type": (old(class_names=["a", "b", None]), "class_names must be text, got None"),
    "old surrogate": (old(class_names=["a", "b", "\ud800"]), "surrogates not allowed"),
    "old target type": (old(target=[]), r"target must be text, got \[\]"),
}


@pytest.mark.parametrize(("damage", "message"), FAULTS.values(), ids=FAULTS)
def test_a_file_is_checked_before_it_is_believed(make_model, tmp_path, damage, message):
    path = tmp_path / "model.safetensors"
    make_model().save(path)
    tensors, metadata = model_file.read(path)
    path.write_bytes(model_file.content(tensors, metadata))
    Model.load(path)  # the file is valid until it is damaged

    damage(tensors, metadata)
    path.write_bytes(model_file.content(tensors, metadata))
    with pytest.raises(
        ModelFileError, match=f"^{re.escape(str(path))} is not a model file: .*{message}"
    ):
        Model.load(path)


def test_a_network_alone_is_no_model_and_a_model_no_network(make_model, tmp_path):
    make_model().network.save(tmp_path / "network")
    with pytest.raises(ModelFileError, match=r"metadata must be \['model'\], got \[\]"):
        Model.load(tmp_path / "network")
    make_model().save(tmp_path / "model")
    with pytest.raises(ModelFileError, match=r"it holds class_names\.offsets, .*, model beside"):
        MLP.load(tmp_path / "model")


@pytest.mark.parametrize("content", [b"", b"\x80\x04N.", b"X1,X2,color\n0,0,c1\n", b"\xff" * 64])
def test_another_kind_of_file_is_not_a_model(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=re.escape(str(path))):
        Model.load(path)
