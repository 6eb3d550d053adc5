"""A folder is held by one run at a time, and keeps its results until told otherwise."""

import csv
import os
import re
import signal
import subprocess
import sys

import pytest

from fastmlp.commands import folder as runs
from fastmlp.commands import lesson_train
from fastmlp.data import make_spiral
from fastmlp.model import Model

FASTMLP = [sys.executable, "-m", "fastmlp"]
REFUSED = (
    "fastmlp: error: {} holds the results of a training: --overwrite replaces them, --output names "
    "another folder{}\n"
)
RESUME = ", --preset lesson --resume continues it"
IN_USE = (
    "fastmlp: error: {} is in use by another run: wait for its end, or name another folder with "
    "--output\n"
)
LESSON = ("--preset", "lesson")


def write_spiral(path, seed):
    X, arms = make_spiral(90, random_state=seed)
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = [(*x, f"c{arm}") for x, arm in zip(X.tolist(), arms, strict=True)]
        csv.writer(file).writerows([("a", "b", "c"), *rows])
    return path


@pytest.fixture
def data(tmp_path):
    return write_spiral(tmp_path / "train.csv", seed=1)


@pytest.fixture
def train(fastmlp_cli, tmp_path):
    """Train a small network on a file."""

    def call(path, *options, folder=tmp_path / "out"):
        fixed = ["--target", "c", "--hidden", 20, "--epochs", 20, "--quiet", "--output", folder]
        return fastmlp_cli("train", path, *LESSON, *fixed, *options)

    return call


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_files_of_one_name_do_not_replace_each_other_s_results(fastmlp_cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = [write_spiral(tmp_path / name / "train.csv", seed) for seed, name in enumerate("ab")]
    given = ["--target", "c", "--epochs", 20, "--quiet"]
    assert fastmlp_cli("train", files[0], *LESSON, *given) == (0, "", "")
    folder = tmp_path / "runs" / "train"
    first = contents(folder)
    refused = (2, "", REFUSED.format("runs/train", RESUME).replace("/", os.sep))
    assert fastmlp_cli("train", files[1], *LESSON, *given) == refused
    assert contents(folder) == first
    assert fastmlp_cli("train", files[1], *LESSON, *given, "--overwrite") == (0, "", "")
    assert contents(folder).keys() == first.keys()
    assert contents(folder)["model.safetensors"] != first["model.safetensors"]
    status, _, error = fastmlp_cli("train", files[0], *LESSON, *given, "--resume")
    assert status == 2
    assert "X is not what the training began with" in error


@pytest.mark.parametrize("name", ["model.safetensors", "metrics.json", "checkpoint.safetensors"])
def test_any_result_is_kept_and_other_files_are_no_results(train, data, tmp_path, name):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    (folder / name).write_text("a result")
    resume = RESUME if name == "checkpoint.safetensors" else ""
    assert train(data) == (2, "", REFUSED.format(folder, resume))
    assert contents(folder) == {"notes.txt": b"mine", name: b"a result"}
    (folder / name).unlink()
    assert train(data) == (0, "", "")
    assert (folder / "notes.txt").read_text() == "mine"


def test_the_lesson_and_a_training_spare_each_other(train, data, fastmlp_cli, tmp_path):
    assert train(data) == (0, "", "")
    before = contents(tmp_path / "out")
    assert fastmlp_cli("demo", "--output", tmp_path / "out") == (
        2,
        "",
        f"fastmlp: error: {tmp_path / 'out'} holds the results of fastmlp train: --output names "
        "another folder\n",
    )
    assert contents(tmp_path / "out") == before
    lesson = tmp_path / "lesson"
    lesson.mkdir()
    (lesson / "model.safetensors").write_text("of the lesson")
    assert train(data, folder=lesson) == (2, "", REFUSED.format(lesson, ""))


def test_two_ways_to_treat_results_exclude_each_other(train, data):
    message = "fastmlp: error: --resume and --overwrite exclude each other\n"
    assert train(data, "--resume", "--overwrite") == (2, "", message)


def test_a_folder_in_use_is_refused_before_the_data_is_read(train, data, tmp_path, monkeypatch):
    monkeypatch.setattr(lesson_train, "read_csv", lambda *_, **__: pytest.fail("the data was read"))
    folder = tmp_path / "new" / "out"
    with runs.held(folder):
        for options in ([], ["--overwrite"], ["--resume"]):
            assert train(data, *options, folder=folder) == (2, "", IN_USE.format(folder))
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_another_process_holds_a_folder_until_it_ends(train, data, tmp_path):
    folder = tmp_path / "out"
    command = ["train", data, *LESSON, "--target", "c", "--epochs", str(10**9), "--output", folder]
    with subprocess.Popen([*FASTMLP, *command], stdout=subprocess.PIPE) as process:
        try:
            while not process.stdout.readline().startswith(b"network"):
                assert process.poll() is None
            assert train(data, "--overwrite") == (2, "", IN_USE.format(folder))
        finally:
            process.send_signal(signal.SIGKILL)
    assert (folder / ".fastmlp-lock").exists()  # nobody was left to remove it
    assert train(data, "--overwrite") == (0, "", "")
    assert not (folder / ".fastmlp-lock").exists()


def test_a_file_system_without_locks_is_no_obstacle(train, data, monkeypatch):
    def refuse(file):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(runs, "_lock", refuse)
    assert train(data) == (0, "", "")


def test_a_lock_that_was_removed_meanwhile_is_none(tmp_path, monkeypatch):
    lock, taken = runs._lock, []

    def lock_late(file):
        lock(file)
        taken.append(file.name)
        if len(taken) == 1:  # its former holder ends between opening and locking
            (tmp_path / ".fastmlp-lock").unlink()

    monkeypatch.setattr(runs, "_lock", lock_late)
    with runs.held(tmp_path):
        assert len(taken) == 2
        with pytest.raises(runs.BadInput), runs.held(tmp_path):
            pytest.fail("two held one folder")


def test_bad_data_leaves_no_folder(train, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("a,c\nx,y\n")
    assert train(path, folder=tmp_path / "new" / "out")[0] == 2
    assert not (tmp_path / "new").exists()


def test_a_training_that_diverges_leaves_nothing_to_replace(train, data, tmp_path):
    status, _, error = train(data, "--learning-rate", 1e30)
    assert status == 2
    assert re.match(r"fastmlp: error: .*finite", error)
    assert not (tmp_path / "out").exists()
    assert train(data) == (0, "", "")
    before = contents(tmp_path / "out")
    assert train(data, "--resume", "--epochs", 30) == (0, "", "")
    Model.load(tmp_path / "out" / "model.safetensors")
    assert contents(tmp_path / "out") != before


def test_what_was_trained_outlives_results_that_cannot_be_written(
    train, data, tmp_path, monkeypatch
):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(lesson_train, "write_results", full)
        assert train(data) == (2, "", "fastmlp: error: No space left on device\n")
    assert list(contents(tmp_path / "out")) == ["checkpoint.safetensors"]
    assert train(data, "--resume") == (0, "", "")
    assert train(data, folder=tmp_path / "whole") == (0, "", "")
    name = "model.safetensors"
    assert contents(tmp_path / "out")[name] == contents(tmp_path / "whole")[name]
