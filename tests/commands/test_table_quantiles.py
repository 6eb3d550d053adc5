"""Models of several quantiles, which Python makes, are of use on the command line."""

import json

import numpy as np
import pandas as pd
import pytest
from houses import houses
from sklearn.metrics import d2_pinball_score, mean_pinball_loss

from fastmlp import TabularRegressor
from fastmlp.losses import Quantile

LEVELS = [0.1, 0.5, 0.9]


@pytest.fixture(scope="module")
def model():
    frame = houses()
    return TabularRegressor("fast", loss=Quantile(LEVELS), random_state=0).fit(
        frame[["size", "heating", "built"]], frame["price"]
    )


@pytest.fixture
def path(model, tmp_path):
    model.save(tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def test_there_is_a_column_per_level(fastmlp_cli, data, path, model, tmp_path):
    output = tmp_path / "answers.csv"
    assert fastmlp_cli("predict", path, data, "--output", output) == (0, "", "")
    answers = pd.read_csv(output)
    assert list(answers) == ["quantile_0.1", "quantile_0.5", "quantile_0.9"]
    np.testing.assert_array_equal(answers, model.predict(houses()[model.feature_names_in_]))


def test_each_level_has_its_scores(fastmlp_cli, data, path, model):
    scores = json.loads(fastmlp_cli("evaluate", path, data, "--json")[1])
    truth = houses()["price"]
    answers = model.predict(houses()[model.feature_names_in_])
    assert scores == {
        "quantiles": {
            str(level): {
                "pinball": pytest.approx(mean_pinball_loss(truth, column, alpha=level)),
                "share_not_above": np.mean(truth <= column),
            }
            for level, column in zip(LEVELS, answers.T, strict=True)
        },
        "d2": pytest.approx(
            np.mean(
                [d2_pinball_score(truth, column, alpha=level)
                 for level, column in zip(LEVELS, answers.T, strict=True)]
            )
        ),
        "num_samples": len(truth),
    }  # fmt: skip
    status, table, err = fastmlp_cli("evaluate", path, data)
    assert (status, err) == (0, "")
    first, *rows = table.splitlines()
    assert first.split() == ["quantile", "pinball", "not", "above"]
    assert [row.split()[0] for row in rows] == ["0.1", "0.5", "0.9", "D2", "samples"]
    assert rows[0].split()[2] == f"{scores['quantiles']['0.1']['share_not_above']:.1%}"


def test_a_target_of_one_column_is_a_number_per_row(fastmlp_cli, data, tmp_path):
    frame = houses()
    reg = TabularRegressor("fast", max_iter=1, hidden_layer_sizes=(2,), random_state=0)
    reg.fit(frame[["size"]], frame[["price"]]).save(tmp_path / "model")
    status, out, err = fastmlp_cli("predict", tmp_path / "model", data)
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == "prediction"
    scores = json.loads(
        fastmlp_cli("evaluate", tmp_path / "model", data, "--target", "price", "--json")[1]
    )
    assert scores.keys() == {"rmse", "mae", "r2", "num_samples"}
