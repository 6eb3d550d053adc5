"""scikit-learn's own checks and its own tests of `sklearn.neural_network`, none of them excused."""

import collections
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from sklearn.utils.estimator_checks import (
    check_all_zero_sample_weights_error,
    check_dataframe_column_names_consistency,
    check_estimator,
    check_inplace_ensure_writeable,
    check_param_validation,
)

import fastmlp

SOLVERS = ("adam", "sgd", "lbfgs")
# The number of checks that must pass, and the one that has nothing to look at.
CHECKS = {"MLPClassifier": 72, "MLPRegressor": 66}
NO_DECISION_FUNCTION = "check_classifiers_multilabel_output_format_decision_function"


@pytest.fixture(autouse=True)
def without_warnings():
    """Checks train for a few epochs, and look at the warnings that matter to them themselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def outcomes(name, **parameters):
    """Names of checks by what became of them; one name may occur several times."""
    found = collections.defaultdict(list)
    estimator = getattr(fastmlp, name)(**parameters)
    for result in check_estimator(estimator, on_fail=None, on_skip=None):
        found[result["status"]].append(result["check_name"])
    return found


@pytest.mark.parametrize("max_iter", [200, 100])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", CHECKS)
def test_check_estimator(name, solver, max_iter):
    found = outcomes(name, solver=solver, max_iter=max_iter)
    skipped = {"check_array_api_input"}
    if name == "MLPClassifier":
        skipped.add(NO_DECISION_FUNCTION)
    assert set(found) == {"passed", "skipped"}, found
    assert len(found["passed"]) == CHECKS[name] - 1
    assert set(found["skipped"]) == skipped


PROGRAM = """
import sys
import warnings

warnings.simplefilter("ignore")
sys.path.insert(0, {folder!r})
import test_contract

print(*sorted(
    f"{{status}} {{len(checks)}} {{set(checks) if status != 'passed' else ''}}".strip()
    for status, checks in test_contract.outcomes({name!r}, solver={solver!r}, max_iter=100).items()
), sep="\\n")
"""


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", CHECKS)
def test_check_estimator_with_the_array_api(name, solver):
    program = PROGRAM.format(folder=str(Path(__file__).parent), name=name, solver=solver)
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = [f"passed {CHECKS[name]}"]
    if name == "MLPClassifier":
        expected.append(f"skipped 1 {{{NO_DECISION_FUNCTION!r}}}")
    assert done.stdout.splitlines() == expected


@pytest.mark.parametrize(
    "check",
    [
        check_param_validation,
        check_dataframe_column_names_consistency,
        check_inplace_ensure_writeable,
        check_all_zero_sample_weights_error,
    ],
)
@pytest.mark.parametrize("name", CHECKS)
def test_the_checks_that_check_estimator_leaves_out(name, check):
    check(name, getattr(fastmlp, name)(max_iter=5))


def test_scikit_learn_s_own_tests_pass_unchanged():
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "repoint",
            "-p",
            "no:cacheprovider",
            "-c",
            os.devnull,
            "--pyargs",
            "sklearn.neural_network.tests.test_mlp",
        ],
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join(
                filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")])
            )
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^59 passed\b(?!.*(?:failed|skipped|error))", done.stdout, re.MULTILINE), (
        done.stdout
    )
