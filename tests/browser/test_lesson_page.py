"""The page of the lesson in a browser: it loads, moves, and computes what the network does."""

import contextlib
import io
from itertools import combinations

import numpy as np
import pytest
from pages import Page, decode
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from fastmlp import lesson
from fastmlp.model import Model

SEED = 1234
PLANE = "#player canvas[data-is=plane]"
SLIDER = "#player [data-is=time]"
INPUTS, HIDDEN, RESULTS = (f"#player [data-is={name}]" for name in ("inputs", "hidden", "results"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lesson")
    with contextlib.redirect_stdout(io.StringIO()):
        lesson.run(folder, SEED)
    return folder


@pytest.fixture
def opened(browser, folder):
    """The page, freshly loaded; a test that makes it complain fails."""
    browser.open(folder / "lesson.html")
    yield browser
    assert browser.complaints() == []


def go(browser, frame):
    script = """const slider = document.querySelector(arguments[0]);
        slider.value = arguments[1]; slider.dispatchEvent(new Event('input'))"""
    browser.run(script, SLIDER, str(frame))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_loads_by_itself_and_fits(browser, folder, width, dark):
    requests, complaints = browser.open(folder / "lesson.html", width, dark=dark)
    assert complaints == []
    assert [url for url in requests if not url.startswith("data:")] == [
        (folder / "lesson.html").as_uri()
    ]
    assert browser.run("return document.documentElement.scrollWidth") <= width

    path = browser.keep(f"lesson-{width}-{'dark' if dark else 'light'}")
    with Image.open(path) as picture:
        assert picture.width == width
        corner = sum(picture.convert("RGB").getpixel((2, 2)))
    assert corner < 150 if dark else corner > 700


def test_the_slider_moves_epoch_loss_and_boundary(opened, folder):
    film = Page(folder / "lesson.html").content["films"]["main"]
    assert opened.number("#player [data-is=epoch]") == 1000
    assert opened.number("#player [data-is=score]") > 0.97
    seen = {}
    for frame in (0, 10, 20, 30):
        go(opened, frame)
        assert opened.number("#player [data-is=epoch]") == film["epochs"][frame]
        loss = opened.find("#player [data-is=loss]").text
        assert loss == ("\N{EN DASH}" if frame == 0 else f"{film['loss'][frame]:.4f}")
        cursor = opened.find("#player [data-is=cursor]").get_attribute("transform")
        score = opened.number("#player [data-is=score]")
        seen[frame] = (opened.picture(PLANE), cursor, score)
    for found in zip(*seen.values(), strict=True):
        assert all(one != other for one, other in combinations(found, 2))
    assert seen[0][2] < 0.6 < 0.85 < seen[30][2]

    opened.find(SLIDER).send_keys(Keys.ARROW_RIGHT)
    assert opened.number("#player [data-is=epoch]") == film["epochs"][31]


def test_a_click_on_the_curve_goes_to_its_epoch(opened):
    chart = opened.find("#player [data-is=chart]")
    ActionChains(opened.driver).move_to_element(chart).click().perform()
    assert 300 < opened.number("#player [data-is=epoch]") < 700


def test_nothing_moves_before_play_and_the_film_ends_by_itself(opened):
    assert opened.find(SLIDER).get_property("value") == "35"
    button = opened.find("#player [data-is=play]")
    go(opened, 31)
    button.click()
    assert button.text == "Pause"
    WebDriverWait(opened.driver, 60).until(lambda _: button.text == "Play")
    assert opened.number("#player [data-is=epoch]") == 1000


def test_a_unit_that_is_switched_off_changes_the_picture(opened):
    before, score = opened.picture(PLANE), opened.number("#player [data-is=score]")
    unit = opened.find("#player [data-is=units] button")
    assert len(opened.driver.find_elements("css selector", "#player .units button")) == 100

    unit.click()
    assert unit.get_attribute("aria-pressed") == "false"
    assert opened.picture(PLANE) != before
    assert opened.number("#player [data-is=score]") < score
    assert opened.find("#player [data-is=off]").text == "1 switched off"
    unit.send_keys(Keys.SPACE)
    assert unit.get_attribute("aria-pressed") == "true"
    assert opened.picture(PLANE) == before

    opened.find("#player [data-is=all_off]").click()
    assert {output for _, output in opened.numbers(HIDDEN)} == {0}
    opened.find("#player [data-is=all_on]").click()
    assert opened.picture(PLANE) == before


@pytest.mark.parametrize("frame", [0, 15, 35])
def test_the_numbers_under_the_pointer_are_those_of_the_network(opened, folder, frame):
    model = Model.load(folder / "model.safetensors")
    mlp = model.network
    if frame < 35:
        mlp.parameters[:] = decode(Page(folder / "lesson.html").content["films"]["main"])[0][frame]
    go(opened, frame)
    plane = opened.find(PLANE)
    for right, down in ((-200, 35), (0, 0), (111, -180), (225, 225)):
        ActionChains(opened.driver).move_to_element_with_offset(plane, right, down).perform()
        (x1, z1), (x2, z2) = opened.numbers(INPUTS)
        np.testing.assert_allclose([z1, z2], ([x1, x2] - model.mean) / model.scale, rtol=1e-12)
        X = np.array([[z1, z2]], np.float32)
        hidden = np.array(opened.numbers(HIDDEN))
        W, b = mlp.weights[0].astype(float), mlp.biases[0].astype(float)
        np.testing.assert_allclose(hidden[:, 0], [z1, z2] @ W + b, rtol=0, atol=1e-5)
        np.testing.assert_allclose(hidden[:, 1], mlp.transform(X)[0], rtol=0, atol=1e-5)
        results = np.array(opened.numbers(RESULTS))
        logits = mlp.forward(X)[0]
        np.testing.assert_allclose(
            results[:, 0], logits, rtol=0, atol=1e-5 * max(1, np.abs(logits).max())
        )
        np.testing.assert_allclose(results[:, 1], mlp.predict_proba(X)[0], rtol=0, atol=1e-5)


def test_the_pointer_is_where_the_numbers_say(opened, folder):
    limits = Page(folder / "lesson.html").content["limits"]
    plane = opened.find(PLANE)
    box = opened.run("return arguments[0].getBoundingClientRect().toJSON()", plane)
    ActionChains(opened.driver).move_to_element_with_offset(plane, 100, -150).perform()
    place = [x for x, _ in opened.numbers(INPUTS)]
    shares = 0.5 + 100 / box["width"], 0.5 + 150 / box["height"]
    expected = [low + s * (high - low) for s, (low, high) in zip(shares, limits, strict=True)]
    np.testing.assert_allclose(place, expected, atol=0.02)


def test_arrow_keys_move_the_place_and_its_description(opened):
    plane = opened.find(PLANE)
    (x, _), (y, _) = opened.numbers(INPUTS)
    label = plane.get_attribute("aria-label")
    plane.send_keys(Keys.SHIFT, Keys.ARROW_RIGHT, Keys.NULL, Keys.ARROW_UP)
    (x_after, _), (y_after, _) = opened.numbers(INPUTS)
    assert x_after > x
    assert y_after > y
    assert x_after - x > 5 * (y_after - y)
    assert plane.get_attribute("aria-label") != label
    assert "the network predicts c" in label


def test_the_points_of_one_part_are_shown_and_scored(opened, folder):
    model = Model.load(folder / "model.safetensors")
    content = Page(folder / "lesson.html").content["points"]
    before = opened.picture(PLANE)
    for option, (start, stop) in enumerate([(0, 1050), (1050, 1275), (1275, 1500)]):
        script = """const select = document.querySelector('#player [data-is=group]');
            select.value = arguments[0]; select.dispatchEvent(new Event('change'))"""
        opened.run(script, str(option))
        assert opened.picture(PLANE) != before
        places = lesson.course.make_spiral(random_state=SEED)
        parts = lesson.course.split(*places, fractions=(0.70, 0.15, 0.15), random_state=SEED)
        X, y = parts[option]
        assert content["targets"][start:stop] == y.tolist()
        expected = np.mean(model.predict(X) == y)
        assert opened.number("#player [data-is=score]") == pytest.approx(expected, abs=1e-9)


def test_the_gradient_check_by_touch_by_keys_and_with_another_step(opened):
    cells = opened.driver.find_elements("css selector", "[data-gradient] i")
    assert len(cells) == 603
    assert opened.number("[data-gradient] [data-is=error]") < 1e-7
    for cell in (0, 250, 602):
        cells[cell].click()
        found, truth = (
            opened.number(f"[data-gradient] [data-is={name}]")
            for name in ("slope", "backpropagation")
        )
        assert found == pytest.approx(truth, abs=1e-7)
    assert opened.find("[data-gradient] [data-is=name]").text == "b2[2]"
    slider = opened.find("[data-gradient] [data-is=cells]")
    slider.send_keys(Keys.ARROW_LEFT)
    assert opened.find("[data-gradient] [data-is=name]").text == "b2[1]"
    assert slider.get_attribute("aria-valuenow") == "601"
    assert slider.get_attribute("aria-valuetext").startswith("b2[1]: backpropagation ")

    opened.find("[data-gradient] [data-is=step]").send_keys(Keys.HOME)
    assert opened.number("[data-gradient] [data-is=error]") > 1e-4


@pytest.mark.parametrize("name", ["zeros", "rate", "linear", "dead"])
def test_a_failure_plays_as_a_small_film(opened, name):
    figure = f"[data-film={name}]"
    picture, score = opened.picture(f"{figure} canvas"), opened.number(f"{figure} [data-is=score]")
    assert score < 0.75
    opened.find(f"{figure} [data-is=time]").send_keys(Keys.HOME)
    assert opened.number(f"{figure} [data-is=epoch]") == 0
    same = opened.picture(f"{figure} canvas") == picture
    assert same == (name == "zeros")


def test_a_question_shows_its_answer(opened):
    details = opened.find("#step-data details")
    assert not details.find_element("css selector", "p").is_displayed()
    details.find_element("css selector", "summary").click()
    assert details.find_element("css selector", "p").is_displayed()
