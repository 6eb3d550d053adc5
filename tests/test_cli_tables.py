"""The command line trains on tables as people have them."""

import csv
import gzip
import io
import json
import re
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import (
    log_loss,
    mean_absolute_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)

from fastmlp import MLP, MLPClassifier, TabularClassifier, TabularRegressor, cli
from fastmlp.model import Model

N_ROWS = 240


def houses(seed=0):
    """Return houses whose price follows from size, heating and age, with missing values."""
    rng = np.random.default_rng(seed)
    days = rng.integers(0, 20_000, N_ROWS)
    frame = pd.DataFrame(
        {
            "id": [f"{i:04}" for i in range(N_ROWS)],
            "size": rng.normal(120, 40, N_ROWS).round(1),
            "heating": rng.choice(["gas", "oil", "wood"], N_ROWS),
            "built": pd.Timestamp("2020-01-01") - pd.to_timedelta(days, "D"),
            "pool": rng.choice([True, False], N_ROWS),
            "street": [f"{i} Main Street" for i in range(N_ROWS)],
            "country": "FR",
        }
    )
    price = 2 * frame["size"] + 80 * (frame["heating"] == "gas") - days / 200
    frame["price"] = (price + rng.normal(0, 5, N_ROWS)).round(2)
    frame["rooms"] = pd.cut(frame["size"], [-1e9, 90, 120, 150, 1e9], labels=False) + 1
    frame["wanted"] = np.where(frame["price"] > frame["price"].median(), "yes", "no")
    frame.loc[::7, "size"] = np.nan
    frame.loc[::5, "heating"] = None
    return frame


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return a file of houses."""
    path = tmp_path_factory.mktemp("data") / "houses.csv"
    houses().to_csv(path, index=False)
    return path


@pytest.fixture
def train(fastmlp_cli, tmp_path):
    """Train one network on a file, into the folder "out"."""

    def call(path, target, *options):
        fixed = ["--target", target, "--preset", "fast", "--output", tmp_path / "out"]
        return fastmlp_cli("train", path, *fixed, *options)

    return call


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


def german(frame):
    frame = frame.assign(built=frame["built"].dt.strftime("%d.%m.%Y"))
    return frame.to_csv(index=False, sep=";", decimal=",").encode("cp1252")


def parquet(frame):
    file = io.BytesIO()
    frame.assign(id=frame["id"].astype(int)).to_parquet(file)
    return file.getvalue()


FILES = {
    "gzip": ("a.csv.gz", lambda frame: gzip.compress(frame.to_csv(index=False).encode())),
    "German": ("a.csv", german),
    "tabs": ("a.tsv", lambda frame: frame.to_csv(index=False, sep="\t").encode()),
    "UTF-16": ("a.txt", lambda frame: frame.to_csv(index=False).encode("utf-16")),
    "Parquet": ("a.parquet", parquet),
}


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
    assert len(model("--preset", "default", "--max-time", 0.001).networks_) == 5


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
    assert {path.name for path in out.iterdir()} == {"model.safetensors", "metrics.json"}


CSV = "a,b,c\n" + "".join(f"{i / 7},{'xy'[i % 2]},{i}\n" for i in range(40))
BAD_TRAINING = {
    "target": (CSV, ["d"], "{file} has no column 'd'; its columns are 'a', 'b', 'c'"),
    "ignored": (CSV, ["a", "--ignore", "d"], "{file} has no column 'd'; its columns are"),
    "both": (CSV, ["a", "--ignore", "a"], "--ignore names the column of --target"),
    "no features": (
        CSV,
        ["a", "--ignore", "b", "--ignore", "c"],
        "{file} has no column to learn from beside 'a'",
    ),
    "no rows": ("a,b\n", ["a"], "{file} has no rows below its header"),
    "no targets": ("a,b\n1,\n2,\n", ["b"], "{file} has no value in column 'b'"),
    "one value": (
        "a,b\n1,x\n2,x\n",
        ["b"],
        "{file} has only one value in column 'b', 'x'; expected at least two",
    ),
    "few rows": (
        "a,b\n1,0.5\n2,1.5\n3,0.7\n",
        ["b"],
        "{file} has 3 rows with a target; expected at least 5, of which one is held out for the "
        "scores",
    ),
    "constant": (
        "a,b\n" + "".join(f"1,{i / 7}\n" for i in range(40)),
        ["b"],
        "{file} has no column to learn from: each has one value at most",
    ),
    "text": (
        CSV,
        ["b", "--task", "regression"],
        "{file} has text values in column 'b', such as 'x'; a regression needs numbers",
    ),
    "names": (
        "a,b\n" + "".join(f"{i},x{i}\n" for i in range(40)),
        ["b"],
        "{file} has 40 different values in the 40 rows of column 'b'; expected classes, each with "
        "several rows, or numbers",
    ),
    "infinite": (CSV.replace("39\n", "inf\n"), ["c"], "{file} has an infinite number in column"),
    "infinite feature": (
        CSV.replace("39\n", "inf\n"),
        ["a"],
        "{file}: Input X contains infinity in column 'c'",
    ),
    "free text": (
        "a,b\n" + "".join(f"x{i},{i / 7}\n" for i in range(40)),
        ["b"],
        "{file}: X has no column to learn from",
    ),
    "lesson's": (CSV, ["b", "--hidden", "3"], "--hidden needs --preset lesson"),
    "resume": (CSV, ["b", "--resume"], "--resume needs --preset lesson"),
    "task": (
        CSV,
        ["b", "--preset", "lesson", "--task", "regression"],
        "--task is not for --preset lesson",
    ),
    "ignore": (
        CSV,
        ["b", "--preset", "lesson", "--ignore", "a"],
        "--ignore is not for --preset lesson",
    ),
    "time": (
        CSV,
        ["b", "--preset", "lesson", "--max-time", "3"],
        "--max-time is not for --preset lesson",
    ),
    "encoding": (
        CSV,
        ["b", "--preset", "lesson", "--encoding", "utf-8"],
        "--encoding is not for the lesson's network, which reads UTF-8",
    ),
    "no encoding": (CSV, ["b", "--encoding", "hex"], "'hex' is not the name of an encoding"),
    "no time": (CSV, ["b", "--max-time", "0"], "'--max-time': 0.0 is not in the range x>0"),
    "preset": (CSV, ["b", "--preset", "huge"], "'--preset': 'huge' is not one of"),
}


@pytest.mark.parametrize(("text", "options", "message"), BAD_TRAINING.values(), ids=BAD_TRAINING)
def test_bad_input_ends_with_status_2_and_one_line(train, tmp_path, text, options, message):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    status, out, err = train(path, *options)
    assert (status, out) == (2, "")
    assert re.fullmatch(r"fastmlp: error: [^\n]+\n", err)
    assert message.format(file=path) in err
    assert not (tmp_path / "out").exists()


def test_a_parquet_file_that_cannot_be_read_is_refused(train, tmp_path):
    path = tmp_path / "bad.parquet"
    path.write_text(CSV)
    status, out, err = train(path, "b")
    assert (status, out) == (2, "")
    assert err.startswith(f"fastmlp: error: {path} is no readable Parquet file: ")
    assert err.count("\n") == 1


def test_columns_that_no_estimator_reads_are_refused(train, fastmlp_cli, models, tmp_path):
    path = tmp_path / "nested.parquet"
    frame = houses().assign(size=[[1, 2]] * N_ROWS)
    frame.to_parquet(path)
    for done in (train(path, "price"), fastmlp_cli("predict", models["price"], path)):
        assert done[:2] == (2, "")
        assert done[2].startswith(f"fastmlp: error: {path}: each value of column 'size' of X must")


def test_ctrl_c_leaves_no_folder(train, data, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(TabularClassifier, "fit", interrupt)
    assert train(data, "rooms", "--quiet") == (130, "", "fastmlp: error: interrupted\n")
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def models(data, tmp_path_factory):
    """Return the model files of a classifier and of a regressor."""
    folder = tmp_path_factory.mktemp("models")
    for target, other in (("wanted", "price"), ("price", "wanted")):
        given = ["--target", target, "--ignore", other, "--ignore", "id", "--preset", "fast"]
        given += ["--quiet", "--output", folder / target]
        assert cli.run([str(argument) for argument in ["train", data, *given]]) == 0
    return {name: folder / name / "model.safetensors" for name in ("wanted", "price")}


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


@pytest.mark.parametrize(("name", "write"), FILES.values(), ids=FILES)
def test_predictions_are_those_of_the_estimator(fastmlp_cli, models, tmp_path, name, write):
    path = tmp_path / name
    path.write_bytes(write(houses(seed=1)))
    frame = houses(seed=1)

    status, out, err = fastmlp_cli("predict", models["wanted"], path)
    assert (status, err) == (0, "")
    model = TabularClassifier.load(models["wanted"])
    X = frame[model.feature_names_in_]
    header, *rows = csv.reader(io.StringIO(out))
    assert header == ["class", "probability_no", "probability_yes"]
    assert [row[0] for row in rows] == model.predict(X).tolist()
    probabilities = np.array([row[1:] for row in rows], dtype=float)
    np.testing.assert_array_equal(probabilities, model.predict_proba(X))

    status, out, err = fastmlp_cli("predict", models["price"], path)
    assert (status, err) == (0, "")
    header, *rows = out.splitlines()
    assert header == "prediction"
    model = TabularRegressor.load(models["price"])
    assert [float(row) for row in rows] == model.predict(X).tolist()


def test_columns_are_kept_as_the_file_writes_them(fastmlp_cli, data, models, tmp_path):
    output = tmp_path / "answers.csv"
    given = ["--keep", "id", "--keep", "heating", "--keep", "built", "--output", output]
    assert fastmlp_cli("predict", models["price"], data, *given) == (0, "", "")
    answers = pd.read_csv(output, dtype=str, keep_default_na=False)
    frame = houses()
    assert list(answers) == ["id", "heating", "built", "prediction"]
    assert answers["id"].tolist() == frame["id"].tolist()
    assert answers["heating"].tolist() == frame["heating"].fillna("").tolist()
    assert answers["built"].tolist() == frame["built"].astype(str).tolist()


def test_missing_values_stop_no_prediction(fastmlp_cli, models, tmp_path):
    names = TabularRegressor.load(models["price"]).feature_names_in_.tolist()
    path = tmp_path / "empty.csv"
    path.write_text(f"{','.join(names)}\n" + f"{',' * (len(names) - 1)}\n" * 2)
    for name in models:
        status, out, err = fastmlp_cli("predict", models[name], path)
        assert (status, err) == (0, "")
        first, second = out.splitlines()[1:]
        assert first == second


def test_categories_that_look_like_numbers_are_found_again(train, fastmlp_cli, tmp_path):
    """A file to predict from may have those alone that pandas would make numbers of."""
    frame = pd.DataFrame({"code": ["007", "7", "x", "1e3"] * 30, "y": [0.5, 1.5, 2.5, 3.5] * 30})
    path = tmp_path / "a.csv"
    frame.to_csv(path, index=False)
    assert train(path, "y", "--quiet") == (0, "", "")
    model = tmp_path / "out" / "model.safetensors"
    path.write_text("code\n007\n7\n1e3\n")
    status, out, err = fastmlp_cli("predict", model, path)
    assert (status, err) == (0, "")
    answers = [float(line) for line in out.splitlines()[1:]]
    assert answers == pytest.approx([0.5, 1.5, 3.5], abs=0.4)


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


def test_the_lesson_keeps_columns_too(fastmlp_cli, tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("id,a,b\n01,1,2\n02,2,3\n")
    model = tmp_path / "model.safetensors"
    Model(MLP([2, 2], seed=0), [0, 0], [1, 1], "ab", ["no", "yes"]).save(model)
    plain = fastmlp_cli("predict", model, path)
    assert plain[::2] == (0, "")
    kept = ["id", "01", "02"]
    expected = [f"{a},{b}" for a, b in zip(kept, plain[1].splitlines(), strict=True)]
    status, out, err = fastmlp_cli("predict", model, path, "--keep", "id")
    assert (status, out.splitlines(), err) == (0, expected, "")


def other_models(tmp_path):
    """Write estimators that the command line does not take."""
    X, y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60.0)
    quick = {"max_iter": 1, "hidden_layer_sizes": (2,)}
    frame = pd.DataFrame(X, columns=["a", "b"])
    estimators = {
        "array": TabularRegressor("fast", **quick).fit(X, y),
        "two": TabularRegressor("fast", **quick).fit(frame, np.column_stack([y, y])),
        "nameless": TabularRegressor("fast", **quick).fit(frame, y),
    }
    with pytest.warns(ConvergenceWarning):
        estimators["sklearn"] = MLPClassifier(**quick).fit(X, y > 30)
    paths = {name: tmp_path / f"{name}.safetensors" for name in estimators}
    for name, estimator in estimators.items():
        estimator.save(paths[name])
    return paths


BAD_USE = {
    "array": ("predict", "array", [], "{model} holds no names of columns: it was trained on an"),
    "outputs": ("predict", "two", [], "{model} predicts several numbers per row; expected one"),
    "other": (
        "evaluate",
        "sklearn",
        [],
        "{model} holds a MLPClassifier; expected one of TabularClassifier, TabularRegressor",
    ),
    "nameless": ("evaluate", "nameless", [], "{model} names no target; --target is needed"),
    "no columns": ("predict", "nameless", [], "{data} has no column 'a'; its columns are 'id',"),
    "keep": ("predict", "price", ["--keep", "x"], "{data} has no column 'x'; its columns are"),
    "kept twice": (
        "predict",
        "price",
        ["--keep", "id", "--keep", "id"],
        "--keep must name other columns than those of the predictions, each once: got id, id, p",
    ),
    "target": ("evaluate", "price", ["--target", "x"], "{data} has no column 'x'; its columns"),
    "text": (
        "evaluate",
        "price",
        ["--target", "wanted"],
        "{data} has text values in column 'wanted', such as 'yes'; a regression needs numbers",
    ),
    "classes": (
        "evaluate",
        "wanted",
        ["--target", "heating"],
        "{data} has class '{heating}' in column 'heating', which is not one of 'no', 'yes'",
    ),
}


@pytest.mark.parametrize(("command", "model", "options", "message"), BAD_USE.values(), ids=BAD_USE)
def test_bad_use_of_models_ends_with_status_2_and_one_line(
    fastmlp_cli, data, models, tmp_path, command, model, options, message
):
    path = (models | other_models(tmp_path))[model]
    status, out, err = fastmlp_cli(command, path, data, *options)
    assert (status, out) == (2, "")
    assert re.fullmatch(r"fastmlp: error: [^\n]+\n", err)
    heating = houses()["heating"].dropna().iloc[0]
    assert message.format(model=path, data=data, heating=heating) in err


def test_text_in_a_column_of_numbers_is_refused(fastmlp_cli, models, tmp_path):
    path = tmp_path / "a.csv"
    frame = houses()
    frame["size"] = frame["size"].astype(object)
    frame.loc[5, "size"] = "big"
    frame.to_csv(path, index=False)
    status, out, err = fastmlp_cli("predict", models["price"], path)
    assert (status, out) == (2, "")
    assert err == (
        f"fastmlp: error: {path} has text in column 'size', which had numbers or dates in "
        "training, such as 'big'; --missing names marks of missing values\n"
    )
