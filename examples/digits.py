"""From scikit-learn's import line to a search over parameters, on its handwritten digits.

Run it with ``python examples/digits.py``; it writes ``curves.png``, ``search.png`` and
``confusion.png``. Except for the import of the estimator and the look at its network at the end, it
is a program for ``sklearn.neural_network``.
"""

import warnings
from time import perf_counter

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler

from fastmlp import MLPClassifier
from fastmlp.metrics import confusion_matrix
from fastmlp.plotting import plot_confusion_matrix

# How a network is trained, and what it is called in the legend.
WAYS = {
    "adam": {"solver": "adam", "learning_rate_init": 0.01},
    "sgd": {"solver": "sgd", "learning_rate_init": 0.2},
    "sgd, no momentum": {"solver": "sgd", "learning_rate_init": 0.2, "momentum": 0.0},
    "lbfgs": {"solver": "lbfgs"},
}
GRID = {
    "net__hidden_layer_sizes": [(16,), (64,), (64, 64)],
    "net__alpha": [1e-4, 1e-2, 1.0],
}


def compare_solvers(X: np.ndarray, y: np.ndarray) -> None:
    """Train the same network in several ways, and draw the losses."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for name, parameters in WAYS.items():
        clf = MLPClassifier((64,), max_iter=60, random_state=0, **parameters)
        start = perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # 60 epochs are few
            clf.fit(X, y)
        milliseconds = 1000 * (perf_counter() - start)
        print(f"{name:17} loss {clf.loss_:.4f} after {clf.n_iter_} epochs, {milliseconds:.0f} ms")
        axes.semilogy(range(1, clf.n_iter_ + 1), clf.loss_curve_, label=name)
    axes.set(xlabel="epoch", ylabel="loss", title="The same network, trained in four ways")
    axes.legend()
    figure.savefig("curves.png")


def search(X: np.ndarray, y: np.ndarray) -> GridSearchCV:
    """Find the width and the penalty that do best in cross-validation, and draw the scores."""
    net = MLPClassifier(early_stopping=True, learning_rate_init=0.01, random_state=0)
    pipeline = Pipeline([("scale", MinMaxScaler()), ("net", net)])
    found = GridSearchCV(pipeline, GRID, cv=5, n_jobs=2).fit(X, y)

    widths, penalties = (GRID[name] for name in GRID)
    # The search goes through its names in alphabetical order, the last one fastest.
    scores = found.cv_results_["mean_test_score"].reshape(len(penalties), len(widths))
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(scores)
    axes.set(xlabel="hidden_layer_sizes", ylabel="alpha", title="Accuracy in cross-validation")
    axes.set_xticks(range(len(widths)), [str(width) for width in widths])
    axes.set_yticks(range(len(penalties)), [str(penalty) for penalty in penalties])
    for (row, column), score in np.ndenumerate(scores):
        light = score < (scores.min() + scores.max()) / 2
        axes.text(column, row, f"{score:.3f}", ha="center", color="white" if light else "black")
    figure.colorbar(image)
    figure.savefig("search.png")
    return found


def main() -> float:
    """Run all parts, and return the accuracy on unseen digits."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.25, stratify=y, random_state=0
    )

    # An estimator is created, fitted and scored like any other.
    clf = MLPClassifier(random_state=0).fit(X_train, y_train)
    print(f"accuracy with the defaults: {clf.score(X_test, y_test):.3f}")

    compare_solvers(X_train / 16, y_train)

    # It can be part of a pipeline, and of a search by several processes.
    found = search(X_train, y_train)
    chosen = {name.removeprefix("net__"): value for name, value in found.best_params_.items()}
    accuracy = found.score(X_test, y_test)
    print(f"chosen: {chosen}; accuracy {accuracy:.3f}")
    plot_confusion_matrix(confusion_matrix(y_test, found.predict(X_test)), path="confusion.png")

    # Underneath is a network of this package, which shares its parameters with the estimator.
    network = found.best_estimator_["net"].network_
    print(f"network: {network.layer_sizes}, {network.n_parameters} parameters")
    loudest = np.abs(network.weights[0]).sum(axis=1).argmax()
    print(f"the pixel with the largest weights: row {loudest // 8}, column {loudest % 8}")
    return accuracy


if __name__ == "__main__":
    main()
