"""The lesson is true: its numbers agree with an independent computation."""

import contextlib
import io
import json
import re

import numpy as np
import pytest

from fastmlp import lesson
from fastmlp.commands.results import Part
from fastmlp.data import make_spiral, split
from fastmlp.model import Model

SEED = 1234
FILES = {
    "activations.png",
    "confusion_matrix.png",
    "data.png",
    "decision_boundary.png",
    "history.png",
    "lesson.html",
    "linear_boundary.png",
    "metrics.json",
    "model.safetensors",
}


def teach(folder, seed=SEED):
    with contextlib.redirect_stdout(io.StringIO()) as text:
        lesson.run(folder, seed)
    return text.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("course") / "lesson"


@pytest.fixture(scope="module")
def text(folder):
    return teach(folder)


@pytest.fixture(scope="module")
def metrics(folder, text):
    return json.loads((folder / "metrics.json").read_text(encoding="utf-8"))


def number(pattern, text):
    return float(re.search(pattern, text)[1])


def test_the_steps_come_in_order(text):
    assert re.findall(r"^(\d+)\. .*\n-+$", text, re.MULTILINE) == [str(n) for n in range(1, 13)]
    assert max(map(len, text.splitlines())) <= 80


def test_the_linear_model_fails_and_the_network_succeeds(metrics):
    assert 0.4 <= metrics["linear"]["test"]["overall"]["accuracy"] <= 0.65
    assert metrics["network"]["test"]["overall"]["accuracy"] >= 0.97
    assert metrics["network"]["test"]["overall"]["f1"] >= 0.97
    sizes = {part: scores["overall"]["num_samples"] for part, scores in metrics["network"].items()}
    assert sizes == {"train": 1050, "validation": 225, "test": 225}


def test_before_training_the_cross_entropy_is_that_of_a_guess(text):
    assert number(r"cross-entropy +([\d.]+)", text) == pytest.approx(np.log(3), abs=2e-3)
    first = re.search(r"first probabilities +([\d. ]+)", text)[1].split()
    np.testing.assert_allclose([float(p) for p in first], 1 / 3, atol=0.02)


def test_the_gradient_agrees_with_finite_differences(text):
    assert number(r"largest relative error of all 603: (\S+)", text) < 1e-6


def test_the_loss_falls(text):
    rows = re.search(r"^10\. Train.*?^epoch[^\n]*\n(.*?)\n\n", text, re.MULTILINE | re.DOTALL)[1]
    table = np.array([line.split() for line in rows.splitlines()], dtype=float)
    epochs, losses = table[:, 0], table[:, 1]

    np.testing.assert_array_equal(epochs, [1, *range(100, 1001, 100)])
    assert losses[0] == pytest.approx(np.log(3), abs=2e-3)
    assert losses[-1] < 0.1


def test_the_model_that_was_written_has_the_accuracy_that_was_written(folder, metrics):
    model = Model.load(folder / "model.safetensors")
    X, arms = make_spiral(random_state=SEED)
    *_, (X_test, y_test) = split(X, arms, fractions=(0.70, 0.15, 0.15), random_state=SEED)

    assert (model.feature_names, model.class_names) == (("X1", "X2"), ("c1", "c2", "c3"))
    assert model.target == "color"
    accuracy = np.mean(model.predict(X_test) == y_test)
    assert metrics["network"]["test"]["overall"]["accuracy"] == accuracy


def test_the_list_of_files_is_complete_with_their_sizes(folder, text):
    listed = dict(re.findall(r"^  (\S+) +([\d.]+) kB$", text, re.MULTILINE))
    sizes = {path.name: f"{path.stat().st_size / 1000:.1f}" for path in folder.iterdir()}

    assert listed == sizes
    assert set(listed) == FILES
    for path in folder.glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG"), path.name


def test_a_seed_gives_the_same_lesson_and_another_seed_another(folder, text, tmp_path):
    again = teach(tmp_path / "again").replace(str(tmp_path / "again"), str(folder))
    assert again == text
    for name in ("metrics.json", "model.safetensors"):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()

    other = teach(tmp_path / "other", seed=5)
    assert number(r"all 603: (\S+)", other) != number(r"all 603: (\S+)", text)


def test_finite_differences_are_the_gradient_and_leave_the_network_as_it_was(
    random_mlp, reference_of, flat, rng
):
    network = random_mlp([2, 4, 3], "tanh")
    before = network.parameters.copy()
    X, y, weights = rng.standard_normal((9, 2)), rng.integers(0, 3, 9), np.array([1.0, 2.0, 5.0])
    _, truth = reference_of(network).loss_and_gradients(X, y, class_weight=weights)

    differences = lesson.finite_differences(network, Part(X, y), weights)

    np.testing.assert_allclose(differences, flat(network, truth), atol=1e-8)
    np.testing.assert_array_equal(network.parameters, before)


def test_a_folder_that_cannot_be_made_is_an_os_error(tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(NotADirectoryError, match="file"):
        lesson.run(tmp_path / "file" / "lesson", SEED)
