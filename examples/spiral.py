"""The lesson in one page: see the data, prepare it, train, measure, look at the boundary.

Run it with ``python examples/spiral.py``; it writes ``boundary.png`` and ``history.png``.
"""

import numpy as np

import fastmlp
from fastmlp.data import class_weights, make_spiral, split, standardize
from fastmlp.metrics import classification_metrics, metrics_table
from fastmlp.plotting import plot_decision_boundaries, plot_history

EPOCHS = 1000


def main() -> float:
    """Train and measure, and return the accuracy on unseen points."""
    X, y = make_spiral(n_samples=1500, n_classes=3, random_state=1234)
    (X_train, y_train), (X_val, y_val), (X_test, y_test) = split(X, y, random_state=1234)
    _, (X_train, X_val, X_test) = standardize(X_train, X_val, X_test)

    mlp = fastmlp.MLP([2, 100, 3], activation="relu", init="normal", init_scale=0.01, seed=1234)
    print(f"loss before training: {mlp.loss(X_train, y_train):.4f} (ln 3 = {np.log(3):.4f})")
    history = mlp.fit(
        X_train,
        y_train,
        optimizer=fastmlp.SGD(learning_rate=1.0),
        epochs=EPOCHS,
        class_weight=class_weights(y_train),
        X_val=X_val,
        y_val=y_val,
    )
    print(f"loss after training:  {history.loss[-1]:.4f}")
    print(f"microseconds per epoch: {1e6 * np.median(history.seconds):.0f}")

    metrics = classification_metrics(y_test, mlp.predict(X_test))
    print(metrics_table(metrics))
    plot_history(history, path="history.png")
    plot_decision_boundaries(
        mlp, train=(X_train, y_train), test=(X_test, y_test), path="boundary.png"
    )
    return metrics["overall"]["accuracy"]


if __name__ == "__main__":
    main()
