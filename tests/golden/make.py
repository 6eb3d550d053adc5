"""Write the golden files of a format that has none: python tests/golden/make.py

One file of each kind with all that text can hold, and what they answer, as the reference computes
it. They are named by the greatest format among them, and are never written again.
"""

import json
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning

import fastmlp
from fastmlp import MLPClassifier, MLPRegressor
from fastmlp.checkpoint import Checkpoint
from fastmlp.model import Model

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))
import model_file  # noqa: E402
import reference  # noqa: E402

FEATURES = ("height, m", 'Größe "quoted"\t\x01')
CLASSES = ("7", "yes", "\U0001f642")
FOUND = (
    *("n_iter_", "t_", "loss_", "best_loss_", "loss_curve_", "validation_scores_"),
    *("best_validation_score_", "n_layers_", "n_outputs_", "out_activation_"),
)


def network(layer_sizes, activation, output, dtype, seed):
    mlp = fastmlp.MLP(layer_sizes, activation=activation, output=output, dtype=dtype, seed=seed)
    mlp.parameters[...] = np.random.default_rng(seed).standard_normal(mlp.n_parameters)
    return mlp


def logits(mlp, X):
    return reference.MLP(mlp.weights, mlp.biases, mlp.activation).forward(X)[-1].tolist()


def fields(mlp):
    return {name: getattr(mlp, name) for name in ("layer_sizes", "activation", "output", "dtype")}


def make_mlp(path, rng):
    mlp = network([3, 4, 5, 2], ("tanh", "leaky_relu"), "exp", "float32", seed=1)
    X = rng.standard_normal((5, 3)).astype(np.float32)
    mlp.save(path)
    return {"attributes": fields(mlp), "X": X.tolist(), "logits": logits(mlp, X)}


def make_stages(path, rng):
    """Normalised layers, a scale of the inputs, and activations that learn."""
    stages = {"normalization": "layer", "input_scale": True}
    mlp = fastmlp.MLP([3, 5, 4, 2], "prelu", output="identity", dtype="float64", seed=5, **stages)
    mlp.parameters[...] = rng.standard_normal(mlp.n_parameters)
    X = rng.standard_normal((5, 3))
    mlp.save(path)
    blocks = [[block.kind, block.role, list(block.shape)] for block in mlp.parameter_blocks]
    return {
        "attributes": fields(mlp) | stages,
        "blocks": blocks,
        "X": X.tolist(),
        "logits": stage_by_stage(mlp, X).tolist(),
    }


def stage_by_stage(mlp, X):
    """What leaves the last stage, by the formulas of docs/1."""
    blocks = iter(mlp.parameter_blocks)
    for block in blocks:
        view = block.view
        if block.role == "scale":
            X = X * view
        elif block.role == "weight":
            X = X @ view + next(blocks).view
        elif block.role == "gain":
            X = (X - X.mean(axis=1, keepdims=True)) / np.sqrt(X.var(axis=1, keepdims=True) + 1e-5)
            X = X * view + next(blocks).view
        else:
            X = np.where(X > 0, X, view * X)
    return X


def make_model(path, rng):
    model = Model(
        network([2, 6, 3], "sigmoid", "softmax", "float64", seed=2),
        mean=[0.5, -3.0],
        scale=[2.0, 0.25],
        feature_names=FEATURES,
        class_names=("yes", "\U0001f642", "7"),
        target="the\nanswer",
    )
    X = rng.standard_normal((5, 2))
    model.save(path)
    return {
        "attributes": fields(model.network),
        "feature_names": model.feature_names,
        "class_names": model.class_names,
        "target": model.target,
        "X": X.tolist(),
        "logits": logits(model.network, (X - model.mean) / model.scale),
    }


def make_classifier(path, rng):
    """Text for classes, names of features, early stopping, a parameter that is infinite."""
    X = pd.DataFrame(rng.standard_normal((60, 2)).astype(np.float32), columns=FEATURES)
    y = np.array(CLASSES)[np.arange(60) % 3]
    clf = MLPClassifier(
        (4, 3), "logistic", max_iter=5, early_stopping=True, n_iter_no_change=np.inf, random_state=0
    )
    return save_estimator(clf.fit(X, y), path, X.to_numpy()[:5])


def make_labels(path, rng):
    """Several labels, and a classifier that was not trained: its best loss is infinite."""
    clf = MLPClassifier.from_network(network([2, 3, 4], "tanh", "sigmoid", "float64", seed=3))
    return save_estimator(clf, path, rng.standard_normal((5, 2)))


def make_regressor(path, rng):
    X = rng.standard_normal((60, 2))
    reg = MLPRegressor("poisson", (3,), solver="lbfgs", max_iter=5, random_state=0)
    return save_estimator(reg.fit(X, rng.poisson(2.0, (60, 2))), path, X[:5])


def save_estimator(estimator, path, X):
    estimator.save(path)
    parameters = estimator.get_params()
    found = {name: getattr(estimator, name) for name in FOUND if hasattr(estimator, name)}
    return {
        "attributes": fields(estimator.network_),
        "parameters": {name: repr(value) for name, value in parameters.items()},
        "found": {name: repr(value) for name, value in found.items()},
        "feature_names": getattr(estimator, "feature_names_in_", np.empty(0)).tolist(),
        "classes": getattr(estimator, "classes_", np.empty(0)).tolist(),
        "X": X.tolist(),
        "logits": logits(estimator.network_, X),
    }


def make_checkpoint(path, rng):
    X, y = rng.standard_normal((12, 2)), rng.integers(3, size=12)
    training = Checkpoint(
        network([2, 4, 3], "relu", "softmax", "float64", seed=4), fastmlp.Adam(0.01), 2**64 - 1
    )
    training.fit(X, y, epochs=3, path=path, batch_size=5, dropout=0.25, class_weight=[1, 2, 0.5])
    state = training.optimizer.state_dict()
    return {
        "attributes": fields(training.network),
        "optimizer": repr(training.optimizer),
        "state": {key: np.asarray(value).tolist() for key, value in state.items()},
        "seed": training.seed,
        "epoch": training.epoch,
        "loss": training.history.loss.tolist(),
        "accuracy": training.history.accuracy.tolist(),
        "X": X.tolist(),
        "y": y.tolist(),
        "logits": logits(training.network, X),
    }


KINDS = {
    "mlp": make_mlp,
    "stages": make_stages,
    "model": make_model,
    "classifier": make_classifier,
    "labels": make_labels,
    "regressor": make_regressor,
    "checkpoint": make_checkpoint,
}


def main():
    warnings.simplefilter("ignore", ConvergenceWarning)
    rng = np.random.default_rng(3)
    with tempfile.TemporaryDirectory() as name:
        paths = {kind: Path(name) / f"{kind}.safetensors" for kind in KINDS}
        expected = {kind: make(paths[kind], rng) for kind, make in KINDS.items()}
        formats = [model_file.read(path)[1]["format"] for path in paths.values()]
        start = max(formats).replace("fastmlp", "format")
        with (FOLDER / f"{start}.json").open("x") as file:
            file.write(json.dumps(expected, indent=1) + "\n")
        for kind, path in paths.items():
            shutil.copy(path, FOLDER / f"{start}-{kind}.safetensors")


if __name__ == "__main__":
    main()
