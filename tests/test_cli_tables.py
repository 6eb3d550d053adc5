"""The command line trains on tables as people have them."""

import gzip
import io
import json
import re
import sys

import numpy as np
import pandas as pd
import pytest

from fastmlp import TabularClassifier, TabularRegressor

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
        "{file} has text values in column 'b', such as 'x'; --task regression needs numbers",
    ),
    "names": (
        "a,b\n" + "".join(f"{i},x{i}\n" for i in range(40)),
        ["b"],
        "{file} has 40 different values in the 40 rows of column 'b'; expected classes, each with "
        "several rows, or numbers",
    ),
    "infinite": (CSV.replace("39\n", "inf\n"), ["c"], "{file} has an infinite number in column"),
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


def test_ctrl_c_leaves_no_folder(train, data, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(TabularClassifier, "fit", interrupt)
    assert train(data, "rooms", "--quiet") == (130, "", "fastmlp: error: interrupted\n")
    assert not (tmp_path / "out").exists()
