"""Training goes on from a file as if it had never been interrupted."""

import json
import os
import pickle
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp

import fastmlp
from fastmlp import ModelFileError
from fastmlp._core import load_network, save_network
from fastmlp.checkpoint import Checkpoint

OPTIMIZERS = {
    "sgd": lambda: fastmlp.SGD(0.1),
    "momentum": lambda: fastmlp.SGD(0.05, momentum=0.9, nesterov=True, scaled_velocity=True),
    "adam": lambda: fastmlp.Adam(0.01, beta_1=0.8, epsilon_hat=True),
    "adamw": lambda: fastmlp.AdamW(0.01, weight_decay=0.1),
}
EPOCHS = 6


@pytest.fixture
def data(rng):
    X = rng.standard_normal((100, 4))
    return X, (X[:, 0] * X[:, 1] > 0).astype(int)


def begin(optimizer="adam", dtype="float64", **settings):
    network = fastmlp.MLP([4, 12, 7, 2], "tanh", dtype=dtype, seed=1, **settings)
    return Checkpoint(network, OPTIMIZERS[optimizer](), seed=9)


def bits(training):
    """Everything that the rest of a training depends on."""
    state = training.optimizer.state_dict()
    arrays = [training.network.parameters, *(state[key] for key in state if key != "step")]
    seeds = training.network.__reduce__()[1][4]
    numbers = (training.epoch, state["step"], training.optimizer.learning_rate, seeds)
    return [array.tobytes() for array in arrays], numbers, repr(training.optimizer)


def same_history(one, other):
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    return len(one) == len(other)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("made", range(EPOCHS + 1))
def test_two_parts_are_the_whole(optimizer, made, dtype, data, tmp_path):
    X, y = data[0].astype(dtype), data[1]
    given = {"batch_size": 30, "dropout": 0.2, "alpha": 0.1, "X_val": X[:20], "y_val": y[:20]}
    whole = begin(optimizer, dtype)
    truth = whole.fit(X, y, epochs=EPOCHS, **given)
    path = tmp_path / "training.safetensors"

    begin(optimizer, dtype).fit(X, y, epochs=made, path=path, **given)
    training = Checkpoint.load(path)
    assert training.epoch == made
    history = training.fit(X, y, epochs=EPOCHS, path=path, **given)

    assert bits(training) == bits(whole) == bits(Checkpoint.load(path))
    assert same_history(history, truth)
    assert same_history(Checkpoint.load(path).history, truth)


def test_a_fit_is_a_plain_fit(data):
    training = begin()
    history = training.fit(*data, epochs=4, batch_size=30)
    alone, adam = begin().network, OPTIMIZERS["adam"]()
    truth = alone.fit(*data, adam, epochs=4, batch_size=30, seed=9)
    np.testing.assert_array_equal(training.network.parameters, alone.parameters)
    assert same_history(history, truth)


def test_a_schedule_of_the_caller_s_goes_on(data, tmp_path):
    path = tmp_path / "training.safetensors"

    def train(training, epochs):
        def decay(epoch):
            training.optimizer.learning_rate = 0.1 / (1 + epoch.epoch)

        return training.fit(*data, epochs=epochs, batch_size=25, callback=decay, path=path)

    whole = begin("momentum")
    train(whole, EPOCHS)
    train(begin("momentum"), 2)
    training = Checkpoint.load(path)
    train(training, EPOCHS)
    assert bits(training) == bits(whole)


SCHEDULED = {
    "sgd": lambda: fastmlp.SGD(0.1, clip_norm=0.5, schedule="linear"),
    "adam": lambda: fastmlp.Adam(0.01, schedule="one_cycle", lr_factors={"bias": 0.5, "gain": 2}),
    "adamw": lambda: fastmlp.AdamW(0.01, schedule="cosine", warmup=0.4, decay_roles=["weight"]),
}


@pytest.mark.parametrize("optimizer", SCHEDULED)
@pytest.mark.parametrize("made", [1, 4])
def test_a_training_goes_on_in_its_schedule(optimizer, made, dtype, data, tmp_path):
    X, y = data[0].astype(dtype), data[1]
    path = tmp_path / "training.safetensors"
    network = begin(dtype=dtype).network
    whole, part = (Checkpoint(network, SCHEDULED[optimizer](), seed=9) for _ in range(2))
    part.network = pickle.loads(pickle.dumps(network))
    whole.fit(X, y, epochs=EPOCHS, batch_size=30)
    stop = {"callback": lambda epoch: epoch.epoch == made}
    part.fit(X, y, epochs=EPOCHS, batch_size=30, path=path, **stop)

    training = Checkpoint.load(path)
    assert repr(training.optimizer) == repr(part.optimizer)
    training.fit(X, y, epochs=EPOCHS, batch_size=30)

    assert bits(training) == bits(whole)


def test_a_file_of_an_optimizer_without_options_has_none(data, tmp_path):
    path = tmp_path / "training.safetensors"
    begin().save(path)
    config = json.loads(load_network(path)[2]["training"])
    assert config["optimizer"] == ["Adam", 0.01, 0.8, 0.999, 1e-8, True]


@pytest.mark.parametrize(
    "options", [{"schedule": "step"}, {"clip_norm": "1"}, {"momentum": 0.5}, 7, {"beta_1": 0.5}]
)
def test_options_that_are_none_are_refused(options, tmp_path):
    path = tmp_path / "training.safetensors"
    begin().save(path)
    network, tensors, metadata = load_network(path)
    config = json.loads(metadata["training"])
    config["optimizer"].append(options)
    save_network(path, network, tensors, {"training": json.dumps(config)})
    with pytest.raises(ModelFileError, match="is not a checkpoint"):
        Checkpoint.load(path)


@pytest.mark.parametrize("output", ["softmax", "sigmoid", "identity", "exp"])
def test_every_output_and_sparse_rows(output, data, tmp_path):
    X, y = sp.csr_array(data[0] * (data[0] > 0.5)), data[1]
    if output != "softmax":
        y = np.column_stack([y, 1 - y]).astype(float)
    path = tmp_path / "training.safetensors"
    whole = begin(output=output)
    truth = whole.fit(X, y, epochs=EPOCHS, batch_size=30)
    begin(output=output).fit(X, y, epochs=2, batch_size=30, path=path)
    training = Checkpoint.load(path)
    history = training.fit(X, y, epochs=EPOCHS, batch_size=30)
    assert bits(training) == bits(whole)
    np.testing.assert_array_equal(history.loss, truth.loss)
    assert (history.accuracy is None) == (output in ("identity", "exp"))


def test_initial_epoch_draws_the_orders_of_a_random_state_again(data):
    def train(mlp, sgd, **given):
        mlp.fit(*data, sgd, batch_size=30, seed=np.random.RandomState(4), **given)
        return mlp.parameters.copy()

    whole = train(begin().network, fastmlp.SGD(0.1), epochs=5)
    parts, sgd = begin().network, fastmlp.SGD(0.1)
    train(parts, sgd, epochs=2)
    np.testing.assert_array_equal(train(parts, sgd, epochs=5, initial_epoch=2), whole)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError("from a callback")])
def test_an_error_leaves_the_last_whole_epoch_in_memory_and_in_the_file(error, data, tmp_path):
    path = tmp_path / "training.safetensors"
    whole = begin()
    whole.fit(*data, epochs=3, batch_size=30)

    def stop(epoch):
        if epoch.epoch == 4:
            raise error

    training = begin()
    with pytest.raises(error if isinstance(error, type) else type(error)):
        training.fit(*data, epochs=EPOCHS, batch_size=30, callback=stop, path=path)
    assert bits(training) == bits(whole) == bits(Checkpoint.load(path))
    assert len(training.history) == 3

    truth = begin()
    truth.fit(*data, epochs=EPOCHS, batch_size=30)
    training.fit(*data, epochs=EPOCHS, batch_size=30)
    assert bits(training) == bits(truth)


def test_a_training_that_diverges_goes_back_to_its_last_whole_epoch(data, tmp_path):
    path = tmp_path / "training.safetensors"
    training = begin("sgd")

    def explode(epoch):
        if epoch.epoch == 2:
            training.optimizer.learning_rate = 1e308

    with pytest.raises(fastmlp.DivergenceError):
        training.fit(*data, epochs=EPOCHS, batch_size=10, callback=explode, path=path)
    whole = begin("sgd")
    whole.fit(*data, epochs=2, batch_size=10)
    np.testing.assert_array_equal(training.network.parameters, whole.network.parameters)
    assert Checkpoint.load(path).epoch == 2


def test_a_callback_stops_a_training_that_can_go_on(data):
    training = begin()
    history = training.fit(*data, epochs=EPOCHS, callback=lambda epoch: epoch.epoch == 2)
    assert training.epoch == len(history) == 2
    assert len(training.fit(*data, epochs=EPOCHS)) == EPOCHS


KILLED = """
import sys, numpy as np, fastmlp
from fastmlp.checkpoint import Checkpoint
X = np.random.default_rng(3).standard_normal((200, 4)); y = np.arange(200) % 2
try:
    training = Checkpoint.load(sys.argv[1])
except FileNotFoundError:
    training = Checkpoint(fastmlp.MLP([4, 30, 2], dtype="float64", seed=0), fastmlp.Adam(), seed=0)
print(training.epoch, flush=True)
training.fit(X, y, epochs=int(sys.argv[2]), batch_size=16, path=sys.argv[1], interval=0.0)
print(training.network.parameters.tobytes().hex())
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_killed_again_and_again_it_gets_to_the_same_end(tmp_path, rng):
    path = tmp_path / "training.safetensors"
    command = [sys.executable, "-c", KILLED, path, "3000"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    begun, result = [], None
    for _ in range(6):
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
            begun.append(int(process.stdout.readline()))
            try:
                process.wait(rng.uniform(0.02, 0.2))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert begun == sorted(begun)
    assert begun[-1] > 0
    X = np.random.default_rng(3).standard_normal((200, 4))
    whole = Checkpoint(fastmlp.MLP([4, 30, 2], dtype="float64", seed=0), fastmlp.Adam(), seed=0)
    whole.fit(X, np.arange(200) % 2, epochs=3000, batch_size=16)
    assert result.stdout.split()[1] == whole.network.parameters.tobytes().hex()


def test_other_data_and_other_arguments_are_refused(data):
    X, y = data
    training = begin()
    training.fit(X, y, epochs=1, batch_size=30)
    changed = X.copy()
    changed[3, 2] += 1e-9
    before = bits(training)
    for arguments, name in [
        ((changed, y, {"batch_size": 30}), "X"),
        ((X[:-1], y[:-1], {"batch_size": 30}), "X"),
        ((X, 1 - y, {"batch_size": 30}), "y"),
        ((X, y, {"batch_size": 31}), "batch_size"),
        ((X, y, {"batch_size": 30, "alpha": 0.1}), "alpha"),
        ((X, y, {"batch_size": 30, "sample_weight": np.ones(100)}), "sample_weight"),
        ((X, y, {"batch_size": 30, "dropout": [0.1, 0.0]}), "dropout"),
    ]:
        with pytest.raises(
            ValueError, match=f"^{name} is not what the training began with: it was "
        ):
            training.fit(*arguments[:2], epochs=2, **arguments[2])
    assert bits(training) == before
    training.fit(X, y, epochs=2, batch_size=30, n_jobs=2)


def test_what_the_checkpoint_holds_is_no_argument(data):
    for name in ("seed", "optimizer", "initial_epoch"):
        with pytest.raises(TypeError, match=f"^{name} belongs to the checkpoint: fit takes none$"):
            begin().fit(*data, epochs=1, **{name: 1})
    with pytest.raises(TypeError, match=r"^optimizer must be SGD, Adam or AdamW, got str$"):
        Checkpoint(begin().network, "adam", seed=0)
    with pytest.raises(
        ValueError, match=r"^seed must be an integer from 0 to 2\*\*64 - 1, got -1$"
    ):
        Checkpoint(begin().network, fastmlp.SGD(), seed=-1)
    message = "initial_epoch is 3, expected at most 2, the number of epochs"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        begin().network.fit(*data, epochs=2, initial_epoch=3)


def config(**changes):
    """Damage that sets keys of the configuration; None deletes one."""

    def damage(tensors, metadata):
        values = json.loads(metadata["training"]) | changes
        metadata["training"] = json.dumps({k: v for k, v in values.items() if v is not None})

    return damage


DAMAGE = {
    "other text": lambda tensors, metadata: metadata.update(more="text"),
    "no text": lambda tensors, metadata: metadata.clear(),
    "no JSON": lambda tensors, metadata: metadata.update(training="{"),
    "a list": lambda tensors, metadata: metadata.update(training="[]"),
    "deep JSON": lambda tensors, metadata: metadata.update(training="[" * 100_000),
    "no seed": config(seed=None),
    "a bad seed": config(seed="x"),
    "a negative seed": config(seed="-1"),
    "an unknown optimizer": config(optimizer=["RMSprop", 0.1]),
    "an optimizer that is no name": config(optimizer=[[], 0.1]),
    "a bad rate": config(optimizer=["SGD", -1.0, 0.0, False, False]),
    "an optimizer of another kind": config(optimizer=["SGD", 0.1, 0.9, False, False]),
    "a bad epoch": config(epoch=-1),
    "an epoch that is none": config(epoch="2"),
    "another epoch": config(epoch=7),
    "a bad step": config(step=-3),
    "no moment": lambda tensors, metadata: tensors.pop("optimizer.m"),
    "a short moment": lambda tensors, metadata: tensors.update({"optimizer.m": np.ones(3)}),
    "no history": lambda tensors, metadata: tensors.pop("history.loss"),
    "a short history": lambda tensors, metadata: tensors.update({"history.loss": np.ones(1)}),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_file_is_checked_before_it_is_believed(damage, data, tmp_path):
    path = tmp_path / "training.safetensors"
    begin().fit(*data, epochs=2, path=path)
    network, tensors, metadata = load_network(path)
    save_network(path, network, tensors, metadata)
    Checkpoint.load(path)
    damage(tensors, metadata)
    save_network(path, network, tensors, metadata)
    with pytest.raises(ModelFileError, match=f"^{re.escape(str(path))} is not a checkpoint: "):
        Checkpoint.load(path)


def test_no_file_and_no_folder(data, tmp_path):
    with pytest.raises(FileNotFoundError):
        Checkpoint.load(tmp_path / "none")
    training = begin()
    with pytest.raises(FileNotFoundError):
        training.fit(*data, epochs=2, path=tmp_path / "none" / "file")
    assert training.epoch == 0  # reported before there was work to lose
