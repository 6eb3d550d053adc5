"""The page of the lesson says what the terminal says, and shows the trainings that were made."""

import contextlib
import io
import re
from base64 import b64decode

import numpy as np
import pytest
from pages import Page, decode

from fastmlp import MLP, lesson
from fastmlp._core import ACTIVATIONS
from fastmlp.data import make_spiral, split
from fastmlp.lesson.catalogue import languages, texts_in
from fastmlp.model import Model

SEED = 1234


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("lesson")


@pytest.fixture(scope="module")
def printed(folder):
    with contextlib.redirect_stdout(io.StringIO()) as text:
        lesson.run(folder, SEED)
    return text.getvalue()


@pytest.fixture(scope="module")
def page(folder, printed):
    return Page(folder / "lesson.html")


def doubles(text):
    return np.frombuffer(b64decode(text), "<f8")


def test_the_page_is_one_small_file_that_asks_for_nothing(page):
    assert page.size <= 250_000
    assert "://" not in page.source
    outside = [address for address in page.addresses if not re.match(r"#|data:,$", address)]
    assert outside == []
    assert 'name="viewport"' in page.source


def test_links_lead_to_the_steps(page):
    assert len(page.ids) == len(set(page.ids))
    inside = [address[1:] for address in page.addresses if address.startswith("#")]
    assert set(inside) <= set(page.ids)
    assert len([name for name in page.ids if name.startswith("step-")]) == 12
    assert len(inside) == 13


def test_what_moves_has_a_description(page):
    kinds = {tag for tag, _ in page.labelled}
    assert kinds == {"canvas", "svg", "input", "select"}
    for tag, attributes in page.labelled:
        described = attributes.get("aria-label") or attributes.get("aria-hidden")
        in_a_label = attributes.get("data-is") in {"group", "step"}
        assert described or in_a_label, (tag, attributes)


def test_the_page_says_what_the_terminal_says(page, printed, folder):
    listing = printed.index(f"Written to {folder}")
    for line in printed[:listing].splitlines():
        if re.fullmatch(r"-*|see .*", line):
            continue
        for cell in re.split(r" {2,}", re.sub(r"^\d+\. ", "", line)):
            assert cell.strip() in page.text, line


def test_every_sentence_of_the_page_is_in_the_catalogue(page):
    """Those that the script says are in its content, the others in the text or in labels."""
    texts = texts_in("en")
    said = " ".join([page.text, *page.labels])
    tables = ("page", "questions", "answers", "player", "check", "figures", "failures")
    others = ("r_squared", "value", "units_help_values", "layer", "title")
    without = {f"player.{name}" for name in others}  # of other networks
    for key, text in texts.items():
        table, _, name = key.partition(".")
        if table == "script":
            assert page.content["texts"][name] == text
        elif table in tables and key not in without:
            parts = re.split(r"\{\w+\}", " ".join(text.split()))
            assert all(part.strip() in said for part in parts), key


def test_the_film_is_the_training_of_the_lesson(page, folder):
    model = Model.load(folder / "model.safetensors")
    main = page.content["films"]["main"]
    decoded, half_a_step = decode(main)

    assert main["layers"] == [2, 100, 3]
    assert main["epochs"][0] == 0
    assert main["epochs"][-1] == 1000
    np.testing.assert_array_less(
        np.abs(decoded[-1] - model.network.parameters), half_a_step[-1] + 1e-8
    )
    np.testing.assert_allclose(page.content["mean"], model.mean)
    np.testing.assert_allclose(page.content["scale"], model.scale)

    start = MLP([2, 100, 3], activation="relu", init="normal", init_scale=0.01, seed=SEED)
    np.testing.assert_array_less(np.abs(decoded[0] - start.parameters), half_a_step[0] + 1e-8)


def test_the_points_are_those_of_the_lesson(page):
    content = page.content["points"]
    assert content["sizes"] == [1050, 225, 225]
    X, y = make_spiral(random_state=SEED)
    parts = split(X, y, fractions=(0.70, 0.15, 0.15), random_state=SEED)
    octets = np.frombuffer(b64decode(content["codes"]), np.uint8).reshape(-1, 3).astype(int)
    low, high = content["ends"]
    shown = low + (high - low) / (2**24 - 1) * (octets @ [1, 256, 65536]).reshape(-1, 2)
    np.testing.assert_allclose(shown, np.concatenate([X for X, _ in parts]), atol=1e-6)
    np.testing.assert_array_equal(content["targets"], np.concatenate([y for _, y in parts]))


def test_the_gradient_to_check_is_that_of_the_network_there(page):
    check = page.content["gradient"]
    mlp = MLP([2, 100, 3], dtype="float64")
    mlp.parameters[:] = doubles(check["parameters"])
    X, y = doubles(check["X"]).reshape(-1, 2), np.array(check["y"])
    _, gradient = mlp.loss_and_grad(X, y, sample_weight=np.array(check["weights"]))
    np.testing.assert_allclose(doubles(check["gradient"]), gradient, rtol=1e-12, atol=1e-15)


def test_each_failure_fails_in_its_way(page):
    films = page.content["films"]
    parameters = {name: decode(film)[0] for name, film in films.items()}

    zeros = parameters["zeros"]
    np.testing.assert_array_equal(zeros[:, :-3], np.zeros_like(zeros[:, :-3]))
    assert films["zeros"]["loss"][-1] == pytest.approx(np.log(3), abs=1e-3)

    assert max(films["rate"]["loss"][1:]) > 10
    assert films["rate"]["loss"][-1] > 0.5

    assert films["linear"]["activations"] == ["identity"]
    assert films["linear"]["loss"][-1] > 0.6

    dead = parameters["dead"]
    W1, b1 = dead[:, :40].reshape(-1, 2, 20), dead[:, 40:60]
    np.testing.assert_allclose(
        W1[:, :, 2:], np.broadcast_to(W1[0, :, 2:], W1[:, :, 2:].shape), atol=1e-6
    )
    np.testing.assert_allclose(b1[:, 2:], -6, atol=1e-6)
    assert np.ptp(W1[:, :, :2], axis=0).max() > 0.1
    X = make_spiral(random_state=SEED)[0]
    X = (X - page.content["mean"]) / page.content["scale"]
    assert (X @ W1[0] + b1[0])[:, 2:].max() < 0
    assert 0.4 < films["dead"]["loss"][-1] < 1


def test_all_activations_are_drawn(page):
    names = {attributes.get("aria-label") for tag, attributes in page.labelled if tag == "svg"}
    assert set(ACTIVATIONS) <= names


def test_the_same_seed_gives_the_same_page(folder, page, tmp_path):
    with contextlib.redirect_stdout(io.StringIO()):
        lesson.run(tmp_path, SEED)
    assert (tmp_path / "lesson.html").read_bytes() == (folder / "lesson.html").read_bytes()


@pytest.mark.parametrize("language", languages())
def test_a_page_in_each_language_fits(language, tmp_path):
    with contextlib.redirect_stdout(io.StringIO()):
        lesson.run(tmp_path, SEED, language)
    page = Page(tmp_path / "lesson.html")
    assert page.size <= 250_000
    assert f'<html lang="{language}">' in page.source
