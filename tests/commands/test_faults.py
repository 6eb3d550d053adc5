"""Faults outside the network are reported in one line, before work that would be lost."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastmlp
from fastmlp import MLP, cli
from fastmlp import __main__ as main
from fastmlp.commands import lesson_checks, lesson_train
from fastmlp.commands.results import printable_names
from fastmlp.model import Model

FASTMLP = [sys.executable, "-m", "fastmlp"]
LEARNED_NOTHING = (
    "fastmlp: warning: the network learned nothing: on the rows it was trained on, the same answer "
    "for all of them would be as good; more --epochs, another --learning-rate, --init auto or "
    "--optimizer adam may help\n"
)
POSIX = pytest.mark.skipif(os.name == "nt", reason="needs the shell of a POSIX system")
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
LESSON = ("--preset", "lesson")


def write_csv(path, header, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def points(n, classes=("no", "yes")):
    """Rows (a, b, class) of seeded points, the classes in turn."""
    X = np.random.default_rng(3).standard_normal((n, 2)).tolist()
    return [(*x, classes[i % len(classes)]) for i, x in enumerate(X)]


@pytest.fixture
def data(tmp_path):
    return write_csv(tmp_path / "data.csv", "abc", points(60))


@pytest.fixture
def train(fastmlp_cli, tmp_path):
    """Train a small network on a file, into the folder "out"."""

    def call(path, *options):
        fixed = ["--target", "c", "--output", tmp_path / "out", "--hidden", 3, "--epochs", 2]
        return fastmlp_cli("train", path, *LESSON, *fixed, *options)

    return call


def shell(redirection, *arguments):
    """Run a command with its streams redirected by a shell."""
    script = f'exec "$@" {redirection}'
    command = ["sh", "-c", script, "sh", *FASTMLP, *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def row_of(part, n, seed):
    """First row of n, the classes in turn, that the default split puts into a part."""
    rows = np.arange(n)
    pairs = fastmlp.data.split(rows[:, None], rows % 2, random_state=seed)
    return int(pairs[part][0].min())


@pytest.mark.parametrize("part", [1, 2], ids=["validation", "test"])
@pytest.mark.parametrize(("dtype", "value"), [("float32", 1e60), ("float64", -1e154)])
def test_a_number_too_large_in_any_part_stops_before_training(
    train, tmp_path, monkeypatch, part, dtype, value
):
    def fit(*_, **__):
        pytest.fail("training began")

    monkeypatch.setattr(lesson_train, "progress_bar", fit)
    rows = [(x, 1e-155 * y, label) for x, y, label in points(60)]
    row = row_of(part, 60, seed=1234)
    rows[row] = (0.0, value, rows[row][2])
    path = write_csv(tmp_path / "far.csv", "abc", rows)
    assert train(path, "--dtype", dtype) == (
        2,
        "",
        f"fastmlp: error: {path}, row {row + 1} below the header: feature 'b' is {value}, "
        f"not finite once standardized to {dtype}\n",
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("part", [0, 2], ids=["train", "test"])
@pytest.mark.parametrize("value", [1e200, 1.7e308, -1.7e308])
def test_a_spread_that_no_number_holds_is_named_too(train, tmp_path, part, value):
    rows = points(60)
    row = row_of(part, 60, seed=1234)
    rows[row] = (value, 0.0, rows[row][2])
    path = write_csv(tmp_path / "wide.csv", "abc", rows)
    assert train(path) == (
        2,
        "",
        f"fastmlp: error: {path}, row {row + 1} below the header: feature 'a' is {value}, "
        "too large to standardize\n",
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "option",
    [
        ("--n-jobs", 0),
        ("--n-jobs", 2**16 + 1),
        ("--epochs", 2**63),
        ("--batch-size", 2**63),
        ("--hidden", 2**24 + 1),
        ("--fractions", "0.5,0.5,0.5"),
    ],
    ids=lambda option: f"{option[0]} {option[1]}",
)
def test_options_are_checked_before_the_data_is_read(train, data, tmp_path, monkeypatch, option):
    monkeypatch.setattr(lesson_train, "read_csv", lambda *_: pytest.fail("the data was read"))
    status, _, err = train(data, *option)
    assert status == 2
    assert re.fullmatch(rf"fastmlp: error: Invalid value for '?{option[0]}'?: .*\n", err)
    assert not (tmp_path / "out").exists()


def test_ctrl_c_in_start_up_ends_with_130_and_one_line(monkeypatch, capsys):
    class Interruption:
        def find_spec(self, name, path=None, target=None):
            if name == "fastmlp.cli":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "fastmlp.cli")
    monkeypatch.delattr(fastmlp, "cli")
    monkeypatch.setattr(sys, "meta_path", [Interruption(), *sys.meta_path])
    assert main.main() == 130
    assert capsys.readouterr().err == "fastmlp: error: interrupted\n"


def test_ctrl_c_while_options_are_read_is_one_line_too(fastmlp_cli, data, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.commands, "parse_args", interrupt)
    assert fastmlp_cli("--help") == (130, "", "fastmlp: error: interrupted\n")


@FULL
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["predict", "--help"]])
def test_output_that_cannot_be_written_is_one_line(arguments):
    done = shell(">/dev/full", *arguments)
    assert (done.returncode, done.stderr) == (2, "fastmlp: error: No space left on device\n")


@FULL
def test_an_error_that_cannot_be_written_keeps_its_status():
    assert shell("2>/dev/full", "--hlp").returncode == 2


@POSIX
@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_do_not_stop_a_training(data, tmp_path, redirection):
    done = shell(
        redirection, "train", data, *LESSON, "--target", "c", "--epochs", 1, "--output", tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "model.safetensors").exists()


@POSIX
def test_closed_output_prints_no_help_and_takes_no_predictions(data, tmp_path):
    assert shell(">&-", "--help").returncode == 0
    model = tmp_path / "model.safetensors"
    Model(MLP([2, 2], seed=0), [0, 0], [1, 1], "ab", ["no", "yes"]).save(model)
    done = shell(">&-", "predict", model, data)
    assert done.returncode == 2
    assert done.stderr == (
        "fastmlp: error: Invalid value for '--output': standard output is closed.\n"
    )


def test_without_click_a_closed_stream_takes_no_message(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "click", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert main.main() == 2
    assert capsys.readouterr().out == ""


def test_a_class_too_rare_to_split_is_named(train, tmp_path):
    rows = [*points(20), (0, 0, "rare"), (1, 1, "rare")]
    path = write_csv(tmp_path / "rare.csv", "abc", rows)
    assert train(path) == (
        2,
        "",
        f"fastmlp: error: {path} has 2 of the 3 rows that class 'rare' of column 'c' needs, "
        "one for each part\n",
    )


def test_a_class_with_no_row_to_train_on_is_named(train, tmp_path):
    rows = [*points(200), *points(3, ["rare"])]
    path = write_csv(tmp_path / "rare.csv", "abc", rows)
    status, _, err = train(path, "--fractions", "0.1,0.1,0.8")
    assert status == 2
    assert err == f"fastmlp: error: {path} has class 'rare' in none of the rows to train on\n"


def test_more_classes_than_a_confusion_matrix_takes_stop_before_training(
    train, data, tmp_path, monkeypatch
):
    monkeypatch.setattr(lesson_checks, "MAX_MATRIX_CLASSES", 1)
    status, _, err = train(data)
    assert status == 2
    assert err == f"fastmlp: error: {data} has 2 classes in column 'c', more than 1\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("n", [10, 200])
def test_a_continuous_target_is_recognised(train, tmp_path, n):
    rows = [(a, b, a + b) for a, b, _ in points(n)]
    status, _, err = train(write_csv(tmp_path / "regression.csv", "abc", rows))
    assert status == 2
    assert err.endswith("needs, one for each part; the target looks continuous\n")


@pytest.mark.parametrize("names", [("是", "否"), ("a$b$", "$\\frac$"), ("n" * 200, "y" * 300)])
def test_names_that_plots_cannot_show_do_not_stop_a_training(train, tmp_path, names):
    path = write_csv(tmp_path / "names.csv", ["a$_$", "图", "c"], points(60, names))
    status, _, err = train(path)  # warnings are errors here
    assert (status, err) == (0, "")
    assert (tmp_path / "out" / "decision_boundary.png").exists()


def test_control_characters_are_printed_as_escapes(train, fastmlp_cli, tmp_path, monkeypatch):
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda *_: False)  # as at a terminal
    names = ("\x1b[31mred", "\\x1b[31mred", "be\x07ll")
    path = write_csv(tmp_path / "names.csv", "abc", points(60, names))
    status, out, err = train(path)
    assert (status, err) == (0, LEARNED_NOTHING)
    assert all(char.isprintable() or char == "\n" for char in out)
    assert re.findall(r"^(\S+) .* \d+$", out, re.MULTILINE)[-4:-1] == printable_names(sorted(names))

    model = tmp_path / "out" / "model.safetensors"
    status, table, _ = fastmlp_cli("evaluate", model, path)
    assert status == 0
    assert all(name in table for name in printable_names(names))
    assert "\x1b" not in table

    wrong = write_csv(tmp_path / "wr\x1bong.csv", "abc", points(3))
    assert fastmlp_cli("evaluate", model, wrong)[2].startswith(
        f"fastmlp: error: {tmp_path}/wr\\x1bong.csv, line 2: class 'no'"
    )


def test_distinct_names_stay_distinct_when_printed():
    names = ["\x1b", "\\x1b", "\\\\x1b", "plain", "naïve", "是"]
    shown = printable_names(names)
    assert len(set(shown)) == len(names)
    assert shown[3:] == names[3:]


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder nobody can write to")
def test_a_folder_that_cannot_be_written_to_stops_before_training(train, data):
    status, out, err = train(data, "--output", "/proc/self")
    assert status == 2
    assert out == ""
    assert re.fullmatch(r"fastmlp: error: .*/proc/.*\n", err)
