"""The measurement on tables runs, counts and reports; the size of its times is not tested."""

import json
import re
import sys

import numpy as np
import pytest

from benches.tables import __main__ as program
from benches.tables import chart
from benches.tables.models import KINDS
from benches.tables.report import Result, row

LOAD = """
import numpy as np

def load(name):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 2)).astype(np.float32)
    is_class = name == "classes"
    y = (X[:, 0] > 0).astype(int) if is_class else 4.0 * X[:, 0]
    rows = np.arange(400)
    return dict(X_num=X, X_cat=(X[:, 1:] > 0).astype(np.int16), y=y,
                task="binary" if is_class else "regression",
                train=rows[:200], val=rows[200:300], test=rows[300:])
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the program on two toy tables; return what it prints and what it writes."""
    (tmp_path / "load.py").write_text(LOAD, encoding="utf-8")

    def call(*arguments):
        path = tmp_path / "results.json"
        given = ["--folder", str(tmp_path), "--json", str(path), *arguments]
        monkeypatch.setattr(sys, "argv", ["benches.tables", *given])
        program.main()
        return capsys.readouterr().out, json.loads(path.read_text(encoding="utf-8"))

    return call


def test_every_kind_is_measured_on_every_table(run):
    printed, written = run("--tables=classes,numbers", "--kinds=fast,best,boosting", "--seeds=2")
    rows = [re.split(r" *\| *", line)[1:-1] for line in printed.splitlines()[2:]]
    assert [row[:4] for row in rows] == [
        [name, kind, "2", score]
        for name, score in (("classes", "accuracy"), ("numbers", "RMSE"))
        for kind in ("fast", "best", "boosting")
    ]
    assert len(written) == 12
    for result in written:
        assert (result["log_loss"] is None) == (result["table"] == "numbers")
        assert result["fit_seconds"] > 0
        # Better than the share of the most frequent class, or than the deviation of the target.
        assert result["score"] > 0.8 if result["table"] == "classes" else result["score"] < 3.5


def test_the_validation_part_can_be_scored(run):
    _, test = run("--tables=numbers", "--kinds=fast", "--seeds=1")
    _, validation = run("--tables=numbers", "--kinds=fast", "--seeds=1", "--part=val")
    assert test[0]["score"] != validation[0]["score"]


def test_a_line_has_means_and_spreads_in_published_units():
    results = [Result("diamonds", "fast", score, None, 2.0, 1000.0) for score in (398.94, 797.88)]
    assert row(results) == "| diamonds | fast | 2 | RMSE | 0.1500 ± 0.0500 |  | 2.0 | 1,000 |"
    results = [Result("adult", "best", 0.5, log_loss, 2.0, 1000.0) for log_loss in (0.25, 0.75)]
    assert row(results) == (
        "| adult | best | 2 | accuracy | 0.5000 ± 0.0000 | 0.5000 | 2.0 | 1,000 |"
    )


def test_results_can_be_shown_again_and_drawn(run, tmp_path):
    pictures = tmp_path / "first.png", tmp_path / "second.png"
    printed, written = run(
        "--tables=classes,numbers", "--kinds=fast,sklearn", "--seeds=2", "--epochs=2",
        f"--chart={pictures[0]}",
    )  # fmt: skip
    assert len(written) == 8
    again, same = run(f"--from={tmp_path / 'results.json'}", f"--chart={pictures[1]}")
    assert (again, same) == (printed, written)
    assert pictures[0].read_bytes() == pictures[1].read_bytes()
    assert pictures[0].read_bytes().startswith(b"\x89PNG")
    paths = tmp_path / "some.json", tmp_path / "others.json"
    for path, part in zip(paths, (written[:3], written[3:]), strict=True):
        path.write_text(json.dumps(part), encoding="utf-8")
    assert run("--from", *map(str, paths)) == (printed, written)


def test_the_front_is_what_nothing_faster_equals():
    times = np.array([3.0, 1.0, 2.0, 4.0, 1.0])
    scores = np.array([0.7, 0.5, 0.5, 0.9, 0.4])
    assert chart.front_of(times, scores, lower_is_better=False) == [1, 0, 3]
    assert chart.front_of(times, scores, lower_is_better=True) == [4]


def test_every_kind_has_a_style():
    assert chart.STYLES.keys() == set(KINDS)


def test_without_tables_it_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["benches.tables", "--folder", str(tmp_path)])
    with pytest.raises(SystemExit):
        program.main()
    assert f"there are no tables in {tmp_path}; name a folder" in capsys.readouterr().err
