"""An estimator in one file: its network, parameters and what training found, without pickle."""

import json
from os import PathLike
from typing import Any, Self

import numpy as np

from fastmlp._core import MLP, load_network, save_network
from fastmlp._files import faults_of, json_object

# What training found, as JSON has it.
_FOUND = (
    *("n_iter_", "t_", "loss_", "best_loss_", "loss_curve_", "validation_scores_"),
    *("best_validation_score_", "_no_improvement_count"),
)


class InFile:
    """Saves and loads an estimator."""

    def save(self, path: str | PathLike[str]) -> None:
        """Write the fitted estimator to a file that holds no code.

        Parameters
        ----------
        path : str or path-like
            The file to write; an existing one is replaced at once or not at all.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If a weight is not finite, or a parameter or class is no text, number or boolean.
        OSError
            If the file cannot be written.

        Notes
        -----
        A `random_state` that is a RandomState is saved as None, and the state of the optimizer is
        not saved: `partial_fit` goes on with a new one.
        """
        estimator: Any = self
        network = estimator.network_
        parameters = {
            name: None if isinstance(value, np.random.RandomState) else value
            for name, value in estimator.get_params(deep=False).items()
        }
        content = {
            "estimator": type(self).__name__,
            "parameters": parameters,
            # One that was made from a network found no loss.
            "found": {name: getattr(self, name) for name in _FOUND if hasattr(self, name)},
            "out_activation": estimator.out_activation_,
            "feature_names": getattr(self, "feature_names_in_", None),
            **self._labels(),
        }
        try:
            text = json.dumps(content, default=_plain)
        except TypeError as error:
            raise ValueError(f"the estimator cannot be saved: {error}") from error
        save_network(path, network, {}, {"estimator": text})

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read an estimator that `save` wrote; everything in the file is checked first.

        Parameters
        ----------
        path : str or path-like
            The file to read.

        Returns
        -------
        object
            The fitted estimator.

        Raises
        ------
        ModelFileError
            If the file is damaged, or holds no estimator of this class.
        OSError
            If the file cannot be read.
        """
        network, tensors, metadata = load_network(path)
        with faults_of(path, f"is no {cls.__name__}'s file"):
            if tensors or set(metadata) != {"estimator"}:
                raise ValueError("it holds something else")
            return cls._of_content(network, json_object("estimator", metadata["estimator"]))

    @classmethod
    def _of_content(cls, network: MLP, content: dict[str, Any]) -> Self:
        if content["estimator"] != cls.__name__:
            raise ValueError(f"it holds a {content['estimator']}")
        parameters, found = content["parameters"], content["found"]
        if not all(isinstance(part, dict) for part in (parameters, found)):
            raise ValueError("parameters and what training found must be objects")
        if not set(found) <= set(_FOUND):
            raise ValueError(f"what training found is of {sorted(_FOUND)}, got {sorted(found)}")
        if isinstance(parameters["hidden_layer_sizes"], list):
            parameters["hidden_layer_sizes"] = tuple(parameters["hidden_layer_sizes"])
        estimator: Any = cls._of_labels(network, content)
        if estimator.out_activation_ != content["out_activation"]:
            raise ValueError(f"its network has the output {network.output!r}")
        activation = estimator.activation
        estimator.set_params(**parameters)
        estimator._validate_params()
        if estimator.activation != activation and len(network.layer_sizes) > 2:
            raise ValueError(f"its network has the activation {activation!r}")
        for name, value in found.items():
            setattr(estimator, name, value)
        names = content["feature_names"]
        if names is not None:
            if len(names) != estimator.n_features_in_ or not all(map(_is_text, names)):
                raise ValueError(f"it must have {estimator.n_features_in_} names of features")
            estimator.feature_names_in_ = np.array(names, dtype=object)
        result: Self = estimator
        return result

    def _labels(self) -> dict[str, Any]:
        """Say what the outputs stand for, as JSON has it."""
        return {}

    @classmethod
    def _of_labels(cls, network: MLP, content: dict[str, Any]) -> Any:
        """Make an estimator of the network, whose outputs stand for what the content says."""
        raise NotImplementedError


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _plain(value: Any) -> Any:
    """Turn a number or an array of NumPy's into one of Python's."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{value!r} is no text, number or boolean")
