"""Estimators for tables as they are: numbers of any scale, categories, dates, missing values.

`TabularClassifier` and `TabularRegressor` take a frame of pandas, polars or pyarrow, or an array.
They learn how columns become the inputs of a network together with the network, and one file holds
both.
"""

from fastmlp._extras import require

for _module in ("sklearn", "narwhals"):
    require(_module, "fastmlp.tabular")

from fastmlp.tabular.classifier import TabularClassifier  # noqa: E402
from fastmlp.tabular.regressor import TabularRegressor  # noqa: E402

__all__ = ["TabularClassifier", "TabularRegressor"]
