"""The command line trains on tables as people have them."""

import io
import json
import re
import sys

import numpy as np
import pandas as pd
import pytest
from houses import FILES, houses

from fastmlp import TabularClassifier, TabularRegressor


def metrics_of(folder):
    return json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["test"]


def test_a_number_is_predicted_from_columns_of_all_kinds(train, data, tmp_path):
    status, out, err = train(data, "price", "--ignore", "wanted", "--ignore", "rooms")
    assert (status, err) == (0, "")
    assert f"data      {data}: CSV, UTF-8, delimiter ',', decimal point\n" in out
    assert "target    price: regression, as it has numbers that are not whole\n" in out
    assert "rows      train 192, test 48\n" in out
    table = out[out.index("column") : out.index("RMSE")]
    assert [re.split(r"  +", line) for line in table.splitlines() if line.strip("-")] == [
        ["column", "kind", "missing", "levels", "use"],
        ["id", "number", "0", "240", "scaled"],
        ["size", "number", "35", str(houses()["size"].nunique()), "scaled, and an input marks"
         " missing values"],
        ["heating", "category", "48", "3", "3 inputs, one per level"],
        ["built", "date", "0", str(houses()["built"].nunique()), "scaled"],
        ["pool", "boolean", "0", "2", "scaled"],
        ["street", "text", "0", "240", "left out: most values occur once"],
        ["country", "category", "0", "1", "left out: one value at most"],
        ["wanted", "ignored"],
        ["rooms", "ignored"],
    ]  # fmt: skip
    scores = metrics_of(tmp_path / "out")
    assert scores["num_samples"] == 48
    assert scores["r2"] > 0.5
    assert f"RMSE      {scores['rmse']:.4g}\n" in out
    assert set(re.findall(r"^  (\S+) +[\d.]+ kB$", out, re.MULTILINE)) == {
        path.name for path in (tmp_path / "out").iterdir()
    }
    model = TabularRegressor.load(tmp_path / "out" / "model.safetensors")
    assert model.feature_names_in_.tolist() == ["id", "size", "heating", "built", "pool"]
    assert model.preset == "fast"
    new = houses(seed=1).drop(columns=["street", "country", "price", "rooms", "wanted"])
    new["id"] = new["id"].astype(float)
    assert model.score(new, houses(seed=1)["price"]) > 0.5


@pytest.mark.parametrize(
    ("target", "names", "reason"),
    [
        ("wanted", ["no", "yes"], "it has text values"),
        ("pool", [False, True], "it has boolean values"),
        ("rooms", [1, 2, 3, 4], "it has 4 different whole numbers"),
    ],
)
def test_classes_are_recognised(train, data, tmp_path, target, names, reason):
    status, out, err = train(data, target, "--ignore", "price", "--ignore", "id")
    assert (status, err) == (0, "")
    counts = houses()[target].value_counts()
    classes = ", ".join(f"{name} {counts[name]}" for name in names)
    kind = f"classification into {len(names)} classes ({classes})"
    assert f"target    {target}: {kind}, as {reason}\n" in out
    scores = metrics_of(tmp_path / "out")
    assert list(scores["classes"]) == [str(name) for name in names]
    expected = {"accuracy", "precision", "recall", "f1", "num_samples", "log_loss", "roc_auc"}
    assert set(scores["overall"]) == expected
    for label, name in (("accuracy", "accuracy"), ("log loss", "log_loss"), ("ROC AUC", "roc_auc")):
        shown = float(re.search(rf"^{label} +([\d.]+)$", out, re.MULTILINE)[1])
        assert shown == pytest.approx(scores["overall"][name], rel=1e-3, abs=5e-4)
    model = TabularClassifier.load(tmp_path / "out" / "model.safetensors")
    assert model.classes_.tolist() == names


def test_wide_tables_and_long_names_are_shown_in_part(train, tmp_path):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 130)))
    frame.columns = ["y", "\x1b" + "x" * 100, *(f"c{i}" for i in range(128))]
    path = tmp_path / "wide.csv"
    frame.to_csv(path, index=False)
    status, out, err = train(path, "y", "--max-time", 0.001)
    assert (status, err) == (0, "")
    assert "\\x1b" + "x" * 33 + "...  number" in out
    assert "c98 " in out
    assert "c99 " not in out
    assert "\nand 29 more columns\n" in out


def test_the_task_can_be_chosen(train, data, tmp_path):
    given = ["--ignore", "price", "--quiet"]
    assert train(data, "rooms", "--task", "regression", *given) == (0, "", "")
    model = TabularRegressor.load(tmp_path / "out" / "model.safetensors")
    assert set(metrics_of(tmp_path / "out")) == {"rmse", "mae", "r2", "num_samples"}
    assert model.predict(houses()[model.feature_names_in_].astype({"id": float})).max() <= 4

    frame = houses()
    frame["share"] = frame["rooms"] / 4
    path = tmp_path / "shares.csv"
    frame.to_csv(path, index=False)
    task = ["--task", "classification", "--overwrite"]
    assert train(path, "share", "--ignore", "rooms", *given, *task) == (0, "", "")
    model = TabularClassifier.load(tmp_path / "out" / "model.safetensors")
    assert model.classes_.tolist() == ["0.25", "0.5", "0.75", "1.0"]


@pytest.mark.parametrize(("name", "write"), FILES.values(), ids=FILES)
def test_a_table_makes_the_same_model_from_any_file(
    train, data, fastmlp_cli, tmp_path, monkeypatch, name, write
):
    monkeypatch.chdir(tmp_path)
    given = ["--target", "wanted", "--ignore", "price", "--preset", "fast", "--quiet"]
    assert train(data, "wanted", *given) == (0, "", "")
    expected = (tmp_path / "out" / "model.safetensors").read_bytes()
    path = tmp_path / name
    path.write_bytes(write(houses()))
    assert fastmlp_cli("train", path, *given) == (0, "", "")
    assert (tmp_path / "runs" / "a" / "model.safetensors").read_bytes() == expected
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
    assert fastmlp_cli("train", "-", *given) == (0, "", "")
    assert (tmp_path / "runs" / "stdin" / "model.safetensors").read_bytes() == expected


def test_options_reach_the_estimator(train, data, tmp_path):
    def model(*options):
        assert train(data, "rooms", "--quiet", "--overwrite", *options) == (0, "", "")
        return TabularClassifier.load(tmp_path / "out" / "model.safetensors")

    plain, again, other = model(), model("--n-jobs", 2), model("--seed", 3)
    assert plain.random_state == 1234
    assert other.random_state == 3
    parameters = [estimator.networks_[0].parameters for estimator in (plain, again, other)]
    np.testing.assert_array_equal(parameters[0], parameters[1])
    assert not np.array_equal(parameters[0], parameters[2])
    assert again.n_jobs == 2
    hurried = model("--max-time", 0.001)
    assert hurried.max_time == 0.001
    assert hurried.n_iter_ == 1
    assert len(model("--preset", "default", "--max-time", 0.001).networks_) == 8


@pytest.mark.parametrize("options", [["--max-time", 0.001], ["--preset", "lesson", "--epochs", 3]])
def test_json_is_what_the_folder_holds(train, tmp_path, options):
    path = tmp_path / "a.csv"
    houses()[["price", "pool", "wanted"]].to_csv(path, index=False)
    status, out, _ = train(path, "wanted", *options, "--json")
    assert status == 0
    assert out == (tmp_path / "out" / "metrics.json").read_text(encoding="utf-8")
    assert "test" in json.loads(out).get("network", json.loads(out))


def test_rows_without_a_target_are_left_out(train, tmp_path):
    frame = houses()
    frame.loc[::10, "price"] = np.nan
    path = tmp_path / "a.csv"
    frame.to_csv(path, index=False)
    status, out, err = train(path, "price", "--max-time", 0.001)
    assert (status, err) == (0, "")
    assert "rows      train 172, test 44, left out 24 without a target\n" in out


def test_rare_classes_are_trained_on(train, tmp_path):
    frame = houses()
    frame.loc[3, "wanted"] = "perhaps"
    path = tmp_path / "a.csv"
    frame.to_csv(path, index=False)
    assert train(path, "wanted", "--max-time", 0.001, "--quiet") == (0, "", "")
    scores = metrics_of(tmp_path / "out")
    assert scores["classes"]["perhaps"]["num_samples"] == 0
    assert 0 < scores["overall"]["roc_auc"] <= 1


def test_results_are_replaced_on_request_and_a_checkpoint_goes_with_them(train, data, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "checkpoint.safetensors").write_text("of the lesson")
    status, _, err = train(data, "rooms")
    assert status == 2
    assert err.startswith(f"fastmlp: error: {out} holds the results of a training: --overwrite")
    given = ["--overwrite", "--max-time", 0.001, "--quiet"]
    assert train(data, "rooms", *given) == (0, "", "")
    assert {path.name for path in out.iterdir()} == {
        "model.safetensors",
        "metrics.json",
        "history.png",
        "confusion_matrix.png",
    }


def codes(path):
    """Write codes that look like numbers, and a target that has no order in them."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"code": rng.permutation([f"{n:03}" for n in range(40)] * 10)})
    means = rng.permutation(40)
    frame["y"] = means[frame["code"].astype(int)] + rng.normal(0, 0.1, 400)
    frame.to_csv(path, index=False)
    return frame


def test_columns_of_categories_can_be_named(train, fastmlp_cli, tmp_path):
    path = tmp_path / "codes.csv"
    frame = codes(path)
    status, out, err = train(path, "y", "--categories", "code")
    assert (status, err) == (0, "")
    assert re.search(r"^code +category +0 +40 +40 inputs, one per level$", out, re.MULTILINE)
    model = TabularRegressor.load(tmp_path / "out" / "model.safetensors")
    assert model.categorical_features == ["code"]
    assert model._front.columns[0].levels[:2] == ("000", "001")
    assert model.score(frame[["code"]], frame["y"]) > 0.9
    model = tmp_path / "out" / "model.safetensors"
    assert json.loads(fastmlp_cli("evaluate", model, path, "--json")[1])["r2"] > 0.9


def test_names_of_categories_may_be_free_text_or_say_nothing(train, tmp_path):
    frame = houses()[["street", "country", "size", "price"]]
    path = tmp_path / "a.csv"
    frame.to_csv(path, index=False)
    given = ["--categories", "street", "--categories", "country", "--max-time", 0.001]
    status, out, err = train(path, "price", *given)
    assert (status, err) == (0, "")
    assert re.search(r"^street +category +0 +240 +99 inputs for the most frequent", out, re.M)
    model = TabularRegressor.load(tmp_path / "out" / "model.safetensors")
    assert model.categorical_features == ["street"]
    assert model.feature_names_in_.tolist() == ["street", "size"]


@pytest.mark.parametrize(
    ("target", "picture"), [("price", "predictions.png"), ("rooms", "confusion_matrix.png")]
)
def test_training_and_predictions_are_drawn(train, data, tmp_path, target, picture):
    status, out, err = train(data, target, "--ignore", "id", "--max-time", 0.001)
    assert (status, err) == (0, "")
    for name in ("history.png", picture):
        assert (tmp_path / "out" / name).read_bytes().startswith(b"\x89PNG")
        assert f"  {name} " in out
