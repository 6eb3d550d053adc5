"""What a fitted network shows of its inside: features of a hidden layer, and derivatives."""

from typing import Any

from numpy.typing import NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils._set_output import _get_output_config

from fastmlp._core import MLP
from fastmlp.estimators.live import LiveParameters


class Inside(ClassNamePrefixFeaturesOutMixin, TransformerMixin, LiveParameters):
    """Lets an estimator transform rows, and tell how its outputs depend on them."""

    def transform(self, X: Any, layer: int = -1) -> NDArray[Any]:
        """Return what a hidden layer makes of each row: its activations.

        In a pipeline the network so is an extractor of features for what follows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample a row.
        layer : int, default=-1
            Number of the hidden layer, as an index of `hidden_layer_sizes`: -1 is the last one. Its
            columns alone have names, which `get_feature_names_out` returns and `set_output` needs.

        Returns
        -------
        ndarray of shape (n_samples, width)
            Activations, of the dtype that the network was trained in.

        Raises
        ------
        ValueError
            If there is no such hidden layer, or if `set_output` asks for a table of another one
            than the last.
        """
        network = self.network_
        container = _get_output_config("transform", self)["dense"]
        if container != "default" and layer not in (-1, len(network.layer_sizes) - 3):
            raise ValueError(
                f"layer is {layer}, expected -1 with set_output(transform={container!r}): the "
                "columns of the last hidden layer alone have names; network_.transform has all"
            )
        return network.transform(self._checked(X, network), layer)

    def input_gradients(self, X: Any) -> NDArray[Any]:
        """Return the derivative of each prediction with respect to each feature, for each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample a row.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs, n_features)
            Derivatives of what `predict_proba` of a classifier or `predict` of a regressor returns,
            one entry of the second axis per column of that, of the dtype that the network was
            trained in. Those of the sums behind the probabilities, which do not vanish where a
            probability is nearly 0 or 1, are ``network_.input_gradients(X)``.
        """
        network = self.network_
        gradients = network.input_gradients(self._checked(X, network), of="predictions")
        return self._of_predictions(gradients)

    def __sklearn_tags__(self) -> Any:
        """Say what the transformer can do."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _of_predictions(self, gradients: NDArray[Any]) -> NDArray[Any]:
        """Return the derivatives of all columns that are predicted, of those of the outputs."""
        return gradients

    @property
    def _n_features_out(self) -> int:
        """Columns of `transform`."""
        return self.network_.layer_sizes[-2]

    def _checked(self, X: Any, network: MLP) -> Any:
        raise NotImplementedError
