"""How good predictions are; NumPy alone is needed.

Measures whose names end with ``_score`` or ``_loss``, both errors of numbers, and `roc_curve` have
scikit-learn's names, arguments and values.

===============  ===================================================================================
predictions      measures
===============  ===================================================================================
classes          `accuracy`, `balanced_accuracy_score`, `confusion_matrix`, `classification_metrics`
probabilities    `log_loss`, `brier_score_loss`, `calibration_error`
scores           `roc_auc_score`, `roc_curve`, `average_precision_score`
numbers          `r2_score`, `mean_absolute_error`, `root_mean_squared_error`, `mean_pinball_loss`
===============  ===================================================================================
"""

from fastmlp.metrics._arrays import UndefinedMetricWarning
from fastmlp.metrics.calibration import calibration_error
from fastmlp.metrics.classes import (
    MAX_MATRIX_CLASSES,
    ClassScores,
    Metrics,
    OverallScores,
    accuracy,
    balanced_accuracy_score,
    classification_metrics,
    confusion_matrix,
    metrics_table,
)
from fastmlp.metrics.probabilities import brier_score_loss, log_loss
from fastmlp.metrics.ranking import average_precision_score, roc_auc_score, roc_curve
from fastmlp.metrics.regression import (
    mean_absolute_error,
    mean_pinball_loss,
    r2_score,
    root_mean_squared_error,
)

__all__ = [
    "MAX_MATRIX_CLASSES",
    "ClassScores",
    "Metrics",
    "OverallScores",
    "UndefinedMetricWarning",
    "accuracy",
    "average_precision_score",
    "balanced_accuracy_score",
    "brier_score_loss",
    "calibration_error",
    "classification_metrics",
    "confusion_matrix",
    "log_loss",
    "mean_absolute_error",
    "mean_pinball_loss",
    "metrics_table",
    "r2_score",
    "roc_auc_score",
    "roc_curve",
    "root_mean_squared_error",
]
