"""`train --preset lesson`: what it reads, does and writes, and how it goes on after an end."""

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import nullcontext

import numpy as np
import pytest
from lesson_files import FASTMLP, LESSON, write_csv

from fastmlp import MLP, SGD
from fastmlp.checkpoint import Checkpoint
from fastmlp.commands import lesson_train
from fastmlp.model import Model


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
