"""Estimators for scikit-learn, in place of its own `MLPClassifier` and `MLPRegressor`.

Import them from `fastmlp` rather than from `sklearn.neural_network`; parameters, attributes,
methods, warnings and random numbers stay as they are, and the engine does the work.
"""

from fastmlp._extras import require

require("sklearn", "fastmlp.estimators")

from fastmlp.estimators.classifier import MLPClassifier  # noqa: E402
from fastmlp.estimators.listeners import FitInfo  # noqa: E402
from fastmlp.estimators.regressor import MLPRegressor  # noqa: E402
from fastmlp.estimators.scale import FeatureScaleWarning  # noqa: E402

__all__ = ["FeatureScaleWarning", "FitInfo", "MLPClassifier", "MLPRegressor"]
