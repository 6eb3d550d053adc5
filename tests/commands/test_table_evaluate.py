"""`fastmlp evaluate` gives the scores of scikit-learn."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from houses import N_ROWS, houses
from sklearn.metrics import (
    log_loss,
    mean_absolute_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)

from fastmlp import TabularClassifier, TabularRegressor


def test_classes_are_evaluated(fastmlp_cli, data, models):
    status, out, err = fastmlp_cli("evaluate", models["wanted"], data, "--json")
    assert (status, err) == (0, "")
    frame, truth = houses(), houses()["wanted"]
    model = TabularClassifier.load(models["wanted"])
    answers = model.predict_proba(frame[model.feature_names_in_])
    scores = json.loads(out)
    overall = scores["overall"]
    assert overall["accuracy"] == np.mean(model.predict(frame[model.feature_names_in_]) == truth)
    assert overall["log_loss"] == pytest.approx(log_loss(truth, answers))
    assert overall["roc_auc"] == pytest.approx(roc_auc_score(truth, answers[:, 1]))
    assert scores["classes"]["yes"]["num_samples"] == (truth == "yes").sum()

    status, table, err = fastmlp_cli("evaluate", models["wanted"], data, "--target", "wanted")
    assert (status, err) == (0, "")
    assert re.search(rf"^ROC AUC +{overall['roc_auc']:.4g}$", table, re.MULTILINE)


def test_the_area_under_the_curve_of_several_classes_is_the_mean_of_each_against_the_others(
    train, data, fastmlp_cli, tmp_path
):
    assert train(data, "rooms", "--ignore", "id", "--quiet", "--max-time", 0.001)[0] == 0
    path = tmp_path / "out" / "model.safetensors"
    scores = json.loads(fastmlp_cli("evaluate", path, data, "--json")[1])["overall"]
    model = TabularClassifier.load(path)
    answers = model.predict_proba(houses()[model.feature_names_in_])
    expected = roc_auc_score(houses()["rooms"], answers, multi_class="ovr")
    assert scores["roc_auc"] == pytest.approx(expected)
    assert scores["log_loss"] == pytest.approx(log_loss(houses()["rooms"], answers))


def test_numbers_are_evaluated(fastmlp_cli, data, models):
    status, out, err = fastmlp_cli("evaluate", models["price"], data, "--json")
    assert (status, err) == (0, "")
    truth = houses()["price"]
    model = TabularRegressor.load(models["price"])
    answers = model.predict(houses()[model.feature_names_in_])
    assert json.loads(out) == {
        "rmse": pytest.approx(root_mean_squared_error(truth, answers)),
        "mae": pytest.approx(mean_absolute_error(truth, answers)),
        "r2": pytest.approx(r2_score(truth, answers)),
        "num_samples": N_ROWS,
    }
    table = fastmlp_cli("evaluate", models["price"], data)[1]
    rows = dict(re.split("  +", line) for line in table.splitlines())
    assert rows.keys() == {"RMSE", "MAE", "R2", "samples"}
    assert rows["samples"] == "240"


def test_scores_that_the_rows_leave_undefined_are_null(fastmlp_cli, models, tmp_path):
    path = tmp_path / "one.csv"
    houses()[:1].to_csv(path, index=False)
    scores = json.loads(fastmlp_cli("evaluate", models["wanted"], path, "--json")[1])
    assert scores["overall"]["roc_auc"] is None
    assert json.loads(fastmlp_cli("evaluate", models["price"], path, "--json")[1])["r2"] is None
    assert "ROC AUC       not defined\n" in fastmlp_cli("evaluate", models["wanted"], path)[1]


def test_rows_without_a_target_are_not_evaluated(fastmlp_cli, models, tmp_path):
    for name, column in (("wanted", "wanted"), ("price", "price")):
        frame = houses()
        frame[column] = frame[column].where(np.arange(N_ROWS) % 2 == 0)
        path = tmp_path / "a.csv"
        frame.to_csv(path, index=False)
        status, out, err = fastmlp_cli("evaluate", models[name], path, "--json")
        assert status == 0
        scores = json.loads(out)
        assert scores.get("overall", scores)["num_samples"] == 120
        assert err == (
            f"fastmlp: warning: {path} has 120 rows without a value of {column!r}, left out\n"
        )


def test_labels_that_look_like_numbers_are_found_again(train, fastmlp_cli, tmp_path):
    frame = pd.DataFrame({"a": [1.5, 2.5, 3.5] * 20, "y": ["1", "2", "x"] * 20})
    path = tmp_path / "a.csv"
    frame.to_csv(path, index=False)
    assert train(path, "y", "--quiet", "--max-time", 0.001) == (0, "", "")
    model = tmp_path / "out" / "model.safetensors"
    path.write_text("a,y\n1.5,1\n2.5,2\n")
    status, out, err = fastmlp_cli("evaluate", model, path, "--json")
    assert (status, err) == (0, "")
    counts = {k: s["num_samples"] for k, s in json.loads(out)["classes"].items()}
    assert counts == {"1": 1, "2": 1, "x": 0}
