"""Write the golden files of a release: python tests/golden/make.py

A network and a model with all that text can hold, and what they answer, as the reference computes
it. Files of a release are never written again.
"""

import json
import sys
from pathlib import Path

import numpy as np

import fastmlp
from fastmlp.model import Model

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))
import reference  # noqa: E402


def network(layer_sizes, activation, output, dtype, seed):
    mlp = fastmlp.MLP(layer_sizes, activation=activation, output=output, dtype=dtype, seed=seed)
    mlp.parameters[...] = np.random.default_rng(seed).standard_normal(mlp.n_parameters)
    return mlp


def logits(mlp, X):
    return reference.MLP(mlp.weights, mlp.biases, mlp.activation).forward(X)[-1].tolist()


def main():
    start = FOLDER / fastmlp.__version__
    mlp = network([3, 4, 5, 2], ("tanh", "leaky_relu"), "exp", "float32", seed=1)
    model = Model(
        network([2, 6, 3], "sigmoid", "softmax", "float64", seed=2),
        mean=[0.5, -3.0],
        scale=[2.0, 0.25],
        feature_names=("height, m", 'Größe "quoted"\t\x01'),
        class_names=("yes", "\U0001f642", "7"),
        target="the\nanswer",
    )
    rng = np.random.default_rng(3)
    X_mlp, X_model = rng.standard_normal((5, 3)).astype(np.float32), rng.standard_normal((5, 2))
    mlp.save(f"{start}-mlp.safetensors")
    model.save(f"{start}-model.safetensors")
    expected = {
        "mlp": {
            "attributes": {name: getattr(mlp, name) for name in fields()},
            "X": X_mlp.tolist(),
            "logits": logits(mlp, X_mlp),
        },
        "model": {
            "attributes": {name: getattr(model.network, name) for name in fields()},
            "feature_names": model.feature_names,
            "class_names": model.class_names,
            "target": model.target,
            "X": X_model.tolist(),
            "logits": logits(model.network, (X_model - model.mean) / model.scale),
        },
    }
    Path(f"{start}.json").write_text(json.dumps(expected, indent=1) + "\n")


def fields():
    return ("layer_sizes", "activation", "output", "dtype")


if __name__ == "__main__":
    main()
