"""Tables as people have them, with the splits that published results use."""

import importlib.util
from pathlib import Path
from typing import Any, NamedTuple

# Beside the repository.
TABLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "tables"


class Part(NamedTuple):
    """Rows of a table, and their target."""

    X: Any
    y: Any


def load(folder, name):
    """Return whether the target is a number, and the parts of a table by name."""
    import pandas as pd

    spec = importlib.util.spec_from_file_location("load", folder / "load.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.load(name)
    columns = {}
    for kind, dtype in (("X_num", "float32"), ("X_cat", "category")):
        for place, values in enumerate([] if found[kind] is None else found[kind].T):
            columns[f"{kind[2:]}{place}"] = pd.Series(values).astype(dtype)
    table = pd.DataFrame(columns)
    parts = {
        part: Part(table.iloc[found[part]].reset_index(drop=True), found["y"][found[part]])
        for part in ("train", "val", "test")
    }
    return found["task"] == "regression", parts
