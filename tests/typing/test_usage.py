"""Types of a user's code; mypy checks this file, and pytest runs it."""

from typing import Any, assert_type

import numpy as np
import pytest
from numpy.typing import NDArray

from fastmlp import MLP, SGD, Adam, AdamW, Epoch, History, losses

Floats = NDArray[np.float32] | NDArray[np.float64]


def test_a_network_and_what_it_returns() -> None:
    X: NDArray[np.float64] = np.random.default_rng(0).standard_normal((12, 2))
    y: NDArray[np.int64] = np.arange(12) % 3
    mlp = MLP([2, 4, 3], activation=["tanh"], dtype="float64", seed=0)

    assert_type(mlp.layer_sizes, tuple[int, ...])
    assert_type(mlp.parameters, Floats)
    assert_type(mlp.weights, tuple[Floats, ...])
    assert_type(mlp.forward(X), Floats)
    assert_type(mlp.predict_proba(X), Floats)
    assert_type(mlp.predict(X), NDArray[Any])
    assert_type(mlp.loss(X, y, class_weight=[1.0, 2.0, 1.0]), float)
    assert_type(mlp.evaluate(X, y), tuple[float, float])
    assert_type(mlp.loss_and_grad(X, y), tuple[float, Floats])
    assert_type(mlp.step(X, y, Adam(learning_rate=0.01)), float)
    assert_type(MLP([2, 3], loss=losses.CrossEntropy(0.1)).loss(X.astype(np.float32), y), float)
    assert_type(mlp.step(X, y, AdamW(weight_decay=0.1)), float)


def test_training_and_its_history() -> None:
    epochs: list[int] = []

    def stop_at_the_third(epoch: Epoch) -> bool:
        assert_type(epoch.val_loss, float | None)
        epochs.append(epoch.epoch)
        return epoch.epoch == 3

    X = np.zeros((4, 2), dtype=np.float32)
    y = np.array([0, 1, 0, 1], dtype=np.uint8)
    mlp = MLP([2, 2])
    history = mlp.fit(X, y, SGD(momentum=0.9, nesterov=True), epochs=9, callback=stop_at_the_third)

    assert_type(history, History)
    assert_type(history.loss, NDArray[np.float64])
    assert_type(history.val_loss, NDArray[np.float64] | None)
    assert_type(history.records(), list[dict[str, Any]])
    assert_type(mlp.history, History | None)
    assert epochs == [1, 2, 3]


def test_what_a_checker_refuses_fails_when_it_runs() -> None:
    """An ignore that covers no error is an error itself, so each of these lines is refused."""
    with pytest.raises(ValueError, match="swish"):
        MLP([2, 3], activation="swish")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="float16"):
        MLP([2, 3], dtype="float16")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        MLP("2, 3")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        SGD(learning_rate="fast")  # type: ignore[arg-type]
