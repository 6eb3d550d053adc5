"""The lesson: every step from a look at the data to a trained network, printed and plotted."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import plotting
from fastmlp._core import MLP, SGD, Adam, Epoch, History
from fastmlp.commands.results import (
    Part,
    Parts,
    describe_files,
    evaluate_part,
    evaluate_parts,
    write_results,
)
from fastmlp.data import class_counts, class_weights, make_spiral, split, standardize
from fastmlp.metrics import Metrics, confusion_matrix, metrics_table
from fastmlp.model import Model

FEATURES = ("X1", "X2")
CLASSES = ("c1", "c2", "c3")
TARGET = "color"
LAYER_SIZES = (len(FEATURES), 100, len(CLASSES))


def run(folder: Path, seed: int) -> None:
    """Run the lesson on the built-in spiral.

    Parameters
    ----------
    folder : Path
        Folder for the plots, ``metrics.json`` and ``model.safetensors``; created if needed.
    seed : int
        Seed of the data, the split and the networks.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plots = {name: folder / f"{name}.png" for name in ("data", "linear_boundary", "activations")}
    X, labels = _look_at_data(plots["data"], seed)
    y = _encode_labels(labels)
    parts = _split(X, y, seed)
    weights = _weigh_classes(parts.train.y)
    train, validation, mean, scale = _standardize(parts)

    def model_of(network: MLP) -> Model:
        return Model(network, mean, scale, FEATURES, CLASSES, TARGET)

    linear = model_of(_fit_linear(train, weights, seed))
    linear_metrics = _see_linear_fail(linear, parts, plots["linear_boundary"])
    _see_activations(plots["activations"])
    network = _build_network(train, weights, seed)
    _check_gradient(train, weights, seed)
    history = _train(network, train, validation, weights, seed)
    model = model_of(network)
    metrics = evaluate_parts(model, parts)
    _judge(model, parts.test, metrics["test"], linear_metrics)

    _title(12, "Keep it")
    print("The model file holds the parameters, the scaling and the names, and no code.\n")
    report = {"network": metrics, "linear": {"test": linear_metrics}}
    files = write_results(folder, model, history, parts, report)
    print(describe_files(folder, [*plots.values(), *files]))


def _look_at_data(path: Path, seed: int) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    _title(1, "Look at the data")
    X, arms = make_spiral(random_state=seed)
    labels = np.array(CLASSES)[arms]
    print(f"{len(X)} points on three arms of a spiral; the task is to predict a point's arm.\n")
    some = range(100, len(X), len(X) // 6)
    _table((*FEATURES, TARGET), [(*(f"{x:.4f}" for x in X[i]), labels[i]) for i in some])
    plotting.plot_data(X, arms, class_names=CLASSES, feature_names=FEATURES, path=path)
    _see(path)
    return X, labels


def _encode_labels(labels: NDArray[np.str_]) -> NDArray[np.int64]:
    _title(2, "Encode the labels")
    print("The network counts classes from 0, in the order of their names.\n")
    names, y = np.unique(labels, return_inverse=True)
    _table(("class", "code"), [(name, code) for code, name in enumerate(names)])
    return y.astype(np.int64)


def _split(X: NDArray[np.float64], y: NDArray[np.int64], seed: int) -> Parts:
    _title(3, "Split")
    print("70 % to train on, 15 % to monitor the training, 15 % to judge the result;")
    print("every part has the same share of each class.\n")
    pairs = split(X, y, fractions=(0.70, 0.15, 0.15), random_state=seed)
    parts = Parts(*(Part(*pair) for pair in pairs))
    rows = [(name, len(part.y), *class_counts(part.y)) for name, part in parts._asdict().items()]
    _table(("part", "points", *CLASSES), rows)
    return parts


def _weigh_classes(y: NDArray[np.int64]) -> NDArray[np.float64]:
    _title(4, "Weigh the classes")
    print("A class has the weight 1 / count in the loss, so rare classes are not ignored.\n")
    counts, weights = class_counts(y), class_weights(y, "inverse")
    rows = zip(CLASSES, counts, (f"{weight:.6f}" for weight in weights), strict=True)
    _table(("class", "count", "weight"), list(rows))
    return weights


def _standardize(
    parts: Parts,
) -> tuple[Part, Part, NDArray[np.float64], NDArray[np.float64]]:
    _title(5, "Standardise")
    print("Features get mean 0 and deviation 1, computed from the training part alone: the")
    print("others must stay unseen.\n")
    scaler, (X_train, X_val) = standardize(parts.train.X, parts.validation.X)
    rows = [
        (f"{when} {name}", f"{column.mean():.1e}", f"{column.std():.4f}")
        for when, X in (("before", parts.train.X), ("after", X_train.astype(np.float64)))
        for name, column in zip(FEATURES, X.T, strict=True)
    ]
    _table(("feature", "mean", "deviation"), rows)
    train, validation = Part(X_train, parts.train.y), Part(X_val, parts.validation.y)
    return train, validation, scaler.mean_, scaler.scale_


def _fit_linear(train: Part, weights: NDArray[np.float64], seed: int) -> MLP:
    _title(6, "A linear model fails")
    print("Two layers without an activation are one linear map; its boundaries are lines.")
    print("Adam, learning rate 0.01, 10 epochs.\n")
    linear = MLP(LAYER_SIZES, activation="identity", seed=seed)
    history = linear.fit(
        *train, optimizer=Adam(learning_rate=1e-2), epochs=10, seed=seed, class_weight=weights
    )
    rows = [
        (epoch + 1, f"{history.loss[epoch]:.4f}", f"{history.accuracy[epoch]:.3f}")
        for epoch in range(0, 10, 3)
    ]
    _table(("epoch", "loss", "accuracy"), rows)
    return linear


def _see_linear_fail(linear: Model, parts: Parts, path: Path) -> Metrics:
    metrics = evaluate_part(linear, parts.test)
    print(f"\n{metrics_table(metrics)}")
    plotting.plot_decision_boundaries(
        linear,
        train=parts.train,
        test=parts.test,
        class_names=CLASSES,
        feature_names=FEATURES,
        path=path,
    )
    _see(path)
    return metrics


def _see_activations(path: Path) -> None:
    _title(7, "What activations do")
    print("A function between the layers bends the boundary. Its derivative says how much")
    print("of the error passes back through it: nothing where relu is flat.")
    plotting.plot_activations(path=path)
    _see(path)


def _build_network(train: Part, weights: NDArray[np.float64], seed: int) -> MLP:
    _title(8, "The network, by hand")
    print("Weights start at 0.01 * normal, biases at 0.\n")
    network = MLP(LAYER_SIZES, activation="relu", init="normal", init_scale=0.01, seed=seed)
    logits, probabilities = network.forward(train.X), network.predict_proba(train.X)
    arrays: dict[str, NDArray[Any]] = {"X": train.X}
    for layer, (W, b) in enumerate(zip(network.weights, network.biases, strict=True), start=1):
        arrays |= {f"W{layer}": W, f"b{layer}": b}
    arrays |= {"logits = relu(X W1 + b1) W2 + b2": logits, "softmax(logits)": probabilities}
    _table(("array", "shape"), [(name, str(array.shape)) for name, array in arrays.items()])
    print(f"\nparameters           {network.n_parameters}")
    print("first probabilities  " + "  ".join(f"{p:.4f}" for p in probabilities[0]))
    loss = network.loss(*train, class_weight=weights)
    print(f"cross-entropy        {loss:.4f}, and ln 3 = {np.log(3):.4f}: it knows nothing yet")
    return network


def _check_gradient(train: Part, weights: NDArray[np.float64], seed: int) -> None:
    _title(9, "Check the gradient")
    print("Compare backpropagation to (loss(p + e) - loss(p - e)) / 2e for every parameter")
    print("p, in float64 on 32 points, with e = 1e-6 and larger initial weights.\n")
    X, y = train.X[:32].astype(np.float64), train.y[:32]
    network = MLP(LAYER_SIZES, activation="relu", dtype="float64", seed=seed)
    _, gradient = network.loss_and_grad(X, y, class_weight=weights)
    differences = finite_differences(network, Part(X, y), weights)
    picks = np.argsort(-np.abs(gradient))[:5]
    rows = [(i, f"{gradient[i]:+.9f}", f"{differences[i]:+.9f}") for i in picks]
    _table(("parameter", "backpropagation", "finite difference"), rows)
    error = np.abs(gradient - differences).max() / np.abs(gradient).max()
    print(f"\nlargest relative error of all {gradient.size}: {error:.1e}")


def finite_differences(
    network: MLP, part: Part, class_weight: NDArray[np.float64], step: float = 1e-6
) -> NDArray[np.float64]:
    """Gradient of the loss by central differences.

    Parameters
    ----------
    network : MLP
        Of dtype float64. Its parameters are moved one by one and restored.
    part : Part
        The examples, X (n, d) float64 and y (n,).
    class_weight : ndarray of shape (k,)
        Weight of each class in the loss.
    step : float, default=1e-6
        How far a parameter is moved in each direction.

    Returns
    -------
    ndarray of shape (n_parameters,), float64
        In the order of ``network.parameters``.
    """
    parameters = network.parameters  # a live view: writing to it changes the network
    gradient = np.empty(parameters.size)
    for i, value in enumerate(parameters.copy()):
        parameters[i] = value + step
        above = network.loss(*part, class_weight=class_weight)
        parameters[i] = value - step
        below = network.loss(*part, class_weight=class_weight)
        parameters[i] = value
        gradient[i] = (above - below) / (2 * step)
    return gradient


def _train(
    network: MLP, train: Part, validation: Part, weights: NDArray[np.float64], seed: int
) -> History:
    _title(10, "Train")
    print("1,000 epochs of gradient descent on the whole training part, learning rate 1.0.\n")
    print("epoch    loss  accuracy  validation loss  validation accuracy")

    def report(epoch: Epoch) -> None:
        if epoch.epoch == 1 or epoch.epoch % 100 == 0:
            print(
                f"{epoch.epoch:<5}{epoch.loss:8.4f}{epoch.accuracy:10.4f}"
                f"{epoch.val_loss:17.4f}{epoch.val_accuracy:21.4f}"
            )

    return network.fit(
        *train,
        optimizer=SGD(learning_rate=1.0),
        epochs=1000,
        seed=seed,
        class_weight=weights,
        X_val=validation.X,
        y_val=validation.y,
        callback=report,
    )


def _judge(model: Model, test: Part, metrics: Metrics, linear_metrics: Metrics) -> None:
    _title(11, "Judge by the test part")
    print(f"{metrics_table(metrics)}\n")
    matrix = confusion_matrix(test.y, model.predict(test.X), n_classes=len(CLASSES))
    rows = [(name, *row) for name, row in zip(CLASSES, matrix, strict=True)]
    _table(("true \\ predicted", *CLASSES), rows)
    before, after = linear_metrics["overall"]["accuracy"], metrics["overall"]["accuracy"]
    print(f"\naccuracy: the linear model {before:.3f}, the network {after:.3f}")


def _title(number: int, text: str) -> None:
    heading = f"{number}. {text}"
    print("\n" * (number > 1) + heading)
    print("-" * len(heading))


def _see(path: Path) -> None:
    print(f"\nsee {path}")


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print columns wide enough for their entries: the first aligned left, the others right."""
    lines = [header, *([str(entry) for entry in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for first, *others in lines:
        cells = [f"{entry:>{width}}" for entry, width in zip(others, widths[1:], strict=True)]
        print("  ".join([f"{first:<{widths[0]}}", *cells]))
