"""What works without the optional packages, and what says how to install them."""

import re
import subprocess
import sys
import textwrap

import pytest

import fastmlp
from fastmlp._extras import require

EXTRAS = (
    *("pandas", "sklearn", "matplotlib", "click", "tqdm", "narwhals", "pyarrow"),
    *("dask", "distributed", "mpi4py"),
)
BLOCK = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {EXTRAS!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
"""


def run_without_extras(program):
    completed = subprocess.run(
        [sys.executable, "-W", "error", "-c", BLOCK + textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    return completed.stdout


def test_import_needs_none_of_them():
    loaded = run_without_extras("import fastmlp; print(*sorted(sys.modules), sep='\\n')").split()
    assert "fastmlp._core" in loaded
    assert not {name.partition(".")[0] for name in loaded} & set(EXTRAS)


def test_import_loads_none_of_them_where_they_are():
    program = "import sys, fastmlp; print(*sorted(sys.modules), sep='\\n')"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {name.partition(".")[0] for name in loaded} & set(EXTRAS)


def test_numpy_alone_makes_splits_weighs_and_measures():
    assert (
        run_without_extras("""
            from fastmlp.data import class_counts, class_weights, make_spiral, shuffle, split
            from fastmlp.metrics import (
                accuracy, classification_metrics, confusion_matrix, log_loss, roc_auc_score
            )
            X, y = make_spiral(10, 2)
            parts = split(*shuffle(X, y), fractions=(0.6, 0.4))
            print([len(labels) for _, labels in parts], class_counts(y), class_weights(y))
            print(accuracy(y, y), confusion_matrix(y, y).tolist())
            print(classification_metrics(y, y)["overall"]["f1"], round(log_loss(y, y), 9))
            print(roc_auc_score(y, y))
        """)
        == "[6, 4] [5 5] [1. 1.]\n1.0 [[5, 0], [0, 5]]\n1.0 0.0\n1.0\n"
    )


@pytest.mark.parametrize(
    ("call", "distribution"),
    [
        ("data.read_csv('points.csv', 'color')", "pandas"),
        ("data.standardize(X)", "scikit-learn"),
        ("plotting.plot_data(X, y)", "matplotlib"),
        ("plotting.plot_decision_boundary(model, X, y)", "matplotlib"),
        ("plotting.plot_decision_boundaries(model, train=(X, y), test=(X, y))", "matplotlib"),
        ("plotting.plot_history(history)", "matplotlib"),
        ("plotting.plot_confusion_matrix([[1, 0], [0, 1]])", "matplotlib"),
        ("plotting.plot_roc_curve(y, X[:, 1])", "matplotlib"),
        ("plotting.plot_calibration(y, X[:, 1])", "matplotlib"),
        ("plotting.plot_activations()", "matplotlib"),
        ("plotting.plot_learning_rates({}, 3)", "matplotlib"),
    ],
)
def test_each_function_says_which_command_installs(call, distribution):
    message = run_without_extras(f"""
        from types import SimpleNamespace
        import numpy as np
        from fastmlp import data, plotting

        X, y = np.eye(2), np.array([0, 1])
        model = SimpleNamespace(predict=lambda X: np.zeros(len(X), dtype=np.int64))
        history = SimpleNamespace(loss=X, accuracy=X, val_loss=X, val_accuracy=X)
        try:
            {call}
        except ImportError as error:
            print(error, end="")
    """)
    function = re.search(r"\.(\w+)\(", call).group(1)
    assert message == (
        f"{function} needs {distribution}, which is not installed; "
        'install it with: pip install "fastmlp[all]"'
    )


@pytest.mark.parametrize(
    "name",
    [
        "MLPClassifier",
        "MLPRegressor",
        "TabularClassifier",
        "TabularRegressor",
        "EnsembleClassifier",
        "EnsembleRegressor",
        "fit_many",
    ],
)
def test_an_estimator_says_which_command_installs(name):
    assert run_without_extras(f"""
        try:
            from fastmlp import {name}
        except ImportError as error:
            print(error, end="")
    """) == (
        f"{name} needs scikit-learn, which is not installed; "
        'install it with: pip install "fastmlp[all]"'
    )


@pytest.mark.parametrize(
    ("program", "purpose", "distribution", "extra"),
    [
        ("import fastmlp.dask", "fastmlp.dask", "dask", "dask"),
        (
            "from fastmlp import mpi; mpi.fit(None, None, None, epochs=1, batch_size=1)",
            *("fastmlp.mpi.fit", "mpi4py", "mpi"),
        ),
    ],
)
def test_what_needs_more_than_one_machine_names_its_extra(program, purpose, distribution, extra):
    assert run_without_extras(f"""
        try:
            {program}
        except ImportError as error:
            print(error, end="")
    """) == (
        f"{purpose} needs {distribution}, which is not installed; "
        f'install it with: pip install "fastmlp[{extra}]"'
    )


def test_the_package_names_its_estimators_and_no_more():
    assert {"MLP", "MLPClassifier", "MLPRegressor"} <= set(dir(fastmlp))
    with pytest.raises(
        AttributeError, match=r"^module 'fastmlp' has no attribute 'MLPTransformer'$"
    ):
        _ = fastmlp.MLPTransformer


def test_require_returns_the_module():
    import collections.abc

    assert require("collections.abc", "a test") is collections.abc


def test_require_names_the_distribution(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    message = re.escape(
        "the progress bar needs tqdm, which is not installed; "
        'install it with: pip install "fastmlp[all]"'
    )
    with pytest.raises(ImportError, match=f"^{message}$") as caught:
        require("tqdm", "the progress bar")
    assert caught.value.name == "tqdm"


def test_an_error_inside_a_package_passes_through(tmp_path, monkeypatch):
    package = tmp_path / "half_installed"
    package.mkdir()
    (package / "__init__.py").write_text("import a_module_it_needs_itself\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'a_module_it_needs_itself'$"):
        require("half_installed", "a test")
