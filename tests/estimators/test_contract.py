"""scikit-learn's own checks and its own tests of `sklearn.neural_network`, none of them excused."""

import collections
import json
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
NAMES = ("MLPClassifier", "MLPRegressor")
# Each release of scikit-learn has other checks, some sixty; at least so many must pass.
FEWEST_CHECKS = 50
# The same for its own tests of `sklearn.neural_network`, of which 1.9 has 59.
FEWEST_OWN_TESTS = 50
# The check that has nothing to look at.
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


def assert_none_failed(found, name, skipped):
    """Assert that all checks passed but those that are known to be skipped."""
    if name == "MLPClassifier":
        skipped = {*skipped, NO_DECISION_FUNCTION}
    assert set(found) <= {"passed", "skipped"}, found
    assert set(found.get("skipped", ())) == skipped
    assert len(found["passed"]) >= FEWEST_CHECKS


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", NAMES)
def test_check_estimator(name, solver):
    found = outcomes(name, solver=solver, max_iter=200)
    assert_none_failed(found, name, skipped={"check_array_api_input"})


PROGRAM = """
import json
import sys
import warnings

warnings.simplefilter("ignore")
sys.path.insert(0, {folder!r})
import test_contract

print(json.dumps(test_contract.outcomes({name!r}, solver={solver!r}, max_iter=100)))
"""


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", NAMES)
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
    assert_none_failed(json.loads(done.stdout), name, skipped=set())


@pytest.mark.parametrize(
    "check",
    [
        check_param_validation,
        check_dataframe_column_names_consistency,
        check_inplace_ensure_writeable,
        check_all_zero_sample_weights_error,
    ],
)
@pytest.mark.parametrize("name", NAMES)
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
    summary = re.search(r"^(\d+) passed(?:, \d+ warnings?)? in ", done.stdout, re.MULTILINE)
    assert summary, done.stdout
    assert int(summary[1]) >= FEWEST_OWN_TESTS
