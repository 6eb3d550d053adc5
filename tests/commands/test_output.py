"""The output of the commands, and their warning about a training that learned nothing."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastmlp.commands import lesson_steps
from fastmlp.data import make_spiral

FASTMLP = [sys.executable, "-m", "fastmlp"]
NAMES = ("κόκκινο", "是", "blau\\")
LESSON = ("--preset", "lesson")


@pytest.fixture
def data(tmp_path):
    X, arms = make_spiral(300, random_state=1)
    path = tmp_path / "spiral.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = [(*x, NAMES[arm]) for x, arm in zip(X.tolist(), arms, strict=True)]
        csv.writer(file).writerows([("a", "b", "farbe"), *rows])
    return path


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8"])
def test_names_that_an_encoding_lacks_are_printed_as_escapes(data, tmp_path, encoding):
    def run(*arguments):
        environment = os.environ | {"PYTHONIOENCODING": encoding}
        done = subprocess.run(
            [*FASTMLP, *map(str, arguments)], env=environment, capture_output=True, check=False
        )
        return done.returncode, done.stdout, done.stderr.decode(encoding)

    folder = tmp_path / "出力"
    status, out, err = run(
        "train", data, *LESSON, "--target", "farbe", "--epochs", 20, "--output", folder
    )
    assert (status, err) == (0, "")
    shown = [name.replace("\\", "\\\\") for name in NAMES]
    if encoding != "utf-8":
        shown = [name.encode(encoding, "backslashreplace").decode(encoding) for name in shown]
    classes = out.decode(encoding).splitlines()[1]
    assert classes.startswith("classes   ")
    assert all(f"{name} 100" in classes for name in shown)

    model = folder / "model.safetensors"
    status, out, err = run("predict", model, data)
    assert (status, err) == (0, "")
    header = out.decode("utf-8").splitlines()[0]  # data, which is UTF-8 everywhere
    assert sorted(header.split(",")[1:]) == sorted(f"probability_{name}" for name in NAMES)
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("a,b,farbe\n1,2,绿\n", encoding="utf-8")
    status, out, err = run("evaluate", model, wrong)
    assert (status, out) == (2, b"")
    green = "绿" if encoding == "utf-8" else r"\u7eff"
    assert f"class '{green}' in column 'farbe' is not one of" in err


@pytest.mark.parametrize("command", [[], ["train"], ["predict"]])
def test_help_needs_no_docstrings(command, fastmlp_cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    done = subprocess.run(
        [sys.executable, "-OO", "-m", "fastmlp", *command, "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == fastmlp_cli(*command, "--help")[1]


def train(fastmlp_cli, data, folder, *options):
    given = ["--target", "farbe", "--output", folder, "--quiet"]
    status, _, error = fastmlp_cli("train", data, *LESSON, *given, *options)
    assert status == 0
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return metrics["network"]["train"]["overall"]["accuracy"], error


@pytest.mark.parametrize("options", [[], ["--init", "auto"], ["--activation", "tanh"]], ids=str)
@pytest.mark.parametrize("hidden", ["100", "30,30,30,30,30"])
def test_the_defaults_train_any_depth(fastmlp_cli, data, tmp_path, hidden, options):
    accuracy, error = train(fastmlp_cli, data, tmp_path / "out", "--hidden", hidden, *options)
    assert accuracy > 0.9
    assert error == ""


@pytest.mark.parametrize(
    ("options", "cures"),
    [
        (["--init", "normal"], "another --learning-rate, --init auto or --optimizer adam"),
        (["--init-scale", "0.001", "--optimizer", "adam", "--epochs", "2"],
         "another --learning-rate or --init auto"),
        (["--learning-rate", "1e-9"], "another --learning-rate or --optimizer adam"),
    ],
    ids=lambda options: " ".join(options) if isinstance(options, list) else "",
)  # fmt: skip
def test_a_training_that_learned_nothing_says_so(fastmlp_cli, data, tmp_path, options, cures):
    deep = ["--hidden", "30,30,30,30,30"]
    accuracy, error = train(fastmlp_cli, data, tmp_path / "out", *deep, *options)
    assert accuracy <= 1 / 3 + 0.05
    assert error == (
        "fastmlp: warning: the network learned nothing: on the rows it was trained on, the same "
        f"answer for all of them would be as good; more --epochs, {cures} may help\n"
    )


def scores(counts, recalls):
    total = sum(counts)
    hits = sum(n * recall for n, recall in zip(counts, recalls, strict=True))
    classes = {
        str(c): {"num_samples": n, "recall": recall}
        for c, (n, recall) in enumerate(zip(counts, recalls, strict=True))
    }
    return {"overall": {"accuracy": hits / total}, "classes": classes}


@pytest.mark.parametrize(
    ("counts", "recalls", "nothing"),
    [
        ([50, 50], [1, 0], True),
        ([90, 10], [1, 0], True),
        ([90, 10], [0, 1], True),
        ([90, 10], [0.5, 0.5], True),
        ([90, 10], [0.8, 0.8], False),  # less accurate than one answer, but not useless
        ([90, 10], [1, 0.1], False),
        ([50, 50], [0.6, 0.6], False),
        ([30, 30, 30], [1, 0, 0], True),
        ([30, 30, 30], [0.2, 0.3, 0.4], True),
    ],
)
def test_what_learning_nothing_is(counts, recalls, nothing):
    assert lesson_steps.learned_nothing(scores(counts, recalls)) == nothing


def test_reading_options_reach_every_command(fastmlp_cli, tmp_path, rng):
    X = rng.standard_normal((60, 2))
    rows = [[*map(str, x), "yes" if x[0] > 0 else "no"] for x in X.tolist()]
    plain, german = tmp_path / "plain.csv", tmp_path / "german.csv"
    for path, mark, delimiter in ((plain, ".", ","), (german, ",", "\t")):
        lines = [delimiter.join(row).replace(".", mark) for row in [["a", "b", "farbe"], *rows]]
        path.write_text("\n".join(lines), encoding="utf-8")
    reading = ["--delimiter", r"\t", "--decimal", ",", "--missing", "?"]
    given = ["--target", "farbe", "--epochs", 5, "--quiet", "--output"]
    assert fastmlp_cli("train", plain, *LESSON, *given, tmp_path / "plain") == (0, "", "")
    assert fastmlp_cli("train", german, *LESSON, *given, tmp_path / "german", *reading) == (
        0,
        "",
        "",
    )
    models = [tmp_path / name / "model.safetensors" for name in ("plain", "german")]
    assert models[0].read_bytes() == models[1].read_bytes()
    for command in ("evaluate", "predict"):
        expected = fastmlp_cli(command, models[0], plain)
        assert expected[0] == 0
        assert fastmlp_cli(command, models[0], german, *reading) == expected
        status, _, error = fastmlp_cli(command, models[0], german)
        assert status == 2
        assert r"separated by tabs: give delimiter='\t' and decimal=','" in error
    german.write_text("a\tb\tfarbe\n1\t?\tyes\n", encoding="utf-8")
    for command in ("evaluate", "predict"):
        assert fastmlp_cli(command, models[0], german, *reading) == (
            2,
            "",
            f"fastmlp: error: {german} has 1 missing value in column 'b', first on line 2\n",
        )
    for option, value, message in [
        ("--delimiter", ";;", "delimiter must be one character"),
        ("--delimiter", "a", "delimiter must be one character"),
        ("--decimal", ";", "'--decimal': ';' is not one of '.', ','"),
        ("--decimal", ",", "delimiter and decimal must differ, got ',' for both"),
    ]:
        status, _, error = fastmlp_cli("predict", models[0], plain, option, value)
        assert status == 2
        assert message in error


def test_of_many_classes_the_worst_are_printed(fastmlp_cli, tmp_path, rng):
    n_classes = 80
    codes = np.repeat(np.arange(n_classes), 6)
    X = np.column_stack([codes % 9, codes // 9, rng.standard_normal(len(codes))])
    path = tmp_path / "many.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = [(*x, f"k{c:03}") for x, c in zip(X.tolist(), codes, strict=True)]
        csv.writer(file).writerows([("a", "b", "c", "kind"), *rows])
    given = ["--target", "kind", "--epochs", 100, "--output", tmp_path / "out"]
    status, out, error = fastmlp_cli("train", path, *LESSON, *given, "--optimizer", "adam")
    assert (status, error) == (0, "")
    assert re.search(r"^classes   k000 6, .* k019 6 and 60 more$", out, re.MULTILINE)
    assert "The 50 classes with the lowest F1 of 80:\n" in out
    shown = dict(re.findall(r"^(k\d{3}) +[\d.]+ +[\d.]+ +([\d.]+) +1$", out, re.MULTILINE))
    assert len(shown) == 50
    assert list(shown) == sorted(shown)
    metrics = json.loads(Path(tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))
    f1 = {k: score["f1"] for k, score in metrics["network"]["test"]["classes"].items()}
    assert len(f1) == n_classes
    others = [score for name, score in f1.items() if name not in shown]
    assert max(f1[name] for name in shown) <= min(others)
