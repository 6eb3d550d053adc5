"""The command line does its work, and reports errors in one line."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

import fastmlp
from fastmlp import MLP, SGD, cli
from fastmlp import __main__ as main
from fastmlp.checkpoint import Checkpoint
from fastmlp.commands import lesson_train
from fastmlp.data import make_spiral
from fastmlp.model import Model

GOLDEN = Path(__file__).parents[2] / "docs" / "cli_help.txt"
FASTMLP = [sys.executable, "-m", "fastmlp"]
LESSON = ("--preset", "lesson")


def write_csv(path, header, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def read_csv(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(scope="module")
def spiral_csv(tmp_path_factory):
    X, arms = make_spiral(random_state=1)
    rows = [(*x, f"c{arm + 1}") for x, arm in zip(X.tolist(), arms, strict=True)]
    return write_csv(tmp_path_factory.mktemp("data") / "spiral.csv", ["X1", "X2", "color"], rows)


@pytest.fixture(scope="module")
def trained(spiral_csv, tmp_path_factory):
    """Folder of a training with the default options."""
    folder = tmp_path_factory.mktemp("trained")
    arguments = ["train", spiral_csv, *LESSON, "--target", "color", "--output", folder, "--quiet"]
    assert cli.run([str(argument) for argument in arguments]) == 0
    return folder


@pytest.fixture
def model_file(trained):
    return trained / "model.safetensors"


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


@pytest.mark.parametrize(("module", "what"), [("matplotlib", "training"), ("tqdm", "progress bar")])
def test_training_needs_its_extras_before_it_starts(
    fastmlp_cli, spiral_csv, tmp_path, monkeypatch, module, what
):
    monkeypatch.setitem(sys.modules, module, None)
    status, _, err = fastmlp_cli(
        "train", spiral_csv, *LESSON, "--target", "color", "--output", tmp_path
    )
    assert status == 2
    assert re.fullmatch(rf"fastmlp: error: .*{what} needs {module}, .*fastmlp\[all\]\"\n", err)
    assert list(tmp_path.iterdir()) == []


def test_training_with_the_defaults_solves_the_spiral(trained):
    assert {path.name for path in trained.iterdir()} == {
        "checkpoint.safetensors",
        "confusion_matrix.png",
        "decision_boundary.png",
        "history.png",
        "metrics.json",
        "model.safetensors",
    }
    metrics = json.loads((trained / "metrics.json").read_text(encoding="utf-8"))["network"]
    assert metrics["test"]["overall"]["accuracy"] >= 0.97
    assert metrics["test"]["overall"]["f1"] >= 0.97
    assert [scores["overall"]["num_samples"] for scores in metrics.values()] == [1050, 225, 225]

    model = Model.load(trained / "model.safetensors")
    assert model.network.layer_sizes == (2, 100, 3)
    assert model.network.dtype == "float32"
    assert model.target == "color"


def test_training_reports_what_it_read_did_and_wrote(fastmlp_cli, spiral_csv, tmp_path):
    status, out, err = fastmlp_cli(
        "train",
        spiral_csv,
        *LESSON,
        "--target",
        "color",
        "--output",
        tmp_path / "out",
        "--epochs",
        5,
    )
    assert (status, err) == (0, "")
    assert "1500 rows, 2 features" in out
    assert "c1 500, c2 500, c3 500" in out
    assert "train 1050, validation 225, test 225" in out
    assert "2 -> 100 -> 3, 603 parameters, float32" in out
    assert set(re.findall(r"^  (\S+) +[\d.]+ kB$", out, re.MULTILINE)) == {
        path.name for path in (tmp_path / "out").iterdir()
    }


def test_quiet_training_prints_nothing_and_writes_to_the_default_folder(
    fastmlp_cli, spiral_csv, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    done = fastmlp_cli("train", spiral_csv, *LESSON, "--target", "color", "--epochs", 1, "--quiet")
    assert done == (0, "", "")
    assert (tmp_path / "runs" / "spiral" / "model.safetensors").exists()


def test_training_obeys_its_options(fastmlp_cli, tmp_path, rng):
    X = rng.standard_normal((60, 3))
    rows = [(*x, "yes" if x[0] > 0 else "no") for x in X.tolist()]
    path = write_csv(tmp_path / "three.csv", ["a", "b", "c", "positive"], rows)
    out = tmp_path / "out"
    status, _, err = fastmlp_cli(
        *(
            "train",
            path,
            *LESSON,
            "--target",
            "positive",
            "--output",
            out,
            "--quiet",
            "--epochs",
            20,
        ),
        *("--hidden", "7,5", "--activation", "tanh", "--init", "auto", "--dtype", "float64"),
        *("--optimizer", "sgd", "--learning-rate", 0.1, "--momentum", 0.9, "--nesterov"),
        *("--batch-size", 8, "--class-weight", "balanced", "--fractions", "0.5,0.25,0.25"),
        *("--seed", 3, "--n-jobs", 1),
    )
    assert (status, err) == (0, "")
    model = Model.load(out / "model.safetensors")
    assert model.network.layer_sizes == (3, 7, 5, 2)
    assert model.network.activation == "tanh"
    assert model.network.dtype == "float64"
    assert model.feature_names == ("a", "b", "c")
    assert set(model.class_names) == {"yes", "no"}
    metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))["network"]
    assert [scores["overall"]["num_samples"] for scores in metrics.values()] == [30, 15, 15]
    assert metrics["train"]["overall"]["accuracy"] > 0.9
    assert not (out / "decision_boundary.png").exists()  # three features make no plane


@pytest.mark.parametrize(
    "options",
    [
        ["--seed", "2"],
        ["--hidden", "50"],
        ["--activation", "tanh"],
        ["--init", "he_normal"],
        ["--init-scale", "0.1"],
        ["--dtype", "float64"],
        ["--optimizer", "adam"],
        ["--optimizer", "adamw"],
        ["--learning-rate", "0.5"],
        ["--momentum", "0.5"],
        ["--epochs", "4"],
        ["--batch-size", "100"],
        ["--fractions", "0.6,0.2,0.2"],
    ],
    ids=lambda options: options[0],
)
def test_each_option_reaches_the_network(fastmlp_cli, spiral_csv, tmp_path, monkeypatch, options):
    models = []

    def keep(folder, model, *_):
        models.append(model)
        return []

    monkeypatch.setattr(lesson_train, "write_results", keep)
    common = ("train", spiral_csv, *LESSON, "--target", "color", "--output", tmp_path, "--quiet")
    for extra in ([], [], options):
        assert fastmlp_cli(*common, "--overwrite", "--epochs", 3, *extra)[:2] == (0, "")

    plain, again, changed = (model.network.parameters for model in models)
    np.testing.assert_array_equal(again, plain)
    assert not np.array_equal(changed, plain)


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


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT between processes")
@pytest.mark.usefixtures("sigint")
def test_ctrl_c_in_training_ends_with_130_and_one_line(spiral_csv, tmp_path):
    options = ["--target", "color", "--epochs", str(10**9), "--output", tmp_path / "out"]
    with subprocess.Popen(
        [*FASTMLP, "train", spiral_csv, *LESSON, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        while not process.stdout.readline().startswith(b"network"):
            pass
        process.send_signal(signal.SIGINT)
        message = process.stderr.read().decode()
    assert re.fullmatch(
        r"fastmlp: error: interrupted after \d+ of 1000000000 epochs: "
        r"the same command with --resume continues\n",
        message,
    )
    assert process.returncode == 130
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["checkpoint.safetensors"]


def assert_same_model(folder, other):
    for name in ("model.safetensors", "metrics.json"):
        assert (folder / name).read_bytes() == (other / name).read_bytes()


def test_a_training_that_was_interrupted_or_has_ended_goes_on(
    spiral_csv, tmp_path, fastmlp_cli, monkeypatch
):
    def train(folder, *options, epochs=60):
        given = ["--target", "color", "--optimizer", "adam", "--batch-size", 50, "--dropout", 0.1]
        return fastmlp_cli(
            "train", spiral_csv, *LESSON, *given, "--epochs", epochs, "--output", folder, *options
        )

    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert train(whole)[0] == 0

    with monkeypatch.context() as patch:

        def interrupt(epoch):
            if epoch.epoch == 23:
                raise KeyboardInterrupt

        patch.setattr(
            "fastmlp.commands.lesson_train.progress_bar", lambda epochs: nullcontext(interrupt)
        )
        status, _, error = train(parts)
    assert status == 130
    made = "fastmlp: error: interrupted after 22 of 60 epochs: "
    assert error == f"{made}the same command with --resume continues\n"
    assert train(parts, "--hidden", 7, "--resume")[0] == 2
    status, out, _ = train(parts, "--resume")

    assert status == 0
    assert_same_model(parts, whole)
    assert out.replace(str(parts), str(whole)) == train(whole, "--overwrite")[1]

    longer = tmp_path / "longer"
    assert train(longer, epochs=90)[0] == 0
    assert train(whole, "--resume", epochs=90)[0] == 0
    assert_same_model(whole, longer)
    assert train(whole, "--resume", epochs=90)[0] == 0  # nothing more to do
    assert_same_model(whole, longer)
    assert train(whole, "--resume", epochs=80) == (
        2,
        "",
        f"fastmlp: error: {whole / 'checkpoint.safetensors'} has 90 epochs, and the command asks "
        "for 80\n",
    )


def test_resuming_wants_the_same_training(spiral_csv, tmp_path, fastmlp_cli):
    def train(*options):
        return fastmlp_cli(
            "train", spiral_csv, *LESSON, "--target", "color", "--output", tmp_path, *options
        )

    path = tmp_path / "checkpoint.safetensors"
    assert train("--resume") == (2, "", f"fastmlp: error: {path}: No such file or directory\n")
    network = MLP([2, 100, 3], init="normal", init_scale=0.01, seed=1234)
    Checkpoint(network, SGD(1.0), 1234).save(path)
    status, _, error = train("--learning-rate", 0.5, "--resume")
    assert (status, error) == (
        2,
        f"fastmlp: error: {path} is of SGD(learning_rate=1.0, momentum=0.0, nesterov=False), and "
        "the command asks for SGD(learning_rate=0.5, momentum=0.0, nesterov=False)\n",
    )
    status, _, error = train("--seed", 7, "--resume")
    assert (status, error) == (
        2,
        f"fastmlp: error: {path} is of 1234, and the command asks for 7\n",
    )


TRAIN = ["train", "{spiral}", *LESSON, "--target", "color", "--output", "{tmp}/out"]
BAD_INPUT = {
    "command": (["trian"], "No such command 'trian'"),
    "option": (["train", "--traget", "x"], "No such option.*--traget"),
    "argument": (["predict"], "Missing argument 'MODEL'"),
    "target": (["train", "{spiral}"], "Missing option '--target'"),
    "no file": (["train", "none.csv", "--target", "a"], "'FILE': File 'none.csv' does not exist"),
    "folder": (["train", "{tmp}", *LESSON, "--target", "a"], "'FILE': File '{tmp}' is a directory"),
    "column": (["train", "{spiral}", *LESSON, "--target", "colour"], "no column 'colour'.*'color'"),
    "text": (["train", "{text}", *LESSON, "--target", "b"], "'a'.*'ten'"),
    "not text": (["train", "{model}", *LESSON, "--target", "b"], "{model}"),
    "one class": (["train", "{same}", *LESSON, "--target", "b"], "class"),
    "hidden": ([*TRAIN, "--hidden", "10,0"], "'--hidden': '10,0' is not integers > 0 separated"),
    "hidden text": ([*TRAIN, "--hidden", "ten"], "'--hidden': 'ten' is not integers > 0"),
    "activation": ([*TRAIN, "--activation", "step"], "'--activation': 'step' is not one of"),
    "init scale": ([*TRAIN, "--init-scale", "-1"], "init_scale"),
    "rate": ([*TRAIN, "--learning-rate", "0"], "learning_rate"),
    "infinite rate": ([*TRAIN, "--learning-rate", "inf"], "learning_rate"),
    "rate text": ([*TRAIN, "--learning-rate", "fast"], "'--learning-rate': 'fast' is not a valid"),
    "momentum": ([*TRAIN, "--momentum", "1.5"], "momentum"),
    "adam": ([*TRAIN, "--optimizer", "adam", "--momentum", "0.5"], "need --optimizer sgd"),
    "nesterov": ([*TRAIN, "--nesterov"], "nesterov"),
    "sgd decay": ([*TRAIN, "--weight-decay", "0.1"], "--weight-decay needs --optimizer adamw"),
    "decay": ([*TRAIN, "--optimizer", "adamw", "--weight-decay", "-1"], "weight_decay is -1"),
    "dropout": ([*TRAIN, "--dropout", "1"], "'--dropout': 1.0 is not in the range 0<=x<1"),
    "epochs": ([*TRAIN, "--epochs", "0"], "'--epochs': 0 is not in the range x>=1"),
    "huge epochs": ([*TRAIN, "--epochs", str(2**63)], f"'--epochs': {2**63} is greater than"),
    "batch": ([*TRAIN, "--batch-size", "-5"], "'--batch-size': -5 is not in the range"),
    "huge batch": ([*TRAIN, "--batch-size", "9" * 30], "'--batch-size': 9+ is greater than"),
    "fractions": ([*TRAIN, "--fractions", "0.7,0.3"], "--fractions: must be three numbers"),
    "sum": ([*TRAIN, "--fractions", "0.7,0.3,0.3"], "that sum to 1, got 0.7, 0.3, 0.3"),
    "jobs": ([*TRAIN, "--n-jobs", "0"], "'--n-jobs': 0 is neither from 1"),
    "huge jobs": ([*TRAIN, "--n-jobs", "-65537"], "'--n-jobs': -65537 is neither"),
    "seed": ([*TRAIN, "--seed", "-1"], "'--seed': -1 is not in the range"),
    "size": ([*TRAIN, "--hidden", "16777216,16777216"], "memory"),
    "width": ([*TRAIN, "--hidden", "10,16777217"], "'--hidden': 16777217 is greater than 16777216"),
    "divergence": ([*TRAIN, "--learning-rate", "1e30"], "finite|diverge"),
    "output": (
        ["train", "{spiral}", *LESSON, "--target", "color", "--output", "{spiral}"],
        "is a file",
    ),
    "output below": (
        ["train", "{spiral}", *LESSON, "--target", "color", "--output", "{spiral}/out"],
        "{spiral}/out: Not a directory",
    ),
    "demo output": (["demo", "--output", "{spiral}/out"], "{spiral}/out: Not a directory"),
    "language": (["demo", "--lang", "fr"], "'--lang': 'fr' is not one of 'en', 'zh'"),
    "not a model": (["evaluate", "{spiral}", "{spiral}"], "{spiral} is not a model file"),
    "damaged model": (["predict", "{damaged}", "{spiral}"], "{damaged} is not a model file"),
    "no model": (
        ["predict", "{tmp}/none", "{spiral}"],
        "'MODEL': File '{tmp}/none' does not exist",
    ),
    "features": (["predict", "{model}", "{text}"], "{text}.*no column 'X1'"),
    "class": (["evaluate", "{model}", "{other}"], "{other}.*'c9'"),
    "far": (
        ["predict", "{model}", "{far}"],
        "{far}, row 1 below the header: feature 'X2' is 1e.60, not",
    ),
    "predict output": (
        ["predict", "{model}", "{spiral}", "--output", "{tmp}/none/answers.csv"],
        "{tmp}/none/answers.csv",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_bad_input_ends_with_status_2_and_one_line(
    fastmlp_cli, spiral_csv, model_file, tmp_path, arguments, message
):
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(model_file.read_bytes()[:-1])
    places = {
        "spiral": spiral_csv,
        "model": model_file,
        "tmp": tmp_path,
        "damaged": damaged,
        "text": write_csv(tmp_path / "text.csv", "ab", [(1, "x"), ("ten", "y")]),
        "same": write_csv(tmp_path / "same.csv", "ab", [(1, "x"), (2, "x")]),
        "other": write_csv(tmp_path / "other.csv", ["X1", "X2", "color"], [(0, 0, "c9")]),
        "far": write_csv(tmp_path / "far.csv", ["X1", "X2"], [(0, 1e60)]),
    }
    patterns = {name: re.escape(str(path)) for name, path in places.items()}
    status, _, err = fastmlp_cli(*(argument.format(**places) for argument in arguments))

    assert status == 2
    assert re.fullmatch(r"fastmlp: error: [^\n]+\n", err)
    assert re.search(message.format(**patterns), err), err
    assert not (tmp_path / "out" / "model.safetensors").exists()


def test_a_bug_is_one_line_too(fastmlp_cli, tmp_path, monkeypatch):
    def broken(folder, seed, language):
        raise RuntimeError("it broke\nin two lines")

    monkeypatch.setattr(cli.lesson, "run", broken)
    assert fastmlp_cli("demo", "--output", tmp_path) == (
        1,
        "",
        "fastmlp: error: a bug of fastmlp: RuntimeError: it broke in two lines\n",
    )


def test_a_model_without_a_target_needs_one(fastmlp_cli, spiral_csv, model_file, tmp_path):
    model = Model.load(model_file)
    path = tmp_path / "nameless.safetensors"
    Model(model.network, model.mean, model.scale, model.feature_names, model.class_names).save(path)
    assert fastmlp_cli("evaluate", path, spiral_csv)[::2] == (
        2,
        f"fastmlp: error: {path} names no target; --target is needed\n",
    )
    assert fastmlp_cli("evaluate", path, spiral_csv, "--target", "color")[0] == 0
