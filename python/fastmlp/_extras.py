"""Optional dependencies, imported where they are used."""

from importlib import import_module
from types import ModuleType

_DISTRIBUTIONS = {"sklearn": "scikit-learn"}


def require(module: str, purpose: str, extra: str = "all") -> ModuleType:
    """Import an optional dependency, or say which command installs it.

    Parameters
    ----------
    module : str
        Name of the module, e.g. ``"sklearn.metrics"``.
    purpose : str
        What needs the module; the error message begins with it.
    extra : str, default="all"
        The extra that installs it.

    Returns
    -------
    ModuleType
        The imported module.

    Raises
    ------
    ImportError
        If the package that holds the module is not installed. An error inside an
        installed package passes through unchanged.
    """
    package = module.partition(".")[0]
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        distribution = _DISTRIBUTIONS.get(package, package)
        raise ImportError(
            f"{purpose} needs {distribution}, which is not installed; "
            f'install it with: pip install "fastmlp[{extra}]"',
            name=package,
        ) from error
