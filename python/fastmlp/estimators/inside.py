"""Features of a hidden layer, and derivatives of predictions with respect to inputs."""

from typing import Any

from numpy.typing import NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils._set_output import _get_output_config

from fastmlp._core import MLP
from fastmlp.estimators.live import LiveParameters


class Inside(ClassNamePrefixFeaturesOutMixin, TransformerMixin, LiveParameters):
    """Transforms rows, and differentiates predictions."""

    n_jobs: int | None

    def transform(self, X: Any, layer: int = -1) -> NDArray[Any]:
        """Return the activations of a hidden layer for each row.

        In a pipeline, the network thus extracts features for the next step.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample per row.
        layer : int, default=-1
            Index of the hidden layer in `hidden_layer_sizes`. `get_feature_names_out` has names for
            the columns of the last layer only, and so has `set_output`.

        Returns
        -------
        ndarray of shape (n_samples, width)
            Activations, of the dtype that the network was trained in.

        Raises
        ------
        ValueError
            If there is no such hidden layer, or if `set_output` asks for a data frame of another
            layer than the last.
        """
        network = self.network_
        container = _get_output_config("transform", self)["dense"]
        if container != "default" and layer not in (-1, len(network.layer_sizes) - 3):
            raise ValueError(
                f"layer is {layer}, expected -1 with set_output(transform={container!r}): the "
                "last hidden layer alone has column names; use network_.transform for others"
            )
        return network.transform(self._checked(X, network), layer, n_jobs=self.n_jobs)

    def input_gradients(self, X: Any) -> NDArray[Any]:
        """Return the derivative of each prediction with respect to each feature, for each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            One sample per row.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs, n_features)
            Derivatives of the columns that `predict_proba` of a classifier or `predict` of a
            regressor returns, of the dtype that the network was trained in. The derivatives of the
            logits, which do not vanish where a probability is nearly 0 or 1, are
            ``network_.input_gradients(X)``.
        """
        network = self.network_
        X = self._checked(X, network)
        gradients = network.input_gradients(X, of="predictions", n_jobs=self.n_jobs)
        return self._of_predictions(gradients, X)

    def __sklearn_tags__(self) -> Any:
        """Return the tags, which say that `transform` keeps the dtype of `X`."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _of_predictions(self, gradients: NDArray[Any], X: Any) -> NDArray[Any]:
        """Return the derivatives of the predicted columns, given those of the outputs."""
        return gradients

    @property
    def _n_features_out(self) -> int:
        """Columns of `transform`."""
        return self.network_.layer_sizes[-2]

    def _checked(self, X: Any, network: MLP) -> Any:
        raise NotImplementedError
