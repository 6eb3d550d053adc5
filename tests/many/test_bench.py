"""The measurement of many networks runs and reports; the size of its times is not tested."""

import re

import numpy as np
import pytest

from benches import many
from fastmlp import MLPClassifier

SMOKE = [
    *("--rounds", "1", "--rows", "300", "--nets", "4", "--peer-nets", "2", "--vmap-nets", "3"),
    *("--tiny-nets", "10", "--scaling-nets", "4"),
]


@pytest.mark.parametrize(
    ("case", "lines"),
    [
        ("float64", ["scikit-learn, loky, float64"]),
        ("vmap", ["torch.vmap, float32"]),
        ("iris", ["fit by fit, iris"]),
        ("scaling", ["fit_many, digits", "GridSearchCV, digits", "fit_many, 5,000 x 20"]),
    ],
)
def test_a_case_runs(case, lines, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    many.main(["--cases", case, "--tables", str(tmp_path / "none"), *SMOKE])
    rows = capsys.readouterr().out.splitlines()
    assert rows[0] == "| compared with | ratio | quartiles | goal | |"
    found = [re.match(r"\| (.+?) \| (\d+\.\d\d) \| ", row) for row in rows[2:]]
    assert [match[1] for match in found][: len(lines)] == lines
    assert all(float(match[2]) > 0 for match in found)


def test_networks_are_spread_over_the_widths_and_train_all_epochs():
    X, y = many.data(rows=500)
    assert sorted({(y == c).mean() > 0.1 for c in range(many.CLASSES)}) == [True]
    networks = many.networks(MLPClassifier, 5)
    assert sorted(clf.hidden_layer_sizes for clf in networks) == [
        (w,) for w in (8, 38, 68, 98, 128)
    ]
    with pytest.warns(UserWarning, match=r"Maximum iterations \(20\)"):
        assert networks[0].fit(X, y).n_iter_ == many.EPOCHS


def test_torch_learns_the_same():
    X, y = many.data("float32", 2000)
    networks = many.networks(MLPClassifier, 4, (many.EQUAL_WIDTH,) * 2, alpha=0.0)
    with pytest.warns(UserWarning, match=r"Maximum iterations \(20\)"):
        ours = np.mean([clf.fit(X, y).loss_ for clf in networks])
    assert many.vmapped(X, y, 4) == pytest.approx(ours, rel=0.1)
