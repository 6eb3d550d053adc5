"""Estimators for scikit-learn: its own `MLPClassifier` and `MLPRegressor`, trained by this engine.

Change ``from sklearn.neural_network import MLPClassifier`` to ``from fastmlp import MLPClassifier``;
parameters, attributes, methods, warnings and random numbers stay as they are.
"""

from fastmlp._extras import require

require("sklearn", "fastmlp.estimators")

from fastmlp.estimators.classifier import MLPClassifier  # noqa: E402
from fastmlp.estimators.regressor import MLPRegressor  # noqa: E402

__all__ = ["MLPClassifier", "MLPRegressor"]
