"""The command line does its work, and shows its help."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from lesson_files import FASTMLP, read_csv, write_csv
from sklearn.metrics import accuracy_score, f1_score

import fastmlp
from fastmlp import __main__ as main
from fastmlp import cli
from fastmlp.model import Model

GOLDEN = Path(__file__).parents[2] / "docs" / "cli_help.txt"


def test_help_of_every_command_is_the_documented_one(fastmlp_cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    pages = []
    for command in ([], *([name] for name in cli.commands.commands)):
        status, out, err = fastmlp_cli(*command, "--help")
        assert (status, err) == (0, "")
        pages.append(f"$ {' '.join(['fastmlp', *command, '--help'])}\n{out}")
    text = "\n".join(pages)
    if not GOLDEN.exists() or GOLDEN.read_text(encoding="utf-8") != text:
        GOLDEN.write_text(text, encoding="utf-8")
        pytest.fail("docs/cli_help.txt differed from --help and was rewritten; see what changed")


def test_every_option_is_explained():
    for command in cli.commands.commands.values():
        assert command.help
        for option in command.params:
            assert option.param_type_name == "argument" or option.help, option.name


def test_no_command_shows_the_help(fastmlp_cli):
    assert fastmlp_cli() == fastmlp_cli("--help")


def test_the_module_runs_as_the_command_does():
    done = subprocess.run([*FASTMLP, "--version"], check=True, capture_output=True, text=True)
    assert done.stdout == f"fastmlp {fastmlp.__version__}\n"


def test_without_click_one_line_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "click", None)
    assert main.main() == 2
    assert capsys.readouterr().err == (
        "fastmlp: error: the command line needs click, which is not installed; "
        'install it with: pip install "fastmlp[all]"\n'
    )


def test_evaluate_prints_the_metrics_of_the_file(fastmlp_cli, spiral_csv, model_file):
    status, out, err = fastmlp_cli("evaluate", model_file, spiral_csv, "--json")
    assert (status, err) == (0, "")
    rows = read_csv(spiral_csv.read_text(encoding="utf-8"))
    labels = [row["color"] for row in rows]
    model = Model.load(model_file)
    codes = model.predict([[float(row["X1"]), float(row["X2"])] for row in rows])
    predicted = [model.class_names[code] for code in codes]
    overall = json.loads(out)["overall"]
    assert overall["num_samples"] == 1500
    assert overall["accuracy"] == pytest.approx(accuracy_score(labels, predicted), abs=1e-12)
    assert overall["f1"] == pytest.approx(f1_score(labels, predicted, average="weighted"))

    status, table, err = fastmlp_cli("evaluate", model_file, spiral_csv, "--target", "color")
    assert (status, err) == (0, "")
    assert re.search(rf"^accuracy +{overall['accuracy']:.3f}$", table, re.MULTILINE)


def test_evaluate_finds_columns_by_name_and_takes_some_of_the_classes(
    fastmlp_cli, model_file, tmp_path
):
    rows = [("c2", "text", 0.5, 0.1), ("c2", "text", 0.6, 0.2)]
    path = write_csv(tmp_path / "some.csv", ["arm", "note", "X2", "X1"], rows)
    status, out, err = fastmlp_cli("evaluate", model_file, path, "--target", "arm", "--json")
    assert (status, err) == (0, "")
    assert json.loads(out)["classes"]["c2"]["num_samples"] == 2


def test_predict_answers_each_row_with_class_and_probabilities(
    fastmlp_cli, model_file, tmp_path, rng
):
    X = rng.uniform(-1, 1, (20, 2))
    path = write_csv(tmp_path / "rows.csv", ["X2", "more", "X1"], [(b, "x", a) for a, b in X])
    status, out, err = fastmlp_cli("predict", model_file, path)
    assert (status, err) == (0, "")

    model = Model.load(model_file)
    answers = read_csv(out)
    names = [f"probability_{name}" for name in model.class_names]
    assert list(answers[0]) == ["class", *names]
    assert [row["class"] for row in answers] == [model.class_names[i] for i in model.predict(X)]
    probabilities = np.array([[row[name] for name in names] for row in answers], np.float32)
    np.testing.assert_array_equal(probabilities, model.predict_proba(X))

    done = fastmlp_cli("predict", model_file, path, "--output", tmp_path / "answers.csv")
    assert done == (0, "", "")
    assert (tmp_path / "answers.csv").read_text(encoding="utf-8") == out


def test_demo_in_json_is_what_the_folder_holds(fastmlp_cli, tmp_path):
    status, out, err = fastmlp_cli("demo", "--output", tmp_path / "lesson", "--json")
    assert (status, err) == (0, "")
    assert out == (tmp_path / "lesson" / "metrics.json").read_text(encoding="utf-8")
    assert json.loads(out)["network"]["test"]["overall"]["accuracy"] > 0.9


def test_demo_teaches_and_writes(fastmlp_cli, tmp_path):
    status, out, err = fastmlp_cli("demo", "--output", tmp_path / "lesson", "--seed", 2)
    assert (status, err) == (0, "")
    assert out.startswith("1. Look at the data")
    assert (tmp_path / "lesson" / "metrics.json").exists()


def test_demo_speaks_the_chosen_language(fastmlp_cli, tmp_path, monkeypatch):
    spoken = []
    monkeypatch.setattr(cli.lesson, "run", lambda *arguments: spoken.append(arguments))
    for options in ([], ["--lang", "zh"], ["--lang", "en", "--seed", 7]):
        assert fastmlp_cli("demo", "--output", tmp_path, *options) == (0, "", "")
    assert spoken == [(tmp_path, 1234, "en"), (tmp_path, 1234, "zh"), (tmp_path, 7, "en")]


def test_demo_writes_a_notebook_once(fastmlp_cli, tmp_path):
    status, out, err = fastmlp_cli("demo", "--notebook", "--output", tmp_path)
    assert (status, err) == (0, "")
    assert re.fullmatch(
        rf"Written to {re.escape(str(tmp_path))}:\n  lesson\.ipynb +[\d.]+ kB\n", out
    )

    notebook = tmp_path / "lesson.ipynb"
    written = notebook.read_bytes()
    assert fastmlp_cli("demo", "--notebook", "--lang", "zh", "--output", tmp_path) == (
        2,
        "",
        f"fastmlp: error: {notebook} exists: move it away, or choose another folder\n",
    )
    assert notebook.read_bytes() == written


def test_a_broken_pipe_ends_quietly(model_file, tmp_path):
    path = write_csv(tmp_path / "long.csv", ["X1", "X2"], [(0.5, 0.5)] * 20_000)
    with subprocess.Popen(
        [*FASTMLP, "predict", model_file, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline().startswith(b"class,")
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_a_bug_is_one_line_too(fastmlp_cli, tmp_path, monkeypatch):
    def broken(folder, seed, language):
        raise RuntimeError("it broke\nin two lines")

    monkeypatch.setattr(cli.lesson, "run", broken)
    assert fastmlp_cli("demo", "--output", tmp_path) == (
        1,
        "",
        "fastmlp: error: a bug of fastmlp: RuntimeError: it broke in two lines\n",
    )
