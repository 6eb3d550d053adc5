"""The twelve steps: each computes something, and says and draws what came of it."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import plotting
from fastmlp._core import MLP, SGD, Adam, Epoch, History
from fastmlp._page.content import Points, Recorded
from fastmlp._page.recording import Recording
from fastmlp.commands.results import (
    Part,
    Parts,
    describe_files,
    evaluate_part,
    evaluate_parts,
    write_results,
)
from fastmlp.data import class_counts, class_weights, make_spiral, split, standardize
from fastmlp.lesson.catalogue import texts_in
from fastmlp.lesson.failures import failed_trainings
from fastmlp.lesson.narrator import Narrator
from fastmlp.lesson.page import Check, Shown, write_page
from fastmlp.metrics import Metrics, confusion_matrix
from fastmlp.model import Model

FEATURES = ("X1", "X2")
CLASSES = ("c1", "c2", "c3")
TARGET = "color"
LAYER_SIZES = (len(FEATURES), 100, len(CLASSES))


def run(folder: Path, seed: int, language: str = "en") -> None:
    """Run the lesson on the built-in spiral.

    Parameters
    ----------
    folder : Path
        Folder for the plots, ``metrics.json`` and ``model.safetensors``; created if needed.
    seed : int
        Seed of the data, the split and the networks.
    language : str, default="en"
        Language of the text, one of `fastmlp.lesson.languages`; labels in the plots are English.

    Raises
    ------
    ValueError
        If there is no such language.
    OSError
        If a file cannot be written.
    """
    say = Narrator(texts_in(language))
    folder.mkdir(parents=True, exist_ok=True)
    plots = {name: folder / f"{name}.png" for name in ("data", "linear_boundary", "activations")}
    X, labels = _look_at_data(say, plots["data"], seed)
    y = _encode_labels(say, labels)
    parts = _split(say, X, y, seed)
    weights = _weigh_classes(say, parts.train.y)
    train, validation, mean, scale = _standardize(say, parts)

    def model_of(network: MLP) -> Model:
        return Model(network, mean, scale, FEATURES, CLASSES, TARGET)

    linear_film = _fit_linear(say, train, weights, seed)
    linear = model_of(linear_film.network)
    linear_metrics = _see_linear_fail(say, linear, parts, plots["linear_boundary"])
    _see_activations(say, plots["activations"])
    network = _build_network(say, train, weights, seed)
    check = _check_gradient(say, train, weights, seed)
    film = Recording(network, frames=36)
    history = _train(say, film, network, train, validation, weights, seed)
    model = model_of(network)
    metrics = evaluate_parts(model, parts)
    _judge(say, model, parts.test, metrics["test"], linear_metrics)

    say.step("files")
    say.text("files.text")
    report = {"network": metrics, "linear": {"test": linear_metrics}}
    files = write_results(folder, model, history, parts, report)
    films = {name: it.recorded() for name, it in failed_trainings(train, weights, seed).items()}
    films |= {"main": film.recorded(), "linear_boundary": linear_film}
    groups = {
        say(f"player.{key}"): part
        for key, part in zip(("training", "validation", "test"), parts, strict=True)
    }
    points = Points(groups, CLASSES, FEATURES, mean.tolist(), scale.tolist())
    page = folder / "lesson.html"
    write_page(page, say, Shown(films, points, check, seed, language))
    title = say.texts["terminal.written"]
    print("\n" + describe_files(folder, [*plots.values(), *files, page], title))


def _look_at_data(
    say: Narrator, path: Path, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    say.step("data")
    X, arms = make_spiral(random_state=seed)
    labels = np.array(CLASSES)[arms]
    say.text("data.text", points=len(X))
    some = range(100, len(X), len(X) // 6)
    say.table((*FEATURES, TARGET), [(*(f"{x:.4f}" for x in X[i]), labels[i]) for i in some])
    plotting.plot_data(X, arms, class_names=CLASSES, feature_names=FEATURES, path=path)
    say.picture(path)
    return X, labels


def _encode_labels(say: Narrator, labels: NDArray[np.str_]) -> NDArray[np.int64]:
    say.step("labels")
    say.text("labels.text")
    names, y = np.unique(labels, return_inverse=True)
    say.table(say.words("class", "code"), [(name, code) for code, name in enumerate(names)])
    return y.astype(np.int64)


def _split(say: Narrator, X: NDArray[np.float64], y: NDArray[np.int64], seed: int) -> Parts:
    say.step("split")
    say.text("split.text")
    pairs = split(X, y, fractions=(0.70, 0.15, 0.15), random_state=seed)
    parts = Parts(*(Part(*pair) for pair in pairs))
    names = say.words(*parts._fields)
    rows = [
        (name, len(part.y), *class_counts(part.y)) for name, part in zip(names, parts, strict=True)
    ]
    say.table((*say.words("part", "points"), *CLASSES), rows)
    return parts


def _weigh_classes(say: Narrator, y: NDArray[np.int64]) -> NDArray[np.float64]:
    say.step("weights")
    say.text("weights.text")
    counts, weights = class_counts(y), class_weights(y, "inverse")
    rows = zip(CLASSES, counts, (f"{weight:.6f}" for weight in weights), strict=True)
    say.table(say.words("class", "count", "weight"), rows)
    return weights


def _standardize(
    say: Narrator, parts: Parts
) -> tuple[Part, Part, NDArray[np.float64], NDArray[np.float64]]:
    say.step("standardise")
    say.text("standardise.text")
    scaler, (X_train, X_val) = standardize(parts.train.X, parts.validation.X)
    rows = [
        (say(f"standardise.{when}", feature=name), f"{column.mean():.1e}", f"{column.std():.4f}")
        for when, X in (("before", parts.train.X), ("after", X_train.astype(np.float64)))
        for name, column in zip(FEATURES, X.T, strict=True)
    ]
    say.table(say.words("feature", "mean", "deviation"), rows)
    train, validation = Part(X_train, parts.train.y), Part(X_val, parts.validation.y)
    return train, validation, scaler.mean_, scaler.scale_


def _fit_linear(say: Narrator, train: Part, weights: NDArray[np.float64], seed: int) -> Recorded:
    say.step("linear")
    say.text("linear.text")
    linear = MLP(LAYER_SIZES, activation="identity", seed=seed)
    history = linear.fit(
        *train, optimizer=Adam(learning_rate=1e-2), epochs=10, seed=seed, class_weight=weights
    )
    rows = [
        (epoch + 1, f"{history.loss[epoch]:.4f}", f"{history.accuracy[epoch]:.3f}")
        for epoch in range(0, 10, 3)
    ]
    say.table(say.words("epoch", "loss", "accuracy"), rows)
    losses = {"loss": history.loss.tolist(), "val_loss": []}
    return Recorded(linear, np.array([10]), linear.parameters[None], losses)


def _see_linear_fail(say: Narrator, linear: Model, parts: Parts, path: Path) -> Metrics:
    metrics = evaluate_part(linear, parts.test)
    _say_metrics(say, metrics)
    plotting.plot_decision_boundaries(
        linear,
        train=parts.train,
        test=parts.test,
        class_names=CLASSES,
        feature_names=FEATURES,
        path=path,
    )
    say.picture(path)
    return metrics


def _see_activations(say: Narrator, path: Path) -> None:
    say.step("activations")
    say.text("activations.text")
    plotting.plot_activations(path=path)
    say.picture(path)


def _build_network(say: Narrator, train: Part, weights: NDArray[np.float64], seed: int) -> MLP:
    say.step("network")
    say.text("network.text")
    network = MLP(LAYER_SIZES, activation="relu", init="normal", init_scale=0.01, seed=seed)
    logits, probabilities = network.forward(train.X), network.predict_proba(train.X)
    arrays: dict[str, NDArray[Any]] = {"X": train.X}
    for layer, (W, b) in enumerate(zip(network.weights, network.biases, strict=True), start=1):
        arrays |= {f"W{layer}": W, f"b{layer}": b}
    arrays |= {"logits = relu(X W1 + b1) W2 + b2": logits, "softmax(logits)": probabilities}
    say.table(say.words("array", "shape"), [(name, array.shape) for name, array in arrays.items()])
    loss = network.loss(*train, class_weight=weights)
    values = (
        str(network.n_parameters),
        "  ".join(f"{p:.4f}" for p in probabilities[0]),
        say("network.loss", loss=f"{loss:.4f}", guess=f"{np.log(3):.4f}"),
    )
    labels = say.words("parameters", "first_probabilities", "cross_entropy")
    say.facts(list(zip(labels, values, strict=True)))
    return network


def _check_gradient(say: Narrator, train: Part, weights: NDArray[np.float64], seed: int) -> Check:
    say.step("gradient")
    say.text("gradient.text")
    X, y = train.X[:32].astype(np.float64), train.y[:32]
    network = MLP(LAYER_SIZES, activation="relu", dtype="float64", seed=seed)
    _, gradient = network.loss_and_grad(X, y, class_weight=weights)
    differences = finite_differences(network, Part(X, y), weights)
    picks = np.argsort(-np.abs(gradient))[:5]
    rows = [(i, f"{gradient[i]:+.9f}", f"{differences[i]:+.9f}") for i in picks]
    say.table(say.words("parameter", "backpropagation", "finite_difference"), rows)
    error = np.abs(gradient - differences).max() / np.abs(gradient).max()
    say.text("gradient.error", count=gradient.size, error=f"{error:.1e}")
    return Check(network, X, y, weights, gradient)


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
    say: Narrator,
    film: Recording,
    network: MLP,
    train: Part,
    validation: Part,
    weights: NDArray[np.float64],
    seed: int,
) -> History:
    say.step("training")
    say.text("training.text")
    header = say.words("epoch", "loss", "accuracy", "validation_loss", "validation_accuracy")
    table = say.growing_table(header, least=[4, 6, 6, 6, 6])

    def report(epoch: Epoch) -> None:
        if epoch.epoch == 1 or epoch.epoch % 100 == 0:
            numbers = (epoch.loss, epoch.accuracy, epoch.val_loss, epoch.val_accuracy)
            table.add((str(epoch.epoch), *(f"{number:.4f}" for number in numbers)))
        film(epoch)

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


def _judge(
    say: Narrator, model: Model, test: Part, metrics: Metrics, linear_metrics: Metrics
) -> None:
    say.step("judgement")
    _say_metrics(say, metrics)
    matrix = confusion_matrix(test.y, model.predict(test.X), n_classes=len(CLASSES))
    rows = [(name, *row) for name, row in zip(CLASSES, matrix, strict=True)]
    say.table((*say.words("true_and_predicted"), *CLASSES), rows)
    before, after = linear_metrics["overall"]["accuracy"], metrics["overall"]["accuracy"]
    say.text("judgement.accuracy", linear=f"{before:.3f}", network=f"{after:.3f}")


def _say_metrics(say: Narrator, metrics: Metrics) -> None:
    overall, accuracy = say.words("overall", "accuracy")
    scores = [*metrics["classes"].items(), (overall, metrics["overall"])]
    *classes, last = [
        (
            name,
            *(f"{s[measure]:.3f}" for measure in ("precision", "recall", "f1")),
            f"{s['num_samples']:,}",
        )
        for name, s in scores
    ]
    accuracy_row = (accuracy, f"{metrics['overall']['accuracy']:.3f}")
    say.table(
        say.words("class", "precision", "recall", "f1", "samples"),
        [None, *classes, None, last, accuracy_row],
        least=(0, 9, 7, 7, 9),
    )
