"""Model files of both kinds: of the lesson's network, and of tabular estimators."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastmlp._core import ModelFileError, load_network
from fastmlp._files import check_type, faults_of, json_object
from fastmlp.model import Model

if TYPE_CHECKING:
    from fastmlp.tabular import TabularClassifier, TabularRegressor


def load_model(path: Path) -> "Model | TabularClassifier | TabularRegressor":
    """Read a file that ``fastmlp train`` or `save` of a tabular estimator wrote.

    Raises
    ------
    OSError
        If the file cannot be read.
    ModelFileError
        If it is damaged, holds something else, or an estimator that cannot be used on a file:
        columns have no names, or there are several outputs.
    """
    metadata = load_network(path)[2]
    if "estimator" not in metadata:
        return Model.load(path)
    from fastmlp.tabular import TabularClassifier, TabularRegressor

    with faults_of(path, "is not a model file"):
        name = json_object("estimator", metadata["estimator"])["estimator"]
        check_type("estimator", name, str)
    classes: dict[Any, Any] = {cls.__name__: cls for cls in (TabularClassifier, TabularRegressor)}
    if name not in classes:
        raise ModelFileError(f"{path} is a file of {name}; expected one of {', '.join(classes)}")
    model: TabularClassifier | TabularRegressor = classes[name].load(path)
    if not hasattr(model, "feature_names_in_"):
        raise ModelFileError(f"{path} holds no names of columns: it was trained on an array")
    if isinstance(model, TabularRegressor) and len(model._mean) > 1:
        raise ModelFileError(f"{path} predicts several numbers per row; expected one")
    return model
