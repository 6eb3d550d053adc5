"""A training loop of your own: the pieces of a step, with a loss of your own.

Run it with ``python examples/custom_loop.py``.
"""

import numpy as np
from numpy.typing import NDArray

import fastmlp
from fastmlp.data import make_spiral


def focal_loss(
    logits: NDArray[np.float64], y: NDArray[np.int64], gamma: float = 2.0
) -> tuple[float, NDArray[np.float64]]:
    """Mean focal loss ``-(1 - p)^gamma ln p`` of the true classes, and its derivative.

    Lin et al., "Focal loss for dense object detection", 2017.
    """
    rows = np.arange(len(y))
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    p, log_p_true = np.exp(log_p), log_p[rows, y]
    p_true, rest = p[rows, y], 1.0 - p[rows, y]
    loss = -(rest**gamma) * log_p_true
    # d loss / d ln p of the true class, then through the softmax.
    d_log_p = gamma * rest ** (gamma - 1.0) * p_true * log_p_true - rest**gamma
    onehot = np.zeros_like(p)
    onehot[rows, y] = 1.0
    return float(loss.mean()), d_log_p[:, None] * (onehot - p) / len(y)


def main() -> float:
    """Train with the focal loss and momentum, and return the accuracy."""
    X, y = make_spiral(random_state=0)
    mlp = fastmlp.MLP([2, 100, 3], dtype="float64", seed=0)
    velocity = np.zeros(mlp.n_parameters)
    for step in range(1001):
        loss, d_logits = focal_loss(mlp.forward(X), y)
        gradient, _ = mlp.backward(X, d_logits)
        velocity = 0.9 * velocity + gradient
        mlp.parameters[:] -= 0.5 * velocity
        if step % 200 == 0:
            print(f"step {step:4d}  focal loss {loss:.4f}")
    accuracy = float(np.mean(mlp.predict(X) == y))
    print(f"accuracy {accuracy:.3f}")
    return accuracy


if __name__ == "__main__":
    main()
