"""Ensembles of networks that differ in their seeds, or in the rows that they saw."""

from fastmlp._extras import require

require("sklearn", "fastmlp.ensembles")

from fastmlp.ensembles.classifier import EnsembleClassifier  # noqa: E402
from fastmlp.ensembles.regressor import EnsembleRegressor  # noqa: E402

__all__ = ["EnsembleClassifier", "EnsembleRegressor"]
