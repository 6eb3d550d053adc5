"""The content of a file besides the network: text and numbers, bounded and checked."""

import csv
import subprocess
import sys

import numpy as np
import pytest

from fastmlp import MLP, SGD, ModelFileError
from fastmlp._core import save_network
from fastmlp._files import check_saves, json_object, json_text
from fastmlp.checkpoint import Checkpoint
from fastmlp.model import Model

LESSON = ("--preset", "lesson")


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.float32(0.5), 0.5),
        (np.int8(-3), -3),
        (np.True_, True),
        (np.longdouble(2), 2.0),
        (-np.inf, -np.inf),
        ((1, [np.float64(2.0)]), [1, [2.0]]),
        ({0: "a"}, {"0": "a"}),
        (np.arange(3), [0, 1, 2]),
        (np.str_("a\ud800"), "a\ud800"),
        (None, None),
    ],
    ids=repr,
)
def test_values_come_back_as_those_of_json(value, plain):
    found = json_object("text", json_text({"value": value}))["value"]
    assert found == plain
    assert type(found) is type(plain)


@pytest.mark.parametrize("value", [1j, print, object(), b"x", np.zeros(()), {"a": {1j}}], ids=repr)
def test_what_json_has_not_is_refused(value):
    with pytest.raises(TypeError):
        json_text({"value": value})


BRACKETS = "must have at most 1024 lists and objects, nested at most 4 deep"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 10**6, BRACKETS),
        ('{"a":[[[[]]]]}', BRACKETS),
        ('{"a":[' + "[]," * 1023 + "0]}", BRACKETS),
        ('{"a":"' + '\\"' * 400_000, "is not JSON"),
        ('{"a":"' + "\\\\" * 400_000 + '"' + "[" * 10, BRACKETS),
        ('{"a":"\\', "is not JSON"),
        ("]" * 10**6, "is not JSON"),
        ("", "is not JSON"),
        ("7", "must be a JSON object, got int"),
        ('{"a":' + "9" * 5000 + "}", "is not JSON"),
    ],
    ids=range(10),
)
def test_text_that_is_much_or_no_object_is_refused(text, message):
    with pytest.raises(ValueError, match=f"^text {message}"):
        json_object("text", text)


def test_brackets_in_text_are_text():
    content = {"a": "[{" * 5000, '"[[[[[[': ["}", '\\"[[[[[']}
    assert json_object("text", json_text(content)) == content


def test_a_model_is_checked_before_it_is_trained():
    network = MLP([1, 2], seed=0)
    model = Model(network, [0], [1], ["a"], ["x", "y"])
    check_saves(model)
    network.parameters[0] = np.nan
    with pytest.raises(
        ValueError, match=r"^parameters is NaN at weights\[0\]\[0, 0\], expected fin"
    ):
        check_saves(model)


# As in tests/core/test_hostile_file.py: 64 MiB, and twice the file.
LOAD_IN_LITTLE_MEMORY = """
import os, resource, sys
from importlib import import_module
from fastmlp import ModelFileError
module, name = sys.argv[2:]
kind = getattr(import_module(module), name)
with open("/proc/self/statm") as statm:
    mapped = int(statm.read().split()[0]) * resource.getpagesize()
room = mapped + 64 * 2**20 + 2 * os.path.getsize(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (room, room))
try:
    kind.load(sys.argv[1])
except ModelFileError:
    sys.exit(7)
"""
HOSTILE = {
    "many small objects": '{"a":[' + ('{"":0},' * 70_000) + "0]}",
    "many small lists": '{"a":[' + ("[]," * 300_000) + "0]}",
    "many numbers": '{"a":[' + ("1.5," * 250_000) + "0]}",
    "many words": '{"a":[' + ('"ab",' * 120_000) + "0]}",
    "many keys": "{" + ",".join(f'"{i}":0' for i in range(70_000)) + "}",
    "escapes": '{"a":"' + "\\\\" * 150_000 + '"}',
    "depth": '{"a":' + "[" * 900_000,
}


DOORS = {
    "model": "fastmlp.model Model",
    "training": "fastmlp.checkpoint Checkpoint",
    "estimator": "fastmlp.estimators MLPClassifier",
}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("attack", "key"),
    [*((attack, "model") for attack in HOSTILE), ("depth", "training"), ("escapes", "estimator")],
)
def test_hostile_text_takes_little_memory(attack, key, tmp_path):
    path = tmp_path / "model"
    save_network(path, MLP([1, 1], seed=0), {}, {key: HOSTILE[attack]})
    command = [sys.executable, "-c", LOAD_IN_LITTLE_MEMORY, str(path), *DOORS[key].split()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (7, "")


def test_a_csv_file_with_many_long_names_is_trained_on(fastmlp_cli, tmp_path):
    """Their text alone would not fit into a header."""
    rng = np.random.default_rng(0)
    names = [f"{'x' * 9000} {i}" for i in range(150)]
    with (tmp_path / "wide.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*names, "color"])
        for i in range(20):
            writer.writerow([*rng.integers(9, size=150), f"c{i % 2}"])
    out = tmp_path / "out"
    status, _, error = fastmlp_cli(
        *("train", tmp_path / "wide.csv", *LESSON, "--target", "color", "--output", out),
        *("--epochs", 2, "--hidden", 2, "--learning-rate", 0.01, "--quiet"),
    )
    assert status == 0
    assert error.startswith("fastmlp: warning: the network learned nothing")
    assert Model.load(out / "model.safetensors").feature_names == tuple(names)


def test_objects_and_bytes_hold_models_and_checkpoints(tmp_path):
    network = MLP([1, 2], seed=0)
    model = Model(network, [0], [1], ["a"], ["x", "y"])
    for thing, kind in [(model, Model), (Checkpoint(network, SGD(), 0), Checkpoint)]:
        path = tmp_path / kind.__name__
        thing.save(path)
        with (tmp_path / "copy").open("wb") as file:
            thing.save(file)
        content = path.read_bytes()
        assert (tmp_path / "copy").read_bytes() == content
        with path.open("rb") as file:
            for source in (file, content, bytearray(content)):
                loaded = kind.load(source)
                assert loaded.network.parameters.tobytes() == network.parameters.tobytes()
        with pytest.raises(ModelFileError, match=r"^<bytes> is not a model file: it is cut short$"):
            kind.load(content[:9])
