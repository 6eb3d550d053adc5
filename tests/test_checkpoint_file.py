"""A checkpoint's file: each forged value is refused, or belongs to another valid training."""

import copy
import io
import json
import re
import warnings

import numpy as np
import pytest

from fastmlp import MLP, SGD, Adam, AdamW, DivergenceError, ModelFileError
from fastmlp._core import load_network, save_network
from fastmlp.checkpoint import Checkpoint

X = np.random.default_rng(0).standard_normal((12, 2))
Y = np.arange(12) % 3
KINDS = {
    "adam": lambda: Checkpoint(MLP([2, 3, 3], dtype="float64", seed=0), Adam(), 7),
    "adamw": lambda: Checkpoint(MLP([2, 3, 3], dtype="float64", seed=0), AdamW(), 7),
    "momentum": lambda: Checkpoint(MLP([2, 3, 3], dtype="float64", seed=0), SGD(0.1, 0.9), 7),
    "plain": lambda: Checkpoint(MLP([2, 3, 3], dtype="float64", seed=0), SGD(0.1), 7),
    "numbers": lambda: Checkpoint(
        MLP([2, 3, 1], output="identity", dtype="float64", seed=0), Adam(), 7
    ),
}
ARGUMENTS = {"batch_size": 5, "dropout": [0.25]}


@pytest.fixture(params=KINDS)
def training(request):
    """A training of two epochs, with rows for validation where its history has room for them."""
    training = KINDS[request.param]()
    fit(training, 2)
    return training


def fit(training, epochs):
    classifies = training.network.output == "softmax"
    y = Y if classifies else Y[:, np.newaxis].astype(np.float64)
    validation = {"X_val": X, "y_val": y} if classifies else {}
    training.fit(X, y, epochs=epochs, **ARGUMENTS, **validation)


def taken_apart(training):
    file = io.BytesIO()
    training.save(file)
    network, tensors, metadata = load_network(file.getvalue())
    return network, tensors, json.loads(metadata["training"])


def put_together(network, tensors, content):
    file = io.BytesIO()
    save_network(file, network, tensors, {"training": json.dumps(content)})
    return file.getvalue()


ODD = [
    *(
        None,
        True,
        -1,
        0,
        1,
        2,
        3,
        10**30,
        0.5,
        -0.5,
        "x",
        "1",
        "+7",
        " 7",
        "\u0667",
        "",
        [],
        [1],
        {},
    ),
    *({"float": "nan"}, {"float": "inf"}, "SGD", "Adam", [[]], {"a": [1]}),
]
ARRAYS = [
    *(np.zeros(0), np.zeros(1), np.ones(2), np.ones((2, 1)), np.array(1.0), np.full(2, np.nan)),
    *(np.ones(2, np.float32), np.array([0, 1]), np.zeros(0, np.uint8)),
]


def places(value, place=()):
    yield place
    items = value.items() if isinstance(value, dict) else []
    items = enumerate(value) if isinstance(value, list) else items
    for key, inner in items:
        yield from places(inner, (*place, key))


def forged(content):
    """The content with one value replaced or missing, and with one more."""
    for place in places(content):
        if not place:
            continue
        *way, last = place
        for odd in [*ODD, "missing"]:
            other = copy.deepcopy(content)
            inside = other
            for key in way:
                inside = inside[key]
            if odd == "missing":
                del inside[last]
            else:
                inside[last] = odd
            yield other
    yield content | {"colour": 1}
    yield content | {"optimizer": [*content["optimizer"], 1.0]}


def is_sound(content):
    """Whether it is loaded; it then continues, or reports that data or arguments differ."""
    try:
        loaded = Checkpoint.load(content)
    except ModelFileError:
        return False
    loaded.save(io.BytesIO())
    assert len(loaded.history) == loaded.epoch
    assert type(loaded.seed) is int
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fit(loaded, loaded.epoch + 1)
        except DivergenceError:
            return True  # another, huge learning rate
        except ValueError as error:
            if "is not what the training began with" not in str(error):
                raise
            return True
    assert len(loaded.history) == loaded.epoch
    return True


def test_every_forged_text_is_sound_or_refused(training):
    network, tensors, content = taken_apart(training)
    assert is_sound(put_together(network, tensors, content))
    counts = [0, 0]
    for other in [*forged(content), None, [], "x", 7]:
        counts[is_sound(put_together(network, tensors, other))] += 1
    assert min(counts) > 30


def test_every_forged_tensor_is_refused(training):
    network, tensors, content = taken_apart(training)
    width = network.n_parameters
    others = [
        *ARRAYS,
        *(np.ones(width - 1), np.ones(width + 1), np.ones(width, np.float32), np.ones((1, width))),
        *(np.full(width, np.nan), np.full(width, np.inf), np.ones(width, np.int64), None),
    ]
    for name in [*tensors, "m", "optimizer.step", "optimizer.w", "history.x", "colour"]:
        if name == "optimizer.v":
            others.append(-np.ones(width))
        for odd in others:
            if odd is None and name not in tensors:
                continue
            other = {**tensors, name: odd}
            if odd is None:
                del other[name]
            # A history may hold any numbers, but one per epoch; without a validation set it has
            # none for validation.
            is_same = name in tensors and odd is not None and odd.dtype == tensors[name].dtype
            fits = is_same and odd.shape == tensors[name].shape and name.startswith("history.")
            assert is_sound(put_together(network, other, content)) == fits, (name, odd)


@pytest.mark.parametrize("name", ["history.val_loss", "history.val_accuracy"])
def test_a_validation_is_whole_or_not_there(name):
    training = KINDS["adam"]()
    fit(training, 2)
    network, tensors, content = taken_apart(training)
    with pytest.raises(ModelFileError, match=r"must have shape \((2|0),\), got \((0|2),\)$"):
        Checkpoint.load(put_together(network, tensors | {name: np.zeros(0)}, content))


def test_another_network_is_refused(training):
    _, tensors, content = taken_apart(training)
    output = training.network.output
    for other in (
        MLP([2, 4, training.network.layer_sizes[-1]], output=output, dtype="float64", seed=0),
        MLP([2, 3, training.network.layer_sizes[-1]], output=output, dtype="float32", seed=0),
    ):
        if any(name.startswith("optimizer.") for name in tensors):
            with pytest.raises(ModelFileError, match=r"must (be float32|have shape)"):
                Checkpoint.load(put_together(other, tensors, content))


def test_the_state_of_another_network_is_not_saved():
    training = KINDS["adam"]()
    optimizer = Adam()
    optimizer.load_state_dict({"step": 1, "m": np.zeros(3), "v": np.zeros(3)})
    training = Checkpoint(training.network, optimizer, 0)
    with pytest.raises(ValueError, match=r"^m must have shape \(21,\), got \(3,\)$"):
        training.save(io.BytesIO())


def test_the_text_does_not_grow_with_the_arguments():
    training = KINDS["plain"]()
    weights = [1.0, 2.0, 0.5]
    mlp = MLP([2, 100_000], dtype="float32", seed=0)
    wide = Checkpoint(mlp, SGD(0.0001), 0)
    wide.fit(X.astype(np.float32), Y, epochs=1, class_weight=[1.0] * 100_000)
    file = io.BytesIO()
    wide.save(file)
    loaded = Checkpoint.load(file.getvalue())
    loaded.fit(X.astype(np.float32), Y, epochs=2, class_weight=[1.0] * 100_000)
    message = re.escape("class_weight is not what the training began with: it was 5000")
    with pytest.raises(ValueError, match=f"^{message}"):
        loaded.fit(X.astype(np.float32), Y, epochs=3, class_weight=[2.0] * 100_000)

    training.fit(
        X, Y, epochs=1, class_weight=weights, batch_size=np.int64(5), alpha=np.float64(0.5)
    )
    _, _, content = taken_apart(training)
    fingerprint = content["fingerprint"]
    assert [fingerprint[key] for key in ("class_weight", "batch_size", "alpha")] == [
        weights,
        5,
        0.5,
    ]


def test_a_training_that_is_refused_leaves_json():
    """JSON has no NaN, and a training that contains one is written all the same."""
    training, file = KINDS["plain"](), io.BytesIO()
    with pytest.raises(ValueError, match="alpha"):
        training.fit(X, Y, epochs=1, alpha=np.nan)
    training.save(file)
    _, _, metadata = load_network(file.getvalue())

    def refuse(constant):
        raise AssertionError(constant)

    content = json.loads(metadata["training"], parse_constant=refuse)
    assert content["fingerprint"]["alpha"] == {"float": "nan"}
    assert Checkpoint.load(file.getvalue()).epoch == 0
